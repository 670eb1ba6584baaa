"""The consumer's ledger and the history read the same events: whatever their order, they must tell the same."""

from dataclasses import dataclass, field
from typing import Any

from factories import LANE, NOW, PHONE
from hypothesis import given, settings
from hypothesis import strategies as st

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import MALFORMED, FailureClass
from antrian.domain.lifecycle import ENDS, LIFECYCLE, CopyState, MessageState
from antrian.domain.message import AttemptFailure, Message, new_message
from antrian.history.dead_letter import DeadLetter
from antrian.history.journal.entry import BURIED, QUEUED, SCHEDULED, EventEntry, MessageEntry
from antrian.history.projection.fold import Projection
from antrian.history.projection.message_row import MessageRow
from consumer.lane.ledger import Entry, Ledger

WINDOW = 86_400.0

#: Where the history shows a message whose latest copy the ledger knows to be in a state.
SHOWN = {
    CopyState.SENDING: {MessageState.SENDING},
    CopyState.SENT: {MessageState.SENT},
    # It may have been postponed or held since: the ledger does not depend on that.
    CopyState.FAILED: {MessageState.WAITING, MessageState.SCHEDULED, MessageState.HELD},
    CopyState.HELD: {MessageState.WAITING, MessageState.SCHEDULED, MessageState.HELD},
    # Its successor may have been held, or released, since.
    CopyState.RETRYING: {MessageState.RETRYING, MessageState.HELD, MessageState.WAITING},
    CopyState.DEAD: {MessageState.DEAD, MessageState.PURGED, MessageState.FAILED},
    CopyState.CLOSED: {MessageState(ENDS[one]) for one in ENDS if LIFECYCLE[one].copy is CopyState.CLOSED},
}
#: States in which an attempt can follow, or has been decisive: its number must be the same.
NUMBERED = {
    CopyState.SENDING,
    CopyState.SENT,
    CopyState.FAILED,
    CopyState.HELD,
    CopyState.RETRYING,
}


#: States that only an attempt leads to.
KNOWN_BY_ATTEMPT = {MessageState.SENDING, MessageState.SENT, MessageState.RETRYING}


def event(name: EventName, generation: int = 0, attempt: int = 1, **details: Any) -> Event:
    return Event(name, NOW, LANE, "m1", generation, attempt, "c1", details)


#: A delivery that nobody could read has the id of a message that is good.
UNREADABLE = event(EventName.DEAD, 0, 0, reason=MALFORMED)


def arrival(name: str, generation: int, attempt: int = 1) -> MessageEntry:
    made = new_message(PHONE, "Halo", source="test", now=NOW, message_id="m1")
    copy = Message("m1", LANE, made.priority, made.body, made.queued_at, attempt, generation)
    return MessageEntry(0, name, "m1", generation, LANE, made.priority, "test", copy, 60 if name == SCHEDULED else None)


def letter(generation: int, attempts: int) -> MessageEntry:
    """The arrival of a dead letter, as its headers describe it."""
    copy = arrival(BURIED, generation, attempts)
    failure = AttemptFailure(attempts, NOW, "rejected", "x", "")
    found = DeadLetter(
        message_id="m1",
        lane=LANE,
        generation=generation,
        priority=5,
        source="test",
        failures=(failure,),
        attempts=attempts,
        message=copy.message,
        problem="",
        body=b"{}",
    )
    return copy._replace(delay=None, letter=found)


def told_by(entries: list[Event | MessageEntry]) -> tuple[Entry | None, MessageRow | None]:
    """What the ledger and the history know after these; arrivals are in the journal only."""
    ledger = Ledger(LANE, WINDOW, clock=lambda: NOW)
    projection = Projection(journal=0, after=-1, known={}, awaited={}, clock=NOW, next_id=1, now=NOW + 10_000)
    journal: list[tuple[int, Any]] = []
    for offset, entry in enumerate(entries):
        if isinstance(entry, Event):
            ledger.apply(entry)
            journal.append((offset, EventEntry(offset, entry, entry.encode())))
        else:
            journal.append((offset, entry._replace(offset=offset)))
    return ledger.entry("m1"), projection.fold(journal).rows.get("m1")


def assert_they_agree(entries: list[Event | MessageEntry]) -> None:
    entry, row = told_by(entries)
    # Agreement alone would not do: what was sent stays sent.
    was_taken_back = any(one.name == EventName.UNDELIVERED for one in entries)
    was_sent = any(one.name == EventName.SENT for one in entries) and not was_taken_back
    assert not was_sent or (entry and entry.state is CopyState.SENT)
    if entry is None:
        assert row is None or row.presumed or row.state not in KNOWN_BY_ATTEMPT
        return
    assert row is not None
    latest = entry.generation + (entry.state is CopyState.RETRYING)
    if entry.state is CopyState.SENT:
        assert (row.state, row.attempt) == (MessageState.SENT, entry.attempt)
    elif row.generation > latest:
        # The history has seen a copy that the consumer will learn of when it attempts it.
        assert any(is_news_to_history(one, row.generation) for one in entries)
        assert row.state not in KNOWN_BY_ATTEMPT
    elif not row.presumed:
        assert row.generation == latest
        assert row.state in shown(entry.state, entries)
        # A hold of the next copy came before the word that there is one: its attempts are told by its next one.
        is_held_early = entry.state is CopyState.RETRYING and row.state is MessageState.HELD
        assert row.attempt == entry.attempt or entry.state not in NUMBERED or is_held_early


def is_news_to_history(entry: Event | MessageEntry, generation: int) -> bool:
    is_journals_own = isinstance(entry, MessageEntry) or entry.name in {EventName.PURGED, EventName.HELD}
    return is_journals_own and entry.generation == generation


def shown(state: CopyState, entries: list[Event | MessageEntry]) -> set[MessageState]:
    # Of what an undo put back, the event says only that what was taken out is spent; its arrival says where it is.
    has_undo = any(one.name == EventName.RESTORED for one in entries)
    return SHOWN[state] | (SHOWN[CopyState.DEAD] if has_undo and state is CopyState.CLOSED else set())


# Any events at all: in any order, of any generation, once or often, with any of them missing.

# A send is taken back by what knows it: of a send that comes after a later copy of its message, nothing is taken back.
_STEPS = [
    row.event
    for row in LIFECYCLE.values()
    if row.copy is not None and row.event not in {EventName.RESTORED, EventName.UNDELIVERED}
]
_OTHERS = [
    EventName.CHOSEN,
    EventName.CANCELLING,
    EventName.UNCANCELLED,
    EventName.BARRIER,
    EventName.NOTED,
    EventName.POSTPONED,
    EventName.HELD,
    EventName.RELEASED,
]


@st.composite
def any_event(draw: st.DrawFn) -> Event:
    name = draw(st.sampled_from(_STEPS * 3 + _OTHERS))
    if name is EventName.DEAD and draw(st.integers(0, 4)) == 0:
        return UNREADABLE
    details: dict[str, Any] = {"due_at": NOW + 60, "until": NOW + 60, "reason": "window"}
    if name is EventName.FAILED:
        details["failure_class"] = draw(st.sampled_from([*FailureClass, "of a newer version"]))
    return event(name, draw(st.integers(0, 3)), draw(st.integers(1, 3)), **details)


@settings(max_examples=300)
@given(st.lists(any_event(), max_size=12))
def test_any_events_leave_ledger_and_history_with_the_same_state_and_attempts(events: list[Event]) -> None:
    assert_they_agree(list(events))


# Lives as the product writes them, with the arrivals of all copies; then with what a broker and a crash can do to them.


@dataclass
class Life:
    """What is written about one message, move by move."""

    generation: int = 0
    attempt: int = 1
    is_dead: bool = False
    is_over: bool = False
    written: list[Event | MessageEntry] = field(default_factory=lambda: [arrival(QUEUED, 0)])

    def tell(self, name: EventName, generation: int | None = None, **details: Any) -> None:
        self.written.append(event(name, self.generation if generation is None else generation, self.attempt, **details))

    def hold(self) -> None:
        self.tell(EventName.SENDING)
        self.tell(EventName.FAILED, failure_class=FailureClass.THROTTLED.value)

    def crash(self) -> None:
        self.tell(EventName.SENDING)
        self.tell(EventName.UNCERTAIN)
        self.attempt += 1

    def hold_message(self) -> None:
        # The same copy is on the ladder, and comes back by itself.
        self.tell(EventName.HELD, reason="cold_cap", until=NOW + 60, due_at=NOW + 60)

    def release_message(self) -> None:
        self.hold_message()
        self.tell(EventName.RELEASED, reason="cold_cap", job_id="j1")

    def retry(self, failure_class: FailureClass = FailureClass.TRANSIENT) -> None:
        self.tell(EventName.SENDING)
        self.tell(EventName.FAILED, failure_class=failure_class.value)
        self.tell(EventName.RETRYING, due_at=NOW + 60)
        self.generation += 1
        self.attempt += failure_class.is_counted

    def retry_busy(self) -> None:
        self.retry(FailureClass.RECIPIENT_BUSY)

    def give_up(self) -> None:
        self.tell(EventName.SENDING)
        self.tell(EventName.FAILED, failure_class=FailureClass.REJECTED.value)
        self.written.append(letter(self.generation + 1, self.attempt))
        self.tell(EventName.DEAD)
        self.generation += 1
        self.is_dead = True

    def take_back(self) -> None:
        self.tell(EventName.SENDING)
        self.tell(EventName.SENT, provider_id="p1")
        self.tell(EventName.UNDELIVERED, failure_class=FailureClass.REJECTED.value)

    def take_back_and_give_up(self) -> None:
        self.take_back()
        self.written.append(letter(self.generation + 1, self.attempt))
        self.tell(EventName.DEAD)
        self.generation += 1
        self.is_dead = True

    def take_back_and_retry(self) -> None:
        self.take_back()
        self.tell(EventName.RETRYING, due_at=NOW + 60)
        self.generation += 1
        self.attempt += 1

    def redrive(self) -> None:
        self.tell(EventName.REDRIVEN)
        self.generation, self.attempt, self.is_dead = self.generation + 1, 1, False
        self.written.append(arrival(QUEUED, self.generation))

    def purge(self) -> None:
        self.tell(EventName.PURGED)
        self.is_over = True

    def purge_and_undo(self) -> None:
        self.tell(EventName.PURGED)
        self.written.append(letter(self.generation, self.attempt))
        self.tell(EventName.RESTORED)

    def clear_and_undo(self) -> None:
        self.tell(EventName.CLEARED)
        self.written.append(arrival(QUEUED, self.generation + 1, self.attempt))
        self.tell(EventName.RESTORED)
        self.generation += 1

    def schedule(self) -> None:
        self.written[0] = arrival(SCHEDULED, 0)

    def end(self, name: EventName) -> None:
        self.tell(name)
        self.is_over = True

    def send(self) -> None:
        self.tell(EventName.SENDING)
        self.end(EventName.SENT)


_IN_LANE = (
    "hold",
    "hold_message",
    "release_message",
    "crash",
    "retry",
    "retry_busy",
    "give_up",
    "give_up",
    "take_back_and_give_up",
    "take_back_and_retry",
    "clear_and_undo",
)
_AT_THE_END = (
    EventName.EXPIRED,
    EventName.OPTED_OUT,
    EventName.CANCELLED,
    EventName.DUPLICATE,
    EventName.CLEARED,
)


@st.composite
def lives(draw: st.DrawFn) -> list[Event | MessageEntry]:
    life = Life()
    if draw(st.booleans()):
        life.schedule()
    for _ in range(draw(st.integers(0, 6))):
        getattr(life, draw(st.sampled_from(("redrive", "redrive", "purge_and_undo") if life.is_dead else _IN_LANE)))()
    match draw(st.integers(0, 3)):
        case 0 if life.is_dead:
            life.purge()
        case 1 if not life.is_dead:
            life.send()
        case 2 if not life.is_dead:
            life.end(draw(st.sampled_from(_AT_THE_END)))
    return life.written


@settings(max_examples=300)
@given(lives())
def test_at_every_moment_of_a_life_ledger_and_history_tell_the_same(life: list[Event | MessageEntry]) -> None:
    for length in range(1, len(life) + 1):
        assert_they_agree(life[:length])


@settings(max_examples=300)
@given(lives(), st.data())
def test_a_life_with_gaps_repetitions_and_late_reports_is_told_alike(
    life: list[Event | MessageEntry], data: st.DataObject
) -> None:
    told = list(life)
    places = st.integers(0, 60)
    for kind, at, to in data.draw(
        st.lists(st.tuples(st.sampled_from(["gap", "again", "late"]), places, places), max_size=4)
    ):
        one = told[at % len(told)] if told else None
        # Nothing is put back that was not taken out.
        place = at % len(told) if told else 0
        if one is None or one.name in {EventName.CLEARED, EventName.PURGED, EventName.RESTORED}:
            continue
        # A send was on record before it was taken back, and that before its consequence; it may be written again.
        if kind != "again" and one.name in {EventName.SENT, EventName.UNDELIVERED}:
            continue
        if kind != "again":
            told.remove(one)
        if kind != "gap":
            # Nothing is written before it happened: a letter of a send that did not arrive, before that send.
            told.insert(max(place, to % (len(told) + 1)), one)
    assert_they_agree(told)


def test_a_send_that_is_written_again_after_it_was_taken_back_stays_taken_back() -> None:
    life = Life()
    life.take_back_and_give_up()
    life.redrive()
    life.written.append(event(EventName.SENT, 0, 1))
    entry, row = told_by(life.written)
    assert entry is not None
    assert row is not None
    assert (entry.state, row.state) == (CopyState.DEAD, MessageState.WAITING)


def test_the_attempts_of_a_redriven_message_are_shown() -> None:
    life = Life()
    life.retry()
    life.give_up()
    life.redrive()
    life.tell(EventName.SENDING)
    _, row = told_by(life.written)
    assert row is not None
    assert (row.state, row.attempt, row.generation) == (MessageState.SENDING, 1, 3)


def test_an_unreadable_message_does_not_hide_the_good_one_that_has_its_id() -> None:
    _, dead = told_by([arrival(QUEUED, 0), UNREADABLE])
    entry, row = told_by([arrival(QUEUED, 0), UNREADABLE, event(EventName.SENDING)])
    assert dead is not None
    assert dead.state is MessageState.DEAD
    assert entry is not None
    assert row is not None
    assert (entry.state, row.state) == (CopyState.SENDING, MessageState.SENDING)
