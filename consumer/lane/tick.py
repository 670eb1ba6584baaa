"""The tick of one lane: wait for the gate, take one message, send it, hold it, ack it.

    gate open → subscribe → delivery → admit → wait for the pace → record that sending begins → send
              → record the outcome → put a retry or dead letter into the broker → hold for the pause → ack

While the gate is shut (an admin's pause, a provider that is down or throttles, the pause after a crash, a cap of the
lane) the lane is not subscribed and holds nothing, so that the next message is chosen when it can be sent, and not
earlier. A message that a rule keeps back, and not those behind it, waits on the delay ladder.

All that the tick needs of the outside is the `Port` (`consumer.lane.port`). Every `await` is a call on it, or leads to
one: there, and nowhere else, may pace and ledger change, the connection break, or the process die. What must be true
after a crash between any two of them is proved by tests/unit/consumer/test_no_message_is_lost_or_sent_twice.py, which
runs this code over lists.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any, assert_never

import pika
import structlog

from antrian.contacts.book import ContactsLost
from antrian.domain.delay_ladder import whole_seconds
from antrian.domain.errors import MalformedMessage, NewerVersion
from antrian.domain.event_name import EventName
from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import Hold
from antrian.domain.message import AttemptFailure, Message, Priority, decode, encode, retry_of
from antrian.providers.contract import Failed, Outgoing, Sent
from consumer.inbox import Delivery
from consumer.lane.admission import (
    Admission,
    AlreadySent,
    Crashed,
    Drop,
    HoldBack,
    Postpone,
    Proved,
    Send,
    Settle,
    Spent,
    admit,
    dedupe_key,
)
from consumer.lane.bells import PAUSE_BEFORE_NEXT
from consumer.lane.delayed_copy import DelayedCopies
from consumer.lane.holds import LaneHolds
from consumer.lane.lane_gate import LaneGate
from consumer.lane.ledger import Ledger, State
from consumer.lane.one_message import OneMessage
from consumer.lane.outgoing import OutgoingMessages
from consumer.lane.pace import LEAD, Gate, Pace
from consumer.lane.port import LaneRules, LaneState, Phase, Port
from consumer.lane.receipts import Proof
from consumer.lane.retry import Consequence, GiveUp, HoldCold, HoldLane, Retry, SendAgain
from consumer.lane.settlement import Settlement
from consumer.lane.sorting import Sorting
from consumer.lane.unreadable import Unreadable
from consumer.outcomes.writer import Disconnected, EventSource
from consumer.set_aside import SetAside

#: What became of an attempt that was recorded and never made.
NOT_BEGUN = Failed(FailureClass.UNAVAILABLE, "not-begun", "the connection to the broker broke before the call")

FORBIDDEN = Failed(FailureClass.UNAVAILABLE, "not-begun", "a rule of the lane forbade it before the call")

#: While a cap shuts the lane: seconds between two looks for an urgent message that nobody announced, and how long one
#: takes at most. The clock may be set meanwhile, which is seen then, too.
LOOK_EVERY = 60.0
LOOK_FOR = 1.0

_log = structlog.get_logger()


class Tick:
    """Sends the messages of one lane over a port.

    Args:
        rules: what is set for the lane.
        ledger: what has been attempted; the port keeps it up to date.
        pace: when the next send may start.
        events: makes the lane's events.
        port: the outside.
        holds: the rules that keep messages back.

    Attributes:
        state: what the lane is doing; from any thread.
    """

    def __init__(
        self, rules: LaneRules, ledger: Ledger, pace: Pace, events: EventSource, port: Port, *, holds: LaneHolds
    ) -> None:
        self.state = LaneState(Phase.CONNECTING)
        self._rules = rules
        self._ledger = ledger
        self._pace = pace
        self._events = events
        self._port = port
        self._holds = holds
        self._gate = LaneGate(pace, holds, ledger, port)
        self._one_message = OneMessage(rules.lane, port, pace, events, ledger, gate=self._gate)
        self._outgoing = OutgoingMessages(rules, holds)
        self._settlement = Settlement(rules, ledger, holds, events)
        self._copies = DelayedCopies(rules, events, holds)
        self._unreadable = Unreadable(rules, port, pace, ledger, events=events, copies=self._copies)
        self._sorting = Sorting(rules.lane, port, pace, holds, self._copies, read=self._read, look_up=self._look_up)
        self._look_at = -math.inf
        self._told: tuple[str, Hold | None] | None = None

    def enter(self, phase: Phase, reason: str = "", until: float = math.inf) -> None:
        """The lane does something else from now on; the one place where its state is set."""
        self.state = LaneState(phase, reason, until)

    async def run(self) -> None:
        """Send until the lane is to end.

        Raises:
            Disconnected: the connection broke.
        """
        while not self._port.stopping:
            await self._wait_for_the_gate()
            if self._port.stopping:
                break
            self.enter(Phase.WAITING)
            await self._port.subscribe()
            while self._port.subscribed and (delivery := await self._next_delivery()):
                self.enter(Phase.DECIDING)
                await self.handle(delivery)
                if self._sorting.is_due:
                    await self._sorting.run()
                self.enter(Phase.WAITING)
            await self._port.unsubscribe()

    async def _wait_for_the_gate(self) -> None:
        while not self._port.stopping:
            self._pace.drop_expired_permit(self._port.now())
            shut = by_pace, cap = self._gate.parts()
            gate = self._gate.to_choose()
            if gate.is_open_to_choose(self._port.now()):
                return
            if cap and by_pace.is_open_to_choose(self._port.now()) and self._port.now() >= self._look_at:
                await self._look_for_an_urgent_one()
                continue
            self.enter(Phase.SHUT, gate.reason, gate.opens_at)
            self._tell_that_it_waits(gate, cap)
            until = None if gate.reason == "paused" else gate.opens_at - LEAD
            if cap and until is not None:
                until = min(until, max(self._look_at, by_pace.opens_at - LEAD))
            await self._port.wait_until(until, partial(self._has_gate_changed, shut))

    def _has_gate_changed(self, was: tuple[Gate, Hold | None]) -> bool:
        return self._port.stopping or self._gate.parts() != was

    def _tell_that_it_waits(self, gate: Gate, cap: Hold | None) -> None:
        told = gate.reason, cap
        if cap is None or self._told != told:
            wait = gate.wait(self._port.now())
            seconds = None if math.isinf(wait) else round(wait, 3)
            _log.info("lane.waiting", lane=self._rules.lane, reason=gate.reason, seconds=seconds)
        self._told = told

    async def _look_for_an_urgent_one(self) -> None:
        """A foreign publisher may not have announced an urgent message, which must not wait for the end of a cap."""
        self._look_at = self._port.now() + LOOK_EVERY
        await self._port.subscribe()
        delivery = await self._port.next_delivery(self._port.now() + LOOK_FOR, self._is_to_leave)
        if delivery is not None:
            await self.handle(delivery)
        await self._port.unsubscribe()

    async def _next_delivery(self) -> Delivery | None:
        """The next message, or None when the lane is to be left first."""
        while not self._is_to_leave():
            permit = self._pace.permit
            delivery = await self._port.next_delivery(permit.valid_until if permit else None, self._is_to_leave)
            if delivery is not None:
                return delivery
            self._pace.drop_expired_permit(self._port.now())
        return None

    def _is_to_leave(self) -> bool:
        return self._port.stopping or (self._pace.paused and self._pace.permit is None)

    # From a delivery to its ack.

    async def handle(self, delivery: Delivery) -> None:
        """Handle one delivery: when this returns, it is acked or given back."""
        try:
            message = self._read(delivery)
        except NewerVersion as problem:
            if not await self._unreadable.set_aside(delivery, SetAside.of(delivery.body, delivery.properties, problem)):
                await self._hold_then_ack(delivery)
            return
        except MalformedMessage as problem:
            await self._unreadable.bury(delivery, problem)
            return
        await self._port.catch_up()
        self._note_bells(message)
        admission = await self._admit(message)
        self._sorting.note(admission)
        if not isinstance(admission, Send):
            await self._carry_out(admission, delivery, message)
            return
        try:
            if await self._await_turn(message):
                # It may have been cancelled meanwhile, or its time may be over.
                await self._carry_out(await self._admit(message), delivery, message)
            else:
                await self._give_back(delivery)
        finally:
            self._port.release_call()

    def _read(self, delivery: Delivery) -> Message:
        key = delivery.routing_key
        return decode(delivery.body, delivery.properties, self._rules.lane, now=self._port.wall(), routing_key=key)

    def _note_bells(self, message: Message) -> None:
        """An urgent message that was announced is here; any other one is not what was announced."""
        self._pace.bells.answer(message.message_id)
        if message.priority < Priority.URGENT and self._pace.bells:
            self._pace.bells.forget(self._ledger.has_attempted)
            self._pace.bells.pass_by()

    async def _admit(self, message: Message) -> Admission:
        """What to do with a message; `Crashed` only while the pause after the crash is not over."""
        admission = self._look_up(message)
        if isinstance(admission, Crashed) and self._gate.for_message(message).is_open_to_choose(self._port.now()):
            await self._record(
                EventName.UNCERTAIN,
                replace(message, attempt=admission.attempt),
                key=dedupe_key(message),
                detail="the consumer stopped in the middle of a send",
            )
            admission = self._look_up(message)
        if self._settlement.may_be_out_of_date(admission, message):
            await self._port.barrier()
            admission = self._look_up(message)
        return admission

    def _look_up(self, message: Message) -> Admission:
        wait = self._rules.receipt_wait
        return admit(message, self._ledger, self._rules.policy, self._holds, self._port.wall(), receipt_wait=wait)

    async def _await_turn(self, message: Message) -> bool:
        """Wait for what a send needs: on a paused lane the permission, and a free call to the provider.

        The call is reserved before the beginning is recorded: a process that dies while it waits for one has sent
        nothing, and must not look as if it had.
        """
        if self._pace.permit is not None and not await self._one_message.await_turn(message):
            return False
        if not await self._port.reserve_call():
            return False
        return self._pace.permit is None or await self._one_message.await_turn(message)

    async def _carry_out(self, admission: Admission, delivery: Delivery, message: Message) -> None:
        match admission:
            case Crashed():
                # The consumer that began it may still report its outcome: that is known when the pause is over.
                await self._give_back(delivery)
                await self._one_message.sit_out()
            case Send(attempt):
                await self._send_in_time(delivery, replace(message, attempt=attempt))
            case AlreadySent():
                await self._hold_then_ack(delivery)
            case Proved(proof):
                await self._settle_by_receipt(message, proof)
                await self._hold_then_ack(delivery)
            case Settle(attempt, failure):
                await self._settle(delivery, replace(message, attempt=attempt), failure)
            case Drop(outcome, detail, purpose):
                await self._record(EventName[outcome.upper()], message, detail=detail, purpose=purpose)
                await self._port.ack(delivery)
                _log.info("message.dropped", **_about(message), outcome=outcome)
            case Postpone() | HoldBack():
                await self._delay(message, admission)
                await self._port.ack(delivery)
            case Spent():
                await self._port.ack(delivery)
            case _:
                assert_never(admission)

    async def _delay(self, message: Message, why: Postpone | HoldBack) -> None:
        """Put the message on the delay ladder, and on record that it waits there."""
        await self._port.record_with_copies([self._copies.of(message, why, self._port.wall())])

    # A send.

    async def _send_in_time(self, delivery: Delivery, message: Message) -> None:
        gate = self._gate.for_message(message)
        if not gate.is_open_to_choose(self._port.now()):
            # Chosen too early: by a fail-over, or for a bell whose message is not here yet. It is chosen again in time.
            if self._pace.bells:
                await self._port.wait_until(self._port.now() + PAUSE_BEFORE_NEXT, lambda: self._port.stopping)
            await self._give_back(delivery)
            return
        address = self._holds.address(message, is_cold=self._holds.is_cold(message))
        outgoing = self._outgoing.of(message)
        await self._record_beginning(message, address, outgoing)
        if not await self._comes_the_exact_moment(message, gate, address):
            await self._give_back(delivery)
            return
        self.enter(Phase.SENDING)
        result = await self._port.call_provider(message, outgoing, self._port.now() + self._rules.patience)
        self.enter(Phase.DECIDING)
        pause = self._pace.next_pause()
        self._pace.send_ended(self._port.now(), pause)
        self._pace.forced = False
        about = address | {"pause": round(pause, 3), "provider": self._rules.provider}
        if isinstance(result, Sent):
            await self._settle_success(delivery, message, result, about)
        else:
            await self._settle_failure(delivery, message, result, about)

    async def _record_beginning(self, message: Message, address: Mapping[str, Any], outgoing: Outgoing) -> None:
        permit = self._pace.permit
        given_up_at = self._port.wall() + min(self._rules.patience, self._rules.answers_within)
        await self._record(
            EventName.SENDING,
            message,
            key=dedupe_key(message),
            priority=message.priority,
            deadline=round(given_up_at, 3),
            consumer=self._rules.consumer,
            permits=list(permit.ids) if permit else None,
            **self._outgoing.echoed(outgoing),
            **self._holds.beginning(message, address, self._port.wall()),
        )
        if permit is not None:
            self._one_message.has_begun(permit)

    async def _comes_the_exact_moment(self, message: Message, gate: Gate, address: Mapping[str, Any]) -> bool:
        """Wait until the gate opens, and tell whether the message is still to be sent then.

        Without a connection it is another consumer's already, and nothing is sent.
        """
        try:
            await self._port.wait_until(gate.opens_at, _never)
            await self._port.take_in()
            is_forbidden = self._is_forbidden(message, is_cold=address["cold"])
        except (Disconnected, ContactsLost):
            self._port.owe(self._events.of(EventName.FAILED, message, **asdict(NOT_BEGUN), **address))
            raise
        if not self._is_ours_to_send(message):
            return False
        if is_forbidden:
            await self._record(EventName.FAILED, message, **asdict(FORBIDDEN), **address)
        return not is_forbidden

    def _is_forbidden(self, message: Message, *, is_cold: bool) -> bool:
        now, entry = self._port.wall(), self._ledger.entry(message.message_id)
        return self._holds.forbids_call(message, now, began_at=entry.at if entry else now, is_cold=is_cold)

    def _is_ours_to_send(self, message: Message) -> bool:
        """Whether nobody has reported, while our `sending` was recorded, that it was sent or is over."""
        entry = self._ledger.entry(message.message_id)
        is_proved = self._ledger.receipts.proof(message.message_id) is not None
        return entry is not None and entry.state is State.SENDING and not is_proved

    # After a send.

    async def _settle_success(self, delivery: Delivery, message: Message, sent: Sent, about: Mapping[str, Any]) -> None:
        details = {**about, "provider_id": sent.provider_id, "due_at": message.due_at, **self._rules.rhythm}
        await self._port.record(self._events.of(EventName.SENT, message, **details), surely=True)
        _log.info("message.sent", **_about(message))
        await self._hold_then_ack(delivery)

    async def _settle_failure(
        self, delivery: Delivery, message: Message, failure: Failed, about: Mapping[str, Any]
    ) -> None:
        if about["cold"]:
            most = self._rules.cold_failures
            failure = self._ledger.cold_outcomes.judge(failure, about["recipient"], most)
        row = self._ledger.times.failures_in_a_row
        consequence = self._rules.policy.after(failure, attempt=message.attempt, failures_in_a_row=row)
        hold = consequence.seconds if isinstance(consequence, HoldLane) else None
        if hold is not None:
            # Before it is recorded: a connection that breaks meanwhile must not take the hold with it.
            self._pace.hold(self._port.now() + hold, failure.failure_class.value)
        details = {**about, **asdict(failure), "hold": hold, "key": dedupe_key(message), **self._rules.rhythm}
        if isinstance(consequence, HoldCold):
            details["cold_held_until"] = self._cold_held_until(message, failure)
        failed = self._events.of(EventName.FAILED, message, **details)
        why = {"failure_class": failure.failure_class.value, "code": failure.code, "hold": hold}
        _log.warning("message.failed", **_about(message), **why)
        await self._port.record(failed, surely=True)
        if failure.failure_class is FailureClass.UNCERTAIN and self._rules.receipt_wait:
            # The receipt may have been quicker than the answer.
            await self._port.take_in()
        match awaited := self._settlement.of(message, self._port.wall()):
            case None:
                await self._follow(delivery, message, failure, consequence, failed_at=failed.at)
                return
            case HoldBack():
                await self._delay(message, awaited)
            case Proved(proof):
                await self._settle_by_receipt(message, proof)
        await self._hold_then_ack(delivery)

    async def _settle_by_receipt(self, message: Message, proof: Proof) -> None:
        sent = self._settlement.record(message, proof)
        await self._port.record(sent)
        about = _about(message) | {"attempt": sent.attempt}
        _log.info("message.sent", **about, settled_by=sent.details["settled_by"])

    def _cold_held_until(self, message: Message, refusal: Failed) -> float:
        seconds = self._ledger.cold_outcomes.pause_after(refusal)
        _log.warning("lane.cold_contacts_held", lane=message.lane, seconds=round(seconds), code=refusal.code)
        return round(self._port.wall() + seconds, 3)

    async def _settle(self, delivery: Delivery, message: Message, failure: Failed) -> None:
        """A crash came between a failure and its consequence: see to the consequence now."""
        entry = self._ledger.entry(message.message_id)
        crashes, failed_at = (entry.crashes, entry.at) if entry else (0, self._port.wall())
        consequence = self._rules.policy.after(failure, attempt=message.attempt, crashes=crashes)
        await self._follow(delivery, message, failure, consequence, failed_at=failed_at)

    async def _follow(
        self, delivery: Delivery, message: Message, failure: Failed, consequence: Consequence, *, failed_at: float
    ) -> None:
        """Put the retry or the dead letter into the broker, keep the pause, and only then let go of the original."""
        about = AttemptFailure(message.attempt, failed_at, failure.failure_class.value, failure.code, failure.detail)
        match consequence:
            case Retry():
                await self._retry(message, about, consequence)
                await self._hold_then_ack(delivery)
            case GiveUp():
                await self._bury(message, about, consequence)
                await self._hold_then_ack(delivery)
            case HoldCold() if (hold := self._holds.of_message(message, self._port.wall())) is not None:
                await self._delay(message, HoldBack(hold))
                await self._hold_then_ack(delivery)
            case HoldLane() | SendAgain() | HoldCold():
                # It keeps its place; the hold is in the pace or in the book already.
                await self._give_back(delivery)
            case _:
                assert_never(consequence)

    async def _retry(self, message: Message, failure: AttemptFailure, consequence: Retry) -> None:
        copy = retry_of(message, failure, attempt=consequence.attempt)
        await self._lay_on_ladder(consequence.delay, *encode(copy))
        due_at = self._port.wall() + whole_seconds(consequence.delay)
        await self._record(EventName.RETRYING, message, due_at=due_at, next_attempt=consequence.attempt)

    async def _lay_on_ladder(self, seconds: float, body: bytes, properties: pika.BasicProperties) -> None:
        copy = self._copies.as_it_is(body, properties, seconds)
        await self._port.publish(copy.exchange, copy.routing_key, copy.body, copy.properties)

    async def _bury(self, message: Message, failure: AttemptFailure, consequence: GiveUp) -> None:
        body, properties = encode(retry_of(message, failure, attempt=message.attempt))
        await self._port.publish(self._rules.names.dead, self._rules.lane, body, properties)
        why = {"failure_class": failure.failure_class, "code": failure.code, "detail": failure.detail}
        await self._record(EventName.DEAD, message, reason=consequence.reason, **why)
        _log.error("message.dead", **_about(message), reason=consequence.reason)

    async def _hold_then_ack(self, delivery: Delivery) -> None:
        """Keep the message until the pause is over, so that the next one is chosen as late as possible."""
        self.enter(Phase.HOLDING)
        await self._port.wait_until(self._pace.pause_over_at - LEAD, self._is_hold_cut_short)
        if self._port.stopping or not self._gate.to_choose().is_open_to_choose(self._port.now()):
            await self._port.unsubscribe()
        await self._port.ack(delivery)

    def _is_hold_cut_short(self) -> bool:
        return self._port.stopping or self._pace.forced or bool(self._pace.bells) or self._pace.wants_a_choice

    async def _give_back(self, delivery: Delivery) -> None:
        await self._port.unsubscribe()
        await self._port.give_back(delivery)

    async def _record(self, name: str, message: Message, **details: object) -> None:
        await self._port.record(self._events.of(name, message, **details))


def _about(message: Message) -> dict[str, object]:
    """What every log line about a message tells of it: enough to find it, nothing that is anybody's business."""
    about = {"lane": message.lane, "message_id": message.message_id, "attempt": message.attempt}
    return about | {"trace_id": message.trace_id} if message.trace_id else about


def _never() -> bool:
    return False
