"""A lane on paper: what `consumer.worker` does with each delivery, step by step, with a fault possible at every step.

The decisions are the real ones (`admit`, `Ledger`, `RetryPolicy`, `retry_of`, `Outstanding`); only the broker is a few
lists. One step is whatever the worker waits for: a confirm, the provider's answer, an ack.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import partial

from factories import NOW, make_event

from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.message import AttemptFailure, Message, retry_of
from antrian.providers.contract import Failed, SendResult, Sent
from consumer.admission import Admission, AlreadySent, Crashed, Drop, Send, Settle, Spent, admit, dedupe_key
from consumer.ledger import _STATES, Ledger, State
from consumer.outstanding import Outstanding
from consumer.pace import Pace
from consumer.permit import Step, step
from consumer.retry import Consequence, GiveUp, HoldLane, Retry, RetryPolicy

WINDOW = 86_400.0
FINAL = {State.SENT, State.DEAD, State.CLOSED}


class Fault(Enum):
    """What may go wrong at a step, before or after it had its effect on the broker."""

    NONE = auto()
    #: The process is killed.
    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()
    #: The connection breaks, and the process gets the delivery again on its next one.
    CUT_BEFORE = auto()
    CUT_AFTER = auto()
    #: The connection breaks and another consumer takes over; what the first one still has to say comes late.
    REPLACED_BEFORE = auto()
    REPLACED_AFTER = auto()
    #: The broker has just started: it confirms what its streams never get. Whoever has read the stream to its end has
    #: nothing more to fear from that.
    CONFIRMED_IN_VAIN = auto()


class Killed(Exception):
    pass


class Disconnected(Exception):
    pass


class Replaced(Disconnected):
    pass


_EFFECTS: dict[Fault, type[Exception]] = {
    Fault.CRASH_BEFORE: Killed,
    Fault.CRASH_AFTER: Killed,
    Fault.CUT_BEFORE: Disconnected,
    Fault.CUT_AFTER: Disconnected,
    Fault.REPLACED_BEFORE: Replaced,
    Fault.REPLACED_AFTER: Replaced,
}
_BEFORE = {Fault.CRASH_BEFORE, Fault.CUT_BEFORE, Fault.REPLACED_BEFORE}


@dataclass
class Broker:
    """What survives every consumer.

    Attributes:
        queue: copies that wait in the lane, the one being handled included.
        ladder: copies that wait for their time.
        dead: copies in the dead-letter queue.
        stream: the outcomes stream.
    """

    queue: list[Message] = field(default_factory=list)
    ladder: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    stream: list[Event] = field(default_factory=list)

    def events(self, name: str, message_id: str) -> int:
        wanted = (f"outcome.{name}", message_id)
        return sum((event.name, event.message_id) == wanted for event in self.stream)


class LaneModel:
    """One lane and the consumers that serve it, one after the other."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.broker = Broker()
        self._published: dict[str, Message] = {}
        self.provider_accepted: list[str] = []
        self.late: list[Event] = []
        self.heard_late = False
        self.commands = 0
        self.sent_with: list[tuple[list[str], str]] = []
        self.pace = Pace()
        self._heard_by_standby: str | None = None
        self.now = NOW
        self._policy = policy
        self._given_up: set[str] = set()
        self._happened: Message | None = None
        self._faults: Iterator[Fault] = iter(())
        self._lives = 0
        self._begin_a_life()

    # What others do.

    def publish(self, message: Message) -> None:
        self.broker.queue.append(message)
        self._published.setdefault(message.message_id, message)

    @property
    def published(self) -> set[str]:
        return set(self._published)

    def cancel(self, message_id: str) -> None:
        self.broker.stream.append(self._event("cancelling", message_id, source="an admin"))
        self._ledger.apply(self.broker.stream[-1])

    def uncancel(self, message_id: str) -> None:
        self.broker.stream.append(self._event("uncancelled", message_id, source="an admin"))
        self._ledger.apply(self.broker.stream[-1])

    def undo_cancellation(self, message_id: str) -> None:
        """As the undo of a clearing does it: what was dropped meanwhile is made anew."""
        self.uncancel(message_id)
        ends = [event for event in self.broker.stream if event.message_id == message_id and event.name in _STATES]
        if ends and ends[-1].name == "outcome.cancelled":
            message = self._published[message_id]
            copy = replace(message, generation=ends[-1].generation + 1, attempt=ends[-1].attempt or 1)
            self.broker.queue.append(copy)

    def pause(self) -> None:
        self.pace.pause()
        self._heard_by_standby = None

    def resume(self) -> None:
        self.pace.resume()
        self._heard_by_standby = None

    def try_one(self, *, standby_hears: bool) -> None:
        """An admin has one message of a paused lane sent; whoever takes over may have heard of it, too."""
        if self.pace.paused:
            self.commands += 1
            permit_id = f"permit {self.commands}"
            self.pace.try_one(permit_id, "an admin", self.now)
            self._heard_by_standby = permit_id if standby_hears else self._heard_by_standby

    def withdraw(self) -> None:
        self.pace.withdraw(f"permit {self.commands}")

    def redrive(self) -> None:
        """As an admin does it: say so first, then put it back, and only then take it out of the dead letters."""
        while self.broker.dead:
            letter = self.broker.dead[-1]
            redriven = self._event(
                "redriven", letter.message_id, generation=letter.generation, attempt=0, source="an admin"
            )
            self.broker.stream.append(redriven)
            self._ledger.apply(redriven)
            self._given_up.discard(letter.message_id)
            self.broker.queue.append(retry_of(letter, None, attempt=1))
            self.broker.dead.pop()

    def hear_the_late(self) -> None:
        """A consumer that was replaced in the middle of a send connects again and says how it ended."""
        self.heard_late = self.heard_late or bool(self.late)
        for event in self.late:
            self.broker.stream.append(event)
            self._ledger.apply(event)
        self.late.clear()

    def let_time_pass(self) -> None:
        self.now += 60
        self.broker.queue += self.broker.ladder
        self.broker.ladder.clear()

    # What a consumer does.

    def take(self, place: int, answer: SendResult, faults: Iterator[Fault]) -> None:
        """Have the copy at `place` delivered and handled, as far as the faults let it come."""
        self._faults = faults
        self.now += 1
        try:
            self._record_what_was_missed()
            self.pace.drop_expired_permit(self.now)
            if self.broker.queue and (not self.pace.paused or self.pace.permit):
                self._handle(place % len(self.broker.queue), answer)
        except Killed:
            self._begin_a_life()
        except Replaced:
            self.late += outstanding_events(self._outstanding)
            self._begin_a_life()
        except Disconnected:
            # The delivery goes back to its place, and the ledger lives on.
            pass

    def recorded_state(self, message_id: str) -> State | None:
        """How a message stands, as the stream tells it to a consumer that has just begun."""
        entry = self._ledger_of_the_stream().entry(message_id)
        return entry.state if entry else None

    def is_settled(self) -> bool:
        return not self.broker.queue and not self.broker.ladder and self._outstanding.is_empty and not self.late

    def _begin_a_life(self) -> None:
        self._lives += 1
        self.pace = Pace(paused=self.pace.paused)
        if self._heard_by_standby:
            self.pace.try_one(self._heard_by_standby, "an admin", self.now)
            self._heard_by_standby = None
        self._outstanding = Outstanding()
        self._ledger = self._ledger_of_the_stream()

    def _ledger_of_the_stream(self) -> Ledger:
        ledger = Ledger("default", WINDOW, clock=lambda: self.now)
        for event in self.broker.stream:
            ledger.apply(event)
        return ledger

    def _handle(self, place: int, answer: SendResult) -> None:
        message = self.broker.queue[place]
        admission = self._admit(message)
        if isinstance(admission, Send) and self.pace.paused and not self._may_be_the_one(message):
            return
        match admission:
            case Send(attempt):
                self._send(place, replace(message, attempt=attempt), answer)
            case Settle(attempt, failure):
                entry = self._ledger.entry(message.message_id)
                assert entry is not None
                consequence = self._policy.after(failure, attempt=attempt, crashes=entry.crashes)
                self._follow(place, replace(message, attempt=attempt), failure, consequence)
            case Drop(outcome):
                self._record(outcome, message)
                self._ack(place)
            case AlreadySent() | Spent():
                self._ack(place)

    def _admit(self, message: Message) -> Admission:
        while isinstance(admission := admit(message, self._ledger, self._policy, self.now), Crashed):
            self._record("uncertain", replace(message, attempt=admission.attempt), key=dedupe_key(message))
        return admission

    def _may_be_the_one(self, message: Message) -> bool:
        while (permit := self.pace.permit) is not None:
            match step(permit, message.message_id, self._ledger.uses, self.now):
                case Step.NOTHING:
                    self.pace.permit = None
                case Step.CHOOSE:
                    permit.choose(message.message_id, self.now)
                    asked = list(permit.unanswered or permit.ids)
                    self._record("chosen", message, permits=asked)
                    permit.answered(asked)
                case Step.SEND:
                    return True
        return False

    def _send(self, place: int, message: Message, answer: SendResult) -> None:
        permit = self.pace.permit
        self._record("sending", message, key=dedupe_key(message), permits=list(permit.ids) if permit else None)
        if permit is not None:
            self.sent_with.append((list(permit.ids), message.message_id))
            self.pace.permit = permit.rest(self.now)
        assert permit is not None or not self.pace.paused, "sent on a paused lane without a permission"
        self._ask_the_provider(message, answer)
        if isinstance(answer, Sent):
            self._record_surely("sent", message)
            self._ack(place)
            return
        consequence = self._policy.after(answer, attempt=message.attempt)
        hold = consequence.seconds if isinstance(consequence, HoldLane) else None
        details = {"failure_class": answer.failure_class, "code": answer.code, "detail": answer.detail}
        self._record_surely("failed", message, hold=hold, key=dedupe_key(message), **details)
        if hold is None:
            self._follow(place, message, answer, consequence)

    def _ask_the_provider(self, message: Message, answer: SendResult) -> None:
        message_id = message.message_id
        assert not self.broker.events("sent", message_id), "sent again after its send was recorded"
        assert message_id not in self._given_up, "sent again after it was given up"
        assert message.attempt <= self._policy.max_attempts
        try:
            self._step(partial(self._provider_acts, message, answer))
        except Disconnected as lost:
            # The call goes on without a connection; what is to be recorded afterwards falls flat.
            if self._happened is not message:
                self._provider_acts(message, answer)
            self._faults = iter([Fault.REPLACED_BEFORE if isinstance(lost, Replaced) else Fault.CUT_BEFORE])

    def _provider_acts(self, message: Message, answer: SendResult) -> None:
        self._happened = message
        may_have_gone_out = isinstance(answer, Failed) and answer.failure_class is FailureClass.UNCERTAIN
        if isinstance(answer, Sent) or may_have_gone_out:
            self.provider_accepted.append(message.message_id)

    def _follow(self, place: int, message: Message, failure: Failed, consequence: Consequence) -> None:
        about = AttemptFailure(message.attempt, self.now, failure.failure_class.value, failure.code, failure.detail)
        if isinstance(consequence, Retry):
            copy = retry_of(message, about, attempt=consequence.attempt)
            self._step(lambda: self.broker.ladder.append(copy))
            self._record("retrying", message)
        elif isinstance(consequence, GiveUp):
            copy = retry_of(message, about, attempt=message.attempt)
            self._step(lambda: self.broker.dead.append(copy))
            self._record("dead", message, reason=consequence.reason)
            self._given_up.add(message.message_id)
        self._ack(place)

    def _ack(self, place: int) -> None:
        self._step(lambda: self.broker.queue.pop(place))

    def _record(self, name: str, message: Message, **details: object) -> None:
        self._write(self._event(name, message.message_id, message.generation, message.attempt, **details))

    def _record_surely(self, name: str, message: Message, **details: object) -> None:
        event = self._event(name, message.message_id, message.generation, message.attempt, **details)
        try:
            self._write(event)
        except Disconnected:
            self._outstanding.add(event)
            raise

    def _record_what_was_missed(self) -> None:
        while not self._outstanding.is_empty:
            while (event := self._outstanding.next) is not None:
                self._step(partial(self.broker.stream.append, event), may_be_in_vain=True)
                if self._outstanding.confirmed():
                    self._ledger.apply(event)
            for event in self.broker.stream:
                self._outstanding.shown(event)
            self._outstanding.find_missing()

    def _write(self, event: Event) -> None:
        # Our own events are applied when they are confirmed, and skipped where the stream shows them to us.
        self._step(lambda: self.broker.stream.append(event))
        self._ledger.apply(event)

    def _step(self, effect: Callable[[], object], *, may_be_in_vain: bool = False) -> None:
        fault = next(self._faults, Fault.NONE)
        if fault in _BEFORE:
            raise _EFFECTS[fault]
        if fault is Fault.CONFIRMED_IN_VAIN and may_be_in_vain:
            return
        effect()
        if fault in _EFFECTS:
            raise _EFFECTS[fault]

    def _event(
        self, name: str, message_id: str, generation: int = 0, attempt: int = 0, source: str = "", **details: object
    ) -> Event:
        event = make_event(name, message_id, at=self.now, generation=generation, attempt=attempt)
        told = {key: value for key, value in details.items() if value is not None}
        return replace(event, source=source or f"life {self._lives}", details=told)


def outstanding_events(outstanding: Outstanding) -> Iterator[Event]:
    """All that is outstanding, as the next connection would record it."""
    outstanding.find_missing()
    while (event := outstanding.next) is not None:
        yield event
        outstanding.confirmed()
