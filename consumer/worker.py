"""The paced sender of one lane: wait for the gate, take one message, send it, hold it, ack it.

    gate open → subscribe → delivery → admit → wait for the pace → record that sending begins → send
              → record the outcome → put a retry or dead letter into the broker → hold for the pause → ack

While the gate is shut (an admin's pause, a provider that is down or throttles, the pause after a crash) the worker is
not subscribed and holds nothing, so that the next message is chosen when it can be sent, and not earlier.
"""

import math
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from queue import SimpleQueue
from typing import Any

import structlog
from pika import BasicProperties

from antrian.broker import topology_sync
from antrian.broker.connection import connection_parameters, open_channel
from antrian.broker.lane_state import read_state
from antrian.broker.topology import Names, topology
from antrian.broker.urgent_bell import ring
from antrian.domain.control import Control
from antrian.domain.delay_ladder import ladder_key, whole_seconds
from antrian.domain.errors import BrokerUnreachable, MalformedMessage, NewerVersion
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.message import AttemptFailure, Message, Priority, decode, encode, retry_of
from antrian.domain.settings import Settings
from antrian.providers.contract import Failed, FailureClass, Provider, Sent
from consumer import signals
from consumer.admission import (
    DELIVER_AT,
    Admission,
    AlreadySent,
    Crashed,
    Drop,
    Postpone,
    Send,
    Settle,
    Spent,
    admit,
    admit_unread,
    dedupe_key,
)
from consumer.adopted_pace import AdoptedPace
from consumer.bells import PAUSE_BEFORE_NEXT
from consumer.caller import Caller
from consumer.conversation import Conversation, Disconnected, Stopped
from consumer.lane_view import LaneView
from consumer.lane_watch import LaneWatch
from consumer.ledger import State
from consumer.malformed import MALFORMED, dead_letter_of
from consumer.one_message import OneMessage
from consumer.orders import Orders
from consumer.outcome_feed import OutcomeFeed
from consumer.pace import LEAD, Gate, Pace
from consumer.recorder import Recorder
from consumer.retry import Consequence, GiveUp, HoldLane, Retry, RetryPolicy
from consumer.session import Inbox, Link
from consumer.set_aside import SetAside
from consumer.witness import Audience, Witness

#: Seconds after which a provider that does not answer is given up; its own time-outs are shorter.
PROVIDER_DEADLINE = 120.0

#: What became of an attempt that was recorded and never made.
NOT_BEGUN = Failed(FailureClass.UNAVAILABLE, "not-begun", "the connection to the broker broke before the call")

#: Seconds between tries when the broker answers but the topology cannot be made.
TOPOLOGY_PAUSE = 1.0

#: This process as people know it; what its events are known by is its `source`.
THIS_CONSUMER = f"{socket.gethostname()} ({os.getpid()})"

_log = structlog.get_logger()


class LaneWorker:
    """Sends the messages of one lane, until it is told to stop.

    Args:
        lane: which lane.
        settings: of the process.
        urls: the broker's addresses.
        provider: what sends; closed at the end.
        witnesses: told what happens.
        apply_lanes: is handed the command to serve other lanes, which is for the whole process.
    """

    def __init__(
        self,
        lane: str,
        settings: Settings,
        urls: Sequence[str],
        provider: Provider,
        witnesses: Sequence[Witness] = (),
        *,
        apply_lanes: Callable[[Control], None] = lambda _: None,
    ) -> None:
        self.inbox: Inbox = SimpleQueue()
        self._lane = lane
        self._settings = settings
        #: Everything that differs from lane to lane: never read a global delay.
        self._described = described = settings.lanes[lane]
        self._urls = urls
        self._provider = provider
        self._names = Names(settings.whatsapp_queue_namespace)
        self._policy = RetryPolicy.from_settings(settings, described)
        #: Told with each send, so that whoever reads the events forecasts with our settings and not with theirs.
        self._rhythm = {"delay": described.delay, "jitter": described.jitter}
        self._pace = Pace()
        audience = Audience(witnesses)
        feed = OutcomeFeed(lane, settings.whatsapp_queue_dedupe_hours * 3600, audience)
        self._ledger = feed.ledger
        orders = Orders(lane, self._pace, feed.ledger, apply_lanes)
        self._talk = Conversation(lane, self._names, self.inbox, feed, orders)
        about = self._rhythm | {
            "max_attempts": described.max_attempts,
            "retry_delays": list(settings.whatsapp_queue_retry_delays),
        }
        self._recorder = Recorder(lane, self._names, self._talk, feed, AdoptedPace(self._pace, described), about=about)
        self._one_message = OneMessage(self._talk, self._pace, self._recorder, self._ledger)
        self._caller = Caller(provider, self._talk, self.inbox, self._pace, audience)
        self._watch = LaneWatch(lane, self._talk, feed, self._pace, self._caller)

    def stop(self) -> None:
        """Ask the worker to end: a send in progress is finished first, a pause is not waited for."""
        self.inbox.put(signals.Stop())

    def view(self) -> LaneView:
        """What is to be seen of the worker now; from any thread."""
        return self._watch.view()

    def run(self) -> None:
        """Send until stopped.

        Raises:
            BrokerRefused: the broker does not let this user in.
            TopologyConflict: the broker's queues are not the ones that the settings ask for.
        """
        name = f"antrian consumer {self._lane}"
        parameters = connection_parameters(self._urls, name=name, heartbeat=self._settings.whatsapp_queue_heartbeat)
        link = Link(parameters, self._names, self.inbox, name=f"antrian-{self._lane}")
        link.start()
        try:
            while not self._talk.is_done:
                self._run_on_one_connection()
        except Stopped:
            pass
        finally:
            link.close()
            self._provider.close()
            _log.info("lane.left", lane=self._lane)

    def _run_on_one_connection(self) -> None:
        try:
            self._talk.connect()
            self._recorder.make_up_for_lost_records()
            self._prepare()
            self._work()
        except Disconnected:
            _log.info("broker.reconnecting", lane=self._lane)
        except BrokerUnreachable as error:
            _log.warning("broker.trouble", lane=self._lane, reason=str(error))
            self._talk.start_over()
            self._pause_between_tries()

    def _pause_between_tries(self) -> None:
        deadline = time.monotonic() + TOPOLOGY_PAUSE
        self._talk.wait(lambda: self._talk.stopping, until=deadline, whatever_happens=True)

    def _prepare(self) -> None:
        """Make the topology, learn what was attempted, and read whether the lane is paused; in this order."""
        name = f"antrian consumer {self._lane} set-up"
        with open_channel(self._urls, name=name) as channel:
            topology_sync.apply(channel.connection, topology(self._settings))
        self._recorder.learn()
        with open_channel(self._urls, name=name) as channel:
            is_paused = read_state(channel, self._names, self._lane).paused
        if is_paused != self._pace.paused:
            (self._pace.pause if is_paused else self._pace.resume)()
        _log.info("lane.ready", lane=self._lane, remembered=len(self._ledger), paused=self._pace.paused)

    def _work(self) -> None:
        while not self._talk.stopping:
            self._wait_for_the_gate()
            if self._talk.stopping:
                break
            self._talk.subscribe()
            while self._talk.subscribed and (delivery := self._next_delivery()):
                self._handle(delivery)
            self._talk.unsubscribe()

    def _wait_for_the_gate(self) -> None:
        while not self._talk.stopping:
            self._pace.drop_expired_permit(time.monotonic())
            gate = self._pace.gate_to_choose()
            if gate.is_open_to_choose(time.monotonic()):
                return
            _log.info(
                "lane.waiting", lane=self._lane, reason=gate.reason, seconds=_rounded(gate.wait(time.monotonic()))
            )
            until = None if gate.reason == "paused" else gate.opens_at - LEAD
            self._talk.wait(partial(self._has_gate_changed, gate), until=until)

    def _has_gate_changed(self, was: Gate) -> bool:
        return self._talk.stopping or self._pace.gate_to_choose() != was

    def _next_delivery(self) -> signals.Delivery | None:
        """The next message, or None when the lane is to be left first."""
        while not self._is_to_leave():
            permit = self._pace.permit
            self._talk.wait(
                lambda: self._talk.delivery is not None or self._is_to_leave(),
                until=permit.valid_until if permit else None,
            )
            if self._talk.delivery is not None and not self._is_to_leave():
                delivery, self._talk.delivery = self._talk.delivery, None
                return delivery
            self._pace.drop_expired_permit(time.monotonic())
        return None

    def _is_to_leave(self) -> bool:
        return self._talk.stopping or (self._pace.paused and self._pace.permit is None)

    def _handle(self, delivery: signals.Delivery) -> None:
        """Do with one delivery what is to be done with it."""
        try:
            message = self._read(delivery)
        except NewerVersion as problem:
            self._set_aside(delivery, SetAside.of(delivery.body, delivery.properties, problem))
            return
        except MalformedMessage as problem:
            self._bury_malformed(delivery, problem)
            return
        self._recorder.catch_up()
        self._mind_the_bell(message)
        admission = self._admit(message)
        if isinstance(admission, Send) and self._pace.permit is not None:
            if not self._one_message.await_turn(message):
                self._give_back(delivery)
                return
            # It may have been cancelled meanwhile, or its time may be over.
            admission = self._admit(message)
        self._carry_out(admission, delivery, message)

    def _carry_out(self, admission: Admission, delivery: signals.Delivery, message: Message) -> None:
        match admission:
            case Crashed():
                # Whoever began it may still report what became of it: that is known when the pause is over.
                self._give_back(delivery)
                self._one_message.sit_out()
            case Send(attempt):
                self._send_in_time(delivery, replace(message, attempt=attempt))
            case AlreadySent():
                self._hold_then_ack(delivery)
            case Settle(attempt, failure):
                self._settle(delivery, replace(message, attempt=attempt), failure)
            case Drop(outcome, detail):
                self._record(f"outcome.{outcome}", message, detail=detail)
                self._talk.session.ack(delivery.tag)
                _log.info("message.dropped", **_about(message), outcome=outcome)
            case Postpone(until):
                body, properties = encode(message)
                self._lay_on_ladder(until - time.time(), body, properties)
                self._record(EventName.POSTPONED, message, reason=DELIVER_AT, due_at=until)
                self._talk.session.ack(delivery.tag)
            case Spent():
                self._talk.session.ack(delivery.tag)

    def _read(self, delivery: signals.Delivery) -> Message:
        key = delivery.routing_key
        return decode(delivery.body, delivery.properties, self._lane, now=time.time(), routing_key=key)

    def _admit(self, message: Message) -> Admission:
        """What to do with a message; `Crashed` only while the pause after the crash is not over."""
        admission = self._look_up(message)
        if isinstance(admission, Crashed) and self._gate_for(message).is_open_to_choose(time.monotonic()):
            crashed = replace(message, attempt=admission.attempt)
            self._record(
                EventName.UNCERTAIN,
                crashed,
                key=dedupe_key(message),
                detail="the consumer stopped in the middle of a send",
            )
            admission = self._look_up(message)
        if isinstance(admission, Drop) and admission.outcome == "cancelled":
            # The stream may be slower than the lane: a re-drive that takes the cancellation back was recorded before
            # this copy came.
            self._recorder.pass_barrier()
            admission = self._look_up(message)
        return admission

    def _look_up(self, message: Message) -> Admission:
        return admit(message, self._ledger, self._policy, time.time())

    def _gate_for(self, message: Message) -> Gate:
        if self._pace.permit is not None:
            return self._pace.gate_for_the_one()
        return self._pace.gate(urgent=message.priority >= Priority.URGENT)

    def _mind_the_bell(self, message: Message) -> None:
        self._pace.bells.answer(message.message_id)
        if message.priority < Priority.URGENT and self._pace.bells:
            self._pace.bells.forget(self._ledger.has_attempted)
            self._pace.bells.pass_by()

    def _send_in_time(self, delivery: signals.Delivery, message: Message) -> None:
        gate = self._gate_for(message)
        if not gate.is_open_to_choose(time.monotonic()):
            # Chosen too early: by a fail-over, or for a bell whose message is not here yet. It is chosen again in time.
            if self._pace.bells:
                self._talk.wait(lambda: self._talk.stopping, until=time.monotonic() + PAUSE_BEFORE_NEXT)
            self._give_back(delivery)
            return
        self._record_beginning(message)
        self._wait_to_the_last_moment(message, gate)
        if not self._is_ours_to_send(message):
            self._give_back(delivery)
            return
        result = self._caller.ask(message, deadline=time.monotonic() + self._patience)
        pause = self._described.pause()
        self._pace.send_ended(time.monotonic(), pause)
        self._pace.forced = False
        if isinstance(result, Sent):
            details = {"provider_id": result.provider_id, "pause": round(pause, 3), "due_at": message.due_at}
            details |= self._rhythm
            self._recorder.record_surely(self._event(EventName.SENT, message, **details))
            _log.info("message.sent", **_about(message))
            self._hold_then_ack(delivery)
        else:
            self._take_failure(delivery, message, result, pause)

    def _record_beginning(self, message: Message) -> None:
        permit = self._pace.permit
        permits = list(permit.ids) if permit else None
        given_up_at = time.time() + min(self._patience, getattr(self._provider, "patience", PROVIDER_DEADLINE))
        self._record(
            EventName.SENDING,
            message,
            key=dedupe_key(message),
            priority=message.priority,
            deadline=round(given_up_at, 3),
            consumer=THIS_CONSUMER,
            permits=permits,
        )
        if permit is not None:
            self._one_message.has_begun(permit)

    @property
    def _patience(self) -> float:
        """Seconds after which a call to the provider is given up."""
        return min(PROVIDER_DEADLINE, self._settings.whatsapp_queue_timeout_minutes * 60)

    def _wait_to_the_last_moment(self, message: Message, gate: Gate) -> None:
        """Until the gate opens; without a connection the message is another consumer's already, and nothing is sent."""
        try:
            self._talk.wait(lambda: False, until=gate.opens_at)
            self._talk.catch_up()
        except Disconnected:
            self._recorder.owe(self._event(EventName.FAILED, message, **asdict(NOT_BEGUN)))
            raise

    def _is_ours_to_send(self, message: Message) -> bool:
        """Whether nobody has reported late, while our `sending` was recorded, that it was sent or is done with."""
        entry = self._ledger.entry(message.message_id)
        return entry is not None and entry.state is State.SENDING

    def _take_failure(self, delivery: signals.Delivery, message: Message, failure: Failed, pause: float) -> None:
        row = self._ledger.times.failures_in_a_row
        consequence = self._policy.after(failure, attempt=message.attempt, failures_in_a_row=row)
        hold = consequence.seconds if isinstance(consequence, HoldLane) else None
        details = asdict(failure) | self._rhythm
        described = self._event(
            EventName.FAILED, message, hold=hold, pause=round(pause, 3), key=dedupe_key(message), **details
        )
        _log.warning(
            "message.failed",
            **_about(message),
            failure_class=failure.failure_class.value,
            code=failure.code,
            hold=hold,
        )
        if hold is not None:
            # Before it is recorded: a connection that breaks meanwhile must not take the hold with it.
            self._pace.hold(time.monotonic() + hold, failure.failure_class.value)
        self._recorder.record_surely(described)
        if hold is None:
            self._follow(delivery, message, failure, consequence, failed_at=described.at)
        else:
            self._give_back(delivery)

    def _settle(self, delivery: signals.Delivery, message: Message, failure: Failed) -> None:
        """A crash came between a failure and its consequence: see to the consequence now."""
        entry = self._ledger.entry(message.message_id)
        crashes, failed_at = (entry.crashes, entry.at) if entry else (0, time.time())
        consequence = self._policy.after(failure, attempt=message.attempt, crashes=crashes)
        self._follow(delivery, message, failure, consequence, failed_at=failed_at)

    def _follow(
        self,
        delivery: signals.Delivery,
        message: Message,
        failure: Failed,
        consequence: Consequence,
        *,
        failed_at: float,
    ) -> None:
        """Put the retry or the dead letter into the broker, keep the pause, and only then let go of the original."""
        about = AttemptFailure(message.attempt, failed_at, failure.failure_class.value, failure.code, failure.detail)
        if isinstance(consequence, Retry):
            self._retry(message, about, consequence)
        elif isinstance(consequence, GiveUp):
            self._bury(message, about, consequence)
        self._hold_then_ack(delivery)

    def _retry(self, message: Message, failure: AttemptFailure, consequence: Retry) -> None:
        self._lay_on_ladder(consequence.delay, *encode(retry_of(message, failure, attempt=consequence.attempt)))
        due_at = time.time() + whole_seconds(consequence.delay)
        self._record(EventName.RETRYING, message, due_at=due_at, next_attempt=consequence.attempt)

    def _lay_on_ladder(self, seconds: float, body: bytes, properties: BasicProperties) -> None:
        ring(properties, self._lane, later=True)
        exchange = self._names.ladder_entrance(seconds)
        self._talk.publish(exchange, ladder_key(seconds, self._lane), body, properties)

    def _bury(self, message: Message, failure: AttemptFailure, consequence: GiveUp) -> None:
        body, properties = encode(retry_of(message, failure, attempt=message.attempt))
        self._talk.publish(self._names.dead, self._lane, body, properties)
        why = {"failure_class": failure.failure_class, "code": failure.code, "detail": failure.detail}
        self._record(EventName.DEAD, message, reason=consequence.reason, **why)
        _log.error("message.dead", **_about(message), reason=consequence.reason)

    def _bury_malformed(self, delivery: signals.Delivery, problem: MalformedMessage) -> None:
        properties = dead_letter_of(delivery.body, delivery.properties, problem)
        self._talk.publish(self._names.dead, self._lane, delivery.body, properties)
        message_id = properties.message_id or ""
        self._pace.bells.answer(message_id)
        why: dict[str, Any] = {"reason": MALFORMED, "failure_class": MALFORMED}
        why |= {"code": problem.code, "detail": problem.detail}
        dead = self._recorder.event(EventName.DEAD, message_id=message_id, **why)
        self._recorder.record(dead)
        self._talk.session.ack(delivery.tag)
        _log.error(
            "message.malformed", lane=self._lane, message_id=message_id, code=problem.code, detail=problem.detail
        )

    def _set_aside(self, delivery: signals.Delivery, kept: SetAside) -> None:
        """A delivery that only a newer consumer can read; those behind it go on."""
        self._recorder.catch_up()
        self._pace.bells.answer(kept.message_id)
        event = partial(self._recorder.event, message_id=kept.message_id, generation=kept.generation)
        match admit_unread(kept.message_id, kept.generation, self._ledger):
            case AlreadySent():
                self._hold_then_ack(delivery)
                return
            case Drop(outcome, detail):
                self._recorder.record(event(f"outcome.{outcome}", detail=detail))
            case None:
                self._lay_on_ladder(kept.seconds, kept.body, kept.properties)
                self._recorder.record(event(EventName.POSTPONED, **kept.details()))
                _log.warning(
                    "message.needs_newer_consumer",
                    lane=self._lane,
                    message_id=kept.message_id,
                    version=kept.version,
                    seconds=kept.seconds,
                )
        self._talk.session.ack(delivery.tag)

    def _hold_then_ack(self, delivery: signals.Delivery) -> None:
        """Keep the message until the pause is over, so that the next one is chosen as late as possible."""
        self._talk.wait(self._is_hold_cut_short, until=self._pace.pause_over_at - LEAD)
        if self._talk.stopping or not self._pace.gate_to_choose().is_open_to_choose(time.monotonic()):
            self._talk.unsubscribe()
        self._talk.session.ack(delivery.tag)

    def _is_hold_cut_short(self) -> bool:
        return self._talk.stopping or self._pace.forced or bool(self._pace.bells) or self._pace.wants_a_choice

    def _give_back(self, delivery: signals.Delivery) -> None:
        self._talk.unsubscribe()
        self._talk.session.give_back(delivery.tag)

    def _event(self, name: str, message: Message, **details: object) -> Event:
        return self._recorder.event(
            name,
            message_id=message.message_id,
            generation=message.generation,
            attempt=message.attempt,
            trace_id=message.trace_id,
            correlation_id=message.body.correlation_id,
            **details,
        )

    def _record(self, name: str, message: Message, **details: object) -> None:
        self._recorder.record(self._event(name, message, **details))


def _about(message: Message) -> dict[str, object]:
    """What every log line about a message tells of it: enough to find it, nothing that is anybody's business."""
    about = {"lane": message.lane, "message_id": message.message_id, "attempt": message.attempt}
    return about | {"trace_id": message.trace_id} if message.trace_id else about


def _rounded(seconds: float) -> float | None:
    return None if math.isinf(seconds) else round(seconds, 3)
