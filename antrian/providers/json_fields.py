"""Reads what providers write as JSON, whatever it holds: nothing here raises."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

#: Characters of a provider's words that are looked at.
LONGEST_WORDS = 1_000
#: Characters of a provider's name for a message; a longer one is none.
LONGEST_ID = 128

#: A time larger than this is in milliseconds.
_LATEST_SECOND = 100_000_000_000


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; empty where it holds anything else."""
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def inner(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The object below these names, one in another; empty where there is none."""
    found: Any = fields
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def text(value: object, longest: int) -> str:
    """A text, cut to `longest` characters; empty for anything else; half a character becomes `?`."""
    if not isinstance(value, str):
        return ""
    return value[:longest].encode("utf-8", "replace").decode("utf-8")


def identifier(value: object) -> str:
    """A provider's name for something, which some write as a number; empty for what can be none."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= LONGEST_ID:
        return str(value)
    found = isinstance(value, str) and value.isprintable() and len(value) <= LONGEST_ID
    return str(value).strip() if found else ""


def moment(value: object) -> float | None:
    """Unix seconds of a time in seconds, milliseconds or as ISO 8601 with a zone; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return _moment_of_date(value) if isinstance(value, str) else None
    if not math.isfinite(seconds) or seconds <= 0:
        return None
    return seconds / 1000 if seconds > _LATEST_SECOND else seconds


def words(fields: Mapping[str, Any], names: Iterable[str]) -> str:
    """What the fields of these names say, in a row: texts, and those inside lists and objects two levels deep."""
    said = (part for name in names for part in _texts(fields.get(name), depth=2))
    return " ".join(said).strip()[:LONGEST_WORDS]


def _texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth:
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part, depth - 1)


def _moment_of_date(value: str) -> float | None:
    try:
        found = datetime.fromisoformat(value)
        return max(found.timestamp(), 0.0) or None if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
