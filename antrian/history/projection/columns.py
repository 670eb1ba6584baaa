"""The columns of the history's tables, each written once; what creates, fills and reads a table is made from them.

A field of the message's body is one line of `CONTENTS`. A column that is added to `messages` must do without a value:
a file that was made before gets it empty (see `antrian.history.projection.schema`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import Any

from antrian.domain.message import MessageBody
from antrian.history.journal.entry import json_table, plain_json, short
from antrian.history.records import DeadRecord, Job, MessageRecord, SenderSession
from antrian.history.removal import Removal


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file.

    Attributes:
        name: of the table.
        columns: type and constraints by name.
        computed: columns that SQLite fills.
        more: what else is in the statement that makes it.
        ending: what follows it.
    """

    name: str
    columns: dict[str, str]
    computed: dict[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    ending: str = ""

    def create(self) -> str:
        """The statement that makes it."""
        columns = [f"{name} {kind}" for name, kind in (self.columns | self.computed).items()]
        return f"CREATE TABLE {self.name} ({', '.join((*columns, *self.more))}){self.ending}"

    def insert(self, names: Sequence[str] = ()) -> str:
        """The statement that adds a row, with its values in the order of these names, or of the columns."""
        return self._insert(names or tuple(self.columns), "?")

    def insert_named(self) -> str:
        """The statement that adds a row, with its values by name."""
        return self._insert(tuple(self.columns), ":{}")

    def update(self, names: Iterable[str]) -> str:
        """The statement that changes some columns of a row, with its values in their order, and then its id."""
        return f"UPDATE {self.name} SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?"  # noqa: S608 (constants)

    def add(self, sums: Iterable[str], **expressions: str) -> str:
        """The statement that adds to a row, or makes it, with its values by name.

        Args:
            sums: columns that grow by their values.
            expressions: what becomes of other columns; `excluded.` is before the new value.
        """
        changes = {name: f"{name} + excluded.{name}" for name in sums} | expressions
        assignments = ", ".join(f"{name} = {value}" for name, value in changes.items())
        return f"{self.insert_named()} ON CONFLICT DO UPDATE SET {assignments}"

    def _insert(self, names: Sequence[str], place: str) -> str:
        places = ", ".join(place.format(name) for name in names)
        return f"INSERT INTO {self.name} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 (constants)


class SelectList:
    """What a SELECT asks for, and its rows by name.

    Args:
        expressions: SQL by the name that the value gets.
    """

    def __init__(self, expressions: Mapping[str, str]) -> None:
        self.expressions = dict(expressions)
        self.names = tuple(expressions)
        self.sql = ", ".join(f"{expression} AS {name}" for name, expression in expressions.items())

    @classmethod
    def of(cls, table: str, names: Iterable[str], **expressions: str) -> "SelectList":
        """Columns of a table, of which some may be computed or come from another one."""
        return cls({name: expressions.get(name, f"{table}.{name}") for name in (*names, *expressions)})

    def named(self, row: Sequence[Any]) -> dict[str, Any]:
        """One row."""
        return dict(zip(self.names, row, strict=True))

    def beside(self, other: "SelectList", prefix: str) -> "SelectList":
        """Both at once, with a prefix to the other's names; see `without`."""
        return SelectList(
            self.expressions | {f"{prefix}{name}": expression for name, expression in other.expressions.items()}
        )


def without(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with this prefix, by the names behind it."""
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


# What a message says


@dataclass(frozen=True, slots=True)
class Content:
    """A column that holds what a message's body says; `MessageRecord` has an attribute of that name.

    Attributes:
        name: of the column.
        body_field: where the body has it.
        kind: SQLite's type.
        write: makes the file's value of the body's.
        read: makes the record's value of the file's.
        restore: makes the body's value of the record's.
        missing: the value while nothing is known.
    """

    name: str
    body_field: str
    kind: str = "TEXT"
    write: Callable[[Any], object] | None = None
    read: Callable[[Any], object] | None = None
    restore: Callable[[Any], object] | None = None
    missing: str | None = None


def _moment(name: str) -> Content:
    return Content(name, name, "REAL", write=datetime.timestamp, restore=lambda at: datetime.fromtimestamp(at, UTC))


#: What the history keeps of a body. `version` is not among it: a body is written in the lowest version that it needs.
#: Nor is `lane`: a message in the queue of another lane than it names is not readable.
CONTENTS = (
    Content("phone_number", "phone_number", missing=""),
    Content("source", "source", write=short, missing=""),
    Content("idempotency_key", "idempotency_key"),
    Content("metadata", "metadata", write=plain_json, read=json_table),
    _moment("expires_at"),
    Content("text", "message", write=lambda text: short(text, len(text)), missing=""),
    Content("purpose", "purpose"),
    _moment("deliver_at"),
    Content("correlation_id", "correlation_id"),
)

_WRITERS = tuple((one.name, one.write) for one in CONTENTS)
_body_values = attrgetter(*(one.body_field for one in CONTENTS))
_contents = itemgetter(*(one.name for one in CONTENTS))

#: What the columns hold while nothing is known of a message but its id.
UNKNOWN: Mapping[str, object] = {one.name: one.missing for one in CONTENTS}


def contents_of(body: MessageBody) -> dict[str, object]:
    """What the history keeps of a body, by column."""
    return {
        name: value if write is None or value is None else write(value)
        for (name, write), value in zip(_WRITERS, _body_values(body), strict=True)
    }


def recorded(contents: Mapping[str, Any]) -> dict[str, Any]:
    """The columns' values as a `MessageRecord` has them."""
    known: dict[str, Any] = {}
    for one in CONTENTS:
        value = contents[one.name]
        known[one.name] = one.missing if value is None else one.read(value) if one.read else value
    return known


def body_fields(record: MessageRecord) -> dict[str, Any]:
    """The fields of the body that a record tells of."""
    known = ((one, getattr(record, one.name)) for one in CONTENTS)
    return {
        one.body_field: value if value is None or one.restore is None else one.restore(value) for one, value in known
    }


# The tables

#: What the history keeps of a message's way; `MessageRow` has attributes of these names.
_WAY = {
    "id": "INTEGER PRIMARY KEY",
    "message_id": "TEXT NOT NULL",
    "lane": "TEXT NOT NULL",
    "state": "TEXT NOT NULL",
    "priority": "INTEGER NOT NULL",
    "queued_at": "REAL",
    "born_at": "REAL NOT NULL",
    "entered_at": "REAL NOT NULL",
    "entered_seq": "INTEGER NOT NULL",
    "due_at": "REAL",
    "hold_reason": "TEXT",
    "hold_until": "REAL",
    "hold_rule": "TEXT",
    "generation": "INTEGER NOT NULL",
    "attempt": "INTEGER NOT NULL",
    "provider_id": "TEXT",
    "failure_class": "TEXT",
    "code": "TEXT",
    "detail": "TEXT",
    "sent_at": "REAL",
    "changed_at": "REAL NOT NULL",
    "copied_to": "TEXT",
    "undo_id": "TEXT",
    "presumed": "INTEGER NOT NULL",
    "is_known": "INTEGER NOT NULL",
    "cancelling": "INTEGER NOT NULL",
    "failed_at": "REAL",
    "failed_as": "TEXT",
    "taken_back": "INTEGER",
    "delivery": "TEXT",
    "delivered_at": "REAL",
    "read_at": "REAL",
    "undelivered_at": "REAL",
    "delivery_class": "TEXT",
    "delivery_code": "TEXT",
    "delivery_detail": "TEXT",
    "provider": "TEXT",
    "attempt_id": "TEXT",
}
_FIXED = frozenset({"id", "message_id"})

MESSAGES = Table(
    "messages",
    _WAY | {one.name: one.kind for one in CONTENTS},
    computed={"rank": "INTEGER GENERATED ALWAYS AS (min(priority, 10)) VIRTUAL"},
)

#: Adds a message, changes its way, and says what it says once that is known.
INSERT_MESSAGE = MESSAGES.insert()
UPDATE_MESSAGE = MESSAGES.update(name for name in _WAY if name not in _FIXED)
LEARN_MESSAGE = MESSAGES.update(one.name for one in CONTENTS)

_way = attrgetter(*("filed_state" if name == "state" else name for name in _WAY))
_changes = attrgetter(*("filed_state" if name == "state" else name for name in _WAY if name not in _FIXED))


def inserted(row: Any) -> tuple[object, ...]:
    """The values for `INSERT_MESSAGE` of a `MessageRow`."""
    return (*_way(row), *_contents(row.contents or UNKNOWN))


def updated(row: Any) -> tuple[object, ...]:
    """The values for `UPDATE_MESSAGE` of a `MessageRow`."""
    return (*_changes(row), row.id)


def learned(row: Any) -> tuple[object, ...]:
    """The values for `LEARN_MESSAGE` of a `MessageRow` that knows its contents."""
    return (*_contents(row.contents), row.id)


EVENTS = Table(
    "events",
    {
        "seq": "INTEGER PRIMARY KEY",
        "message": "INTEGER",
        "is_activity": "INTEGER NOT NULL",
        "name": "TEXT NOT NULL",
        "at": "REAL NOT NULL",
        "body": "BLOB",
    },
)

DEAD = Table(
    "dead",
    {
        "id": "INTEGER PRIMARY KEY",
        "message": "INTEGER NOT NULL",
        "generation": "INTEGER NOT NULL",
        "is_live": "INTEGER NOT NULL",
        "lane": "TEXT NOT NULL",
        "priority": "INTEGER NOT NULL",
        "source": "TEXT NOT NULL",
        "died_at": "REAL NOT NULL",
        "failure_class": "TEXT NOT NULL",
        "code": "TEXT NOT NULL",
        "detail": "TEXT NOT NULL",
        "attempts": "INTEGER NOT NULL",
        "phone_number": "TEXT NOT NULL",
        "text": "TEXT NOT NULL",
        "problem": "TEXT NOT NULL",
        "note": "TEXT NOT NULL",
        "body": "BLOB NOT NULL",
        "headers": "TEXT NOT NULL",
    },
)

REMOVALS = Table(
    "removals",
    {
        "undo_id": "TEXT PRIMARY KEY",
        "at": "REAL NOT NULL",
        "actor": "TEXT NOT NULL",
        "kind": "TEXT NOT NULL",
        "lane": "TEXT NOT NULL",
        "count": "INTEGER NOT NULL",
        "has_ended": "INTEGER NOT NULL",
        "undone_at": "REAL",
        "undone_by": "TEXT",
    },
)

TAKEN_OUT = Table(
    "taken_out",
    {
        "undo_id": "TEXT NOT NULL",
        "seq": "INTEGER NOT NULL",
        "message": "INTEGER NOT NULL",
        "generation": "INTEGER NOT NULL",
        "queue": "TEXT NOT NULL",
        "due_at": "REAL",
        "kind": "TEXT NOT NULL",
        "letter": "TEXT",
        "is_restored": "INTEGER NOT NULL",
    },
    more=("PRIMARY KEY (undo_id, seq, message)",),
    ending=" WITHOUT ROWID",
)

JOBS = Table(
    "jobs",
    {
        "job_id": "TEXT PRIMARY KEY",
        "state": "TEXT NOT NULL",
        "actor": "TEXT NOT NULL",
        "started_at": "REAL NOT NULL",
        "changed_at": "REAL NOT NULL",
        "selected": "INTEGER NOT NULL",
        "done": "INTEGER NOT NULL",
        "refused": "INTEGER NOT NULL",
        "unreadable": "INTEGER NOT NULL",
        "failed_again": "INTEGER NOT NULL",
        "detail": "TEXT NOT NULL",
        "cancelling": "INTEGER NOT NULL",
        "options": "TEXT NOT NULL",
    },
)

#: Receipts that name no send that is known yet; one that names it in two ways is here twice.
PARKED = Table(
    "parked",
    {
        "lane": "TEXT NOT NULL",
        "name": "TEXT NOT NULL",
        "seq": "INTEGER NOT NULL",
        "heard_at": "REAL NOT NULL",
        "status": "TEXT NOT NULL",
        "at": "REAL",
        "failure_class": "TEXT",
        "code": "TEXT NOT NULL",
        "detail": "TEXT NOT NULL",
    },
    more=("PRIMARY KEY (name, lane, seq)",),
    ending=" WITHOUT ROWID",
)

#: The connection of each lane's sender, as its provider told it last.
SESSIONS = Table(
    "sessions",
    {
        "lane": "TEXT PRIMARY KEY",
        "state": "TEXT NOT NULL",
        "at": "REAL NOT NULL",
        "detail": "TEXT NOT NULL",
        "provider": "TEXT NOT NULL",
    },
)

# What is read


def _names(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


#: A message's way, and of its contents the source alone, for the projection.
ROW = SelectList.of("m", (*_WAY, "source"))

#: A `MessageRecord`, and what lists of them are sorted by.
MESSAGE = SelectList.of(
    "m",
    (*_names(MessageRecord), "born_at", "id", "entered_at", "entered_seq", "rank"),
    copy_of="(SELECT o.message_id FROM messages o WHERE o.copied_to = m.message_id)",
)

#: Whether any attempt of the message ended without a known outcome, or it arrived after it had been called undelivered.
#: Without its index, which a history that is still being read does not have, this would go through all events for each
#: letter.
WAS_UNCERTAIN = (
    "CASE WHEN (SELECT sent.delivery FROM messages sent WHERE sent.id = d.message) IN ('delivered', 'read') THEN 1 "
    "WHEN (SELECT is_indexed FROM position) THEN EXISTS (SELECT 1 FROM events e WHERE e.message = d.message "
    "AND e.message IS NOT NULL AND (e.name = 'outcome.uncertain' OR (e.name IN ('outcome.failed', 'outcome.dead', "
    "'message.buried') AND instr(e.body, CAST('\"failure_class\":\"uncertain\"' AS BLOB)) > 0))) ELSE 0 END"
)

#: A `DeadRecord`, and its number, which a page goes on from.
DEAD_LETTER = SelectList.of("d", (*_names(DeadRecord), "id"), message_id="m.message_id", was_uncertain=WAS_UNCERTAIN)

JOB = SelectList.of("jobs", _names(Job))
SESSION = SelectList.of("sessions", _names(SenderSession))
REMOVAL = SelectList.of("removals", _names(Removal))

#: A line of a life, or of the lanes' activity, and of its message what a plain arrival does not repeat.
LIFE = SelectList.of(
    "e",
    ("seq", "name", "at", "body"),
    message_id="m.message_id",
    lane="m.lane",
    priority="m.priority",
    source="m.source",
)

#: A message that was taken out, its dead letter, and how it was taken out.
REMOVED = MESSAGE.beside(DEAD_LETTER, "letter_").beside(SelectList.of("t", TAKEN_OUT.columns), "taken_")
