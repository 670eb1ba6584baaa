"""The tables of the history.

A file that an earlier program made gets the columns, tables and indexes that came later, empty, from whichever program
opens it first; the earlier program can go on with it. A file of another `VERSION` is not migrated but made again from
the journal.
"""

import sqlite3

from antrian.history.projection.columns import DEAD, EVENTS, JOBS, MESSAGES, PARKED, REMOVALS, SESSIONS, TAKEN_OUT
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

#: Grows with every change that an earlier program could not live with: of tables, or of what the projection means by
#: them. A column of `messages` that may be empty is none, nor is a table that an earlier program does not look at.
VERSION = 2

#: Pages that a connection keeps in memory, in KiB; the operating system keeps the others.
_WRITER_CACHE, _READER_CACHE = 16_000, 4_000

#: Pages of the write-ahead log after which it is folded into the file: each time the disk is waited for.
_LOG_PAGES = 8_000

_TABLES = f"""
CREATE TABLE position (
    journal INTEGER NOT NULL, offset INTEGER NOT NULL, at REAL, checked_at REAL, entries INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, clock REAL NOT NULL, next_id INTEGER NOT NULL, is_indexed INTEGER NOT NULL
);
INSERT INTO position VALUES (0, -1, NULL, NULL, 0, '', 0, 1, 0);

CREATE TABLE gaps (id INTEGER PRIMARY KEY, sentence TEXT NOT NULL);

{MESSAGES.create()};
CREATE UNIQUE INDEX messages_by_id ON messages (message_id);
CREATE INDEX messages_by_copy ON messages (copied_to) WHERE copied_to IS NOT NULL;
CREATE INDEX messages_waiting ON messages (lane, rank DESC, entered_at, entered_seq) WHERE state = 'waiting';
CREATE INDEX messages_delayed ON messages (due_at, lane, state) WHERE state IN ('retrying', 'scheduled');
CREATE INDEX messages_pending ON messages (state, born_at, id, source, lane, idempotency_key, priority, due_at)
    WHERE state IN ('waiting', 'retrying', 'scheduled');
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = 'messages', content_rowid = 'id', detail = none, tokenize = 'unicode61 remove_diacritics 2'
);

{EVENTS.create()};

{DEAD.create()};
CREATE UNIQUE INDEX dead_by_message ON dead (message, generation);
CREATE INDEX dead_by_time ON dead (died_at) WHERE is_live;
CREATE INDEX dead_by_cause ON dead (failure_class, code, detail, died_at) WHERE is_live;
CREATE INDEX dead_by_code ON dead (code, died_at) WHERE is_live;
CREATE INDEX dead_by_lane ON dead (lane, died_at) WHERE is_live;
CREATE INDEX dead_by_source ON dead (source, died_at) WHERE is_live;
CREATE INDEX dead_by_number ON dead (phone_number, died_at) WHERE is_live;

{TALLIES.create()};
{MINUTES.create()};
{WAITS.create()};
{QUARTER_WAITS.create()};
{QUARTERS.create()};
{CAUSES.create()};

{REMOVALS.create()};
CREATE INDEX removals_by_time ON removals (at);

{TAKEN_OUT.create()};
CREATE INDEX taken_out_by_message ON taken_out (message);

{JOBS.create()};
CREATE INDEX jobs_by_time ON jobs (started_at);
"""  # noqa: S608 (constants)

#: What came later than `VERSION`, by name. What is held is filed as scheduled, with a reason.
_LATER = {
    "messages_held": "CREATE INDEX messages_held "
    "ON messages (lane, hold_reason, due_at, hold_rule, hold_until, born_at) "
    "WHERE state = 'scheduled' AND hold_reason IS NOT NULL",
    "messages_timed": "CREATE INDEX messages_timed ON messages (lane, due_at) "
    "WHERE state = 'scheduled' AND hold_reason IS NULL",
    HOLDS.name: HOLDS.create(),
    OPT_OUTS.name: OPT_OUTS.create(),
    DELIVERIES.name: DELIVERIES.create(),
    PARKED.name: PARKED.create(),
    SESSIONS.name: SESSIONS.create(),
    # Receipts name messages by these, while the history is still being read, too.
    "messages_by_provider_id": "CREATE INDEX messages_by_provider_id ON messages (provider_id) "
    "WHERE provider_id IS NOT NULL",
    "messages_by_attempt_id": "CREATE INDEX messages_by_attempt_id ON messages (attempt_id) "
    "WHERE attempt_id IS NOT NULL",
}

#: What an earlier program tells of deliveries.
_HAND_OVER = "UPDATE messages SET delivery = 'handed_over' WHERE state = 'sent'"

#: The same, of what is made only when the history has caught up.
_LATER_INDEXES = {
    "messages_by_delivery": "CREATE INDEX messages_by_delivery ON messages (delivery, born_at) "
    "WHERE delivery IS NOT NULL",
    "messages_unanswered": "CREATE INDEX messages_unanswered ON messages (lane, sent_at) "
    "WHERE delivery = 'handed_over'",
}

#: Made when the history has caught up for the first time: to keep them while millions of messages are read takes more
#: time than all the rest, because numbers and keys come in no order.
_INDEXES = """
CREATE INDEX messages_by_time ON messages (born_at);
CREATE INDEX messages_by_state ON messages (state, born_at);
CREATE INDEX messages_by_source ON messages (source, born_at);
CREATE INDEX messages_by_lane ON messages (lane, born_at);
CREATE INDEX messages_by_number ON messages (phone_number, born_at);
CREATE INDEX messages_by_key ON messages (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX events_by_message ON events (message, seq) WHERE message IS NOT NULL;
CREATE INDEX events_of_activity ON events (seq) WHERE is_activity;
"""


def create(connection: sqlite3.Connection) -> None:
    """Make all tables in an empty file."""
    later = "; ".join(_LATER.values())
    connection.executescript(f"BEGIN; {_TABLES} {later}; PRAGMA user_version = {VERSION}; COMMIT")


def make_indexes(connection: sqlite3.Connection) -> None:
    """Make the indexes that a growing history does without; inside a transaction."""
    for statement in (*_INDEXES.strip().split(";\n"), *_LATER_INDEXES.values()):
        connection.execute(statement)
    connection.execute("UPDATE position SET is_indexed = 1")


def is_usable(connection: sqlite3.Connection) -> bool:
    """Whether the file has these tables; what it does not have yet is added.

    Raises:
        sqlite3.Error: they cannot be added.
    """
    if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        return False
    if any(_missing(connection)):
        connection.execute("BEGIN IMMEDIATE")
        # Another program may just have done it.
        for statement in _missing(connection):
            connection.execute(statement)
        connection.execute("COMMIT")
    return True


def _missing(connection: sqlite3.Connection) -> list[str]:
    """The statements that make what came later."""
    columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (MESSAGES.name,))}
    things = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    added = (f"{name} {kind}" for name, kind in MESSAGES.columns.items() if name not in columns)
    (is_indexed,) = connection.execute("SELECT is_indexed FROM position").fetchone()
    later = _LATER | (_LATER_INDEXES if is_indexed else {})
    return [
        *(f"ALTER TABLE {MESSAGES.name} ADD COLUMN {column}" for column in added),
        *([_HAND_OVER] if "delivery" not in columns else []),
        *(statement for name, statement in later.items() if name not in things),
    ]


def prepare_writer(connection: sqlite3.Connection) -> None:
    """Settings of the connection that writes."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")


def prepare_reader(connection: sqlite3.Connection) -> None:
    """Settings of a connection that only reads."""
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{_READER_CACHE}")
