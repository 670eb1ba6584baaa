"""The history as callers ask it: everything here only reads, from any thread, at any time."""

import json
import math
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import tzinfo
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any

from antrian.domain.event_name import EventName
from antrian.history.projection import history_file
from antrian.history.projection.bucket import Bucket
from antrian.history.projection.changes import OFFSET_BITS
from antrian.history.projection.columns import (
    DEAD_LETTER,
    JOB,
    LIFE,
    MESSAGE,
    REMOVAL,
    REMOVED,
    SESSION,
    WAS_UNCERTAIN,
    SelectList,
)
from antrian.history.projection.figures import QUARTER
from antrian.history.projection.history_file import history_path
from antrian.history.projection.message_row import OPEN
from antrian.history.queries import analytics, dead_query, held_query, message_query, term_search
from antrian.history.queries import cursor as list_place
from antrian.history.queries import rows as row_reading
from antrian.history.queries.cursor import BadCursor
from antrian.history.queries.reader import Reader
from antrian.history.queries.report import Period, Report
from antrian.history.queries.report_query import read_report
from antrian.history.queries.term import Meaning
from antrian.history.queries.term_search import TermSearch
from antrian.history.records import (
    DeadCause,
    DeadFilter,
    DeadGroup,
    DeadRecord,
    DelayedCount,
    HeldCount,
    Job,
    KeyUse,
    LifeEntry,
    MessageFilter,
    MessageRecord,
    MessageState,
    Page,
    Position,
    SenderSession,
    SourceCount,
)
from antrian.history.removal import Removal, Removed

__all__ = ["BadCursor", "History", "history_path"]

#: Messages that an undo reads at once.
_REMOVED_AT_ONCE = 500

#: Delayed messages that are due and were not moved into their lane yet, looked at; there are hardly ever any.
_MOST_DUE = 1_000

#: Seconds: a history that was compared with the journal so short a time ago is up to date.
_GRACE = 10.0
#: Clearings that are looked through at once.
_CLEARINGS_AT_ONCE = 100

_ANY_DEAD = DeadFilter()


class History:
    """The searchable copy of the journal.

    A file that is missing, or being made again, gives empty answers.

    Args:
        path: see `antrian.history.projection.history_file.history_path`.
    """

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)

    @property
    def path(self) -> Path:
        """The file."""
        return self._reader.path

    @property
    def file(self) -> history_file.Inode | None:
        """What tells one file from another under that name; None for none. A new one knows less until it is read."""
        return history_file.inode(self.path)

    def close(self) -> None:
        """Close this thread's connection; the next question opens another."""
        self._reader.close()

    # Messages

    def message(self, message_id: str) -> MessageRecord | None:
        """One message; None for one that the history does not know."""
        rows = self._named(MESSAGE, "FROM messages m WHERE m.message_id = ?", (message_id,))
        return row_reading.message(rows[0], time.time()) if rows else None

    def life(self, message_id: str) -> list[LifeEntry]:
        """Everything that happened to a message, oldest first."""
        rows = self._named(
            LIFE,
            "FROM messages m CROSS JOIN events e ON e.message = m.id AND e.message IS NOT NULL "
            "WHERE m.message_id = ? ORDER BY e.seq",
            (message_id,),
        )
        return row_reading.with_classes(list(row_reading.without_repetitions(map(row_reading.life_entry, rows))))

    def messages(self, wanted: MessageFilter, cursor: str | None = None, limit: int = 50) -> Page[MessageRecord]:
        """Messages that fit, newest first.

        Args:
            wanted: what must fit.
            cursor: `next_cursor` of the page before.
            limit: at most so many.

        Raises:
            BadCursor: the cursor is not one of this list's.
        """
        now = time.time()
        place = list_place.read(cursor) if cursor is not None else None
        answers: list[list[dict[str, Any]]] = []
        by_number = False
        for query in message_query.queries(wanted, place, now):
            by_number = query.order == message_query.BY_NUMBER
            found = self._reader.rows(query.sql(MESSAGE.sql), (*query.values, limit + 1))
            answers.append([MESSAGE.named(row) for row in found])
        rows = list(islice(merge(*answers, key=_number if by_number else _place, reverse=True), limit + 1))
        items = tuple(row_reading.message(row, now) for row in rows[:limit])
        return Page(items, list_place.write(*_place(rows[limit - 1])) if len(rows) > limit else None)

    def message_count(self, wanted: MessageFilter) -> int:
        """How many messages fit."""
        rows = (self._reader.row(q.count_sql(), q.values) for q in message_query.queries(wanted, None, time.time()))
        return sum(row[0] for row in rows if row)

    def message_ids(self, wanted: MessageFilter) -> list[str]:
        """The id of every message that fits, in no order."""
        return [
            row[0]
            for query in message_query.queries(wanted, None, time.time())
            for row in self._reader.rows(query.sql("m.message_id"), (*query.values, -1))
        ]

    def pending_sources(self, lane: str | None = None) -> list[SourceCount]:
        """How many messages of each source wait in the queue or on the delay ladder; the most frequent source first."""
        rows = self._reader.rows(message_query.SOURCES, (lane,))
        return [SourceCount(source or "", count) for source, count in rows]

    def count_up_to(self, wanted: MessageFilter, limit: int) -> int:
        """How many messages fit, counted up to `limit`."""
        found = 0
        for query in message_query.queries(wanted, None, time.time()):
            counted = f"SELECT count(*) FROM ({query.sql('1')})"  # noqa: S608
            row = self._reader.row(counted, (*query.values, limit - found))
            found += int(row[0]) if row else 0
        return found

    def search(self, found: Sequence[Meaning], wanted: MessageFilter) -> TermSearch:
        """Messages by a term: the search that answers pages and a count.

        Args:
            found: what the term may mean.
            wanted: the other filters; those of number, key and text are not looked at.
        """
        return TermSearch(self._reader, found, wanted)

    def sources(self, limit: int = 200) -> list[str]:
        """The publishing services that the history knows, in the order of their names."""
        return term_search.sources(self._reader, limit)

    def by_keys(self, keys: Collection[str]) -> Iterator[KeyUse]:
        """Every message that has one of these idempotency keys."""
        rows = self._reader.rows(
            "SELECT m.lane, m.source, m.idempotency_key, m.state, m.changed_at, m.entered_seq >> ? = p.journal "
            "FROM position p CROSS JOIN json_each(?) wanted CROSS JOIN messages m ON m.idempotency_key = wanted.value",
            (OFFSET_BITS, json.dumps(list(keys))),
        )
        for lane, source, key, state, changed_at, is_current in rows:
            yield KeyUse(lane, source or "", key, MessageState(state), changed_at, bool(is_current))

    def next_messages(self, lane: str, limit: int = 10) -> list[MessageRecord]:
        """What waits in a lane, in the order in which it will be sent."""
        now = time.time()
        waiting = self._named(
            MESSAGE,
            "FROM messages m INDEXED BY messages_waiting WHERE m.lane = ? "
            "AND m.state = 'waiting' ORDER BY m.rank DESC, m.entered_at, m.entered_seq LIMIT ?",
            (lane, limit),
        )
        due = self._named(
            MESSAGE,
            "FROM messages m INDEXED BY messages_delayed WHERE m.due_at <= ? AND m.lane = ? "
            "AND m.state IN ('retrying', 'scheduled') ORDER BY m.due_at LIMIT ?",
            (now, lane, _MOST_DUE),
        )
        rows = sorted(waiting + due, key=_turn)[:limit]
        return [row_reading.message(row, now) for row in rows]

    def next_retries(self, lane: str, limit: int = 10) -> list[MessageRecord]:
        """What waits for another attempt of a lane, soonest first; what is due already waits in the lane."""
        now = time.time()
        rows = self._named(
            MESSAGE,
            "FROM messages m INDEXED BY messages_delayed WHERE m.due_at > ? AND m.lane = ? "
            "AND m.state IN ('retrying', 'scheduled') AND m.state = 'retrying' "
            "ORDER BY m.due_at LIMIT ?",
            (now, lane, limit),
        )
        return [row_reading.message(row, now) for row in rows]

    def counts(self, lane: str | None = None) -> dict[MessageState, int]:
        """How many messages are in each state, in one lane or in all; states without any are 0."""
        found = dict.fromkeys(MessageState, 0)
        condition, values = ("lane = ?", (lane,)) if lane is not None else ("1", ())
        for state, count in self._reader.rows(
            f"SELECT state, sum(count) FROM tallies WHERE {condition} GROUP BY state",  # noqa: S608
            values,
        ):
            found[MessageState(state)] = count
        for state, count in self._reader.rows(
            "SELECT state, count(*) FROM messages INDEXED BY messages_delayed WHERE due_at <= ? "  # noqa: S608
            f"AND state IN ('retrying', 'scheduled') AND {condition} GROUP BY state",
            (time.time(), *values),
        ):
            found[MessageState(state)] -= count
            found[MessageState.WAITING] += count
        held = self._reader.row(f"{held_query.COUNT_BY_STATE} AND {condition}", (time.time(), *values))
        found[MessageState.HELD] = held[0] if held else 0
        found[MessageState.SCHEDULED] -= found[MessageState.HELD]
        return found

    def held(self, lane: str) -> list[HeldCount]:
        """The held messages of a lane by their reason; what is due already waits in the lane."""
        return held_query.held_counts(self._reader, lane, time.time())

    def delayed(self, lane: str) -> list[DelayedCount]:
        """The messages of a lane that come back at a time of their own, for no rule of the lane."""
        return held_query.delayed_counts(self._reader, lane, time.time())

    def held_due_times(self, lane: str, limit: int) -> list[tuple[float, int]]:
        """When the first held messages of a lane come back from the delay ladder, and how many, in order."""
        return held_query.held_due_times(self._reader, lane, time.time(), limit)

    def place(self, message_id: str) -> int | None:
        """How many messages go before one that waits in its lane; None for one that does not."""
        return held_query.place_of(self._reader, message_id)

    def waiting(self, lane: str) -> tuple[int, int]:
        """How many messages wait in a lane: those that are not urgent, and those that are."""
        return held_query.waiting_counts(self._reader, lane)

    def sessions(self) -> dict[str, SenderSession]:
        """How each lane's sender is connected, where its provider told it."""
        rows = self._named(SESSION, "FROM sessions", ())
        return {row["lane"]: SenderSession(**row) for row in rows}

    # Dead letters

    def dead_letter(self, message_id: str) -> DeadRecord | None:
        """The dead letter of a message, the latest if there are several; None when there is none in the queue."""
        rows = self._named(
            DEAD_LETTER,
            "FROM messages m CROSS JOIN dead d ON d.message = m.id "
            "WHERE m.message_id = ? AND d.is_live ORDER BY d.generation DESC LIMIT 1",
            (message_id,),
        )
        return row_reading.dead(rows[0]) if rows else None

    def dead_letters(
        self, wanted: DeadFilter = _ANY_DEAD, cursor: str | None = None, limit: int = 50
    ) -> Page[DeadRecord]:
        """Dead letters that fit, newest first.

        Raises:
            BadCursor: the cursor is not one of this list's.
        """
        query = dead_query.dead_query(wanted, list_place.read(cursor) if cursor is not None else None)
        found = self._reader.rows(query.sql(DEAD_LETTER.sql), (*query.values, limit + 1))
        rows = [DEAD_LETTER.named(row) for row in found]
        items = tuple(row_reading.dead(row) for row in rows[:limit])
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(items, list_place.write(last["died_at"], last["id"]) if last else None)

    def dead_groups(self, wanted: DeadFilter = _ANY_DEAD) -> list[DeadGroup]:
        """Dead letters that fit, counted by their cause; the most frequent cause first."""
        query = dead_query.dead_query(wanted)
        rows = self._reader.rows(
            "SELECT d.failure_class, d.code, d.detail, count(*), min(d.died_at), max(d.died_at) FROM dead d "  # noqa: S608
            f"WHERE {' AND '.join(query.conditions)} GROUP BY d.failure_class, d.code, d.detail "
            "ORDER BY count(*) DESC, max(d.died_at) DESC",
            query.values,
        )
        return [DeadGroup(*row) for row in rows]

    def dead_count(self, wanted: DeadFilter = _ANY_DEAD) -> int:
        """How many dead letters fit."""
        query = dead_query.dead_query(wanted)
        row = self._reader.row(f"SELECT count(*) FROM dead d WHERE {' AND '.join(query.conditions)}", query.values)  # noqa: S608
        return int(row[0]) if row else 0

    def dead_ids(self, wanted: DeadFilter = _ANY_DEAD) -> list[tuple[str, int]]:
        """Message id and generation of every dead letter that fits, oldest first."""
        query = dead_query.dead_query(wanted, order=dead_query.OLDEST_FIRST)
        rows = self._reader.rows(query.sql("m.message_id, d.generation"), (*query.values, -1))
        return [(row[0], row[1]) for row in rows]

    def dead_causes(self, wanted: DeadFilter = _ANY_DEAD) -> list[DeadCause]:
        """Every dead letter that fits, oldest first, with no more than its name and why it was given up."""
        query = dead_query.dead_query(wanted, order=dead_query.OLDEST_FIRST)
        columns = f"m.message_id, d.generation, d.failure_class, d.code, {WAS_UNCERTAIN}"
        rows = self._reader.rows(query.sql(columns), (*query.values, -1))
        return [DeadCause(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]

    # What happened

    def analytics(self, edges: Sequence[float], lane: str | None = None) -> list[Bucket]:
        """What happened in each stretch between two of these moments, oldest first; the file keeps whole minutes."""
        if len(edges) < 2:  # noqa: PLR2004 (a stretch has two edges)
            return []
        condition, values = ("lane = ?", (lane,)) if lane is not None else ("1", ())
        minutes = self._reader.rows(
            "SELECT minute, sum(queued), sum(sent), sum(failed), sum(dead), sum(opened), sum(peak) FROM minutes "  # noqa: S608
            f"WHERE minute >= ? AND {condition} GROUP BY minute ORDER BY minute",
            (int(edges[0] // 60), *values),
        )
        # Quarters are read much faster, and are divided as little as minutes.
        is_coarse = all(edge % QUARTER == 0 for edge in edges)
        table, unit, width = ("quarter_waits", "quarter", QUARTER) if is_coarse else ("waits", "minute", 60)
        waits = self._reader.rows(
            f"SELECT {unit} * {width}, priority, count, seconds, bins FROM {table} "  # noqa: S608
            f"WHERE {unit} >= ? AND {unit} < ? AND {condition}",
            (int(edges[0] // width), math.ceil(edges[-1] / width), *values),
        )
        counts = self.counts(lane)
        waiting = sum(counts[state] for state in OPEN)
        return analytics.buckets(minutes, waits, waiting, edges=edges, known=self.known())

    def report(self, period: Period, place: tzinfo, *, now: float | None = None, lane: str | None = None) -> Report:
        """What was sent in a period, and how long it took; see `antrian.history.queries.report`."""
        return read_report(self._reader, self.counts, period, place, now=time.time() if now is None else now, lane=lane)

    def known(self) -> tuple[float, float]:
        """From when until when the history knows what happened, in unix seconds."""
        row = self._reader.row("SELECT (SELECT min(minute) FROM minutes) * 60, checked_at FROM position")
        if row is None:
            return math.inf, -math.inf
        first, checked_at = row
        # A history of nothing knows that nothing happened.
        return (-math.inf if first is None else first), (math.inf if checked_at is None else checked_at + _GRACE)

    def events(
        self,
        prefixes: Sequence[str],
        cursor: str | None = None,
        limit: int = 50,
        *,
        source: str | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> Page[LifeEntry]:
        """Events whose names begin with any of these, newest first.

        Args:
            prefixes: of the names.
            cursor: `next_cursor` of the page before.
            limit: at most so many.
            source: who wrote them.
            since: happened at or after.
            until: happened before.

        Raises:
            BadCursor: the cursor is not one of this list's.
        """
        begins = " OR ".join("e.name >= ? AND e.name < ?" for _ in prefixes) or "1"
        values: list[object] = [bound for prefix in prefixes for bound in (prefix, prefix + "\U0010ffff")]
        is_activity = bool(prefixes) and not any(prefix.startswith(("outcome.", "message.")) for prefix in prefixes)
        conditions = ["e.is_activity"] if is_activity and all(prefixes) else []
        conditions.append(f"({begins})")
        for condition, value in (("e.at >= ?", since), ("e.at < ?", until), (f"{_WRITER} = ?", source)):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if cursor is not None:
            conditions.append("e.seq < ?")
            values.append(list_place.read(cursor)[1])
        rows = self._named(
            LIFE,
            f"FROM events e LEFT JOIN messages m ON m.id = e.message WHERE {' AND '.join(conditions)} "
            "ORDER BY e.seq DESC LIMIT ?",
            (*values, limit + 1),
        )
        items = tuple(row_reading.without_repetitions(map(row_reading.life_entry, rows[:limit])))
        return Page(items, list_place.write(0.0, rows[limit - 1]["seq"]) if len(rows) > limit else None)

    def actors(self, limit: int = 2_000) -> list[str]:
        """Who did something lately, in the order of their names."""
        rows = self._reader.rows(
            f"SELECT DISTINCT who FROM (SELECT {_WRITER} AS who FROM events e WHERE e.is_activity "  # noqa: S608
            "AND e.name >= 'audit.' AND e.name < 'audit/' ORDER BY e.seq DESC LIMIT ?) WHERE who != '' ORDER BY who",
            (limit,),
        )
        return [str(who) for (who,) in rows]

    # Clearings, purges and jobs

    def removal(self, undo_id: str) -> Removal | None:
        """A clearing or a purge; None for one that the history does not know."""
        rows = self._named(REMOVAL, "FROM removals WHERE undo_id = ?", (undo_id,))
        return row_reading.removal(rows[0]) if rows else None

    def removals(self, limit: int = 50) -> list[Removal]:
        """The latest clearings and purges, newest first."""
        rows = self._named(REMOVAL, "FROM removals ORDER BY removals.at DESC LIMIT ?", (limit,))
        return [row_reading.removal(row) for row in rows]

    def removed(self, undo_id: str) -> Iterator[Removed]:
        """Each message that a clearing or a purge took out, oldest first."""
        seq, number = -1, -1
        while True:
            rows = self._named(
                REMOVED,
                "FROM taken_out t "
                "CROSS JOIN messages m ON m.id = t.message "
                "LEFT JOIN dead d ON d.message = t.message AND d.generation = t.generation "
                "WHERE t.undo_id = ? AND (t.seq, t.message) > (?, ?) ORDER BY t.seq, t.message LIMIT ?",
                (undo_id, seq, number, _REMOVED_AT_ONCE),
            )
            yield from (row_reading.removed(row, time.time()) for row in rows)
            if len(rows) < _REMOVED_AT_ONCE:
                return
            seq, number = rows[-1]["taken_seq"], rows[-1]["taken_message"]

    def cancelled_by(self, undo_id: str) -> tuple[str, ...]:
        """The messages that a clearing could not reach and had cancelled, as the event about it lists them."""
        cursor = None
        while True:
            page = self.events((EventName.LANE_CLEARED,), cursor=cursor, limit=_CLEARINGS_AT_ONCE)
            for entry in page.items:
                listed = entry.details.get("cancelling")
                if entry.details.get("undo_id") == undo_id and isinstance(listed, list):
                    return tuple(one for one in listed if isinstance(one, str))
            cursor = page.next_cursor
            if cursor is None:
                return ()

    def job(self, job_id: str) -> Job | None:
        """A job; None for one that the history does not know."""
        rows = self._named(JOB, "FROM jobs WHERE job_id = ?", (job_id,))
        return row_reading.job(rows[0]) if rows else None

    def jobs(self, limit: int = 50) -> list[Job]:
        """The latest jobs, newest first."""
        rows = self._named(JOB, "FROM jobs ORDER BY jobs.started_at DESC LIMIT ?", (limit,))
        return [row_reading.job(row) for row in rows]

    # The history itself

    def position(self) -> Position:
        """How far the history has read."""
        row = self._reader.row("SELECT journal, offset, at, checked_at, entries, fingerprint FROM position")
        gaps = tuple(gap for (gap,) in self._reader.rows("SELECT sentence FROM gaps ORDER BY id"))
        journal, offset, at, checked_at, entries, fingerprint = row or (0, -1, None, None, 0, "")
        return Position(journal, offset, at, checked_at, entries, gaps, fingerprint)

    def _named(self, selection: SelectList, rest: str, values: Sequence[object]) -> list[dict[str, Any]]:
        """The rows of `SELECT` with this rest, by name."""
        return [selection.named(row) for row in self._reader.rows(f"SELECT {selection.sql} {rest}", values)]


#: Who wrote an event; only its body has it, and what others wrote may be no JSON.
_WRITER = "CASE WHEN json_valid(CAST(e.body AS TEXT)) THEN json_extract(CAST(e.body AS TEXT), '$.source') ELSE '' END"


def _place(row: dict[str, Any]) -> tuple[float, int]:
    """Time and number of a message."""
    return row["born_at"], row["id"]


def _number(row: dict[str, Any]) -> int:
    return int(row["id"])


def _turn(row: dict[str, Any]) -> tuple[float, float, int]:
    """What decides whose turn it is: rank, when it entered the lane, and what came first of two at once."""
    entered_at = row["entered_at"] if row["due_at"] is None else row["due_at"]
    return -row["rank"], entered_at, row["entered_seq"]
