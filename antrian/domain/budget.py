"""The caps in force at a moment: what a lane may send in this hour and on this day; warm-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from antrian.domain.lane_limits import Limits


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
        raise NotImplementedError

    @classmethod
    def read(cls, value: object, warm_up_day: object = None) -> Self:
        """What an event says; no caps where it says nothing that makes sense."""
        raise NotImplementedError


def budget(limits: Limits, first_cold_at: float | None, now: float) -> Budget:
    """The caps of a lane at a moment.

    Args:
        limits: the lane's.
        first_cold_at: since when the sender writes to cold contacts, unix seconds (`ContactBook.first_cold_at`).
        now: unix seconds.
    """
    raise NotImplementedError
