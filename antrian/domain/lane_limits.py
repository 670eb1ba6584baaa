"""What spares a sender: caps, warm-up, gaps, windows. How they are kept is `antrian.domain.hold`.

    preset            none          new-number     settled
    daily_cap         -             1000           1000
    hourly_cap        -             -              -
    cold_daily_cap    -             20             100
    warm_up           -             20x1.5..100    -
    recipient_gap     -             60 s           60 s
    window            -             low 08-20      -
    jitter            -             8 s            5 s

A preset gives these; each can be set by itself beside it. A `warm_up` replaces the `cold_daily_cap`; a `cold_daily_cap`
that is set replaces the `warm_up` of a preset. Only `low` has a window: a newsletter at night makes people report a
number, while a payment link belongs to the minute in which somebody registers. Where the figures come from:
docs/howto/number.md.
"""

import math
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from types import MappingProxyType

from antrian.domain.priority import Priority
from antrian.domain.suggestion import did_you_mean

#: The zone of the users that this was made for.
DEFAULT_TIMEZONE = "Asia/Jakarta"

#: What people in Indonesia call their zones.
ZONE_ABBREVIATIONS: Mapping[str, str] = MappingProxyType(
    {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
)

#: More than any sender could send in a day.
LARGEST_CAP = 1_000_000

_WARM_UP = re.compile(r"([0-9]{1,7})x([0-9]{1,3}(?:\.[0-9]{1,6})?)\.\.([0-9]{1,7})")
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_DAY = 24 * 60
# 100 x 1.15 is 115, and a little less in floating point.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How the cold cap of a new number grows: `20x1.5..100`.

    Attributes:
        first: the cap on the first day.
        factor: the cap of a day, as a multiple of the day before; at least 1.
        ceiling: where it stops growing.
    """

    first: int
    factor: float
    ceiling: int

    @classmethod
    def parse(cls, text: object) -> "WarmUp":
        """The ramp that is written.

        Raises:
            ValueError: it is not written so, or it does not rise.
        """
        match = _WARM_UP.fullmatch(text.replace(" ", "")) if isinstance(text, str) else None
        if match is None:
            raise ValueError("must be like 20x1.5..100: the cap on day 1, the factor a day, the ceiling")
        ramp = cls(int(match[1]), float(match[2]), int(match[3]))
        if ramp.first < 1 or ramp.ceiling > LARGEST_CAP:
            raise ValueError(f"must begin with 1 or more and end with {LARGEST_CAP} or less")
        if ramp.factor < 1 or ramp.ceiling < ramp.first:
            raise ValueError("must not fall: the factor is at least 1, and the ceiling at least the first day's cap")
        return ramp

    def cap_on(self, day: int) -> int:
        """The cap of a day, the first being 1; a day before it has the cap of the first."""
        days = max(0, day - 1)
        # By logarithms first: a power of many days has no float.
        if days * math.log(self.factor) >= math.log(self.ceiling / self.first):
            return self.ceiling if self.factor > 1 else self.first
        return math.floor(self.first * self.factor**days + _ROUNDING)

    def caps(self, most: int = 60) -> list[int]:
        """The caps of day 1, 2, … up to the first that is the ceiling; at most so many."""
        caps = [self.cap_on(1)]
        while caps[-1] < self.ceiling and len(caps) < most:
            caps.append(self.cap_on(len(caps) + 1))
        return caps

    def __str__(self) -> str:
        return f"{self.first}x{self.factor:g}..{self.ceiling}"


@dataclass(frozen=True, slots=True)
class Window:
    """The hours in which messages of one priority may be sent; over midnight where it closes before it opens.

    Attributes:
        priority: of the messages.
        opens: minutes since midnight.
        closes: minutes since midnight; 1440 is the end of the day.
    """

    priority: Priority
    opens: int
    closes: int

    @classmethod
    def parse(cls, priority: str, span: object) -> "Window":
        """The window that is written, `08:00-20:00`.

        Raises:
            ValueError: there is no such priority, it is not written so, or nothing or more than a day is in it.
        """
        if priority == Priority.URGENT.name.lower():
            raise ValueError("urgent: urgent messages pass every window; leave it out")
        names = {known.name.lower(): known for known in Priority if known is not Priority.URGENT}
        if priority not in names:
            raise ValueError(f"{priority!r} is not a priority; they are: {', '.join(names)}")
        match = _SPAN.fullmatch(span.replace(" ", "")) if isinstance(span, str) else None
        if match is None:
            raise ValueError(f"{priority}: must be like 08:00-20:00")
        opens, closes = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if int(match[2]) >= 60 or int(match[4]) >= 60 or opens >= _DAY or closes > _DAY:  # noqa: PLR2004 (minutes)
            raise ValueError(f"{priority}: {span} is over 24 h: the day's times are 00:00 to 24:00")
        if opens == closes:
            raise ValueError(f"{priority}: {span} is empty; leave it out for always")
        return cls(names[priority], opens, closes)

    def __str__(self) -> str:
        times = (f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (self.opens, self.closes))
        return f"{self.priority.name.lower()}={'-'.join(times)}"


def parse_windows(written: object) -> tuple[Window, ...]:
    """The windows of `low=08:00-20:00,normal=…`, or of a table by priority; each message without one goes always.

    Raises:
        ValueError: the first thing that is wrong with them.
    """
    if isinstance(written, str):
        pairs = [part.partition("=")[::2] for part in written.split(",") if part.strip()]
    elif isinstance(written, Mapping):
        pairs = [(str(name), span) for name, span in written.items()]
    else:
        pairs = []
    if not pairs:
        raise ValueError('must be times by priority, like { low = "08:00-20:00", normal = "06:00-22:00" }')
    windows = [Window.parse(name.strip(), span) for name, span in pairs]
    if len({window.priority for window in windows}) != len(windows):
        raise ValueError("names a priority twice")
    return tuple(sorted(windows, key=lambda window: window.priority))


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone_name(name: object) -> str | None:
    """The IANA name of a time zone, given that name or one of `ZONE_ABBREVIATIONS` in any case; None for no zone."""
    if not isinstance(name, str):
        return None
    written = name.strip()
    written = ZONE_ABBREVIATIONS.get(written.upper(), written)
    return written if _is_zone(written) else None


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        # Also folders of the database, names out of it, and names too long for a file.
        return False
    return True


def parse_timezone(name: object) -> str:
    """The IANA name of the time zone that is written, as `zone_name` reads it.

    Raises:
        ValueError: there is none of that name on this machine.
    """
    zone = zone_name(name)
    if zone is None:
        zones = _zones()
        close = did_you_mean(name, zones) if isinstance(name, str) else ""
        hint = close if zones else " (this machine has no time zones at all: install tzdata)"
        raise ValueError(f"is not a time zone, such as Asia/Jakarta{hint}")
    return zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A lane's limits; 0, None or nothing is no limit.

    Attributes:
        preset: which named set the values below began with.
        daily_cap: messages a day.
        hourly_cap: messages an hour.
        cold_daily_cap: messages a day to people who never wrote and were never written to.
        warm_up: how `cold_daily_cap` grows for a new number.
        recipient_gap: seconds between two messages to one person.
        cold_failures: messages to so many cold contacts that fail in a row are taken for a refusal; 0: never.
        windows: when messages may be sent.
        timezone: whose days and hours these are.
    """

    preset: str = "none"
    daily_cap: int = 0
    hourly_cap: int = 0
    cold_daily_cap: int = 0
    warm_up: WarmUp | None = None
    recipient_gap: float = 0.0
    cold_failures: int = 5
    windows: tuple[Window, ...] = ()
    timezone: str = DEFAULT_TIMEZONE

    @property
    def set_ones(self) -> tuple[str, ...]:
        """Names of the limits that are set, as `lanes.toml` names them."""
        return tuple(self._set_ones())

    def _set_ones(self) -> Iterator[str]:
        for field in fields(self):
            if field.name not in {"preset", "timezone", "cold_failures"} and getattr(self, field.name):
                yield "window" if field.name == "windows" else field.name


NO_LIMITS = Limits()

#: Named sets of limits.
PRESETS: Mapping[str, Limits] = MappingProxyType(
    {
        "none": NO_LIMITS,
        "new-number": Limits(
            preset="new-number",
            daily_cap=1000,
            cold_daily_cap=20,
            warm_up=WarmUp(20, 1.5, 100),
            recipient_gap=60.0,
            windows=(Window(Priority.LOW, 8 * 60, 20 * 60),),
        ),
        "settled": Limits(preset="settled", daily_cap=1000, cold_daily_cap=100, recipient_gap=60.0),
    }
)

#: Seconds of jitter of each preset, where none is set: a fixed pause is what a program is known by.
PRESET_JITTER: Mapping[str, float] = MappingProxyType({"none": 0.0, "new-number": 8.0, "settled": 5.0})
