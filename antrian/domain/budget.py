"""The caps in force at a moment: what a lane may send in this hour and on this day, and how a warm-up grows. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from antrian.domain.lane_limits import Limits, WarmUp
from antrian.domain.send_window import day_of


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps in force; 0 is none.

    Attributes:
        hour: messages in a clock hour.
        day: messages in a local day.
        cold: messages in a local day to cold contacts.
        warm_up_day: the day of the ramp that `cold` comes from, from 1; None without a ramp.
    """

    hour: int = 0
    day: int = 0
    cold: int = 0
    warm_up_day: int | None = None

    def as_dict(self) -> dict[str, int]:
        """As an event says it (`budget`); `warm_up_day` is a field of its own there."""
        return {"hour": self.hour, "day": self.day, "cold": self.cold}

    @classmethod
    def read(cls, value: object, warm_up_day: object = None) -> Self:
        """What an event says; no caps where it says nothing that makes sense."""
        caps = value if isinstance(value, Mapping) else {}
        hour, day, cold = (whole_number(caps.get(name)) for name in ("hour", "day", "cold"))
        return cls(hour, day, cold, whole_number(warm_up_day) or None)


@dataclass(frozen=True, slots=True)
class ColdCaps:
    """How many messages may go to cold contacts on each day.

    Attributes:
        daily: the cap of every day; unused where there is a ramp.
        ramp: how the cap grows.
        first_day: day 1 of the ramp.
    """

    daily: int
    ramp: WarmUp | None
    first_day: date

    def day_number(self, day: date) -> int:
        """Which day of the ramp a day is, from 1."""
        return max(1, (day - self.first_day).days + 1)

    def on(self, day: date) -> int:
        """The cap of a day; it never falls from one day to the next, and is at least 1."""
        return max(1, self.ramp.cap_on(self.day_number(day)) if self.ramp else self.daily)


def cold_caps(limits: Limits, first_cold_at: float | None, now: float) -> ColdCaps | None:
    """The caps for cold contacts; None where there are none.

    Args:
        limits: the lane's; a ramp replaces the cap.
        first_cold_at: since when the sender writes to cold contacts, unix seconds; None while it never did.
        now: unix seconds.
    """
    if not limits.cold_daily_cap and limits.warm_up is None:
        return None
    first = now if first_cold_at is None else min(first_cold_at, now)
    return ColdCaps(limits.cold_daily_cap, limits.warm_up, day_of(limits.timezone, first))


def budget(limits: Limits, first_cold_at: float | None, now: float) -> Budget:
    """The caps of a lane at a moment.

    Args:
        limits: the lane's.
        first_cold_at: since when the sender writes to cold contacts, unix seconds (`ContactBook.first_cold_at`).
        now: unix seconds.
    """
    caps = cold_caps(limits, first_cold_at, now)
    if caps is None:
        return Budget(limits.hourly_cap, limits.daily_cap)
    today = day_of(limits.timezone, now)
    number = caps.day_number(today) if caps.ramp else None
    return Budget(limits.hourly_cap, limits.daily_cap, caps.on(today), number)


def whole_number(value: object) -> int:
    """A count in an event; 0 for anything that is none."""
    return value if type(value) is int and value > 0 else 0
