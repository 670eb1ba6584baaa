"""A lane over lists: the product's own tick, outcome writer, ledger and pace, with a fault possible at every await.

Only the broker, the provider and the clock are paper. One step is whatever a tick waits for: a confirm, the stream, the
clock, the provider's answer, an ack. The stream shows itself only to those who wait for it, because a real one may be
late; time passes only where somebody waits.
"""

import math
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any
from zoneinfo import ZoneInfo

import pika
from factories import LANE, NOW, make_event

from antrian.broker.event_log import PublishArguments, event_arguments
from antrian.broker.topology import CONTACTS_KEEP, Names
from antrian.contacts.book import ContactBook
from antrian.domain.delay_ladder import ladder_delay
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.lane_limits import NO_LIMITS, Limits
from antrian.domain.lifecycle import LIFECYCLE
from antrian.domain.message import Message, Priority, decode, encode, retry_of
from antrian.domain.opt_out import CONFIRMATION, WISHES, confirmation
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, SessionNotice, SessionState, reported
from antrian.domain.send_window import is_open
from antrian.domain.usage import TAKEN_BACK
from antrian.providers.contract import Failed, Outgoing, SendResult, Sent
from consumer.inbox import Delivery
from consumer.lane.holds import LaneHolds
from consumer.lane.ledger import Ledger, State
from consumer.lane.pace import Pace
from consumer.lane.port import LaneRules
from consumer.lane.retry import HoldLane, RetryPolicy
from consumer.lane.tick import Tick
from consumer.observers import Observers
from consumer.outcomes.contacts import ContactsReader
from consumer.outcomes.reader import LaneOutcomes, OutcomeReader
from consumer.outcomes.unconfirmed import Unconfirmed
from consumer.outcomes.writer import Disconnected, EventSource, OutcomeWriter

WINDOW = 86_400.0
DELAY = 10.0
PATIENCE = 120.0
SENDER = "628111"
COLD_FAILURES = 2
FINAL = {State.SENT, State.DEAD, State.CLOSED}
NAMES = Names()

#: Events after which a copy of a message stands differently.
CHANGES = {name for name, row in LIFECYCLE.items() if row.copy is not None}

#: Monotonic seconds when the wall clock says NOW.
START = 5_000.0

#: Seconds that the sum of two clocks may be wrong by.
ROUNDING = 1e-3


ANSWERS = {confirmation(wish, language) for wish in WISHES.values() for language in ("id", "en")}
_WISHES = {EventName.CONTACT_OPTED_OUT, EventName.CONTACT_OPTED_IN}
_SENDS = {EventName.SENT, EventName.UNDELIVERED}
_COLD_HOLDS = {EventName.FAILED, EventName.COLD_RELEASED}


def is_uncertain(event: Event) -> bool:
    """Whether an attempt ended without an answer."""
    is_failed_so = event.details.get("failure_class") == FailureClass.UNCERTAIN
    return event.name == EventName.UNCERTAIN or (event.name == EventName.FAILED and is_failed_so)


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
    #: The broker has just started: it confirms what its streams never get. A consumer that has read the stream to its
    #: end has nothing more to fear from that.
    CONFIRMED_IN_VAIN = auto()
    #: Nothing goes wrong: before this step, a consumer that was replaced says how its send ended. (After the last look
    #: at the stream and before the call it would come too late: see the known limits.)
    LATE_REPORT = auto()
    #: Nothing goes wrong: before this step, or while the provider is called, a receipt comes.
    RECEIPT = auto()


class Killed(Exception):
    pass


class Replaced(Disconnected):
    pass


class AtRest(Exception):
    """The tick waits for something that will not happen by itself."""


_EFFECTS: dict[Fault, type[Exception]] = {
    Fault.CRASH_BEFORE: Killed,
    Fault.CRASH_AFTER: Killed,
    Fault.CUT_BEFORE: Disconnected,
    Fault.CUT_AFTER: Disconnected,
    Fault.REPLACED_BEFORE: Replaced,
    Fault.REPLACED_AFTER: Replaced,
}
_BEFORE = {Fault.CRASH_BEFORE, Fault.CUT_BEFORE, Fault.REPLACED_BEFORE}


@dataclass(eq=False)
class Copy:
    """One message as it lies in a queue.

    Attributes:
        due_at: when the ladder lets it down, unix seconds.
    """

    body: bytes
    properties: pika.BasicProperties
    due_at: float = 0.0

    @classmethod
    def of(cls, message: Message) -> "Copy":
        return cls(*encode(message))

    @property
    def message_id(self) -> str:
        return str(self.properties.message_id)

    def decoded(self) -> Message:
        return decode(self.body, self.properties, LANE, now=NOW)


@dataclass
class Broker:
    """What survives every consumer.

    Attributes:
        queue: copies that wait in the lane, the one being handled included.
        ladder: copies that wait for their time.
        dead: copies in the dead-letter queue.
        stream: the outcomes stream.
        contacts: the contacts stream.
        ledger: what the stream tells to a consumer that reads all of it.
        book: what the contacts stream tells, likewise.
    """

    queue: list[Copy] = field(default_factory=list)
    ladder: list[Copy] = field(default_factory=list)
    dead: list[Copy] = field(default_factory=list)
    stream: list[Event] = field(default_factory=list)
    contacts: list[Event] = field(default_factory=list)
    ledger: Ledger = field(default_factory=lambda: Ledger(LANE, WINDOW, clock=lambda: NOW))
    book: ContactBook = field(default_factory=ContactBook)

    def publish(
        self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties, now: float
    ) -> None:
        if exchange == NAMES.events:
            event = Event.decode(body)
            assert event is not None
            dropped = event.name == "outcome.cancelled"
            assert not dropped or self.ledger.is_cancelled(event.message_id), "the cancellation was taken back before"
            self.show(event)
        elif exchange == NAMES.dead:
            self.dead.append(Copy(body, properties))
        else:
            self.ladder.append(Copy(body, properties, now + ladder_delay(routing_key)))

    def show(self, event: Event) -> None:
        """Have the streams keep an event, as the broker routes it."""
        if is_about_outcomes(event):
            self.stream.append(event)
            self.ledger.apply(event)
        if is_about_contacts(event):
            self.contacts.append(event)
            self.book.apply(event, len(self.contacts) - 1)

    def events(self, name: str, message_id: str) -> list[Event]:
        wanted = (f"outcome.{name}", message_id)
        return [event for event in self.stream if (event.name, event.message_id) == wanted]


def is_about_contacts(event: Event) -> bool:
    """Whether the event reaches the contacts stream."""
    return any(key.startswith(("contact.", *(f"{name}." for name in CONTACTS_KEEP))) for key in _keys(event))


def is_about_outcomes(event: Event) -> bool:
    """Whether the event reaches the outcomes stream."""
    return any(key.startswith("outcome.") for key in _keys(event))


def _keys(event: Event) -> list[str]:
    """An event's name leads to its streams, and its second routing key."""
    more = event_arguments(NAMES, event).properties.headers or {}
    return [event.routing_key, *more.get("CC", ())]


def echoed(correlation_id: str) -> str:
    """Our name for an attempt as this provider gives it back."""
    return f"echo of {correlation_id}"


@dataclass(frozen=True)
class LastCall:
    """The latest call to the provider, of whichever consumer."""

    life: "Life"
    message_id: str
    ended_at: float
    hold: float


class LaneModel:
    """One lane and the consumers that serve it, one after the other.

    Attributes:
        provider_accepted: messages that the provider took, or may have taken.
        late: events of consumers that were replaced, still to come.
        heard_late: whether any has come.
        commands: how often an admin had one message of the paused lane sent.
        sent_with: the permissions with which an attempt began whose consumer knows of that, and its message.
        doubtful: attempts (message, number) that were under way when their consumer was killed or replaced.
        taken: the provider's names, and ours, of the messages that it took, or may have taken.
        proved: messages of which a receipt has come, and nobody wants them sent once more.
        outgoing: what the provider was given.
        now: unix seconds.
    """

    def __init__(
        self, policy: RetryPolicy, limits: Limits = NO_LIMITS, *, receipt_wait: float = 0.0, has_window: bool = False
    ) -> None:
        self.broker = Broker()
        self.policy = policy
        self.receipt_wait = receipt_wait
        self.has_window = has_window
        self.taken: list[tuple[str, str]] = []
        self.proved: set[str] = set()
        self.outgoing: list[Outgoing] = []
        self.limits = limits
        self.provider_accepted: list[str] = []
        self.late: list[Event] = []
        self.heard_late = False
        self.commands = 0
        self.sent_with: list[tuple[list[str], str]] = []
        self.doubtful: set[tuple[str, int]] = set()
        self.now = NOW
        self.given_up: set[str] = set()
        self._published: dict[str, Message] = {}
        self._counted: list[Event] = []
        self._heard_by_standby: str | None = None
        self._last_call: LastCall | None = None
        self._lives = 0
        self._standby: Life | None = None
        self.life = self._new_life(paused=False)

    # What others do.

    def publish(self, message: Message) -> None:
        self.broker.queue.append(Copy.of(message))
        self._published.setdefault(message.message_id, message)

    @property
    def published(self) -> set[str]:
        return set(self._published)

    def cancel(self, message_id: str) -> None:
        self._by_an_admin("cancelling", message_id)

    def uncancel(self, message_id: str) -> None:
        self._by_an_admin("uncancelled", message_id)

    def undo_cancellation(self, message_id: str) -> None:
        """As the undo of a clearing does it: what was dropped meanwhile is made anew."""
        self.uncancel(message_id)
        ends = [event for event in self.broker.stream if event.message_id == message_id and event.name in CHANGES]
        if ends and ends[-1].name == "outcome.cancelled":
            message = self._published[message_id]
            copy = replace(message, generation=ends[-1].generation + 1, attempt=ends[-1].attempt or 1)
            self.broker.queue.append(Copy.of(copy))

    def pause(self) -> None:
        self.life.pace.pause()
        self._heard_by_standby = None

    def resume(self) -> None:
        self.life.pace.resume()
        self._heard_by_standby = None

    def try_one(self, *, standby_hears: bool) -> None:
        """An admin has one message of a paused lane sent; a consumer that takes over may have heard of it, too."""
        if self.life.pace.paused:
            self.commands += 1
            permit_id = f"permit {self.commands}"
            self.life.pace.try_one(permit_id, "an admin", self.life.now())
            self._heard_by_standby = permit_id if standby_hears else self._heard_by_standby

    def withdraw(self) -> None:
        self.life.pace.withdraw(f"permit {self.commands}")

    def know(self, recipient: str) -> None:
        self._show_contact(EventName.CONTACT_KNOWN, sender=SENDER, how="import", recipients=[recipient])

    def opt_out(self, recipient: str) -> None:
        self._show_contact(
            EventName.CONTACT_OPTED_OUT, recipient=recipient, purpose="all", words="", channel="cli", by=""
        )

    def opt_in(self, recipient: str) -> None:
        self._show_contact(
            EventName.CONTACT_OPTED_IN, recipient=recipient, purpose="all", words="", channel="cli", by=""
        )

    def release_cold(self) -> None:
        self._show_contact(EventName.COLD_RELEASED, sender=SENDER)

    def _show_contact(self, name: EventName, **details: Any) -> None:
        self.now += 1
        self.broker.show(Event(name, self.now, "", source="an admin", details=details))

    def release_held(self) -> None:
        """As an admin does it: say so, put the copies into the lane, and only then take them off the ladder."""
        for copy in list(self.broker.ladder):
            self._by_an_admin("released", copy.message_id, generation=copy.decoded().generation, reason="cold_cap")
            self.broker.queue.append(Copy(copy.body, copy.properties))
            self.broker.ladder.remove(copy)

    def redrive(self) -> None:
        """As an admin does it: say so first, then put it back, and only then take it out of the dead letters."""
        while self.broker.dead:
            letter = self.broker.dead[-1].decoded()
            self._by_an_admin("redriven", letter.message_id, generation=letter.generation, attempt=0)
            self.given_up.discard(letter.message_id)
            self._forget_receipts(letter.message_id)
            self.broker.queue.append(Copy.of(replace(retry_of(letter, None, attempt=1), due_at=self.now)))
            self.broker.dead.pop()

    def hear_the_late(self) -> None:
        """A consumer that was replaced in the middle of a send connects again and says how it ended."""
        self.heard_late = self.heard_late or bool(self.late)
        for event in self.late:
            self.broker.show(event)
        self.late.clear()

    def hear_receipt(self, place: int, status: ReceiptStatus = ReceiptStatus.SENT, provider_id: str = "") -> None:
        """A receipt comes of something that the provider took."""
        if not self.taken:
            return
        message_id, name = self.taken[place % len(self.taken)]
        told = DeliveryReceipt(status=status, correlation_id=name, provider_id=provider_id)
        self.now += 0.002
        self.broker.show(reported(told, lane=LANE, provider="sandbox", sender=SENDER, at=self.now, source="receipts"))
        if status is not ReceiptStatus.FAILED and not self._is_at_its_end(message_id):
            self.proved.add(message_id)

    def _is_at_its_end(self, message_id: str) -> bool:
        """Whether whoever sends it again wants just that."""
        return self.recorded_state(message_id) in {State.SENT, State.DEAD}

    def tell_session(self, state: SessionState) -> None:
        """The provider tells of the sender's connection."""
        told = SessionNotice(state=state)
        self.now += 0.002
        self.broker.show(reported(told, lane=LANE, provider="sandbox", sender=SENDER, at=self.now, source="receipts"))

    def undeliver(self, message_id: str, *, again: bool) -> None:
        """The provider took it and says that it will not arrive: the admin side gives it up, or has it tried again."""
        entry = self.broker.ledger.entry(message_id)
        is_quiet = self.life.outcomes.unconfirmed.is_empty and not self.late
        if entry is None or entry.state is not State.SENT or not is_quiet:
            return
        copy = replace(self._published[message_id], generation=entry.generation + 1, attempt=1)
        known = {"generation": entry.generation, "attempt": entry.attempt}
        self._by_an_admin("undelivered", message_id, **known, failure_class="transient")
        self._forget_receipts(message_id)
        (self.broker.queue if again else self.broker.dead).append(Copy.of(copy))
        self._by_an_admin("retrying" if again else "dead", message_id, **known)
        if not again:
            self.given_up.add(message_id)

    def _forget_receipts(self, message_id: str) -> None:
        self.taken = [(one, name) for one, name in self.taken if one != message_id]
        self.proved.discard(message_id)

    def forget_outcomes(self) -> None:
        """The outcomes stream keeps nothing of what was, and another consumer goes on."""
        self.broker.stream.clear()
        self._hand_over()

    def let_time_pass(self) -> None:
        """A minute, or as long as it takes for the ladder to let something down."""
        self.let_time_pass_to(max(self.now + 60, min((copy.due_at for copy in self.broker.ladder), default=0.0)))

    def let_time_pass_to(self, now: float) -> None:
        self.now, ladder = now, self.broker.ladder
        self.broker.queue += [copy for copy in ladder if copy.due_at <= self.now]
        self.broker.ladder = [copy for copy in ladder if copy.due_at > self.now]

    def sleep(self, seconds: float) -> None:
        self.let_time_pass_to(self.now + seconds)

    def _by_an_admin(self, name: str, message_id: str, **fields: Any) -> None:
        # Nobody wants two things in the same millisecond.
        self.now += 0.002
        self.broker.show(make_event(name, message_id, at=self.now, **{"attempt": 0, **fields}, source="an admin"))

    # What a consumer does.

    def take(self, place: int, answer: SendResult, faults: Iterator[Fault], *, slow_stream: bool = False) -> None:
        """Have the copy at `place` delivered and handled, as far as the faults let it come."""
        self.now += 1
        life = self.life
        try:
            run(life.take(place, answer, faults, slow_stream=slow_stream))
        except AtRest:
            pass
        except Killed:
            self._hand_over()
        except Replaced:
            self.late += outstanding_events(life.outcomes.unconfirmed)
            self._hand_over()
        except Disconnected:
            # The delivery goes back to its place, and the consumer lives on.
            life.is_connected = life.subscribed = False

    def recorded_state(self, message_id: str) -> State | None:
        """How a message stands, as the stream tells it to a consumer that has just begun."""
        entry = self.broker.ledger.entry(message_id)
        return entry.state if entry else None

    def is_settled(self) -> bool:
        nothing_owed = self.life.outcomes.unconfirmed.is_empty and not self.late
        return not self.broker.queue and not self.broker.ladder and nothing_owed

    def check_call(self, message: Message) -> None:
        """What must be true whenever the provider is called."""
        message_id = message.message_id
        ends = [event.name for event in self.broker.stream if event.message_id == message_id and event.name in _SENDS]
        assert ends[-1:] != [EventName.SENT], "sent again after its send was recorded"
        assert message_id not in self.proved, "sent again after its receipt came"
        assert message_id not in self.given_up, "sent again after it was given up"
        assert message.attempt <= self.policy.max_attempts
        begun = self.broker.events("sending", message_id)
        assert begun, "called before the beginning was recorded"
        assert not self.life.pace.paused or begun[-1].details.get("permits"), "sent on a paused lane without permission"
        self._check_limits(message, begun[-1])
        self._check_receipt_wait(message_id)
        if (last := self._last_call) is None:
            return
        is_urgent = message.priority >= Priority.URGENT
        assert is_urgent or self.now - last.ended_at >= DELAY - ROUNDING, "sent before the pause was over"
        if last.life is self.life or self.life.knows_of_a_hold(last.message_id, last.ended_at):
            assert self.now - last.ended_at >= last.hold - ROUNDING, "sent although the provider wants silence"

    def _check_receipt_wait(self, message_id: str) -> None:
        """An attempt without an answer had its time to be proved."""
        told = [event for event in self.broker.stream if event.message_id == message_id and event.name in CHANGES]
        orders = [
            index for index, event in enumerate(told) if event.name in {EventName.REDRIVEN, EventName.UNDELIVERED}
        ]
        began_at = -math.inf
        for event in told[orders[-1] + 1 if orders else 0 : -1]:
            if event.name == EventName.SENDING:
                latest = event.at
            elif is_uncertain(event):
                began_at = latest
        assert self.now >= began_at + self.receipt_wait - ROUNDING, "sent again before a receipt could come"

    def _check_limits(self, message: Message, begun: Event) -> None:
        """What the rules of the lane and what its sender knew allow, computed in the plainest way."""
        limits, recipient, is_cold = self.limits, message.body.phone_number, begun.details["cold"]
        told = self.life.contacts_told()
        opted = [event.name for event in told if event.details.get("recipient") == recipient and event.name in _WISHES]
        is_answer = message.body.purpose == CONFIRMATION and message.body.message in ANSWERS
        assert is_answer or opted[-1:] != [EventName.CONTACT_OPTED_OUT], "sent to a recipient who opted out"
        if is_cold:
            # In the order in which it happened: a consumer that lost its connection tells of a refusal late.
            said = sorted((event for event in told if event.name in _COLD_HOLDS), key=lambda event: event.at)
            ends = [event.details.get("cold_held_until", 0.0) for event in said]
            assert not ends or ends[-1] <= begun.at, "sent to a cold contact although the provider refuses them"
        if message.priority >= Priority.URGENT:
            return
        hours = {window.priority: window for window in limits.windows}.get(Priority(message.priority))
        assert hours is None or is_open(hours, limits.timezone, self.now), "sent in a closed window"
        earlier = [one for one in self._counted if one.message_id != message.message_id or one.at != begun.at]
        today = [one for one in earlier if _local(one.at).date() == _local(begun.at).date()]
        this_hour = [one for one in today if _local(one.at).hour == _local(begun.at).hour]
        assert not limits.daily_cap or len(today) < limits.daily_cap, "more than the daily cap"
        assert not limits.hourly_cap or len(this_hour) < limits.hourly_cap, "more than the hourly cap"
        cold_today = sum(one.details["cold"] for one in today)
        # A ramp replaces the cap.
        cold_cap = limits.warm_up.ceiling if limits.warm_up else limits.cold_daily_cap
        assert not is_cold or not cold_cap or cold_today < cold_cap, "more than the cold cap"
        last = max((one.at for one in earlier if one.details["recipient"] == recipient), default=0.0)
        assert begun.at - last >= limits.recipient_gap - ROUNDING, "two messages to one recipient too close"

    def provider_acts(self, message: Message, outgoing: Outgoing, answer: SendResult) -> None:
        self.check_call(message)
        self.outgoing.append(outgoing)
        if isinstance(answer, Sent) or answer.failure_class not in TAKEN_BACK:
            self._counted.append(self.broker.events("sending", message.message_id)[-1])
        may_have_gone_out = isinstance(answer, Failed) and answer.failure_class is FailureClass.UNCERTAIN
        if isinstance(answer, Sent) or may_have_gone_out:
            self.provider_accepted.append(message.message_id)
            if outgoing.correlation_id:
                self.taken.append((message.message_id, echoed(outgoing.correlation_id)))
        consequence = self.policy.after(answer, attempt=message.attempt) if isinstance(answer, Failed) else None
        hold = consequence.seconds if isinstance(consequence, HoldLane) else 0.0
        self._last_call = LastCall(self.life, message.message_id, self.now, hold)

    def start_standby(self) -> None:
        """A second consumer learns what was attempted, subscribes, and gets nothing while the first one lives."""
        if self._standby is None:
            self._standby = self._new_life(paused=self.life.pace.paused)
            run(self._standby.stand_by())

    def _hand_over(self) -> None:
        """The consumer is gone: the standby goes on, or one that starts only now."""
        for message_id in self.broker.ledger.sending():
            entry = self.broker.ledger.entry(message_id)
            assert entry is not None
            self.doubtful.add((message_id, entry.attempt))
        paused = self.life.pace.paused
        self.life, self._standby = self._standby or self._new_life(paused=paused), None
        self.life.pace.paused = paused
        if self._heard_by_standby:
            self.life.pace.try_one(self._heard_by_standby, "an admin", self.life.now())
            self._heard_by_standby = None

    def _new_life(self, *, paused: bool) -> "Life":
        self._lives += 1
        return Life(self, f"life {self._lives}", paused=paused)


class Life:
    """One consumer: the port of the tick and the transport of the outcome writer, over the lists of the model."""

    def __init__(self, lane: LaneModel, identity: str, *, paused: bool) -> None:
        self.pace = Pace(delay=DELAY, paused=paused)
        self.book = ContactBook()
        self.outcomes = LaneOutcomes(LANE, WINDOW, Observers([]), self.book, self.wall)
        self.outcomes.identity = identity
        self.subscribed = self.is_connected = False
        self.subscriptions = 0
        self._lane = lane
        self._broker = lane.broker
        events = EventSource(LANE, identity, self.wall)
        self._reader = OutcomeReader([self.outcomes])
        self._contacts = ContactsReader(self.book)
        self._writer = OutcomeWriter(
            events, NAMES, self, self.outcomes, reader=self._reader, contacts=self._contacts, pace=self.pace
        )
        rules = LaneRules(
            LANE,
            NAMES,
            lane.policy,
            PATIENCE,
            PATIENCE,
            "a consumer",
            {"delay": DELAY},
            COLD_FAILURES,
            provider="sandbox",
            echo=echoed if lane.receipt_wait else None,
            receipt_wait=lane.receipt_wait,
            has_window=lane.has_window,
        )
        holds = LaneHolds(LANE, SENDER, lane.limits, self.outcomes.ledger, self.book)
        self.tick = Tick(rules, self.outcomes.ledger, self.pace, events, self, holds=holds)
        self._reads_from = self._reads_contacts_from = 0
        self._known = 0
        self._learns = False
        self._happened: Message | None = None
        self._place: int | None = None
        self._delivered: dict[int, Copy] = {}
        self._tag = 0
        self._answer: SendResult = Sent()
        self._faults: Iterator[Fault] = iter(())

    async def take(self, place: int, answer: SendResult, faults: Iterator[Fault], *, slow_stream: bool) -> None:
        self._place, self._answer, self._faults, self._happened = place, answer, faults, None
        self._delivered.clear()
        if not self.is_connected:
            await self._learn()
        if not slow_stream:
            self._show()
        await self.tick.run()

    async def stand_by(self) -> None:
        await self._learn()
        await self.subscribe()

    def knows_of_a_hold(self, message_id: str, at: float) -> bool:
        """Whether another consumer's hold was recorded before this one last read the stream to its end."""
        known = self._broker.stream[: self._known]
        return any(
            (event.name, event.message_id, event.at) == ("outcome.failed", message_id, at) and event.details.get("hold")
            for event in known
        )

    def contacts_told(self) -> list[Event]:
        """What the contacts stream has shown to this consumer."""
        return self._broker.contacts[: self._reads_contacts_from]

    async def _learn(self) -> None:
        self._learns = True
        await self._writer.make_up_for_lost_records()
        self.is_connected = True
        offset = self._reader.resume()
        self._reads_from = 0 if offset == "first" else int(offset)
        contacts_offset = self._contacts.resume()
        self._reads_contacts_from = 0 if contacts_offset == "first" else int(contacts_offset)
        await self._writer.learn()
        self._learns = False

    def _show(self) -> None:
        for offset in range(self._reads_from, len(self._broker.stream)):
            self._reader.take(self._broker.stream[offset], offset)
        self._reads_from = len(self._broker.stream)
        for offset in range(self._reads_contacts_from, len(self._broker.contacts)):
            event = self._broker.contacts[offset]
            assert self._contacts.take(event, offset)
            self.outcomes.take_contact(event)
        self._reads_contacts_from = len(self._broker.contacts)

    def _step(
        self, effect: Callable[[], object] = lambda: None, *, may_be_in_vain: bool = False, is_call: bool = False
    ) -> None:
        fault = next(self._faults, Fault.NONE)
        if fault is Fault.LATE_REPORT and not is_call:
            self._lane.hear_the_late()
        if fault is Fault.RECEIPT and not is_call:
            self._lane.hear_receipt(-1)
        if fault in _BEFORE:
            raise _EFFECTS[fault]
        if fault is Fault.CONFIRMED_IN_VAIN and may_be_in_vain:
            return
        effect()
        if fault is Fault.LATE_REPORT and is_call:
            self._lane.hear_the_late()
        if fault is Fault.RECEIPT and is_call:
            self._lane.hear_receipt(-1)
        if fault in _EFFECTS:
            raise _EFFECTS[fault]

    # The outcome writer's transport.

    async def publish(
        self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties, *, mandatory: bool = True
    ) -> None:
        assert routing_key
        is_event = exchange == NAMES.events
        assert mandatory is not is_event
        is_barrier = is_event and EventName.BARRIER.encode() in body
        self._step(
            lambda: self._broker.publish(exchange, routing_key, body, properties, self.wall()),
            may_be_in_vain=self._learns and is_event and not is_barrier,
        )
        if is_event and not is_barrier and (event := Event.decode(body)) is not None:
            self._note(event)

    async def publish_all(self, publications: Sequence[PublishArguments]) -> None:
        for one in publications:
            await self.publish(one.exchange, one.routing_key, one.body, one.properties, mandatory=one.mandatory)

    def _note(self, event: Event) -> None:
        """It is confirmed."""
        if event.name == EventName.DEAD:
            self._lane.given_up.add(event.message_id)
        if event.name == EventName.SENDING and "permits" in event.details:
            self._lane.sent_with.append((event.details["permits"], event.message_id))

    async def wait(self, condition: Callable[[], bool], *, until: float) -> bool:
        assert until > self.now()
        self._step(self._show)
        self._known = len(self._broker.stream)
        return condition()

    def start_over(self) -> None:
        raise AssertionError("no stream of these tests keeps silent")

    # The tick's port.

    @property
    def stopping(self) -> bool:
        return False

    def now(self) -> float:
        return self._lane.now - NOW + START

    def wall(self) -> float:
        return self._lane.now

    async def subscribe(self, prefetch: int = 1) -> None:
        assert prefetch
        self.subscriptions += not self.subscribed
        self.subscribed = True

    async def unsubscribe(self) -> None:
        if self.subscribed:
            self._step()
            self.subscribed = False

    async def next_delivery(self, until: float | None, cut_short: Callable[[], bool]) -> Delivery | None:
        del until
        if self._place is None or not self._broker.queue or cut_short():
            raise AtRest
        copy = self._broker.queue[self._place % len(self._broker.queue)]
        self._place = None
        return self._deliver(copy)

    async def arrived(self, most: int, until: float) -> Sequence[Delivery]:
        assert until > self.now()
        unacked = self._delivered.values()
        waiting = [copy for copy in self._broker.queue if copy not in unacked]
        return [self._deliver(copy) for copy in waiting[:most]]

    def _deliver(self, copy: Copy) -> Delivery:
        self._tag += 1
        self._delivered[self._tag] = copy
        return Delivery(self._tag, False, LANE, copy.body, copy.properties)  # noqa: FBT003

    async def wait_until(self, when: float | None, cut_short: Callable[[], bool]) -> None:
        if cut_short():
            return
        if when is None:
            raise AtRest
        self._step(lambda: self._pass_time(when))

    def _pass_time(self, until: float) -> None:
        self._lane.now += max(0.0, until - self.now())

    async def take_in(self) -> None:
        self._step(self._show)

    async def catch_up(self) -> None:
        await self._writer.catch_up()

    async def barrier(self) -> None:
        await self._writer.barrier()

    async def record(self, event: Event, *, surely: bool = False) -> None:
        await self._writer.record(event, surely=surely)

    async def record_with_copies(self, copies: Sequence[tuple[PublishArguments, Event]]) -> None:
        await self._writer.record_with_copies(copies)

    def owe(self, event: Event) -> None:
        self._writer.owe(event)

    async def reserve_call(self) -> bool:
        self._step()
        return True

    def release_call(self) -> None:
        pass

    async def call_provider(self, message: Message, outgoing: Outgoing, deadline: float) -> SendResult:
        assert deadline > self.now()
        assert outgoing.message_id == message.message_id
        try:
            self._step(lambda: self._act(message, outgoing), is_call=True)
        except Disconnected as lost:
            # The call goes on without a connection; whatever is asked of the broker afterwards fails.
            if self._happened is not message:
                self._act(message, outgoing)
            self._faults = iter([Fault.REPLACED_BEFORE if isinstance(lost, Replaced) else Fault.CUT_BEFORE])
        return self._answer

    def _act(self, message: Message, outgoing: Outgoing) -> None:
        self._happened = message
        self._lane.provider_acts(message, outgoing, self._answer)

    async def ack(self, delivery: Delivery) -> None:
        copy = self._delivered.pop(delivery.tag)
        self._step(lambda: self._broker.queue.remove(copy))

    async def ack_up_to(self, delivery: Delivery) -> None:
        done = [tag for tag in self._delivered if tag <= delivery.tag]
        copies = [self._delivered.pop(tag) for tag in done]
        self._step(lambda: [self._broker.queue.remove(copy) for copy in copies])

    async def give_back(self, delivery: Delivery) -> None:
        del self._delivered[delivery.tag]
        self._step()


def _wish_of(recipient: str) -> dict[str, Any]:
    return {"recipient": recipient, "purpose": "all", "words": "", "channel": "cli", "by": "an admin"}


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo("Asia/Jakarta"))


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits: all waiting is done by the model itself."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("a tick waits for nothing but its port")


def outstanding_events(unconfirmed: Unconfirmed) -> Iterator[Event]:
    """All that is not on record yet, as the next connection would record it."""
    unconfirmed.find_missing()
    while (event := unconfirmed.next) is not None:
        yield event
        unconfirmed.confirmed()
