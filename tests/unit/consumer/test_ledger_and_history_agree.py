"""The consumer's ledger and the history read the same events: whatever their order, they must tell the same."""

from typing import Any

import pytest
from factories import LANE, NOW, PHONE
from hypothesis import example, given
from hypothesis import strategies as st

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import MALFORMED, FailureClass
from antrian.domain.lifecycle import ENDS, LIFECYCLE, STATES, CopyState, MessageState
from antrian.domain.message import Message, new_message
from antrian.history.journal.entry import BURIED, QUEUED, SCHEDULED, EventEntry, MessageEntry
from antrian.history.projection.fold import Projection
from antrian.history.projection.message_row import MessageRow
from consumer.ledger import Entry, Ledger

WINDOW = 86_400.0

#: Where the history shows a message whose latest copy the ledger knows to be in a state.
SHOWN = {
    CopyState.SENDING: {MessageState.SENDING},
    CopyState.SENT: {MessageState.SENT},
    CopyState.FAILED: {MessageState.WAITING},
    CopyState.HELD: {MessageState.WAITING},
    CopyState.RETRYING: {MessageState.RETRYING},
    CopyState.DEAD: {MessageState.DEAD, MessageState.PURGED},
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
#: Nothing can be attempted of a copy in these, and no copy of a later generation is known.
OVER = {state for state, row in STATES.items() if row.is_final and state is not MessageState.SENT}


def event(name: EventName, generation: int = 0, attempt: int = 1, **details: Any) -> Event:
    return Event(name, NOW, LANE, "m1", generation, attempt, "c1", details)


def arrival(name: str, generation: int, attempt: int = 1) -> MessageEntry:
    made = new_message(PHONE, "Halo", source="test", now=NOW, message_id="m1")
    copy = Message("m1", LANE, made.priority, made.body, made.queued_at, attempt, generation)
    return MessageEntry(0, name, "m1", generation, LANE, made.priority, "test", copy, 60 if name == SCHEDULED else None)


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
    if entry is None:
        assert row is None or row.state not in {MessageState.SENDING, MessageState.SENT, MessageState.RETRYING}
        return
    assert row is not None
    assert (entry.state is CopyState.SENT) == (row.state is MessageState.SENT)
    latest = entry.generation + (entry.state is CopyState.RETRYING)
    assert row.generation >= latest or entry.state is CopyState.SENT
    if row.presumed or entry.state is CopyState.SENT:
        return
    if row.generation > latest:
        # The history has seen a copy that the consumer will learn of when it attempts it.
        assert row.state is not MessageState.SENDING
        return
    assert row.state in SHOWN[entry.state]
    if entry.state in NUMBERED:
        assert row.attempt == entry.attempt


# Any events at all: in any order, of any generation, once or often, with any of them missing.

_STEPS = [row.event for row in LIFECYCLE.values() if row.copy is not None and row.event is not EventName.RESTORED]
_OTHERS = [EventName.CHOSEN, EventName.CANCELLING, EventName.UNCANCELLED, EventName.BARRIER, EventName.NOTED]


@st.composite
def any_event(draw: st.DrawFn) -> Event:
    name = draw(st.sampled_from(_STEPS * 3 + _OTHERS))
    details: dict[str, Any] = {}
    if name is EventName.FAILED:
        details["failure_class"] = draw(st.sampled_from([*FailureClass, "of a newer version"]))
    if name is EventName.DEAD and draw(st.integers(0, 4)) == 0:
        details["reason"] = MALFORMED
    return event(name, draw(st.integers(0, 3)), draw(st.integers(1, 3)), **details)


@given(st.lists(any_event(), max_size=12))
def test_any_events_leave_ledger_and_history_with_the_same_state_and_attempts(events: list[Event]) -> None:
    assert_they_agree(list(events))
