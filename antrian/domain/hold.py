"""Why a message that waits is not sent yet, and until when: one value for consumer, page, API, metrics and forecasts.

A message that waits, waits for one thing: the first that applies, in this order. Ends come before waits, what concerns
the whole lane before what concerns the message, and what an operator or a person wants before what spares the number:

    opted out > cancelled > expired > recipient invalid                        (these are ends, and no holds)
    > paused > provider away > throttled > scheduled > retry > window > recipient gap > cold contacts held > cold cap,
    warm-up > daily cap > hourly cap > pace

Holds of the lane keep the consumer unsubscribed. A hold of one message takes it out of the way of the next one: it
waits on the delay ladder, at a time of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from antrian.domain.budget import Budget
from antrian.domain.lane_limits import Limits
from antrian.domain.slots import Slots
from antrian.domain.usage import Usage, Used


class MessageEnd(StrEnum):
    """Why a message is not sent at all; in the order in which they apply, before every reason to wait."""

    OPTED_OUT = "opted_out"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RECIPIENT_INVALID = "recipient_invalid"


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
        rule: what set it, as a person who may change it knows it: `cold_daily_cap 20`, `recipient_gap 60`,
            `window low=08:00-20:00 Asia/Jakarta`, `warm_up 20x1.5..100 day 3: 45`, `daily_cap 1000`, `hourly_cap 100`,
            `cold_refused`.
        slot: the local day of the lane on which the message may go to its cold contact; None where it needs none.
    """

    reason: HoldReason
    until: float | None
    rule: str = ""
    slot: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message whose turn it may be: what the rules look at.

    Attributes:
        message_id: its slot's name.
        recipient: E.164 with +, as its body has it.
        priority: the broker's number.
        is_cold: whether its recipient is a cold contact of the sender.
        timezone: by whose clocks it is sent (`antrian.domain.send_window.timezone_of`).
        expires_at: after this moment it is not sent any more, unix seconds.
    """

    message_id: str
    recipient: str
    priority: int
    is_cold: bool
    timezone: str
    expires_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """What the rules know of a lane and its sender.

    Attributes:
        limits: the lane's.
        usage: what it has sent.
        slots: the days that its held messages were given.
        first_cold_at: since when its sender writes to cold contacts, unix seconds; None while it never did.
        cold_held_until: until when its sender may not write to cold contacts, unix seconds; None or past for never.
    """

    limits: Limits
    usage: Usage
    slots: Slots
    first_cold_at: float | None = None
    cold_held_until: float | None = None


def message_hold(message: Candidate, facts: LaneFacts, now: float) -> Hold | None:
    """What keeps one message from being sent now, while others of its lane may go; None where nothing does.

    The reason is the first that applies. `until` is when, as far as can be told, none does any more, or when the
    message expires, if that is earlier. A hold with a `slot` counts on the caller to give the message this slot.

    Args:
        message: the message.
        facts: what is known of its lane.
        now: unix seconds.
    """
    raise NotImplementedError


def lane_hold(used: Used, caps: Budget, timezone: str, now: float, *, urgent: bool = False) -> Hold | None:
    """What keeps a whole lane from sending now by its daily and hourly caps; None where nothing does.

    Args:
        used: what was sent, counted for `now` (`Usage.used`, `Used.carried`).
        caps: in force (`antrian.domain.budget.budget`).
        timezone: of the lane.
        now: unix seconds.
        urgent: asks for an urgent message, which no cap holds.
    """
    raise NotImplementedError


def first_hold(holds: Iterable[Hold | None]) -> Hold | None:
    """Of several holds the one that a message waits for: the first in the fixed order; None where there is none."""
    raise NotImplementedError


def first_reason(reasons: Iterable[MessageEnd | HoldReason]) -> MessageEnd | HoldReason | None:
    """Of several ends and reasons the first in the fixed order; None where there is none."""
    raise NotImplementedError
