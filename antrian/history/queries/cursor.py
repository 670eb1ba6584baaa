"""Where the next page begins, as text that callers hand back unread."""

import base64
import binascii
import json
import math

from antrian.domain.errors import AntrianError


class BadCursor(AntrianError, ValueError):
    """A cursor that was not made here, or for another kind of page."""


def write(at: float, number: int) -> str:
    """A cursor for what comes after the entry of this time and number."""
    return base64.urlsafe_b64encode(json.dumps([at, number]).encode()).decode().rstrip("=")


def read(cursor: str) -> tuple[float, int]:
    """Time and number of the entry that the page begins after.

    Raises:
        BadCursor: this is no cursor.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, number = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        sound = type(at) in {int, float} and type(number) is int and math.isfinite(at) and abs(number) < 2**63
    except (ValueError, TypeError, binascii.Error, OverflowError, RecursionError):
        sound = False
    if not sound:
        raise BadCursor("the cursor does not belong to this list; start again without it")
    return float(at), number
