"""Times and durations as people read them, the same in every command; for files there is `rfc3339`."""

import time
from datetime import UTC, datetime

_MINUTE = 60
_HOUR = 3_600
_DAY = 86_400
_UNITS = {_HOUR: "h", _MINUTE: "min", 1: "s"}


def moment(at: float | None) -> str:
    """A moment on this machine's clock, with its offset: `2026-11-28 22:06:07 +07:00`.

    Args:
        at: unix seconds; None when it is not known.
    """
    if at is None:
        return "unknown"
    here = _local(at)
    return f"{here:%Y-%m-%d %H:%M:%S} {here.isoformat()[-6:]}"


def clock_time(at: float, now: float | None = None) -> str:
    """A moment for a view that changes all the time: `22:06:07`, and with its date when that is not today's.

    Args:
        at: unix seconds.
        now: unix seconds; this moment when None.
    """
    here, today = _local(at), _local(time.time() if now is None else now)
    return f"{here:%H:%M:%S}" if here.date() == today.date() else f"{here:%Y-%m-%d %H:%M:%S}"


def rfc3339(at: float | None) -> str:
    """A moment in UTC for files and programs: `2026-11-28T15:06:07Z`; empty when `at`, unix seconds, is None."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """A duration in at most two units: `0.4 s`, `12 s`, `1 min 5 s`, `2 h`, `3 days 4 h`."""
    whole = round(seconds)
    if seconds < 1:
        # A tenth of a second matters to an attempt, but not that there was none.
        return "0 s" if seconds < 0.05 else f"{seconds:.1f} s"  # noqa: PLR2004 (half of a tenth)
    for length, small in ((_DAY, _HOUR), (_HOUR, _MINUTE), (_MINUTE, 1)):
        if whole >= length:
            rest = whole % length // small
            return _counted(whole // length, length) + (f" {_counted(rest, small)}" if rest else "")
    return f"{whole} s"


def rough_duration(seconds: float) -> str:
    """A duration in the largest unit that still says enough: `90 s`, `5 min`, `36 h`, `3 days`."""
    for length in (_DAY, _HOUR, _MINUTE):
        if seconds >= 2 * length:
            return _counted(round(seconds / length), length)
    return duration(seconds) if seconds < 1 else f"{seconds:.0f} s"


def age(at: float | None, now: float) -> str:
    """How long ago that was, in one unit.

    Args:
        at: unix seconds; None when it is not known.
        now: unix seconds.
    """
    return "unknown" if at is None else rough_duration(max(0.0, now - at))


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone()


def _counted(count: int, length: int) -> str:
    if length == _DAY:
        return "1 day" if count == 1 else f"{count} days"
    return f"{count} {_UNITS[length]}"
