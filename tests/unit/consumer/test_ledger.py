import copy
from collections.abc import Sequence
from dataclasses import replace

import pytest
from factories import NOW, make_event
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from consumer.lane import ledger as ledger_module
from consumer.lane.ledger import Ledger, State
from consumer.lane.retry import Interrupted

WINDOW = 86_400.0

STATES = [
    ("sending", {}, State.SENDING),
    ("sent", {}, State.SENT),
    ("failed", {"failure_class": "transient"}, State.FAILED),
    ("failed", {"failure_class": "rejected"}, State.FAILED),
    ("failed", {"failure_class": "recipient_busy"}, State.FAILED),
    ("failed", {"failure_class": "uncertain"}, State.FAILED),
    ("failed", {"failure_class": "throttled"}, State.HELD),
    ("failed", {"failure_class": "unavailable"}, State.HELD),
    ("failed", {"failure_class": "of a newer version"}, State.FAILED),
    ("failed", {}, State.FAILED),
    ("uncertain", {}, State.FAILED),
    ("retrying", {}, State.RETRYING),
    ("dead", {}, State.DEAD),
    ("redriven", {}, State.DEAD),
    ("duplicate", {}, State.CLOSED),
    ("expired", {}, State.CLOSED),
    ("cancelled", {}, State.CLOSED),
    ("cleared", {}, State.CLOSED),
    ("restored", {}, State.CLOSED),
]
NAMES = [*sorted({name for name, _, _ in STATES}), "cancelling", "uncancelled", "chosen", "barrier", "unknown"]


def make_ledger(events: Sequence[Event] = (), *, now: float = NOW + 10 * WINDOW) -> Ledger:
    ledger = Ledger("default", WINDOW, clock=lambda: now)
    for event in events:
        ledger.apply(event)
    return ledger


def state_of(ledger: Ledger, message_id: str = "m1") -> State | None:
    entry = ledger.entry(message_id)
    return entry.state if entry else None


def memory(ledger: Ledger) -> dict[str, object]:
    """Everything that a ledger knows, in a shape that can be compared."""
    known = {name: copy.copy(value) for name, value in vars(ledger).items() if name not in {"_clock", "usage"}}
    return known | {"usage": vars(ledger.usage)["_counts"]}


@pytest.mark.parametrize(("name", "details", "state"), STATES)
def test_each_event_says_how_its_message_stands(name: str, details: dict[str, str], state: State) -> None:
    ledger = make_ledger([make_event(name, generation=2, attempt=3, **details)])
    entry = ledger.entry("m1")
    assert entry is not None
    assert (entry.state, entry.generation, entry.attempt, entry.at) == (state, 2, 3, NOW)


@pytest.mark.parametrize("name", ["cancelling", "barrier", "unknown"])
def test_events_that_are_no_step_of_a_message_make_no_entry(name: str) -> None:
    assert len(make_ledger([make_event(name)])) == 0


@pytest.mark.parametrize(("name", "details", "_state"), STATES)
@pytest.mark.parametrize("generation", [0, 1, 5])
def test_nothing_undoes_a_recorded_send(name: str, details: dict[str, str], _state: State, generation: int) -> None:
    ledger = make_ledger([make_event("sent"), make_event(name, generation=generation, attempt=2, **details)])
    assert state_of(ledger) is State.SENT


@pytest.mark.parametrize(("name", "details", "state"), STATES)
def test_the_newest_copy_counts(name: str, details: dict[str, str], state: State) -> None:
    newer, older = make_event(name, generation=2, **details), make_event("sending", generation=1)
    assert state_of(make_ledger([older, newer])) is state
    assert state_of(make_ledger([newer, older])) is state


@pytest.mark.parametrize("later", ["sending", "failed", "uncertain", "retrying", "dead", "redriven", "expired"])
def test_a_send_that_is_reported_late_counts_whatever_happened_since(later: str) -> None:
    """By a consumer that lost its connection in the middle of a send, while another one went on."""
    ledger = make_ledger([make_event(later, generation=3, attempt=2), make_event("sent", generation=0)])
    entry = ledger.entry("m1")
    assert entry is not None
    assert (entry.state, entry.generation) == (State.SENT, 3)


@pytest.mark.parametrize("late", ["sending", "failed", "uncertain"])
@pytest.mark.parametrize("end", ["retrying", "dead", "redriven", "duplicate", "expired", "cancelled", "cleared"])
def test_a_failure_that_is_reported_late_does_not_bring_a_spent_copy_back(late: str, end: str) -> None:
    ended = make_ledger([make_event(end, attempt=2)]).entry("m1")
    assert make_ledger([make_event(end, attempt=2), make_event(late, attempt=2)]).entry("m1") == ended


@pytest.mark.parametrize("late", ["sending", "failed", "uncertain"])
def test_a_failure_that_is_reported_late_does_not_hide_the_attempt_that_followed(late: str) -> None:
    ledger = make_ledger([make_event("sending", attempt=2), make_event(late, attempt=1)])
    entry = ledger.entry("m1")
    assert entry is not None
    assert (entry.state, entry.attempt) == (State.SENDING, 2)


@pytest.mark.parametrize("name", ["sending", "sent", "failed", "dead"])
def test_other_lanes_are_not_counted(name: str) -> None:
    ledger = make_ledger([make_event(name, lane="other"), make_event("cancelling", "m2", lane="other")])
    assert memory(ledger) == memory(make_ledger())


def test_what_is_being_sent_is_listed() -> None:
    events = [
        make_event("sending", "a"),
        make_event("sending", "b"),
        make_event("sending", "c"),
        make_event("sent", "b"),
    ]
    assert make_ledger(events).sending().keys() == {"a", "c"}


@pytest.mark.parametrize(
    ("past", "crashes"),
    [
        (["uncertain"], 1),
        (["sending", "uncertain"], 1),
        (["sending", "uncertain", "sending"], 1),
        (["sending", "uncertain", "sending", "uncertain"], 2),
        # A confirm that got lost has the event recorded a second time.
        (["sending", "uncertain", "uncertain"], 1),
        (["sending", "failed", "sending", "uncertain"], 1),
    ],
)
def test_crashes_are_counted_once_for_each_attempt(past: list[str], crashes: int) -> None:
    entry = make_ledger([make_event(name) for name in past]).entry("m1")
    assert entry is not None
    assert entry.crashes == crashes


@pytest.mark.parametrize(("step", "crashes"), [("retrying", 2), ("dead", 1), ("redriven", 1)])
def test_a_retry_keeps_the_count_of_crashes_and_a_redrive_begins_a_new_one(step: str, crashes: int) -> None:
    life = ["sending", "uncertain", step]
    events = [make_event(name) for name in life] + [make_event(name, generation=1) for name in ("sending", "uncertain")]
    entry = make_ledger(events).entry("m1")
    assert entry is not None
    assert entry.crashes == crashes


def test_a_crash_is_a_failure_that_leaves_everything_open() -> None:
    entry = make_ledger([make_event("sending"), make_event("uncertain")]).entry("m1")
    assert entry is not None
    assert entry.failure is not None
    assert entry.failure == Interrupted()
    assert (entry.failure.failure_class, entry.failure.code) == (FailureClass.UNCERTAIN, "crash")


def test_a_failure_class_of_a_newer_version_is_read_as_perhaps_sent() -> None:
    entry = make_ledger([make_event("failed", failure_class="new", code="c", detail="d", retry_after=3.0)]).entry("m1")
    assert entry is not None
    assert entry.failure is not None
    assert entry.failure.failure_class is FailureClass.UNCERTAIN
    assert (entry.failure.code, entry.failure.detail, entry.failure.retry_after) == ("c", "d", 3.0)


def test_cancelling_is_remembered_for_messages_that_were_never_attempted() -> None:
    ledger = make_ledger([make_event("cancelling", "m7")])
    assert ledger.is_cancelled("m7")
    assert not ledger.is_cancelled("m1")


def test_what_an_admin_puts_back_is_no_longer_cancelled() -> None:
    ledger = make_ledger([make_event("cancelling"), make_event("redriven", generation=1)])
    assert not ledger.is_cancelled("m1")


def test_a_cancellation_that_was_taken_back_is_none() -> None:
    ledger = make_ledger([make_event("cancelling"), make_event("uncancelled")])
    assert not ledger.is_cancelled("m1")


@pytest.mark.parametrize("name", ["sent", "failed", "uncertain"])
def test_the_end_of_every_call_to_the_provider_counts_towards_the_pause(name: str) -> None:
    assert make_ledger([make_event(name, at=NOW + 5)]).times.send_ended_at == NOW + 5


def test_an_undo_does_not_take_back_a_cancellation():
    ledger = make_ledger([make_event("cancelling"), make_event("cleared"), make_event("restored")])
    assert ledger.is_cancelled("m1")


def test_an_undo_that_is_told_late_does_not_hide_that_its_copy_was_sent():
    ledger = make_ledger([make_event("cleared"), make_event("sent", generation=1), make_event("restored")])
    assert (ledger.entry("m1").state, ledger.entry("m1").generation) == (State.SENT, 1)


@pytest.mark.parametrize("name", ["sending", "retrying", "dead", "duplicate", "expired", "cancelled", "cleared"])
def test_nothing_else_counts_towards_the_pause(name: str) -> None:
    assert make_ledger([make_event(name)]).times.send_ended_at == 0


def test_an_end_that_is_reported_late_does_not_shorten_the_pause() -> None:
    assert make_ledger([make_event("sent"), make_event("sent", "m2", at=NOW - 5)]).times.send_ended_at == NOW


def test_a_hold_lasts_until_the_provider_is_heard_again() -> None:
    down = make_event("failed", failure_class="unavailable", hold=4.0)
    held = make_ledger([down, replace(down, at=NOW + 4)]).times
    assert (held.held_until, held.held_for, held.held_because) == (NOW + 8, 4.0, "unavailable")
    assert held.failures_in_a_row == 2
    over = make_ledger([down, make_event("sent", at=NOW + 9)]).times
    assert (over.held_until, over.held_because, over.failures_in_a_row) == (0, None, 0)


def test_throttling_does_not_make_the_probes_rarer() -> None:
    down = make_event("failed", failure_class="unavailable", hold=1.0)
    throttled = make_event("failed", failure_class="throttled", hold=5.0)
    assert make_ledger([down, throttled]).times.failures_in_a_row == 1


@pytest.mark.parametrize("hold", ["5", None, [], {}, 0, False])
def test_a_hold_that_makes_no_sense_holds_nothing(hold: object) -> None:
    event = make_event("failed", failure_class="throttled", hold=hold)
    assert make_ledger([event]).times.held_because is None


@pytest.fixture
def _short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "ALWAYS_REMEMBERED", 3)


@pytest.mark.usefixtures("_short_memory")
def test_memory_is_bounded_by_the_window() -> None:
    step = 10.0
    ledger = make_ledger()
    for number in range(20_000):
        at = NOW + number * step
        ledger.apply(make_event("cancelling", f"c{number}", at=at))
        for name in ("sending", "sent"):
            ledger.apply(make_event(name, f"m{number}", at=at, key=f"k{number}"))
    most = WINDOW / step + 1
    assert len(ledger) == most
    assert max(len(part) for part in memory(ledger).values() if isinstance(part, dict)) == most
    assert ledger.entry("m19999")
    assert ledger.entry("m0") is None


@pytest.mark.usefixtures("_short_memory")
def test_the_last_messages_are_remembered_however_long_the_consumer_was_away() -> None:
    events = [make_event("sent", f"m{number}") for number in range(3)]
    ledger = make_ledger([*events, make_event("sending", "new", at=NOW + 9 * WINDOW)])
    assert [state_of(ledger, f"m{number}") for number in range(3)] == [None, State.SENT, State.SENT]


@pytest.mark.usefixtures("_short_memory")
def test_a_clock_that_runs_ahead_elsewhere_makes_nobody_forget() -> None:
    ledger = make_ledger([make_event("sent", f"m{number}") for number in range(9)], now=NOW + 1)
    ledger.apply(make_event("redriven", "from an admin", at=NOW + 30 * WINDOW))
    assert all(state_of(ledger, f"m{number}") is State.SENT for number in range(9))


messages = st.sampled_from(["m1", "m2", "m3"])
events = st.builds(
    make_event,
    st.sampled_from(NAMES),
    messages,
    at=st.integers(0, 400).map(lambda minutes: NOW + minutes * 3600.0),
    lane=st.sampled_from(["default", "default", "default", "other"]),
    generation=st.integers(0, 3),
    attempt=st.integers(0, 3),
    source=st.sampled_from(["us", "them", "an admin"]),
    failure_class=st.sampled_from([*FailureClass, "newer"]),
    hold=st.sampled_from([None, 1.0, 30.0]),
    key=st.sampled_from([None, "k1", "k2"]),
)
streams = st.lists(events, max_size=40)


@given(streams)
def test_the_same_events_make_the_same_ledger(stream: list[Event]) -> None:
    assert memory(make_ledger(stream)) == memory(make_ledger(stream))


@given(streams)
def test_an_event_as_it_travels_says_the_same(stream: list[Event]) -> None:
    travelled = [event for body in stream if (event := Event.decode(body.encode()))]
    assert memory(make_ledger(travelled)) == memory(make_ledger(stream))


@given(streams, st.data())
def test_an_event_that_is_recorded_twice_counts_once(stream: list[Event], data: st.DataObject) -> None:
    stream = [event for event in stream if "hold" not in event.details or event.details["hold"] is None]
    repeats = data.draw(st.lists(st.integers(1, 2), min_size=len(stream), max_size=len(stream)))
    repeated = [event for event, times in zip(stream, repeats, strict=True) for _ in range(times)]
    assert memory(make_ledger(repeated)) == memory(make_ledger(stream))


@given(streams, st.data())
def test_a_ledger_fed_by_its_own_confirms_equals_that_of_a_reader(stream: list[Event], data: st.DataObject) -> None:
    """Own events are applied at once and skipped in the stream; nobody else writes about a message meanwhile."""
    ours, own = make_ledger(), "us"
    position = 0
    for index, event in enumerate(stream):
        if event.source == own:
            for other in stream[position:index]:
                _apply_foreign(ours, other, own)
            position = index
            ours.apply(event)
        elif data.draw(st.booleans()):
            for other in stream[position : index + 1]:
                _apply_foreign(ours, other, own)
            position = index + 1
    for other in stream[position:]:
        _apply_foreign(ours, other, own)
    assert memory(ours) == memory(make_ledger(stream))


def _apply_foreign(ledger: Ledger, event: Event, own: str) -> None:
    if event.source != own:
        ledger.apply(event)


@given(streams)
def test_no_more_is_remembered_than_the_messages_there_were(stream: list[Event]) -> None:
    ledger = make_ledger(stream)
    known = {event.message_id for event in stream}
    assert len(ledger) <= len(known)
    keys = memory(ledger)["_keys"]
    assert isinstance(keys, dict)
    assert set(memory(ledger)["_owners"]) <= set(keys.values())  # type: ignore[call-overload]
    assert set(keys) <= known


@given(streams, messages)
def test_a_send_once_recorded_stays_recorded(stream: list[Event], message_id: str) -> None:
    ledger, sent = make_ledger(), False
    for event in stream:
        ledger.apply(event)
        sent = sent or state_of(ledger, message_id) is State.SENT
        assert state_of(ledger, message_id) is State.SENT or not sent
