"""The one writer of the history's file: journal deliveries in, one transaction for each batch."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antrian.broker.stream.entry import StreamEntry, StreamPlace, fingerprint
from antrian.broker.topology import Names
from antrian.domain.errors import AntrianError
from antrian.domain.event_name import EventName
from antrian.history.journal.entry import Entry, EntryReader, EventEntry, MessageEntry
from antrian.history.projection import columns, history_file, schema
from antrian.history.projection.change_writer import ChangeWriter
from antrian.history.projection.changes import Changes, EventRow
from antrian.history.projection.delivery import (
    DeliveryChange,
    ParkedReceipt,
    alias_of_receipt,
    names_of_attempt,
    names_of_receipt,
)
from antrian.history.projection.figures import Figures
from antrian.history.projection.fold import Projection, empties_a_lane
from antrian.history.projection.message_row import MessageRow, told_state

#: Messages that come out of the delay ladder, or old rows, that are seen to in one transaction at most.
SLICE = 2_000


#: Seconds for which receipts wait for their sends, and how many do at most.
PARKED_KEPT = 7 * 86_400.0
MOST_PARKED = 100_000

# Every event passes here, and a member of an enum is found slowly by its name.
_RECEIPT, _ATTEMPTS = EventName.RECEIPT_STATUS, frozenset({EventName.SENDING, EventName.SENT})

_INSERT_EVENT = columns.EVENTS.insert(EventRow._fields)


class Replaced(AntrianError):
    """The file was deleted or replaced while it was being written."""


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """How far a history has read, and what it read there.

    Attributes:
        journal: which journal.
        offset: of the last entry; -1 for none.
        fingerprint: of that entry.
    """

    journal: int
    offset: int
    fingerprint: str

    @property
    def in_stream(self) -> StreamPlace:
        """The same, as any reader of a stream has it."""
        return StreamPlace(self.offset, self.fingerprint)


class HistoryWriter:
    """Writes one file; only one process does, and in one thread.

    Args:
        path: the file; it exists.
        names: of the namespace.

    Raises:
        sqlite3.Error: the file cannot be opened, or is no history of this version.
    """

    def __init__(self, path: Path, names: Names) -> None:
        self._path = path
        self._reader = EntryReader(names)
        self._inode = history_file.inode(path)
        self._connection = history_file.connect(path)
        if not schema.is_usable(self._connection):
            self._connection.close()
            raise sqlite3.DatabaseError("this file was made by another version")
        schema.prepare_writer(self._connection)
        self._steps = ChangeWriter(self._connection)

    def close(self) -> None:
        """Close the file; what is not committed is not there."""
        self._connection.close()

    @property
    def place(self) -> JournalPlace:
        """How far it has read."""
        return JournalPlace(*self._connection.execute("SELECT journal, offset, fingerprint FROM position").fetchone())

    def require_its_place(self) -> None:
        """Make sure that the file is still the one under its name.

        Raises:
            Replaced: it is not.
        """
        if history_file.inode(self._path) != self._inode:
            raise Replaced("the history's file was deleted or replaced")

    def take(self, deliveries: Sequence[StreamEntry], *, now: float | None = None) -> list[DeliveryChange]:
        """Take journal entries into account, all or nothing; those that were taken already are skipped.

        Returns:
            Messages of which it is now known what became of them after a provider took them.

        Raises:
            Replaced: the file is not the one under its name any more; nothing was written.
            sqlite3.Error: it cannot be written.
        """
        changed: list[DeliveryChange] = []
        if not deliveries:
            return changed
        now = time.time() if now is None else now
        read = self._reader.read
        entries = [(delivery.offset, read(delivery)) for delivery in deliveries]
        with self._transaction():
            for part in _parts(entries):
                changes = self._fold(part, now)
                self._save(changes)
                changed += changes.deliveries
            self._connection.execute(
                "UPDATE position SET fingerprint = ? WHERE offset = ?",
                (fingerprint(deliveries[-1]), deliveries[-1].offset),
            )
        return changed

    def checked(self, at: float) -> None:
        """At that time everything that the journal held was taken into account."""
        with self._transaction():
            self._connection.execute("UPDATE position SET checked_at = ?", (at,))

    def finish(self) -> None:
        """The history has caught up: what makes it fast to search is made, if it is not there yet."""
        if not self._connection.execute("SELECT is_indexed FROM position").fetchone()[0]:
            with self._transaction():
                schema.make_indexes(self._connection)

    def add_gap(self, sentence: str) -> None:
        """Put on record that entries are missing."""
        with self._transaction():
            self._connection.execute("INSERT INTO gaps (sentence) VALUES (?)", (sentence,))

    def begin_journal(self, sentence: str) -> None:
        """The journal was made again: its offsets begin anew."""
        with self._transaction():
            self._connection.execute("UPDATE position SET journal = journal + 1, offset = -1, fingerprint = ''")
            self._connection.execute("INSERT INTO gaps (sentence) VALUES (?)", (sentence,))

    def release_due(self, now: float) -> int:
        """Messages whose time on the delay ladder is over wait in their lanes; returns how many these were."""
        due = self._connection.execute(
            "SELECT id, lane, state, due_at, hold_reason, changed_at FROM messages "
            "WHERE state IN ('retrying', 'scheduled') AND due_at <= ? ORDER BY due_at LIMIT ?",
            (now, SLICE),
        ).fetchall()
        if not due:
            return 0
        figures = Figures()
        for _, lane, _, due_at, reason, held_at in due:
            if reason is not None:
                figures.held(lane, reason, held_at, due_at)
        with self._transaction():
            self._connection.executemany(
                "UPDATE messages SET state = 'waiting', entered_at = due_at, changed_at = due_at, due_at = NULL, "
                "hold_reason = NULL, hold_until = NULL, hold_rule = NULL WHERE id = ?",
                [(row[0],) for row in due],
            )
            self._steps.count(move for row in due for move in ((row[1], row[2], -1), (row[1], "waiting", 1)))
            self._steps.add_figures(figures)
        return len(due)

    def forget(self, before: float) -> int:
        """Delete some of what is older; returns how many rows, 0 when there is nothing left to delete."""
        with self._transaction():
            return self._steps.forget(before, SLICE)

    def forget_parked(self, now: float) -> None:
        """Drop receipts whose sends never came, and the oldest of too many."""
        (count,) = self._connection.execute("SELECT count(*) FROM parked").fetchone()
        if count:
            with self._transaction():
                self._steps.forget_parked(now - PARKED_KEPT, count - MOST_PARKED)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.require_its_place()
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _fold(self, part: Sequence[tuple[int, Entry | None]], now: float) -> Changes:
        journal, offset, clock, next_id = self._connection.execute(
            "SELECT journal, offset, clock, next_id FROM position"
        ).fetchone()
        awaited = dict(
            self._connection.execute(
                "SELECT copied_to, message_id FROM messages WHERE copied_to IS NOT NULL AND state = 'dead'"
            ).fetchall()
        )
        ids, names = _named(part)
        ids |= {awaited[copy] for copy in ids & awaited.keys()}
        if names:
            ids |= self._ids_by_name(names)
        known = self._rows(ids)
        projection = Projection(
            journal=journal,
            after=offset,
            known=known,
            awaited=awaited,
            clock=clock,
            next_id=next_id,
            now=now,
            named=_by_name(names, known.values()),
            parked=self._parked(part, known.values()),
        )
        return projection.fold(part)

    def _ids_by_name(self, names: Iterable[str]) -> set[str]:
        """The messages whose latest send has one of these names, the provider's or ours."""
        found = self._connection.execute(
            "WITH wanted AS MATERIALIZED (SELECT value FROM json_each(?)) "
            "SELECT m.message_id FROM wanted CROSS JOIN messages m ON m.provider_id = wanted.value UNION "
            "SELECT m.message_id FROM wanted CROSS JOIN messages m ON m.attempt_id = wanted.value",
            (json.dumps(list(names)),),
        )
        return {message_id for (message_id,) in found}

    def _parked(
        self, part: Iterable[tuple[int, Entry | None]], known: Iterable[MessageRow]
    ) -> dict[tuple[str, str], list[ParkedReceipt]]:
        """Receipts that may be parked under the names of these sends."""
        if not self._connection.execute("SELECT EXISTS (SELECT 1 FROM parked)").fetchone()[0]:
            return {}
        names = {row.attempt_id for row in known if row.attempt_id}
        for _, entry in part:
            if type(entry) is EventEntry and entry.event.name in _ATTEMPTS:
                names.update(names_of_attempt(entry.event))
            elif type(entry) is EventEntry and entry.event.name == _RECEIPT:
                names.update(alias_of_receipt(entry.event))
        rows = self._connection.execute(
            f"SELECT {', '.join(ParkedReceipt._fields)} FROM json_each(?) wanted "  # noqa: S608 (constants)
            "CROSS JOIN parked ON parked.name = wanted.value",
            (json.dumps(list(names)),),
        )
        found: dict[tuple[str, str], list[ParkedReceipt]] = {}
        for values in rows:
            one = ParkedReceipt(*values)
            found.setdefault((one.lane, one.name), []).append(one)
        return found

    def _rows(self, ids: Iterable[str]) -> dict[str, MessageRow]:
        found = self._connection.execute(
            f"SELECT {columns.ROW.sql} FROM messages m WHERE m.message_id IN (SELECT value FROM json_each(?))",  # noqa: S608 (constants)
            (json.dumps(list(ids)),),
        )
        rows = (_row(columns.ROW.named(values)) for values in found)
        return {row.message_id: row for row in rows}

    def _save(self, changes: Changes) -> None:
        rows = changes.rows.values()
        execute = self._connection.executemany
        execute(columns.INSERT_MESSAGE, [columns.inserted(row) for row in rows if row.is_new])
        execute(columns.UPDATE_MESSAGE, [columns.updated(row) for row in rows if not row.is_new])
        execute(columns.LEARN_MESSAGE, [columns.learned(row) for row in rows if row.contents and not row.is_new])
        words = [(row.id, row.contents["text"]) for row in rows if row.contents]
        execute("INSERT INTO words (rowid, text) VALUES (?, ?)", words)
        execute(_INSERT_EVENT, changes.events)
        self._steps.count(_moves(rows))
        self._steps.add_minutes(changes)
        self._steps.add_figures(changes.figures)
        for step in changes.steps:
            self._steps.take(step)
        self._steps.park(changes)
        self._connection.execute(
            "UPDATE position SET offset = ?, at = ?, entries = entries + ?, clock = ?, next_id = ?",
            (changes.offset, changes.at, changes.entries, changes.clock, changes.next_id),
        )


def _parts(entries: list[tuple[int, Entry | None]]) -> Iterator[list[tuple[int, Entry | None]]]:
    """The batch, cut after every entry that changes rows which it does not name."""
    begin = 0
    for end, (_, entry) in enumerate(entries, 1):
        if empties_a_lane(entry):
            yield entries[begin:end]
            begin = end
    if begin < len(entries):
        yield entries[begin:]


def _named(part: Iterable[tuple[int, Entry | None]]) -> tuple[set[str], set[str]]:
    """The messages that entries are about: their ids, and other names by which receipts mean them."""
    ids: set[str] = set()
    names: set[str] = set()
    for _, entry in part:
        if type(entry) is EventEntry:
            ids.add(entry.event.message_id)
            if entry.event.name == _RECEIPT:
                names.update(names_of_receipt(entry.event))
        elif type(entry) is MessageEntry:
            ids.add(entry.message_id)
    ids.discard("")
    return ids, names


def _by_name(names: Iterable[str], known: Iterable[MessageRow]) -> dict[str, list[MessageRow]]:
    """The rows that each of these names may mean."""
    found: dict[str, list[MessageRow]] = {name: [] for name in names}
    for row in known if found else ():
        for name in {row.provider_id, row.attempt_id} - {None}:
            if name in found:
                found[name].append(row)
    return found


def _row(values: dict[str, Any]) -> MessageRow:
    row = MessageRow(**values)
    row.before = (row.lane, row.state)
    row.state = told_state(row.state, row.hold_reason)
    return row


def _moves(rows: Iterable[MessageRow]) -> Iterator[tuple[str, str, int]]:
    """How the numbers of messages in each state change: (lane, state, by how much)."""
    for row in rows:
        if row.before is not None:
            if row.before == (row.lane, row.filed_state):
                continue
            yield (*row.before, -1)
        yield row.lane, row.filed_state, 1
