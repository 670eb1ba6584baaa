"""Why a message that waits is not sent yet, and until when: one value for consumer, page, API, metrics and forecasts.

A message that waits, waits for one thing: the first that applies, in this order. Ends come before waits, what concerns
the whole lane before what concerns the message, and what an operator or a person wants before what spares the number:

    opted out > cancelled > expired > recipient invalid                        (these are ends, and no holds)
    > paused > provider away > throttled > scheduled > retry > window > recipient gap > cold contacts held > cold cap,
    warm-up > daily cap > hourly cap > pace

Holds of the lane keep the consumer unsubscribed. A hold of one message takes it out of the way of the next one: it
waits on the delay ladder, at a time of its own.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from antrian.domain.budget import Budget, ColdCaps, cold_caps
from antrian.domain.lane_limits import Limits
from antrian.domain.priority import Priority
from antrian.domain.send_window import (
    day_of,
    day_start,
    is_open,
    next_day_start,
    next_hour_start,
    next_opening,
    window_for,
)
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


#: Ends first, then reasons to wait.
ORDER: Final[tuple[MessageEnd | HoldReason, ...]] = (*MessageEnd, *HoldReason)

_RANKS: Mapping[MessageEnd | HoldReason, int] = MappingProxyType({reason: rank for rank, reason in enumerate(ORDER)})
_ONE_DAY = timedelta(days=1)


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
class HoldFacts:
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


def receipt_hold(until: float, wait: float) -> Hold:
    """The hold of a message whose attempt has no answer, and may still be proved by a receipt.

    Args:
        until: unix seconds.
        wait: `WHATSAPP_QUEUE_RECEIPT_WAIT`, seconds.
    """
    return Hold(HoldReason.RETRY, until, f"receipt_wait {wait:g}")


def message_hold(message: Candidate, facts: HoldFacts, now: float) -> Hold | None:
    """What keeps one message from being sent now, while others of its lane may go; None where nothing does.

    The reason is the first that applies. `until` is when, as far as can be told, none of them does any more, or when
    the message expires, if that is earlier. Whoever holds a message by a hold with a `slot` gives it this slot.

    Args:
        message: the message.
        facts: what is known of its lane.
        now: unix seconds.
    """
    rules = _MessageRules(message, facts, now)
    reason = rules.reason_at(now)
    if reason is None:
        return None
    until, slot = rules.first_possible(now)
    if message.expires_at is not None and message.expires_at <= until:
        # It goes to nobody, so it takes no slot from others.
        until, slot = message.expires_at, None
    return Hold(reason, until, rules.words_of(reason), slot)


class _MessageRules:
    """The rules for one message at a moment: each says until when it keeps the message from being sent."""

    def __init__(self, message: Candidate, facts: HoldFacts, now: float) -> None:
        limits, may_pass = facts.limits, message.priority >= Priority.URGENT
        self._message = message
        self._facts = facts
        self._zone = limits.timezone
        self._today = day_of(self._zone, now)
        self._window = None if may_pass else window_for(limits.windows, message.priority)
        self._gap_over_at = -math.inf if may_pass else self._end_of_gap(now)
        self._cold_held_until = (facts.cold_held_until or 0.0) if message.is_cold else -math.inf
        self._caps = cold_caps(limits, facts.first_cold_at, now) if message.is_cold and not may_pass else None
        self._cold_today = facts.usage.cold_in_day(self._zone, now) if self._caps else 0
        self._slot = facts.slots.slot_of(message.message_id) if self._caps else None

    def _end_of_gap(self, now: float) -> float:
        last = self._facts.usage.last_sent_to(self._message.recipient) if self._facts.limits.recipient_gap else None
        return -math.inf if last is None else min(last, now) + self._facts.limits.recipient_gap

    def reason_at(self, now: float) -> HoldReason | None:
        """The first that applies at this moment."""
        if self._window and not is_open(self._window, self._message.timezone, now):
            return HoldReason.WINDOW
        if self._gap_over_at > now:
            return HoldReason.RECIPIENT_GAP
        if self._cold_held_until > now:
            return HoldReason.COLD_HELD
        if self._caps and not self._has_room(self._caps, self._today):
            return HoldReason.WARM_UP if self._still_grows(self._caps) else HoldReason.COLD_CAP
        return None

    def words_of(self, reason: HoldReason) -> str:
        """What set a reason."""
        limits = self._facts.limits
        match reason:
            case HoldReason.WINDOW:
                return f"window {self._window} {self._message.timezone}"
            case HoldReason.RECIPIENT_GAP:
                return f"recipient_gap {limits.recipient_gap:g}"
            case HoldReason.COLD_HELD:
                return "cold_refused"
        if self._caps and self._caps.ramp:
            day = self._caps.day_number(self._today)
            return f"warm_up {self._caps.ramp} day {day}: {self._caps.on(self._today)}"
        return f"cold_daily_cap {limits.cold_daily_cap}"

    def first_possible(self, now: float) -> tuple[float, date | None]:
        """The first moment at which no rule keeps it, and the slot that it needs for that."""
        at, before = max(now, self._gap_over_at, self._cold_held_until), None
        day: date | None = None
        # Each step only goes forward: into the window, which may open on another day; to a day with a free slot.
        while at != before:
            before = at
            if self._window:
                at = next_opening(self._window, self._message.timezone, at)
            if self._caps:
                today = day_of(self._zone, at)
                day = self._free_day(self._caps, today)
                at = at if day == today else day_start(self._zone, day)
        return at, day

    def _free_day(self, caps: ColdCaps, earliest: date) -> date:
        """The first day from this one on on which the message has a slot, or can be given one."""
        if self._has_room(caps, earliest):
            return earliest
        if self._is_due(earliest):
            # Its day came, and others took its place (after a stand-still, or by a lower cap): those who wait longest
            # must not go to the end of all. The days after it hold more than their cap until the last has moved up.
            return earliest + _ONE_DAY
        free = self._facts.slots.first_free_day(earliest, caps, self._used_on(earliest))
        return min(free, self._slot) if self._slot else free

    def _has_room(self, caps: ColdCaps, day: date) -> bool:
        used = self._used_on(day)
        # A slot whose day has come counts for itself; before that, there must be one more.
        others = 0 if self._is_due(day) else self._facts.slots.taken_on(day)
        return used + others < caps.on(day)

    def _is_due(self, day: date) -> bool:
        return self._slot is not None and self._slot <= day

    def _used_on(self, day: date) -> int:
        return self._cold_today if day == self._today else 0

    def _still_grows(self, caps: ColdCaps) -> bool:
        return caps.ramp is not None and caps.on(self._today) < caps.ramp.ceiling


def lane_hold(used: Used, caps: Budget, timezone: str, now: float, *, urgent: bool = False) -> Hold | None:
    """What keeps a whole lane from sending now by its daily and hourly caps; None where nothing does.

    Args:
        used: what was sent, counted for `now` (`Usage.used`, `Used.carried`).
        caps: in force (`antrian.domain.budget.budget`).
        timezone: of the lane.
        now: unix seconds.
        urgent: asks for an urgent message, which no cap holds.
    """
    if urgent:
        return None
    if caps.day and used.day >= caps.day:
        return Hold(HoldReason.DAILY_CAP, next_day_start(timezone, now), f"daily_cap {caps.day}")
    if caps.hour and used.hour >= caps.hour:
        return Hold(HoldReason.HOURLY_CAP, next_hour_start(timezone, now), f"hourly_cap {caps.hour}")
    return None


def first_hold(holds: Iterable[Hold | None]) -> Hold | None:
    """Of several holds the one that a message waits for: the first in the fixed order; None where there is none."""
    return min((hold for hold in holds if hold), key=lambda hold: _RANKS[hold.reason], default=None)


def first_reason(reasons: Iterable[MessageEnd | HoldReason]) -> MessageEnd | HoldReason | None:
    """Of several ends and reasons the first in the fixed order; None where there is none."""
    return min(reasons, key=_RANKS.__getitem__, default=None)
