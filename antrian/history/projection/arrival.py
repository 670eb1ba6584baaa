"""What arrives in the journal, in the words that the history keeps; pure."""

from dataclasses import replace
from typing import Any

from antrian.domain.events import Event
from antrian.domain.headers import AttemptFailure
from antrian.history.journal.entry import SCHEDULED, MessageEntry, bounded, short
from antrian.history.projection.message_row import MessageRow


def with_cause(entry: MessageEntry, row: MessageRow, at: float) -> MessageEntry:
    """A dead letter with the last failure that the events tell: up to 3.12, streams drop the header that lists them."""
    if entry.letter is None or entry.letter.failures or row.failure_class is None:
        return entry
    last = AttemptFailure(row.attempt, at, row.failure_class, row.code or "unknown", row.detail or "")
    return entry._replace(letter=replace(entry.letter, failures=(last,), attempts=row.attempt))


def arrival_body(entry: MessageEntry, at: float, due_at: float | None, *, is_put_back: bool) -> bytes:
    """An arrival in the words of an event, for the message's life line.

    Args:
        entry: the arrival.
        at: when.
        due_at: when it comes back from the delay ladder.
        is_put_back: it was deleted before, so that it is an undo that buries it; who did that is told by its own event.
    """
    details: dict[str, Any] = {"priority": entry.priority}
    if entry.name == SCHEDULED:
        details["due_at"] = due_at
    if entry.letter is not None:
        letter = entry.letter
        details |= {"failure_class": short(letter.failure_class), "code": short(letter.code)}
        if letter.failures:
            details["detail"] = short(letter.failures[-1].detail)
    if entry.message is None:
        details["unreadable"] = True
    attempt, source = entry.message.attempt if entry.message else 0, entry.source
    if entry.letter is not None:
        attempt = bounded(entry.letter.attempts)
        # Its publisher laid nothing among the dead letters.
        source = "broker" if entry.letter.is_broker_s else "" if is_put_back else "consumer"
    event = Event(entry.name, at, entry.lane, entry.message_id, entry.generation, attempt, source, details)
    return event.encode()
