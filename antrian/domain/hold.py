"""Why a message that waits is not sent yet, and until when: one value for consumer, page, API, metrics and forecasts.

A message that waits, waits for one thing: the first that applies, in this order. Ends come before waits, what concerns
the whole lane before what concerns the message, and what an operator or a person wants before what spares the number:

    opted out > cancelled > expired > recipient invalid                        (these are ends, and no holds)
    > paused > provider away > throttled > scheduled > retry > window > recipient gap > cold contacts held > cold cap,
    warm-up > daily cap > hourly cap > pace

Holds of the lane keep the consumer unsubscribed. A hold of one message takes it out of the way of the next one: it
waits on the delay ladder, at a time of its own.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class HoldReason(StrEnum):
    """Why a message waits; in the order in which they apply."""

    #: An admin paused the lane.
    PAUSED = "paused"
    #: The provider cannot be reached.
    PROVIDER_AWAY = "provider_away"
    #: The provider asked for silence.
    THROTTLED = "throttled"
    #: Its publisher wants it sent later.
    SCHEDULED = "scheduled"
    #: It failed, and the time of its next attempt has not come.
    RETRY = "retry"
    #: Messages of its priority are not sent at this hour.
    WINDOW = "window"
    #: The same person was sent a message a moment ago.
    RECIPIENT_GAP = "recipient_gap"
    #: The sender may not write to new contacts for a while.
    COLD_HELD = "cold_held"
    #: As many new contacts were written to today as may be.
    COLD_CAP = "cold_cap"
    #: The same, while a new number's cap still grows.
    WARM_UP = "warm_up"
    #: As many messages were sent today as may be.
    DAILY_CAP = "daily_cap"
    #: As many messages were sent in this hour as may be.
    HOURLY_CAP = "hourly_cap"
    #: The pause after the message before it, or the messages before it.
    PACE = "pace"


#: Holds of the whole lane; the others are of one message.
LANE_HOLDS: Final = frozenset(
    {
        HoldReason.PAUSED,
        HoldReason.PROVIDER_AWAY,
        HoldReason.THROTTLED,
        HoldReason.DAILY_CAP,
        HoldReason.HOURLY_CAP,
        HoldReason.PACE,
    }
)

#: Holds for which a message is laid on the delay ladder, with an `outcome.held`.
LADDER_HOLDS: Final = frozenset(
    {
        HoldReason.WINDOW,
        HoldReason.RECIPIENT_GAP,
        HoldReason.COLD_HELD,
        HoldReason.COLD_CAP,
        HoldReason.WARM_UP,
    }
)


@dataclass(frozen=True, slots=True)
class Hold:
    """What a message waits for.

    Attributes:
        reason: why.
        until: when that ends, unix seconds; None when only an admin, or nobody yet, can tell.
        rule: what set it, as a person who may change it knows it: `cold_daily_cap 20`, `low=08:00-20:00 Asia/Jakarta`.
    """

    reason: HoldReason
    until: float | None
    rule: str = ""
