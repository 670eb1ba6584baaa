"""SQL that finds messages by what a term may mean; pure.

Without other filters, each meaning is answered out of the one index that knows it, and nothing but the messages of
the page is read. With filters, a meaning that few messages have is a list of numbers, which are then checked; with
one that many have, the newest messages are gone through, which soon fills a page, unless a filter fits few: then
those are checked. Everything is in the order in which messages came, newest first.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from antrian.history.queries.term import Fit, Kind, Meaning
from antrian.history.records import DeliveryState, MessageFilter, MessageState

#: Messages up to which a meaning, or a filter, counts as one that few have.
FEW = 2_000

#: What follows the last character that any text can begin with.
_LAST = "\U0010ffff"

_COLUMN = {
    Kind.NUMBER: "phone_number",
    Kind.ID: "message_id",
    Kind.KEY: "idempotency_key",
    Kind.PROVIDER_ID: "provider_id",
    Kind.SOURCE: "source",
    Kind.STATE: "state",
}


#: What is held is filed as scheduled, with a reason.
_HOLDS: Mapping[str, str] = {MessageState.HELD: "IS NOT NULL", MessageState.SCHEDULED: "IS NULL"}

#: What became of a message after a provider took it; what was not delivered has failed, and so has its state.
_DELIVERIES = frozenset(one.value for one in DeliveryState)

#: SQL, and the values for its question marks.
Statement = tuple[str, tuple[object, ...]]

#: A number that no message reaches.
LAST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on messages.

    Attributes:
        text: SQL about `m`, with `{plus}` before each column: a `+` there hides the column's index.
        values: for its question marks.
        words: whether `text` is an FTS5 query instead.
    """

    text: str
    values: tuple[object, ...] = ()
    words: bool = False

    def finished(self) -> "Condition":
        """The same with the last word as a whole one."""
        return replace(self, text=self.text.removesuffix("*")) if self.words else self

    def some(self, limit: int) -> Statement:
        """The numbers of some messages that it is true of, whichever its own index gives first."""
        if self.words:
            return "SELECT rowid FROM words WHERE words MATCH ? LIMIT ?", (self.text, limit)
        return f"SELECT m.id FROM messages m WHERE {self.text.format(plus='')} LIMIT ?", (*self.values, limit)  # noqa: S608

    def newest(self, before: int, limit: int) -> Statement:
        """The numbers of the newest messages that it is true of, out of its own index."""
        if self.words:
            sql = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
            return sql, (self.text, before, limit)
        # The `+` keeps the planner from going through all messages instead.
        where = f"({self.text.format(plus='')}) AND +m.id < ? ORDER BY +m.id DESC LIMIT ?"
        return f"SELECT m.id FROM messages m WHERE {where}", (*self.values, before, limit)  # noqa: S608

    def among(self, ids: Collection[int]) -> Statement:
        """The numbers of those among these messages that it is true of, and of some others."""
        if self.words:
            # Asked for one by one, each would take a look through all that have the words.
            sql = "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?"
            return sql, (self.text, min(ids), max(ids))
        sql = "SELECT m.id FROM messages m WHERE m.id IN (SELECT value FROM json_each(?))"
        return f"{sql} AND ({self.text.format(plus='+')})", (json.dumps(sorted(ids)), *self.values)

    def check(self) -> Statement:
        """The same for a message that was found already; not for words."""
        return f"({self.text.format(plus='+')})", self.values


def condition_of(meaning: Meaning) -> Condition:
    """What must be true of a message that is meant."""
    if meaning.kind is Kind.TEXT:
        return Condition(meaning.value, words=True)
    if meaning.kind is Kind.STATE and meaning.value in _HOLDS:
        return Condition(f"{{plus}}m.state = 'scheduled' AND m.hold_reason {_HOLDS[meaning.value]}")
    is_delivery = meaning.kind is Kind.STATE and meaning.value in _DELIVERIES
    column = f"{{plus}}m.{'delivery' if is_delivery else _COLUMN[meaning.kind]}"
    match meaning.fit:
        case Fit.BEGINNING:
            return Condition(f"{column} >= ? AND {column} < ?", (meaning.value, meaning.value + _LAST))
        case Fit.END:
            return Condition(f"{column} LIKE ?", (f"%{meaning.value}",))
        case Fit.PART:
            return Condition(f"{column} LIKE ?", (f"%{meaning.value}%",))
        case _:
            return Condition(f"{column} = ?", (meaning.value,))


def filter_conditions(wanted: MessageFilter, now: float) -> list[Condition]:
    """The other filters of the search, each for itself; those that a term takes the place of are not among them."""
    found = []
    if wanted.states is not None or wanted.deliveries:
        parts = [_in_state(state, now) for state in sorted(wanted.states or ())]
        parts += [Condition("{plus}m.delivery = ?", (one.value,)) for one in sorted(wanted.deliveries)]
        values = tuple(value for part in parts for value in part.values)
        found.append(Condition(" OR ".join(f"({part.text})" for part in parts), values))
    found += [
        Condition(f"{{plus}}m.{column} = ?", (value,))
        for column, value in (("source", wanted.source), ("lane", wanted.lane))
        if value is not None
    ]
    if wanted.since is not None:
        found.append(Condition("{plus}m.born_at >= ?", (wanted.since,)))
    if wanted.until is not None:
        found.append(Condition("{plus}m.born_at < ?", (wanted.until,)))
    return found


def _in_state(state: MessageState, now: float) -> Condition:
    """A delayed message whose time is over waits, although it was not moved into its lane yet."""
    match state:
        case MessageState.WAITING:
            due = "m.id IN (SELECT id FROM messages WHERE state IN ('retrying', 'scheduled') AND due_at <= ?)"
            return Condition(f"{{plus}}m.state = ? OR {due}", (state.value, now))
        case MessageState.HELD:
            held = "m.state = 'scheduled' AND {plus}m.hold_reason IS NOT NULL AND m.due_at > ?"
            return Condition(f"{{plus}}{held}", (now,))
        case MessageState.SCHEDULED:
            scheduled = "m.state = ? AND m.hold_reason IS NULL AND (m.due_at IS NULL OR m.due_at > ?)"
            return Condition(f"{{plus}}{scheduled}", (state.value, now))
        case MessageState.RETRYING:
            return Condition("{plus}m.state = ? AND (m.due_at IS NULL OR m.due_at > ?)", (state.value, now))
        case _:
            return Condition("{plus}m.state = ?", (state.value,))


def of_ids(columns: str, ids: Collection[int], filters: Sequence[Condition], before: int, limit: int) -> Statement:
    """Those of some messages that fit the filters, newest first."""
    wanted = ("m.id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(ids)),))
    return _select("messages m", columns, [wanted, *(one.check() for one in filters)], before, limit)


def through_all(columns: str, meaning: Condition, filters: Sequence[Condition], before: int, limit: int) -> Statement:
    """Messages that have a meaning and fit the filters, looked for among all, newest first."""
    checks = [one.check() for one in filters]
    if not meaning.words:
        return _select("messages m", columns, [meaning.check(), *checks], before, limit)
    source, words = "words CROSS JOIN messages m ON m.id = words.rowid", ("words MATCH ?", (meaning.text,))
    return _select(source, columns, [words, *checks], before, limit, number="words.rowid")


def count_of(statements: Sequence[Statement]) -> Statement:
    """The statement that counts what others find together, each message once; they select the number alone."""
    whole = " UNION ".join(f"SELECT * FROM ({sql})" for sql, _ in statements)  # noqa: S608
    return f"SELECT count(*) FROM ({whole})", tuple(value for _, given in statements for value in given)  # noqa: S608


def _select(
    source: str, columns: str, checks: Sequence[Statement], before: int, limit: int, *, number: str = "m.id"
) -> Statement:
    where = " AND ".join([*(text for text, _ in checks), f"{number} < ?"])
    values = [value for _, given in checks for value in given]
    return f"SELECT {columns} FROM {source} WHERE {where} ORDER BY {number} DESC LIMIT ?", (*values, before, limit)  # noqa: S608
