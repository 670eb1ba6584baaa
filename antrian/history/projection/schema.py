"""The tables of the history. The file is a cache: a file of another version is not migrated but made again."""

import sqlite3

#: Grows with every change of what is below, or of what the projection means by it.
VERSION = 2

#: Pages that a connection keeps in memory, in KiB; the operating system keeps the others.
_WRITER_CACHE, _READER_CACHE = 16_000, 4_000

#: Pages of the write-ahead log after which it is folded into the file: each time the disk is waited for.
_LOG_PAGES = 8_000

_TABLES = """
CREATE TABLE position (
    journal INTEGER NOT NULL, offset INTEGER NOT NULL, at REAL, checked_at REAL, entries INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, clock REAL NOT NULL, next_id INTEGER NOT NULL, is_indexed INTEGER NOT NULL
);
INSERT INTO position VALUES (0, -1, NULL, NULL, 0, '', 0, 1, 0);

CREATE TABLE gaps (id INTEGER PRIMARY KEY, sentence TEXT NOT NULL);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, lane TEXT NOT NULL, state TEXT NOT NULL,
    priority INTEGER NOT NULL, rank INTEGER GENERATED ALWAYS AS (min(priority, 10)) VIRTUAL,
    queued_at REAL, born_at REAL NOT NULL, entered_at REAL NOT NULL, entered_seq INTEGER NOT NULL, due_at REAL,
    generation INTEGER NOT NULL, attempt INTEGER NOT NULL, provider_id TEXT,
    failure_class TEXT, code TEXT, detail TEXT, sent_at REAL, changed_at REAL NOT NULL,
    copied_to TEXT, undo_id TEXT, presumed INTEGER NOT NULL, is_known INTEGER NOT NULL,
    cancelling INTEGER NOT NULL, failed_at REAL,
    failed_as TEXT,
    phone_number TEXT, source TEXT, idempotency_key TEXT, metadata TEXT, expires_at REAL, text TEXT
);
CREATE UNIQUE INDEX messages_by_id ON messages (message_id);
CREATE INDEX messages_by_copy ON messages (copied_to) WHERE copied_to IS NOT NULL;
CREATE INDEX messages_waiting ON messages (lane, rank DESC, entered_at, entered_seq) WHERE state = 'waiting';
CREATE INDEX messages_delayed ON messages (due_at, lane, state) WHERE state IN ('retrying', 'scheduled');
CREATE INDEX messages_pending ON messages (state, born_at, id, source, lane, idempotency_key, priority, due_at)
    WHERE state IN ('waiting', 'retrying', 'scheduled');
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = 'messages', content_rowid = 'id', detail = none, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY, message INTEGER, is_activity INTEGER NOT NULL, name TEXT NOT NULL, at REAL NOT NULL,
    body BLOB
);

CREATE TABLE dead (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL, generation INTEGER NOT NULL, is_live INTEGER NOT NULL,
    lane TEXT NOT NULL, priority INTEGER NOT NULL, source TEXT NOT NULL, died_at REAL NOT NULL,
    failure_class TEXT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL, attempts INTEGER NOT NULL,
    phone_number TEXT NOT NULL, text TEXT NOT NULL, problem TEXT NOT NULL, note TEXT NOT NULL,
    body BLOB NOT NULL, headers TEXT NOT NULL
);
CREATE UNIQUE INDEX dead_by_message ON dead (message, generation);
CREATE INDEX dead_by_time ON dead (died_at) WHERE is_live;
CREATE INDEX dead_by_cause ON dead (failure_class, code, detail, died_at) WHERE is_live;
CREATE INDEX dead_by_code ON dead (code, died_at) WHERE is_live;
CREATE INDEX dead_by_lane ON dead (lane, died_at) WHERE is_live;
CREATE INDEX dead_by_source ON dead (source, died_at) WHERE is_live;
CREATE INDEX dead_by_number ON dead (phone_number, died_at) WHERE is_live;

CREATE TABLE tallies (
    lane TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (lane, state)
) WITHOUT ROWID;

CREATE TABLE minutes (
    minute INTEGER NOT NULL, lane TEXT NOT NULL, queued INTEGER NOT NULL, sent INTEGER NOT NULL,
    failed INTEGER NOT NULL, dead INTEGER NOT NULL, opened INTEGER NOT NULL, peak INTEGER NOT NULL,
    PRIMARY KEY (minute, lane)
) WITHOUT ROWID;

CREATE TABLE waits (
    minute INTEGER NOT NULL, lane TEXT NOT NULL, priority TEXT NOT NULL, count INTEGER NOT NULL,
    seconds REAL NOT NULL, bins BLOB NOT NULL, PRIMARY KEY (minute, lane, priority)
) WITHOUT ROWID;

CREATE TABLE quarter_waits (
    quarter INTEGER NOT NULL, lane TEXT NOT NULL, priority TEXT NOT NULL, count INTEGER NOT NULL,
    seconds REAL NOT NULL, bins BLOB NOT NULL, PRIMARY KEY (quarter, lane, priority)
) WITHOUT ROWID;

CREATE TABLE quarters (
    quarter INTEGER NOT NULL, lane TEXT NOT NULL, source TEXT NOT NULL, sent INTEGER NOT NULL,
    failed INTEGER NOT NULL, PRIMARY KEY (quarter, lane, source)
) WITHOUT ROWID;

CREATE TABLE causes (
    quarter INTEGER NOT NULL, lane TEXT NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (quarter, lane, cause)
) WITHOUT ROWID;

CREATE TABLE removals (
    undo_id TEXT PRIMARY KEY, at REAL NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, lane TEXT NOT NULL,
    count INTEGER NOT NULL, has_ended INTEGER NOT NULL, undone_at REAL, undone_by TEXT
);
CREATE INDEX removals_by_time ON removals (at);

CREATE TABLE taken_out (
    undo_id TEXT NOT NULL, seq INTEGER NOT NULL, message INTEGER NOT NULL, generation INTEGER NOT NULL,
    queue TEXT NOT NULL, due_at REAL, kind TEXT NOT NULL, letter TEXT, is_restored INTEGER NOT NULL,
    PRIMARY KEY (undo_id, seq, message)
) WITHOUT ROWID;
CREATE INDEX taken_out_by_message ON taken_out (message);

CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY, state TEXT NOT NULL, actor TEXT NOT NULL, started_at REAL NOT NULL,
    changed_at REAL NOT NULL, selected INTEGER NOT NULL, done INTEGER NOT NULL, refused INTEGER NOT NULL,
    unreadable INTEGER NOT NULL, failed_again INTEGER NOT NULL, detail TEXT NOT NULL, cancelling INTEGER NOT NULL,
    options TEXT NOT NULL
);
CREATE INDEX jobs_by_time ON jobs (started_at);
"""

#: Made when the history has caught up for the first time: to keep them while millions of messages are read takes more
#: time than all the rest, because numbers and keys come in no order.
_INDEXES = """
CREATE INDEX messages_by_time ON messages (born_at);
CREATE INDEX messages_by_state ON messages (state, born_at);
CREATE INDEX messages_by_source ON messages (source, born_at);
CREATE INDEX messages_by_lane ON messages (lane, born_at);
CREATE INDEX messages_by_number ON messages (phone_number, born_at);
CREATE INDEX messages_by_key ON messages (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX messages_by_provider_id ON messages (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX events_by_message ON events (message, seq) WHERE message IS NOT NULL;
CREATE INDEX events_of_activity ON events (seq) WHERE is_activity;
"""


def create(connection: sqlite3.Connection) -> None:
    """Make all tables in an empty file."""
    connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT")


def make_indexes(connection: sqlite3.Connection) -> None:
    """Make the indexes that a growing history does without; inside a transaction."""
    for statement in _INDEXES.strip().split(";\n"):
        connection.execute(statement)
    connection.execute("UPDATE position SET is_indexed = 1")


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the file has exactly these tables."""
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == VERSION)


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
