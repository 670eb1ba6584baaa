"""A moment as people type it: `+5m`, `in 1h 30m`, or an RFC 3339 time with its offset."""

import re
from datetime import datetime, timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PART = r"\d{1,9}(?:\.\d{1,3})?\s*[smhd]"
_RELATIVE = re.compile(rf"(?:\+|in\s)\s*({_PART}(?:\s*{_PART})*)", re.ASCII | re.IGNORECASE)
_ABSOLUTE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", re.ASCII | re.IGNORECASE)

HOW_TO_WRITE = "write +5m, in 1h 30m, or 2026-01-31T17:00:00+07:00"


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment that is meant.

    Args:
        text: days, hours, minutes and seconds from now after a `+` or `in`, or an RFC 3339 time.
        now: an aware time that relative moments start from.

    Returns:
        An aware time.

    Raises:
        ValueError: it is neither; the text is one sentence that says how to write it.
    """
    relative = _RELATIVE.fullmatch(text.strip())
    try:
        if relative:
            return now + timedelta(seconds=_duration(relative[1]))
        moment = datetime.fromisoformat(text.strip()) if _ABSOLUTE.match(text.strip()) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise ValueError(f"{text!r} is not a time: {HOW_TO_WRITE}")
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC: {HOW_TO_WRITE}")
    return moment


def _duration(text: str) -> float:
    """Seconds in text such as `1h 30m`."""
    parts = re.findall(r"([\d.]+)\s*([smhd])", text.lower())
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
