"""The facts in SQLite: written in batches, looked up by person; put together as `antrian.contacts.facts` does it.

The file is compact because there may be millions of contacts: a phone number is one integer, a sender another, and a
fact that there is none of takes no room.
"""

import sqlite3
from collections.abc import Sequence, Sized
from pathlib import Path
from typing import Any

from antrian.contacts.facts import (
    NOTHING,
    SLOT_OF_CANCELLED,
    SLOT_OF_SENT,
    ContactFacts,
    Facts,
    LinkedIdentity,
    Millis,
    OptWord,
    SenderFacts,
    SlotWord,
    Zone,
)
from antrian.contacts.identity import PersonKey

#: Raised by one when the tables or what they mean change: a file of another version is made again.
VERSION = 2

#: Seconds to wait for somebody who looks into the file with another program; a send may wait meanwhile.
_PATIENCE = 1.0

#: Kilobytes of pages that are kept in memory: enough for the inner pages of a million contacts.
_CACHE = 16_000

_SCHEMA = """
CREATE TABLE place (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, latest TEXT NOT NULL);
INSERT INTO place VALUES (1, 0, '');
CREATE TABLE senders (
    id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE,
    cold_first INTEGER, refused INTEGER, held_until INTEGER, released INTEGER
);
CREATE TABLE contacts (
    person NOT NULL, sender INTEGER NOT NULL,
    known_first INTEGER, known_last INTEGER, sent_first INTEGER, sent_last INTEGER, refused INTEGER, wrote_last INTEGER,
    PRIMARY KEY (person, sender)
) WITHOUT ROWID;
CREATE TABLE zones (person PRIMARY KEY NOT NULL, at INTEGER NOT NULL, zone TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE links (
    identity TEXT PRIMARY KEY, at INTEGER NOT NULL, phone INTEGER NOT NULL, kind TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX links_by_phone ON links (phone);
CREATE TABLE opt_words (
    person NOT NULL, purpose TEXT NOT NULL, at INTEGER NOT NULL, is_out INTEGER NOT NULL,
    recipient TEXT NOT NULL, by TEXT NOT NULL, words TEXT NOT NULL, channel TEXT NOT NULL,
    PRIMARY KEY (person, purpose, is_out)
) WITHOUT ROWID;
CREATE TABLE slots (
    lane TEXT NOT NULL, message_id TEXT NOT NULL, at INTEGER NOT NULL, day TEXT NOT NULL,
    PRIMARY KEY (lane, message_id)
) WITHOUT ROWID;
CREATE INDEX opt_words_by_time ON opt_words (at, person, purpose) WHERE is_out;
"""

_PICKS = {
    "known_first": "min",
    "known_last": "max",
    "sent_first": "min",
    "sent_last": "max",
    "refused": "max",
    "wrote_last": "max",
}
_PICK = "{0} = {1}(ifnull({0}, excluded.{0}), ifnull(excluded.{0}, {0}))"
_PUT_TOGETHER = ", ".join(_PICK.format(name, pick) for name, pick in _PICKS.items())
_ADD_CONTACT = f"INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET {_PUT_TOGETHER}"  # noqa: S608

#: Opt-outs that nothing later takes back, and that are not part of a later one of all purposes.
_COUNTS = (
    "is_out AND NOT EXISTS (SELECT 1 FROM opt_words AS later WHERE later.person = told.person AND "
    "iif(later.is_out, later.purpose = 'all' AND told.purpose <> 'all' AND later.at >= told.at, "
    "later.purpose IN (told.purpose, 'all') AND later.at > told.at))"
)
_COUNT_OPTED_OUT = f"SELECT count(*) FROM opt_words AS told WHERE {_COUNTS}"  # noqa: S608
_OPTED_OUT = f"""
SELECT person, purpose, at, is_out, recipient, by, words, channel FROM opt_words AS told
WHERE {_COUNTS} AND (at, person, purpose) < (?, ?, ?) ORDER BY at DESC, person DESC, purpose DESC LIMIT ?
"""  # noqa: S608

#: Later than any row.
_NOW_OR_LATER = ((1 << 63) - 1, "", "")


class Store:
    """One file, or a memory, of facts; of one thread at a time.

    Args:
        connection: to an empty database, or to one that `is_ours`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._sender_ids: dict[str, int] = dict(connection.execute("SELECT sender, id FROM senders"))
        # Asked for with every message. Each statement gives other threads a chance to run, and waits until they have.
        self._senders = self.senders()
        self._has_rows = {name: self._is_there(name) for name in ("zones", "links", "opt_words", "slots")}

    def _is_there(self, table: str) -> bool:
        return self._connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None  # noqa: S608

    def place(self) -> tuple[int, str]:
        """The offset of the entry that comes next, and the event before it, as JSON."""
        position, latest = self._connection.execute("SELECT position, latest FROM place").fetchone()
        return int(position), str(latest)

    def write(self, facts: Facts, position: int, latest: str) -> None:
        """Add facts and the place up to which the stream was read, all or nothing.

        Raises:
            sqlite3.Error: nothing was written.
        """
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        try:
            self._write_senders(facts)
            self._write_contacts(facts)
            self._write_others(facts)
            run.execute("UPDATE place SET position = ?, latest = ?", (position, latest))
            run.execute("COMMIT")
            self._senders = self.senders()
            self._has_rows |= {name: True for name, told in _optional(facts) if told}
        except sqlite3.Error:
            # SQLite may have rolled back already, and a full disk fails that, too.
            if run.in_transaction:
                run.execute("ROLLBACK")
            raise

    def _write_senders(self, facts: Facts) -> None:
        names = {*facts.senders, *(sender for sender, _ in facts.contacts)}
        for sender in sorted(names - self._sender_ids.keys()):
            self._connection.execute("INSERT INTO senders (sender) VALUES (?)", (sender,))
        rows = []
        for sender, told in facts.senders.items():
            both = told.and_also(self.sender(sender))
            rows.append((*both, sender))
        self._connection.executemany(
            "UPDATE senders SET cold_first = ?, refused = ?, held_until = ?, released = ? WHERE sender = ?", rows
        )
        if not names <= self._sender_ids.keys():
            self._sender_ids = dict(self._connection.execute("SELECT sender, id FROM senders"))

    def _write_contacts(self, facts: Facts) -> None:
        ids = self._sender_ids
        rows = [(person, ids[sender], *one) for (sender, person), one in facts.contacts.items()]
        # In the order of the table, so that neighbours are written together.
        rows.sort(key=lambda row: (isinstance(row[0], str), row[0], row[1]))
        self._connection.executemany(_ADD_CONTACT, rows)

    def _write_others(self, facts: Facts) -> None:
        run = self._connection
        run.executemany(
            "INSERT INTO zones VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, zone = excluded.zone "
            "WHERE (excluded.at, excluded.zone) > (at, zone)",
            [(person, *zone) for person, zone in facts.zones.items()],
        )
        run.executemany(
            "INSERT INTO links VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, "
            "phone = excluded.phone, kind = excluded.kind WHERE (excluded.at, excluded.phone, excluded.kind) "
            "> (at, phone, kind)",
            [(identity, *link) for identity, link in facts.links.items()],
        )
        run.executemany(
            "INSERT INTO slots VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, day = excluded.day "
            "WHERE (excluded.at, excluded.day) > (at, day)",
            [(*key, *slot) for key, slot in facts.slots.items()],
        )
        columns = ("at", "is_out", "recipient", "by", "words", "channel")
        run.executemany(
            f"INSERT INTO opt_words (person, purpose, {', '.join(columns)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
            f"ON CONFLICT DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)} "
            f"WHERE ({', '.join(f'excluded.{name}' for name in columns)}) > ({', '.join(columns)})",
            [(person, purpose, *word) for (person, purpose, _), word in facts.opt_words.items()],
        )

    def sender(self, sender: str) -> SenderFacts:
        """What is known of a sender."""
        return self._senders.get(sender) or SenderFacts()

    def senders(self) -> dict[str, SenderFacts]:
        """All senders that anything is known of."""
        rows = self._connection.execute("SELECT sender, cold_first, refused, held_until, released FROM senders")
        return {sender: SenderFacts(*facts) for sender, *facts in rows}

    def contact(self, sender: str, person: PersonKey) -> ContactFacts:
        """What a sender knows of a person."""
        number = self._sender_ids.get(sender)
        row = (
            number is not None
            and self._connection.execute(
                "SELECT known_first, known_last, sent_first, sent_last, refused, wrote_last FROM contacts "
                "WHERE person = ? AND sender = ?",
                (person, number),
            ).fetchone()
        )
        return ContactFacts(*row) if row else NOTHING

    def contacts_of(self, person: PersonKey) -> dict[str, ContactFacts]:
        """What each sender knows of a person."""
        rows = self._connection.execute(
            "SELECT senders.sender, known_first, known_last, sent_first, sent_last, contacts.refused, wrote_last "
            "FROM contacts JOIN senders ON senders.id = contacts.sender WHERE person = ?",
            (person,),
        )
        return {sender: ContactFacts(*facts) for sender, *facts in rows}

    def zone(self, person: PersonKey) -> Zone | None:
        """A person's time zone."""
        if not self._has_rows["zones"]:
            return None
        row = self._connection.execute("SELECT at, zone FROM zones WHERE person = ?", (person,)).fetchone()
        return Zone(*row) if row else None

    def opt_words(self, person: PersonKey) -> list[tuple[str, OptWord]]:
        """A person's words with their purposes."""
        if not self._has_rows["opt_words"]:
            return []
        rows = self._connection.execute(
            "SELECT purpose, at, is_out, recipient, by, words, channel FROM opt_words WHERE person = ?", (person,)
        )
        return [(purpose, OptWord(at, bool(is_out), *others)) for purpose, at, is_out, *others in rows]

    def link(self, identity: str) -> LinkedIdentity | None:
        """Whose identity it is."""
        if not self._has_rows["links"]:
            return None
        row = self._connection.execute("SELECT at, phone, kind FROM links WHERE identity = ?", (identity,)).fetchone()
        return LinkedIdentity(*row) if row else None

    def links_to(self, phone: int) -> dict[str, LinkedIdentity]:
        """The identities of a phone number."""
        if not self._has_rows["links"]:
            return {}
        rows = self._connection.execute("SELECT identity, at, phone, kind FROM links WHERE phone = ?", (phone,))
        return {identity: LinkedIdentity(*link) for identity, *link in rows}

    def slot(self, lane: str, message_id: str) -> SlotWord | None:
        """Which day a message was given."""
        if not self._has_rows["slots"]:
            return None
        row = self._connection.execute(
            "SELECT at, day FROM slots WHERE lane = ? AND message_id = ?", (lane, message_id)
        ).fetchone()
        return SlotWord(*row) if row else None

    def slots_of(self, lane: str) -> dict[str, SlotWord]:
        """What was last said of the days of a lane's messages that are not sent, by their ids."""
        rows = self._connection.execute(
            "SELECT message_id, at, day FROM slots WHERE lane = ? AND day NOT IN (?, ?)",
            (lane, SLOT_OF_SENT, SLOT_OF_CANCELLED),
        )
        return {message_id: SlotWord(*slot) for message_id, *slot in rows}

    def forget_slots(self, before: Millis) -> None:
        """Forget the messages that had no day any more at that time: what told of them does not come again."""
        self._connection.execute("DELETE FROM slots WHERE day = '' AND at < ?", (before,))

    def opted_out(self, before: Sequence[Any] | None, limit: int) -> list[tuple[PersonKey, str, OptWord]]:
        """Persons and purposes of which the person, by this identity, wants no messages; newest first.

        Args:
            before: time, person and purpose of the last row of the page before.
            limit: rows at most.
        """
        rows = self._connection.execute(_OPTED_OUT, (*(before or _NOW_OR_LATER), limit))
        return [(person, purpose, OptWord(at, bool(is_out), *others)) for person, purpose, at, is_out, *others in rows]

    def count_opted_out(self) -> int:
        """How many such rows there are."""
        (count,) = self._connection.execute(_COUNT_OPTED_OUT).fetchone()
        return int(count)

    def count_contacts(self) -> int:
        """How many pairs of sender and person are known."""
        (count,) = self._connection.execute("SELECT count(*) FROM contacts").fetchone()
        return int(count)

    def copy(self) -> sqlite3.Connection:
        """All of it in memory.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        memory = open_memory()
        self._connection.backup(memory)
        return memory

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()


def _optional(facts: Facts) -> list[tuple[str, Sized]]:
    """The tables that may well be empty, and what is written into each."""
    optional: list[tuple[str, Sized]] = [("zones", facts.zones), ("links", facts.links)]
    return [*optional, ("opt_words", facts.opt_words), ("slots", facts.slots)]


def open_memory() -> sqlite3.Connection:
    """An empty database that lives as long as its connection."""
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def open_file(path: Path) -> sqlite3.Connection:
    """The database in a file, which is made when there is none.

    Raises:
        sqlite3.Error: it is none, or cannot be written.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)
    try:
        # Written often and read back after a crash of the process; what a power cut takes from its end is read again.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in {0, VERSION}:
            raise sqlite3.DatabaseError("it is of another version")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
