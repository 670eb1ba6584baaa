"""Windows, days and hours by the clocks of a time zone, as unix seconds: when a window opens next, when a day begins.

What counts is what a clock on the wall shows. Where summer time skips a part of a window, that part is not there;
where the clock is set back into a window, it is open once more. A day begins when the clock first shows it: where
midnight is skipped, at the end of the gap. An hour begins when the clock shows a full one.

A zone is an IANA name here; the three of Indonesia may also be called WIB, WITA and WIT. No function reads a clock.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from antrian.domain.lane_limits import DEFAULT_TIMEZONE, Window, zone_name
from antrian.domain.priority import Priority

_DAY = 86_400
_HOUR = 3_600
_EPOCH = date(1970, 1, 1).toordinal()
# The years 1971 to 9997: within them any zone's date can be told. What lies outside is taken for the nearest.
_EARLIEST, _LATEST = 365 * _DAY, 253_300_000_000
# Local time is at most so far ahead of UTC, in every zone and year.
_EASTMOST = 16 * _HOUR


def timezone_of(metadata: Mapping[str, object] | None, contact: str | None, lane: str) -> str:
    """The zone by whose clocks a message is sent: its own where it names one, else its recipient's, else the lane's.

    Args:
        metadata: of the message; its entry `timezone` counts. One that is no zone is passed over.
        contact: what is known of the recipient.
        lane: `Limits.timezone`.
    """
    own = metadata.get("timezone") if metadata else None
    return zone_name(own) or zone_name(contact) or zone_name(lane) or DEFAULT_TIMEZONE


def window_for(windows: Iterable[Window], priority: int) -> Window | None:
    """The window of messages with a priority, the broker's number; None where they may go always."""
    named = Priority[Priority.label(priority).upper()]
    return next((window for window in windows if window.priority is named), None)


def is_open(window: Window, zone: str, at: float) -> bool:
    """Whether a window is open at a moment, unix seconds."""
    return _wait(window, math.floor(at) + _offset(zone, at)) == 0


def next_opening(window: Window, zone: str, at: float) -> float:
    """The first moment from `at` on, unix seconds, at which a window is open; `at` itself where it is open then."""
    # Windows and changes of the clock begin with a whole second, so that no fraction is needed in between.
    openings = ((start, _wait(window, math.floor(start) + offset), end) for start, end, offset in _stretches(zone, at))
    start, wait = next((start, wait) for start, wait, end in openings if math.floor(start) + wait < end)
    return math.floor(start) + wait if wait else start


# One decision asks for the same moment several times.
@lru_cache(maxsize=1024)
def day_of(zone: str, at: float) -> date:
    """The local day that a moment, unix seconds, belongs to."""
    at = _bounded(at)
    shown = int((at + _offset(zone, at)) // _DAY) + _EPOCH
    # Where the clock is set back over midnight, the new day has begun for good.
    return date.fromordinal(shown + 1 if _day_start(zone, shown + 1) <= at else shown)


def day_start(zone: str, day: date) -> float:
    """When a local day begins, unix seconds."""
    return _day_start(zone, day.toordinal())


def next_day_start(zone: str, at: float) -> float:
    """When the local day after that of a moment begins, unix seconds."""
    return day_start(zone, day_of(zone, at) + timedelta(days=1))


def hour_start(zone: str, at: float) -> float:
    """When the clock hour of a moment began, unix seconds."""
    second = math.floor(at)
    full = second - (second + _offset(zone, second)) % _HOUR
    changes = (change for day in _days(full, second) for change in _changes(zone, day) if full < change <= second)
    latest = max(changes, default=None)
    # The clock has shown no full hour since it was changed, so the hour began before that.
    return full if latest is None else hour_start(zone, latest - 1)


def next_hour_start(zone: str, at: float) -> float:
    """When the next clock hour begins, unix seconds."""
    second = math.floor(at) + 1
    stretches = ((start, -(start + offset) % _HOUR, end) for start, end, offset in _stretches(zone, second))
    return next(start + wait for start, wait, end in stretches if start + wait < end)


def _wait(window: Window, local: int) -> int:
    """Seconds until a window opens, 0 while it is open; `local` is a moment by the wall's clock."""
    opens, closes, second = window.opens * 60, window.closes * 60, local % _DAY
    is_open_now = opens <= second < closes if opens < closes else second >= opens or second < closes
    return 0 if is_open_now else (opens - second) % _DAY


def _stretches(zone: str, at: float) -> Iterator[tuple[float, int, int]]:
    """From a moment on, the times in which the clock is not changed: start, end, seconds ahead of UTC."""
    start = at
    while True:
        first = math.floor(start) // _DAY
        changes = (change for day in range(first, first + 3) for change in _changes(zone, day) if change > start)
        end = next(changes, (first + 3) * _DAY)
        yield start, end, _offset(zone, start)
        start = end


@lru_cache(maxsize=4096)
def _day_start(zone: str, day: int) -> int:
    local = (day - _EPOCH) * _DAY
    stretches = ((max(int(start), local - offset), end) for start, end, offset in _stretches(zone, local - _EASTMOST))
    return next(start for start, end in stretches if start < end)


@lru_cache(maxsize=4096)
def _changes(zone: str, day: int) -> tuple[int, ...]:
    """The seconds of a day in UTC (of its number since 1970) from which on a zone's clock shows another time."""
    hours = range(day * _DAY, (day + 1) * _DAY, _HOUR)
    return tuple(
        _change(zone, hour - 1) for hour in hours if _offset(zone, hour - 1) != _offset(zone, hour + _HOUR - 1)
    )


def _change(zone: str, before: int) -> int:
    """The second, within the hour after `before`, at which the clock is changed."""
    after, old = before + _HOUR, _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _days(first: int, last: int) -> range:
    return range(first // _DAY, last // _DAY + 1)


@lru_cache(maxsize=1024)
def _offset(zone: str, at: float) -> int:
    """Seconds by which a zone's clock is ahead of UTC."""
    offset = datetime.fromtimestamp(_bounded(at), ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _bounded(at: float) -> float:
    return min(max(at, _EARLIEST), _LATEST)
