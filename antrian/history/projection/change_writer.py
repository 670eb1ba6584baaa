"""How each kind of change becomes SQL; runs inside the writer's transaction."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import singledispatchmethod

from antrian.domain.event_name import EventName
from antrian.domain.headers import LONGEST_DETAIL
from antrian.history.journal.entry import bounded, plain_json, short
from antrian.history.projection import wait_histogram
from antrian.history.projection.changes import (
    Changes,
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
    Step,
    TakenOut,
)
from antrian.history.projection.columns import DEAD, JOBS, PARKED, SESSIONS, TAKEN_OUT, Table
from antrian.history.projection.delivery import ParkedReceipt
from antrian.history.projection.figure_tables import (
    CAUSES,
    DELIVERIES,
    HOLDS,
    MINUTES,
    OPT_OUTS,
    QUARTER_WAITS,
    QUARTERS,
    TALLIES,
    WAITS,
)
from antrian.history.projection.figures import QUARTER, Delivered, Ends, Figures, Wait

_COUNTS = ("selected", "done", "refused", "unreadable", "failed_again")

#: Seconds for which the figures of reports outlive the messages.
REPORT_KEPT = 32 * 86_400.0

_BURY = f"{DEAD.insert_named()} ON CONFLICT DO UPDATE SET is_live = max(is_live, excluded.is_live)"
_COUNT = TALLIES.add(["count"])
# What is known of the minute so far came before; so its peak may be in either part.
_ADD_MINUTE = MINUTES.add(["queued", "sent", "failed", "dead", "opened"], peak="max(peak, opened + excluded.peak)")
_ADD_ENDS = QUARTERS.add(["sent", "failed"])
_ADD_CAUSE = CAUSES.add(["count"])
_ADD_HOLD = HOLDS.add(["count", "seconds"])
_ADD_OPT_OUT = OPT_OUTS.add(["count"])
_ADD_DELIVERY = DELIVERIES.add(
    ["handed_over", "delivered", "read", "failed", "count", "seconds"], bins="add_bins(bins, excluded.bins)"
)
_PARK = PARKED.insert(ParkedReceipt._fields).replace("INSERT", "INSERT OR IGNORE", 1)
_TELL_SESSION = SESSIONS.insert().replace("INSERT", "INSERT OR REPLACE", 1)
_TELL_JOB = f"""{JOBS.insert_named()} ON CONFLICT DO UPDATE SET
    state = CASE WHEN state IN ('running', 'interrupted') THEN excluded.state ELSE state END,
    changed_at = max(changed_at, excluded.changed_at), selected = max(selected, excluded.selected),
    done = max(done, excluded.done), refused = max(refused, excluded.refused),
    unreadable = max(unreadable, excluded.unreadable), failed_again = max(failed_again, excluded.failed_again),
    detail = CASE WHEN excluded.detail <> '' THEN excluded.detail ELSE detail END"""


class ChangeWriter:
    """Carries out changes.

    Args:
        connection: its owner begins and ends the transactions.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute: Callable[..., sqlite3.Cursor] = connection.execute
        connection.create_function("add_bins", 2, wait_histogram.add_packed, deterministic=True)

    def count(self, moves: Iterable[tuple[str, str, int]]) -> None:
        """Keep the number of messages in each state: (lane, state, by how much)."""
        sums: Counter[tuple[str, str]] = Counter()
        for lane, state, change in moves:
            sums[lane, state] += change
        self._connection.executemany(
            _COUNT,
            [{"lane": lane, "state": str(state), "count": change} for (lane, state), change in sums.items() if change],
        )

    def add_minutes(self, changes: Changes) -> None:
        """Add to what happened in each minute."""
        self._connection.executemany(
            _ADD_MINUTE,
            [{"minute": minute, "lane": lane, **_values(one)} for (minute, lane), one in changes.minutes.items()],
        )

    def add_figures(self, figures: Figures) -> None:
        """Add to what charts and reports are made from."""
        self._add_waits(WAITS, "minute", figures.waits)
        self._add_waits(QUARTER_WAITS, "quarter", figures.quarter_waits())
        self._connection.executemany(
            _ADD_ENDS,
            [
                {"quarter": quarter, "lane": lane, "source": source, **_values(ends)}
                for (quarter, lane, source), ends in figures.ends.items()
            ],
        )
        self._connection.executemany(
            _ADD_CAUSE,
            [
                {"quarter": quarter, "lane": lane, "cause": cause, "count": count}
                for (quarter, lane, cause), count in figures.causes.items()
                if count
            ],
        )
        self._connection.executemany(
            _ADD_HOLD,
            [
                {"quarter": quarter, "lane": lane, "reason": reason, "count": held.count, "seconds": held.seconds}
                for (quarter, lane, reason), held in figures.holds.items()
            ],
        )
        self._connection.executemany(
            _ADD_OPT_OUT,
            [
                {"quarter": quarter, "lane": lane, "source": source, "count": count}
                for (quarter, lane, source), count in figures.opt_outs.items()
                if count
            ],
        )

        self._connection.executemany(
            _ADD_DELIVERY,
            [
                {"quarter": quarter, "lane": lane, "provider": provider, **_delivered(one)}
                for (quarter, lane, provider), one in figures.deliveries.items()
            ],
        )

    def _add_waits(self, table: Table, period: str, waits: Mapping[tuple[int, str, str], Wait]) -> None:
        self._connection.executemany(
            table.add(["count", "seconds"], bins="add_bins(bins, excluded.bins)"),
            [
                {
                    period: when,
                    "lane": lane,
                    "priority": priority,
                    "count": wait.count,
                    "seconds": wait.seconds,
                    "bins": wait_histogram.pack(wait.histogram),
                }
                for (when, lane, priority), wait in waits.items()
            ],
        )

    def forget(self, before: float, limit: int) -> int:
        """Delete at most `limit` messages and as many lines that are older; returns how many rows were deleted."""
        ids = [
            row[0]
            for row in self._execute(
                "SELECT id FROM messages WHERE state NOT IN ('scheduled', 'waiting', 'sending', 'retrying', 'dead') "
                "AND born_at < ? AND changed_at < ? ORDER BY born_at LIMIT ?",
                (before, before, limit),
            )
        ]
        self._forget_messages(ids)
        lines = self._execute(
            "DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?) AND at < ?", (limit, before)
        ).rowcount
        self._execute("DELETE FROM minutes WHERE minute < ?", (int(before // 60),))
        self._execute("DELETE FROM waits WHERE minute < ?", (int(before // 60),))
        # They name no recipient, and a report compares with the period before.
        for table in ("quarters", "quarter_waits", "causes", "holds", "opt_outs", "deliveries"):
            quarter = int((before - REPORT_KEPT) // QUARTER)
            self._execute(f"DELETE FROM {table} WHERE quarter < ?", (quarter,))  # noqa: S608 (a constant)
        self._execute("DELETE FROM removals WHERE at < ?", (before,))
        self._execute("DELETE FROM jobs WHERE changed_at < ?", (before,))
        return len(ids) + lines

    def _forget_messages(self, ids: list[int]) -> None:
        chosen = "(SELECT value FROM json_each(?))"
        those = (json.dumps(ids),)
        self.count(
            (lane, state, -count)
            for lane, state, count in self._execute(
                f"SELECT lane, state, count(*) FROM messages WHERE id IN {chosen} GROUP BY lane, state",  # noqa: S608
                those,
            ).fetchall()
        )
        self._execute(
            f"INSERT INTO words (words, rowid, text) SELECT 'delete', id, text FROM messages WHERE id IN {chosen} "  # noqa: S608
            "AND is_known",
            those,
        )
        self._execute(f"DELETE FROM dead WHERE message IN {chosen}", those)  # noqa: S608
        self._execute(f"DELETE FROM taken_out WHERE message IN {chosen}", those)  # noqa: S608
        self._execute(f"DELETE FROM messages WHERE id IN {chosen}", those)  # noqa: S608

    def park(self, changes: Changes) -> None:
        """Keep receipts whose sends are not known, and give those that are known now to their messages."""
        self._connection.executemany(_PARK, changes.parked)
        if changes.matched:
            matched = [one._asdict() for one in changes.matched]
            self._connection.executemany(
                "DELETE FROM parked WHERE lane = :lane AND name = :name AND seq = :seq", matched
            )
            self._connection.executemany("UPDATE events SET message = :message WHERE seq = :seq", matched)

    def forget_parked(self, before: float, too_many: int) -> None:
        """Drop receipts that were parked before then, and so many of the oldest that are left."""
        self._execute("DELETE FROM parked WHERE heard_at < ?", (before,))
        if too_many > 0:
            oldest = "(SELECT lane, name, seq FROM parked ORDER BY seq LIMIT ?)"
            self._execute(f"DELETE FROM parked WHERE (lane, name, seq) IN {oldest}", (too_many,))  # noqa: S608

    @singledispatchmethod
    def take(self, step: Step) -> None:
        """Carry out one step."""
        raise TypeError(f"no step: {step!r}")

    @take.register
    def _buried(self, step: LetterBuried) -> None:
        letter = step.letter
        body = letter.message.body if letter.message else None
        self._execute(
            _BURY,
            {
                "id": step.seq,
                "message": step.message,
                "generation": bounded(letter.generation),
                "is_live": step.is_live,
                "lane": letter.lane,
                "priority": bounded(letter.priority),
                "source": short(letter.source),
                "died_at": step.died_at,
                "failure_class": short(letter.failure_class),
                "code": short(letter.code),
                "detail": short(letter.failures[-1].detail, LONGEST_DETAIL) if letter.failures else "",
                "attempts": bounded(letter.attempts),
                "phone_number": body.phone_number if body else "",
                "text": short(body.message, len(body.message)) if body else "",
                "problem": short(letter.problem),
                "note": "",
                "body": step.body,
                "headers": step.headers,
            },
        )

    @take.register
    def _gone(self, step: LettersGone) -> None:
        self._execute("UPDATE dead SET is_live = 0 WHERE message = ? AND generation < ?", step)

    @take.register
    def _purged(self, step: LetterPurged) -> None:
        self._execute("UPDATE dead SET is_live = 0 WHERE message = ? AND generation = ?", step)

    @take.register
    def _noted(self, step: Noted) -> None:
        values = (step.note, step.message, step.generation)
        self._execute("UPDATE dead SET note = ? WHERE message = ? AND generation = ?", values)

    @take.register
    def _taken_out(self, step: TakenOut) -> None:
        is_first = self._execute(
            "SELECT 1 FROM taken_out WHERE undo_id = ? AND message = ? AND generation = ?",
            (step.undo_id, step.message, step.generation),
        ).fetchone()
        if is_first:
            return  # told twice: an interrupted clearing was done again
        self._execute(
            TAKEN_OUT.insert_named(),
            {name: getattr(step, name, None) for name in TAKEN_OUT.columns} | {"is_restored": 0},
        )
        # A clearing that was interrupted has no end on record, and can be undone all the same.
        self._execute(
            "INSERT INTO removals (undo_id, at, actor, kind, lane, count, has_ended) VALUES (?, ?, ?, ?, ?, 1, 0) "
            "ON CONFLICT DO UPDATE SET "
            "at = CASE WHEN has_ended THEN at ELSE excluded.at END, "
            "lane = CASE WHEN has_ended OR lane = excluded.lane THEN lane ELSE '' END, "
            "count = count + (1 - has_ended)",
            (step.undo_id, step.at, step.actor, step.kind, step.lane),
        )

    @take.register
    def _put_back(self, step: PutBack) -> None:
        self._execute("UPDATE taken_out SET is_restored = 1 WHERE undo_id = ? AND message = ? AND generation = ?", step)

    @take.register
    def _ended(self, step: RemovalEnded) -> None:
        self._execute(
            "INSERT INTO removals (undo_id, at, actor, kind, lane, count, has_ended) VALUES (?, ?, ?, ?, ?, ?, 1) "
            "ON CONFLICT DO UPDATE SET at = excluded.at, "
            "actor = excluded.actor, kind = excluded.kind, lane = excluded.lane, count = excluded.count, has_ended = 1",
            step,
        )

    @take.register
    def _undone(self, step: RemovalUndone) -> None:
        self._execute(
            "UPDATE removals SET undone_at = ?, undone_by = ? WHERE undo_id = ? AND undone_at IS NULL",
            (step.at, step.actor, step.undo_id),
        )

    @take.register
    def _emptied(self, step: LaneEmptied) -> None:
        self._enter_lane(step.lane, step.at)
        waits = "lane = ? AND state = 'waiting'"
        self._execute(
            "INSERT OR IGNORE INTO taken_out (undo_id, seq, message, generation, queue, kind, is_restored) "  # noqa: S608
            "SELECT ?, ?, id, generation, '', 'clear', 0 FROM messages "
            f"WHERE {waits}",
            (step.undo_id, step.seq, step.lane),
        )
        count = self._execute(
            "UPDATE messages SET state = 'cleared', presumed = 1, due_at = NULL, undo_id = ?, changed_at = ? "  # noqa: S608
            f"WHERE {waits}",
            (step.undo_id, step.at, step.lane),
        ).rowcount
        self.count([(step.lane, "waiting", -count), (step.lane, "cleared", count)])
        self._execute(
            _ADD_MINUTE,
            {"minute": int(step.at // 60), "lane": step.lane, **_values(Minute(opened=-count))},
        )

    def _enter_lane(self, lane: str, at: float) -> None:
        """What the delay ladder had let go by then waited in the lane."""
        for state in ("retrying", "scheduled"):
            count = self._execute(
                "UPDATE messages SET state = 'waiting', hold_reason = NULL, hold_until = NULL, hold_rule = NULL "
                "WHERE lane = ? AND state = ? AND due_at <= ? "
                "AND state IN ('retrying', 'scheduled')",
                (lane, state, at),
            ).rowcount
            self.count([(lane, state, -count), (lane, "waiting", count)])

    @take.register
    def _session(self, step: SessionTold) -> None:
        self._execute(_TELL_SESSION, step)

    @take.register
    def _job(self, step: JobTold) -> None:
        if step.name == EventName.JOB_CANCELLING:
            self._execute("UPDATE jobs SET cancelling = 1 WHERE job_id = ?", (step.job_id,))
            return
        details = step.details
        options = details.get("options")
        self._execute(
            _TELL_JOB,
            {
                "job_id": step.job_id,
                "state": _job_state(step),
                "actor": step.actor,
                "started_at": step.at,
                "changed_at": step.at,
                **{name: bounded(details.get(name)) for name in _COUNTS},
                "detail": _string(details.get("detail")),
                "cancelling": 0,
                "options": plain_json(options) if isinstance(options, dict) else "{}",
            },
        )


def _job_state(step: JobTold) -> str:
    return _string(step.details.get("state")) or ("done" if step.name == EventName.JOB_FINISHED else "running")


def _string(value: object) -> str:
    return short(value, LONGEST_DETAIL) if isinstance(value, str) else ""


def _delivered(one: Delivered) -> dict[str, object]:
    return {
        "handed_over": one.handed_over,
        "delivered": one.delivered,
        "read": one.read,
        "failed": one.failed,
        "count": one.wait.count,
        "seconds": one.wait.seconds,
        "bins": wait_histogram.pack(one.wait.histogram),
    }


def _values(one: Minute | Ends) -> dict[str, int]:
    """Its figures by name; `asdict` takes ten times as long."""
    return {name: getattr(one, name) for name in one.__slots__}
