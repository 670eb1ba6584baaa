"""The fold of journal entries into the history's rows; no I/O.

Entries come in the journal's order. One that was taken into account already is skipped, so that the same entries fold
to the same rows however they are cut into batches and however often they are delivered.
"""

from collections.abc import Iterable, Mapping, Sequence

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import MALFORMED, UNKNOWN
from antrian.domain.headers import LONGEST_DETAIL
from antrian.domain.lifecycle import FINAL, LIFECYCLE, OPEN, PENDING, AttemptStep, MessageState, ordinal
from antrian.history.journal.entry import (
    BURIED,
    LATEST,
    QUEUED,
    SCHEDULED,
    Entry,
    EventEntry,
    MessageEntry,
    bounded,
    plain_json,
    short,
)
from antrian.history.projection.arrival import arrival_body, with_cause
from antrian.history.projection.changes import (
    Changes,
    EventRow,
    JobTold,
    LaneEmptied,
    LetterBuried,
    LetterPurged,
    LettersGone,
    Minute,
    Noted,
    PutBack,
    RemovalEnded,
    RemovalUndone,
    SessionTold,
    TakenOut,
    sequence,
)
from antrian.history.projection.columns import contents_of
from antrian.history.projection.delivery import DeliveryFold, ParkedReceipt
from antrian.history.projection.delivery import forget as forget_delivery
from antrian.history.projection.event_body import is_activity, is_left_out, kept_body
from antrian.history.projection.message_row import MessageRow

#: Events that say by themselves where a message is, and all that tell of one even if nothing else is known of it.
_OUTCOMES = frozenset(row.event for row in LIFECYCLE.values() if row.state is not None) - {
    *(QUEUED, SCHEDULED, BURIED, EventName.POSTPONED, EventName.HELD, EventName.RELEASED)
}
_TELLING = _OUTCOMES | {EventName.REDRIVEN, EventName.HELD}

#: Events that take a message out, and events about the wish that it not be sent.
_REMOVALS = frozenset({EventName.PURGED, EventName.CLEARED})
_CANCELLATIONS = frozenset({EventName.CANCELLING, EventName.UNCANCELLED})
# Every event passes here, and a member of an enum is found slowly by its name.
_BARRIER, _SENT, _RECEIPT = EventName.BARRIER, EventName.SENT, EventName.RECEIPT_STATUS
_UNDELIVERED = EventName.UNDELIVERED
_BEGINS, _ENDS = AttemptStep.BEGINS, AttemptStep.ENDS
_IS_WAITING, _IS_HELD, _IS_SENT, _IS_FAILED, _IS_PURGED = (
    MessageState.WAITING,
    MessageState.HELD,
    MessageState.SENT,
    MessageState.FAILED,
    MessageState.PURGED,
)

#: States of a copy that comes back by itself.
_ON_THE_LADDER = frozenset({MessageState.SCHEDULED, MessageState.HELD, MessageState.RETRYING})

#: States in which a message that failed counts as failed still.
_FAILED = frozenset({MessageState.DEAD, MessageState.EXPIRED, MessageState.PURGED})


class Projection:
    """Folds one batch.

    Args:
        journal: which journal the entries are of.
        after: offset of the last entry that was taken into account; -1 for none.
        known: rows of the messages that the batch names, as far as the history has them.
        awaited: messages with an edited copy that has not arrived yet, by the copy's id.
        clock: the latest time that any entry named so far.
        next_id: number for the next new message.
        now: unix seconds; a time in the future moves no clock.
        named: rows of `known` that the batch's receipts name, by the name that each of them gives.
        parked: receipts that wait for the batch's sends, by lane and name.
    """

    def __init__(
        self,
        *,
        journal: int,
        after: int,
        known: dict[str, MessageRow],
        awaited: dict[str, str],
        clock: float,
        next_id: int,
        now: float,
        named: Mapping[str, Sequence[MessageRow]] | None = None,
        parked: Mapping[tuple[str, str], Sequence[ParkedReceipt]] | None = None,
    ) -> None:
        self.changes = Changes(known, clock, next_id, offset=after)
        self._figures = self.changes.figures
        self._deliveries = DeliveryFold(self._figures, named or {}, parked or {})
        self._journal = journal
        self._awaited = awaited
        self._now = now

    def fold(self, entries: Iterable[tuple[int, Entry | None]]) -> Changes:
        """Take (offset, entry) pairs into account."""
        for offset, entry in entries:
            if offset <= self.changes.offset:
                continue
            if type(entry) is EventEntry:
                self._tell(sequence(self._journal, offset), entry)
            elif type(entry) is MessageEntry:
                self._arrive(sequence(self._journal, offset), entry)
            self.changes.offset = offset
            self.changes.entries += 1
        self.changes.at = self.changes.clock
        self.changes.parked, self.changes.matched = self._deliveries.kept, self._deliveries.matched
        self.changes.deliveries = self._deliveries.changed
        return self.changes

    # Arrivals

    def _arrive(self, seq: int, entry: MessageEntry) -> None:
        message = entry.message
        said = message.queued_at if message is not None and message.queued_at > 0 else None
        self._tick(said or 0.0)
        known = self.changes.rows.get(entry.message_id)
        row = known or self._new_row(entry.message_id, entry.lane, said)
        self._learn(row, entry, said)
        at = self.changes.clock if entry.generation or said is None else said
        is_put_back = row.state is _IS_PURGED
        if entry.name == BURIED:
            entry = with_cause(entry, row, self.changes.clock)
            at = self._bury(row, seq, entry)
        elif known is None or entry.generation > row.generation:
            self._enter(row, seq, entry, at)
        elif row.entered_seq == 0 and entry.generation == row.generation:
            # What became of this copy is known already, but not when it came.
            row.entered_at, row.entered_seq = self.changes.clock, seq
        is_plain = known is None and entry.name == QUEUED and entry.generation == 0 and entry.message is not None
        body = None if is_plain else arrival_body(entry, at, row.due_at, is_put_back=is_put_back)
        self.changes.events.append(EventRow(seq, row.id, 0, entry.name, at, body))

    def _learn(self, row: MessageRow, entry: MessageEntry, said: float | None) -> None:
        """Take over what the message says; the first copy that can be read has the word."""
        if entry.message is not None and not row.is_known:
            row.contents = contents_of(entry.message.body)
            row.is_known = 1
            self._figures.name_source(row, str(row.contents["source"]))
            row.priority = entry.priority
        if row.queued_at is None and entry.name != BURIED:
            row.queued_at = row.born_at = said or self.changes.clock
            row.priority = entry.priority
            self._minute(row.queued_at, entry.lane).queued += 1

    def _enter(self, row: MessageRow, seq: int, entry: MessageEntry, at: float) -> None:
        """A new copy is in its lane, or on the ladder for a time of its own."""
        if entry.generation > row.generation:
            self.changes.steps.append(LettersGone(row.id, entry.generation))
        self._release_original(entry.message_id, at)
        if row.state is _IS_SENT:
            return
        if row.failed_at is not None:
            self._figures.forget_failure(row)
        row.entered_at, row.entered_seq = self.changes.clock, seq
        row.generation, row.undo_id, row.presumed = entry.generation, None, 0
        if entry.message is not None:
            # A copy that was re-driven begins anew, so that its first attempt is not taken for an old one.
            row.attempt = bounded(entry.message.attempt - 1)
        row.priority = entry.priority
        self._change_lane(row, entry.lane, at)
        if entry.name == SCHEDULED:
            self._schedule(row, entry, at)
        else:
            row.due_at = None
            self._move(row, _IS_WAITING, at)

    def _schedule(self, row: MessageRow, entry: MessageEntry, at: float) -> None:
        row.due_at = min(at + (entry.delay or 0), LATEST)
        self._move(row, MessageState.SCHEDULED, at)

    def _release_original(self, copy_id: str, at: float) -> None:
        """The edited copy of a dead letter is there, so the letter is gone."""
        original = self._awaited.pop(copy_id, None)
        row = self.changes.rows.get(original) if original else None
        if row is not None and row.state is MessageState.DEAD:
            self._figures.forget_failure(row)
            self._move(row, MessageState.PURGED, at)
            self.changes.steps.append(LettersGone(row.id, row.generation + 1))

    def _bury(self, row: MessageRow, seq: int, entry: MessageEntry) -> float:
        letter = entry.letter
        assert letter is not None, "every buried copy has its letter"  # noqa: S101 (EntryReader makes it so)
        died_at = letter.died_at
        at = self.changes.clock if not died_at else min(max(died_at, 0.0), LATEST)
        is_live = entry.generation >= row.generation
        self.changes.steps.append(LetterBuried(seq, row.id, letter, at, entry.headers, letter.body, is_live))
        if is_live and row.state is not MessageState.SENT:
            self._give_up(row, at)
        if is_live and letter.failures and row.state is MessageState.DEAD:
            last = letter.failures[-1]
            row.failure_class, row.code = short(last.failure_class), short(last.code)
            row.detail = short(last.detail, LONGEST_DETAIL)
            row.attempt = max(row.attempt, bounded(letter.attempts))
        if is_live and row.state is not MessageState.SENT:
            cause = (row.failure_class, row.code) if row.failure_class else (letter.failure_class, letter.code)
            self._figures.failed(row, at, short(cause[0]), short(cause[1] or ""))
            row.generation = max(row.generation, entry.generation)
            row.undo_id, row.presumed = None, int(letter.failure_class == MALFORMED)
        return at

    # Events

    def _tell(self, seq: int, entry: EventEntry) -> None:
        event = entry.event
        if event.name == _BARRIER:
            return
        self._tick(event.at)
        if is_left_out(event):
            return
        row = self.changes.rows.get(event.message_id) if event.message_id else None
        if row is None and event.message_id and event.name in _TELLING:
            row = self._new_row(event.message_id, event.lane, None)
            row.generation = event.generation
        if event.name == _RECEIPT:
            row = self._deliveries.take(row, seq, event)
        elif row is not None:
            self._tell_message(row, seq, event)
        else:
            self._tell_activity(seq, event)
        about, body = row.id if row else None, kept_body(entry)
        self.changes.events.append(EventRow(seq, about, is_activity(event), event.name, event.at, body))

    def _tell_message(self, row: MessageRow, seq: int, event: Event) -> None:
        if event.name in _OUTCOMES:
            self._tell_outcome(row, seq, event)
        elif event.name == EventName.POSTPONED:
            self._postpone(row, event)
        elif event.name == EventName.HELD:
            self._hold(row, event)
        elif event.name == EventName.RELEASED:
            self._release(row, seq, event)
        elif event.name == EventName.REDRIVEN:
            self._redrive(row, event)
        elif event.name == EventName.RESTORED:
            self._restore(row, event)
        elif event.name in _CANCELLATIONS:
            row.cancelling = int(event.name == EventName.CANCELLING)
        elif event.name == EventName.NOTED:
            note = _text(event.details.get("note"))
            self.changes.steps.append(Noted(row.id, event.generation, note))

    def _tell_outcome(self, row: MessageRow, seq: int, event: Event) -> None:
        if event.name in _REMOVALS:
            if event.name == EventName.PURGED:
                self.changes.steps.append(LetterPurged(row.id, event.generation))
            self._take_out(row, seq, event)
        meaning = LIFECYCLE[event.name]
        if row.is_ahead_of(event) or meaning.state is None:
            return
        is_same = row.generation == event.generation and row.attempt == event.attempt
        row.generation = max(row.generation, event.generation)
        if event.name == _UNDELIVERED:
            self._take_back(row, seq, event)
            return
        if meaning.attempt is None and meaning.state in FINAL:
            self._end(row, event, meaning.state)
            return
        row.attempt, row.presumed = event.attempt, 0
        if event.name == _SENT:
            self._deliveries.sent(row, seq, event, is_its_attempt=is_same)
            self._sent(row, event)
        elif meaning.attempt is _ENDS:
            self._failed(row, event)
        elif meaning.attempt is _BEGINS:
            row.due_at = row.undo_id = None
            self._move(row, meaning.state, event.at)
            self._deliveries.begin(row, event)
        else:
            # A copy is on the ladder, and it is of the next generation.
            row.generation = bounded(event.generation + int(meaning.brings_copy))
            row.due_at = _moment(event.details.get("due_at"))
            self._move(row, meaning.state, event.at)

    def _sent(self, row: MessageRow, event: Event) -> None:
        row.due_at = row.undo_id = None
        self._move(row, _IS_SENT, event.at)
        self._minute(event.at, row.lane).sent += 1
        # A message that was to come later begins to wait at its time.
        wanted_at = _moment(event.details.get("due_at")) or row.queued_at
        wait = None if wanted_at is None else max(0.0, event.at - wanted_at)
        self._figures.sent(row, event.at, wait)

    def _take_back(self, row: MessageRow, seq: int, event: Event) -> None:
        """The provider took it, and said later that it did not arrive."""
        details = event.details
        self._deliveries.undelivered(row, seq, event)
        if row.state is _IS_SENT:
            self._figures.unsent(row)
        row.attempt, row.presumed = event.attempt, 0
        row.taken_back = max(row.taken_back or 0, ordinal(bounded(event.generation), bounded(event.attempt)))
        row.failure_class = _text(details.get("failure_class")) or UNKNOWN
        row.code, row.detail = _text(details.get("code")), _text(details.get("detail"))
        row.due_at = row.undo_id = None
        self._move(row, MessageState.FAILED, event.at)
        self._minute(event.at, row.lane).failed += 1

    def _failed(self, row: MessageRow, event: Event) -> None:
        details = event.details
        is_crash = event.name == EventName.UNCERTAIN
        row.failure_class = "uncertain" if is_crash else _text(details.get("failure_class")) or "uncertain"
        row.code = "crash" if is_crash else _text(details.get("code"))
        row.detail = _text(details.get("detail"))
        row.due_at = None
        # Until its consequence is known, it is back where it came from; after a hold of the lane, it stays there.
        self._move(row, MessageState.WAITING, event.at)
        self._minute(event.at, row.lane).failed += 1

    def _end(self, row: MessageRow, event: Event, state: MessageState) -> None:
        details = event.details
        if state is MessageState.DEAD:
            # A letter that could not be read has none.
            row.attempt = event.attempt or row.attempt
            row.failure_class = _text(details.get("failure_class")) or row.failure_class
            row.code = _text(details.get("code")) or row.code
            self._give_up(row, event.at)
            self._figures.failed(row, event.at, row.failure_class or UNKNOWN, row.code or "")
        else:
            row.undo_id = _text(details.get("undo_id")) or None
            if state is MessageState.OPTED_OUT and row.state is not state:
                self._figures.opted_out(row, event.at)
            self._move(row, state, event.at)
            if state is MessageState.EXPIRED:
                self._figures.failed(row, event.at, "expired", "")
        why = _text(details.get("purpose")) if state is MessageState.OPTED_OUT else ""
        row.detail = _text(details.get("detail")) or why or row.detail
        row.due_at, row.presumed = None, int(details.get("reason") == MALFORMED)

    def _give_up(self, row: MessageRow, at: float) -> None:
        if row.state in OPEN or row.state is MessageState.FAILED:
            # A dead letter that an undo puts back has died once only.
            self._minute(at, row.lane).dead += 1
        row.due_at = None
        self._move(row, MessageState.DEAD, at)

    def _postpone(self, row: MessageRow, event: Event) -> None:
        """The same copy is back on the ladder; nothing was tried."""
        due_at = _moment(event.details.get("due_at"))
        if due_at is not None and row.state in PENDING and row.generation == event.generation:
            row.due_at = due_at
            row.detail = _text(event.details.get("detail")) or row.detail
            is_retry = row.state is MessageState.RETRYING
            self._move(row, MessageState.RETRYING if is_retry else MessageState.SCHEDULED, event.at)

    def _hold(self, row: MessageRow, event: Event) -> None:
        """The same copy is on the ladder, because of a rule of its lane; nothing was tried."""
        details = event.details
        until = _moment(details.get("until"))
        due_at = _moment(details.get("due_at")) or until
        if due_at is not None and row.state in PENDING and row.generation == event.generation:
            self._move(row, MessageState.HELD, event.at)
            row.due_at, row.hold_until = due_at, until
            row.hold_reason, row.hold_rule = _name(details.get("reason")) or UNKNOWN, _name(details.get("rule"))

    def _release(self, row: MessageRow, seq: int, event: Event) -> None:
        """The same copy is taken off the ladder, and enters its lane anew."""
        if row.state in _ON_THE_LADDER and row.generation == event.generation:
            self._move(row, MessageState.WAITING, event.at)
            row.due_at = None
            row.entered_at, row.entered_seq = self.changes.clock, seq

    def _redrive(self, row: MessageRow, event: Event) -> None:
        # A re-drive means that it is to be sent, whatever was requested before.
        row.cancelling = 0
        # The broker may still refuse the copy; then the letter stays. So only the copy's arrival ends it.
        copy_id = event.details.get("copy")
        if isinstance(copy_id, str) and copy_id and event.generation >= row.generation:
            row.copied_to = short(copy_id)
            if row.state is MessageState.DEAD:
                self._awaited[row.copied_to] = row.message_id
        if not row.is_ahead_of(event):
            row.generation = max(row.generation, event.generation)
            if row.presumed or row.state not in {MessageState.DEAD, MessageState.PURGED}:
                # It was given up, and a gap has swallowed that.
                self._end(row, event, MessageState.DEAD)

    def _restore(self, row: MessageRow, event: Event) -> None:
        # Its copy came through the journal, before this event, and told what became of the message.
        undo_id = _text(event.details.get("undo_id"))
        self.changes.steps.append(PutBack(undo_id, row.id, event.generation))

    def _take_out(self, row: MessageRow, seq: int, event: Event) -> None:
        undo_id = _text(event.details.get("undo_id"))
        if not undo_id:
            return
        letter = event.details.get("letter")
        self.changes.steps.append(
            TakenOut(
                undo_id=undo_id,
                seq=seq,
                at=event.at,
                actor=event.source,
                lane=event.lane,
                message=row.id,
                generation=event.generation,
                kind="purge" if event.name == EventName.PURGED else "clear",
                queue=_text(event.details.get("queue")),
                due_at=row.due_at,
                letter=plain_json(letter) if isinstance(letter, dict) else None,
            )
        )

    def _tell_activity(self, seq: int, event: Event) -> None:
        details, steps = event.details, self.changes.steps
        undo_id, job_id = _text(details.get("undo_id")), _text(details.get("job_id"))
        if event.name == EventName.LANE_CLEARED and undo_id:
            count = bounded(details.get("queued")) + bounded(details.get("failed"))
            steps.append(RemovalEnded(undo_id, event.at, event.source, "clear", event.lane, count))
            if bounded(details.get("unlisted")):
                steps.append(LaneEmptied(undo_id, seq, event.at, event.source, event.lane))
        elif event.name == EventName.DEAD_PURGED and undo_id:
            count = bounded(details.get("count"))
            steps.append(RemovalEnded(undo_id, event.at, event.source, "purge", event.lane, count))
        elif event.name == EventName.UNDO_DONE and undo_id:
            steps.append(RemovalUndone(undo_id, event.at, event.source))
        elif event.name == EventName.RECEIPT_SESSION:
            told = (_name(details.get("state")), event.at, _text(details.get("detail")), _name(details.get("provider")))
            steps.append(SessionTold(event.lane, *told))
        elif event.name.startswith("job.") and job_id:
            steps.append(JobTold(job_id, event.name, event.at, event.source, details))

    # What arrivals and events share

    def _new_row(self, message_id: str, lane: str, said: float | None) -> MessageRow:
        changes = self.changes
        row = MessageRow(changes.next_id, message_id, lane, born_at=said or changes.clock, is_new=True)
        changes.next_id += 1
        changes.rows[message_id] = row
        self._minute(row.born_at, lane).open(1)
        return row

    def _move(self, row: MessageRow, state: MessageState, at: float) -> None:
        change = (state in OPEN) - (row.state in OPEN)
        if change:
            self._minute(at, row.lane).open(change)
        if row.failed_at is not None and state not in _FAILED:
            self._figures.forget_failure(row)
        if row.delivery is not None and state in OPEN:
            # Another copy is on its way.
            forget_delivery(row)
        if row.state is _IS_HELD:
            self._figures.held(row.lane, row.hold_reason or UNKNOWN, row.changed_at, min(at, row.due_at or at))
            row.hold_reason = row.hold_until = row.hold_rule = None
        row.state = state
        row.changed_at = at

    def _change_lane(self, row: MessageRow, lane: str, at: float) -> None:
        if lane == row.lane:
            return
        if row.state in OPEN:
            self._minute(at, row.lane).open(-1)
            self._minute(at, lane).open(1)
        row.lane = lane

    def _minute(self, at: float, lane: str) -> Minute:
        key = (int(at // 60), lane)
        minute = self.changes.minutes.get(key)
        if minute is None:
            minute = self.changes.minutes[key] = Minute()
        return minute

    def _tick(self, at: float) -> None:
        if at > self.changes.clock:
            self.changes.clock = max(self.changes.clock, min(at, self._now))


def empties_a_lane(entry: Entry | None) -> bool:
    """Whether rows that the batch does not name change after this entry, so that a batch must end with it."""
    return (
        type(entry) is EventEntry
        and entry.event.name == EventName.LANE_CLEARED
        and bool(entry.event.details.get("unlisted"))
    )


def _text(value: object) -> str:
    return short(value, LONGEST_DETAIL) if isinstance(value, str) else ""


def _name(value: object) -> str:
    return short(value) if isinstance(value, str) else ""


def _moment(value: object) -> float | None:
    """A time in an event's details; None for anything that is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # NaN passes no comparison.
    return float(value) if 0 <= value <= LATEST else None
