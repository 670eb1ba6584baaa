"""What a lane has sent, counted for its caps: a fold of the lane's events. No clock is read here.

An attempt counts from `outcome.sending` on, so that no crash can exceed a cap. It is taken back by a failure after which
surely nothing reached WhatsApp. Where it is not sure whether something counts, it counts: an event that came twice at
very different times, attempts that came in another order, clocks that were wrong.

Counts are kept by the quarter of an hour, in which hours and days of every zone begin (those of a zone whose clock is
odd by minutes begin up to a quarter early, and count too much). What seems to lie in the future, by a clock that was
set back or another machine's, counts as now.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.send_window import day_start, day_of, hour_start

#: Failures after which surely nothing reached WhatsApp.
TAKEN_BACK: Final = frozenset(
    {
        FailureClass.UNAVAILABLE,
        FailureClass.THROTTLED,
        FailureClass.TRANSIENT,
        FailureClass.RECIPIENT_BUSY,
        FailureClass.COLD_REFUSED,
    }
)


@dataclass(frozen=True, slots=True)
class Used:
    """How much was sent.

    Attributes:
        hour: messages in the clock hour.
        day: messages in the local day.
        cold: of these, messages to cold contacts.
    """

    hour: int = 0
    day: int = 0
    cold: int = 0

    def as_dict(self) -> dict[str, int]:
        """As an event says it (`used`)."""
        raise NotImplementedError

    @classmethod
    def read(cls, value: object) -> Self:
        """What an event says; nothing used where it says nothing that makes sense."""
        raise NotImplementedError

    def carried(self, timezone: str, since: float, now: float) -> Self:
        """The counts of a moment `since` as they are `now` if nothing was sent since; times in unix seconds."""
        raise NotImplementedError


class Usage:
    """What one lane has sent within the last two days, and when each recipient was last sent something.

    Args:
        recipient_gap: seconds for which the last send to a recipient must be known (`Limits.recipient_gap`).
    """

    def __init__(self, recipient_gap: float = 0.0) -> None:
        raise NotImplementedError

    def keep_recipients_for(self, seconds: float) -> None:
        """From now on the last send to a recipient is known for so long; never less than 25 h."""
        raise NotImplementedError

    def apply(self, event: Event, now: float) -> None:
        """Learn of one event of the lane; other events than those of attempts teach nothing.

        Args:
            event: of this lane; in the stream's order, as far as may be.
            now: unix seconds.
        """
        raise NotImplementedError

    def in_hour(self, zone: str, now: float) -> int:
        """Messages of the clock hour."""
        raise NotImplementedError

    def in_day(self, zone: str, now: float) -> int:
        """Messages of the local day."""
        raise NotImplementedError

    def cold_in_day(self, zone: str, now: float) -> int:
        """Messages of the local day to cold contacts."""
        raise NotImplementedError

    def used(self, zone: str, now: float) -> Used:
        """All three counts."""
        raise NotImplementedError

    def last_sent_to(self, recipient: str) -> float | None:
        """When the latest attempt to send something to a recipient began, unix seconds; None when it was long ago."""
        raise NotImplementedError
