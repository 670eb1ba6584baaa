"""Where a page of opt-outs ends, as a text that goes over the network and comes back."""

import base64
import json

from antrian.contacts.identity import PersonKey

#: SQLite's.
_LARGEST = (1 << 63) - 1

Place = tuple[int, PersonKey, str]


def write_cursor(place: Place) -> str:
    """The text."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> Place | None:
    """The place; None where it is none, or none was written."""
    if not text:
        return None
    try:
        at, person, purpose = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, RecursionError):
        return None
    is_sound = all(isinstance(one, str) or (type(one) is int and abs(one) <= _LARGEST) for one in (at, person))
    return (at, person, purpose) if is_sound and isinstance(at, int) and isinstance(purpose, str) else None
