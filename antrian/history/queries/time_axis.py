"""Where the stretches of a chart begin: at times that people use, on the reader's own clock; pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from antrian.domain.errors import AntrianError

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

#: Seconds that a stretch may have.
STEPS = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    _DAY,
)

#: Stretches of a chart at most.
MOST = 75

_ZONES = "zoneinfo/"


class UnknownZone(AntrianError):
    """There is no time zone of this name."""


def zone(name: str | None) -> tzinfo:
    """The time zone of a name such as `Asia/Jakarta`; without one, the server's own.

    Raises:
        UnknownZone: there is none.
    """
    if name is None:
        return _own_zone()
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise UnknownZone(f"there is no time zone {name[:60]!r}; write it like Asia/Jakarta") from error


def _own_zone() -> tzinfo:
    # Only a zone with a name knows when the clock changes.
    path = str(Path("/etc/localtime").resolve())
    if _ZONES in path:
        try:
            return ZoneInfo(path.partition(_ZONES)[2])
        except (ValueError, OSError, KeyError):
            pass
    return datetime.now().astimezone().tzinfo or UTC


def step_for(seconds: float) -> int:
    """The shortest usual stretch of which a chart over so many seconds has not too many."""
    return next((step for step in STEPS if seconds / step <= MOST), _DAY)


def edges(until: float, seconds: float, place: tzinfo) -> list[float]:
    """The edges of all stretches, oldest first; the last stretch is the one that `until` lies in.

    Args:
        until: unix seconds.
        seconds: that the chart spans at least; whole stretches.
        place: whose clock it is.
    """
    step = step_for(seconds)
    found = [_next(until, step, place)]
    wanted = found[0] - seconds
    while found[-1] > wanted:
        found.append(_floor(found[-1] - 1, step, place))
    return found[::-1]


def days(first: datetime, count: int) -> Iterator[float]:
    """The beginnings of so many days from a day on, in its own time zone."""
    for number in range(count):
        yield _midnight(first + timedelta(days=number))


def midnight(at: float, place: tzinfo) -> datetime:
    """The beginning of the day that a moment lies in."""
    return datetime.fromtimestamp(at, place).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def _midnight(day: datetime) -> float:
    return day.replace(hour=0, minute=0, fold=0).timestamp()


def _floor(at: float, step: int, place: tzinfo) -> float:
    """The beginning of the stretch that a moment lies in."""
    then = datetime.fromtimestamp(at, place)
    if step < _HOUR:
        offset = int((then.utcoffset() or timedelta()).total_seconds())
        return (int(at) + offset) // step * step - offset
    hour = then.hour // (step // _HOUR) * (step // _HOUR)
    begin = then.replace(hour=hour, minute=0, second=0, microsecond=0).timestamp()
    # In the night in which the clock is put back or on, an hour of the wall may lie on the other side.
    return begin if begin <= at else at // _HOUR * _HOUR


def _next(at: float, step: int, place: tzinfo) -> float:
    """The end of that stretch."""
    begin = _floor(at, step, place)
    end = begin + step
    # A day may have 23 or 25 hours.
    for moment in (end - 2 * _HOUR, end - _HOUR, end, end + _HOUR, end + 2 * _HOUR):
        if moment > at and _floor(moment, step, place) == moment:
            return moment
    return end
