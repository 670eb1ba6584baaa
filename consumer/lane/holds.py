"""What the rules of `antrian.domain.hold` say of one lane's messages, by what the lane and its sender know."""

import math
from collections.abc import Mapping
from typing import Any

from antrian.contacts.book import ContactBook, ContactsLost
from antrian.domain.budget import Budget, budget
from antrian.domain.contact import Purpose, Standing
from antrian.domain.events import Event
from antrian.domain.hold import Candidate, Hold, HoldFacts, HoldReason, lane_hold, message_hold
from antrian.domain.lane_limits import Limits
from antrian.domain.message import Message
from antrian.domain.opt_out import CONFIRMATION, OptOutReply, is_barred, purpose_of, purpose_to_bar
from antrian.domain.send_window import day_of, hour_start, timezone_of
from antrian.domain.usage import Used
from consumer.lane.ledger import Ledger
from consumer.lane.pace import LEAD, Gate

#: Seconds for which a person who wrote to the sender may be answered freely; a rule of WhatsApp's.
ANSWER_WINDOW = 86_400.0


class LaneHolds:
    """Asks the rules, for one lane.

    Args:
        lane: its name.
        sender: what the facts about its contacts are kept under (`Lane.sender_key`).
        limits: the lane's.
        ledger: knows what was sent.
        book: knows the recipients.
    """

    def __init__(self, lane: str, sender: str, limits: Limits, ledger: Ledger, book: ContactBook) -> None:
        self.limits = limits
        self._lane = lane
        self._sender = sender
        self._ledger = ledger
        self._book = book
        self._has_caps = bool(limits.daily_cap or limits.hourly_cap)
        # When it was counted last, and what; other threads look at it.
        self._latest = (0.0, Used(), Budget())
        ledger.usage.keep_recipients_for(limits.recipient_gap)

    # One message.

    def is_cold(self, message: Message) -> bool:
        """Whether the sender does not know the recipient.

        Raises:
            ContactsLost: the book is empty, and must be read again.
        """
        return self._book.standing(self._sender, message.body.phone_number) is Standing.COLD

    def reach(self, message: Message) -> tuple[str, float | None]:
        """Meta's name for the recipient, and until when they may be answered freely, unix seconds; as far as known.

        Raises:
            ContactsLost: see `is_cold`.
        """
        known = self._book.reach(self._sender, message.body.phone_number)
        return known.bsuid, None if known.wrote_at is None else known.wrote_at + ANSWER_WINDOW

    def barred_purpose(self, message: Message) -> Purpose | None:
        """What the message is for, if its recipient wants no messages for that; None where it may be sent.

        Raises:
            ContactsLost: see `is_cold`.
        """
        opted_out = self._book.opted_out(message.body.phone_number)
        if not opted_out:
            return None
        purpose = purpose_to_bar(message.body.purpose, message.priority)
        return purpose if is_barred(purpose, opted_out) and not self._is_answer(message) else None

    def _is_answer(self, message: Message) -> bool:
        """Whether it is the answer to the opt-out that would keep it back."""
        body = message.body
        if body.purpose != CONFIRMATION:
            return False
        answer = OptOutReply(body.phone_number, body.message, body.idempotency_key, message.queued_at)
        told = self._book.show(body.phone_number).opt_outs
        return any(one.channel == "inbound" and answer.answers(one.words, one.at) for one in told)

    def was_sent(self, message: Message) -> bool:
        """Whether a message that waited for a day was sent, as a copy of it may come to know when the ledger forgot.

        What did not arrive is sent again when it was re-driven since.

        Raises:
            ContactsLost: see `is_cold`.
        """
        return _stands(message, self._book.sent_at(self._lane, message.message_id))

    def was_cancelled(self, message: Message) -> bool:
        """Whether an admin cancelled a message so long ago that the ledger forgot; a later re-drive takes that back.

        Raises:
            ContactsLost: see `is_cold`.
        """
        return _stands(message, self._book.cancelled_at(self._lane, message.message_id))

    def of_message(self, message: Message, now: float) -> Hold | None:
        """What keeps a message from being sent now, while others of the lane may go; `now` in unix seconds.

        Raises:
            ContactsLost: see `is_cold`.
        """
        body = message.body
        expires_at = body.expires_at.timestamp() if body.expires_at else None
        zone = self.limits.timezone
        if self.limits.windows:
            zone = timezone_of(body.metadata, self._book.timezone_of(body.phone_number), zone)
        candidate = Candidate(
            message_id=message.message_id,
            recipient=body.phone_number,
            priority=message.priority,
            is_cold=self.is_cold(message),
            timezone=zone,
            expires_at=expires_at,
        )
        facts = HoldFacts(
            limits=self.limits,
            usage=self._ledger.usage,
            slots=self._book.slots(self._lane),
            first_cold_at=self._book.first_cold_at(self._sender),
            cold_held_until=self._book.cold_held_until(self._sender),
        )
        return message_hold(candidate, facts, now)

    # The lane.

    def of_lane(self, now: float, *, urgent: bool = False) -> Hold | None:
        """What keeps the whole lane from sending now by its caps; `now` in unix seconds."""
        if urgent or not self._has_caps:
            return None
        return lane_hold(*self._count(now), self.limits.timezone, now)

    def _count(self, now: float) -> tuple[Used, Budget]:
        used = self._ledger.usage.used(self.limits.timezone, now)
        caps = budget(self.limits, self._book.first_cold_at(self._sender), now)
        self._latest = (now, used, caps)
        return used, caps

    def last_count(self, now: float) -> tuple[Used, Budget]:
        """What was used up when it was last counted, as it is now, and the caps; from any thread."""
        at, used, caps = self._latest
        return used.carried(self.limits.timezone, at, now), caps

    def is_cold_held(self, now: float) -> bool:
        """Whether the sender may not write to cold contacts now; from any thread."""
        try:
            until = self._book.cold_held_until(self._sender)
        except ContactsLost:
            return False
        return until is not None and until > now

    def cap(self, gate: Gate, *, wall: float, now: float, urgent: bool = False) -> Gate:
        """The gate that is shut for as long as a cap wants, too.

        Args:
            gate: by the pace.
            wall: unix seconds.
            now: monotonic seconds, at the same moment.
            urgent: asks for an urgent message.
        """
        hold = None if math.isinf(gate.opens_at) and gate.opens_at > 0 else self.of_lane(wall, urgent=urgent)
        if hold is None or hold.until is None:
            return gate
        # Not a moment too early: what begins before the hour is over counts for that hour.
        opens_at = now + hold.until - wall + LEAD
        return gate if gate.opens_at >= opens_at else Gate(opens_at, hold.reason.value)

    def forbids_call(self, message: Message, now: float, *, began_at: float, is_cold: bool) -> bool:
        """Whether what was learnt since a message was admitted, or the hour, forbids the call that is about to be made.

        To have its beginning recorded takes its time, above all at a broker that is busy.

        Args:
            message: of the attempt.
            now: unix seconds.
            began_at: the moment that the attempt counts for, unix seconds.
            is_cold: whether its recipient was cold then.

        Raises:
            ContactsLost: see `is_cold`.
        """
        if (is_cold and self.is_cold_held(now)) or self.barred_purpose(message) is not None:
            return True
        hold = self.of_message(message, now) if self.limits.windows else None
        return (hold is not None and hold.reason is HoldReason.WINDOW) or not self._count_alike(began_at, now)

    def _count_alike(self, one: float, other: float) -> bool:
        """Whether what is sent at either moment, unix seconds, counts for the same hour and day."""
        limits, zone = self.limits, self.limits.timezone
        if limits.hourly_cap and hour_start(zone, one) != hour_start(zone, other):
            return False
        has_day = limits.daily_cap or limits.cold_daily_cap or limits.warm_up
        return not has_day or day_of(zone, one) == day_of(zone, other)

    def learn(self, event: Event) -> None:
        """Give a message its slot before the event that says so is on record."""
        self._book.apply(event)

    # What events tell.

    def address(self, message: Message, *, is_cold: bool) -> dict[str, Any]:
        """Of an attempt: for whom it is, how well the sender knew them when it began, and whether it had a slot."""
        had_slot = self._book.had_slot(self._lane, message.message_id) or None
        recipient = message.body.phone_number
        return {"recipient": recipient, "sender": self._sender, "cold": is_cold, "had_slot": had_slot}

    def beginning(self, message: Message, address: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Of the beginning of an attempt: also what it uses up."""
        (used, caps), slot = self._count(now), self._book.slots(self._lane).slot_of(message.message_id)
        used = used.with_one(is_cold=address["cold"])
        self._latest = (now, used, caps)
        about = {
            **address,
            "purpose": str(purpose_of(message.body.purpose, message.priority)),
            "slot": slot.isoformat() if slot else None,
        }
        return about | _counts(used, caps)

    def standing(self, now: float) -> Mapping[str, Any]:
        """Of a lane at rest: what is used up."""
        return _counts(*self._count(now))

    def held(self, message: Message, hold: Hold) -> dict[str, Any]:
        """Of a message that is held."""
        return {
            "reason": hold.reason.value,
            "until": hold.until,
            "rule": hold.rule,
            "slot": hold.slot.isoformat() if hold.slot else None,
            "recipient": message.body.phone_number,
            "sender": self._sender,
        }


def _stands(message: Message, at: float | None) -> bool:
    """Whether what happened to a message at that time was not taken back by a re-drive since; None for nothing."""
    return at is not None and (message.generation == 0 or message.due_at is None or at >= message.due_at)


def _counts(used: Used, caps: Budget) -> dict[str, Any]:
    return {"used": used.as_dict(), "budget": caps.as_dict(), "warm_up_day": caps.warm_up_day}
