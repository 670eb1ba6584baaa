"""SQL that finds messages; pure.

With several indexes to choose from and no statistics, SQLite would guess. So each query names one column to go by,
the one that fits the fewest messages, and hides the others from the planner with a `+`.
"""

import json
from dataclasses import dataclass, field

from antrian.domain.priority import Priority
from antrian.history.queries import search_terms
from antrian.history.records import PENDING, MessageFilter, MessageState

#: Ordering by time and, where the words of the text are looked for, by the order of coming; both newest first.
BY_TIME, BY_NUMBER = "m.born_at DESC, m.id DESC", "words.rowid DESC"

#: What has left the delay ladder and was not moved into its lane yet: hardly ever anything.
_DUE = (
    "m.id IN (SELECT id FROM messages INDEXED BY messages_delayed "
    "WHERE state IN ('retrying', 'scheduled') AND due_at <= ?)"
)


#: Everything that a list of what waits can be filtered by is in one small index, so that no other row is read. SQLite
#: uses an index of some rows only where the same condition stands in the query.
_PENDING_ROWS = "messages m INDEXED BY messages_pending"
_IS_PENDING = "m.state IN ('waiting', 'retrying', 'scheduled')"

#: What is held is filed as scheduled, with a reason.
_HOLDS = {MessageState.HELD: "IS NOT NULL", MessageState.SCHEDULED: "IS NULL"}

#: The condition that nothing fits.
_NOTHING = "0"

#: How many messages of each source wait, in a lane or (NULL) in all.
SOURCES = (
    f"SELECT m.source, count(*) FROM {_PENDING_ROWS} WHERE {_IS_PENDING} AND m.lane = coalesce(?, m.lane) "  # noqa: S608
    "GROUP BY m.source ORDER BY count(*) DESC, m.source"
)

#: The broker's numbers from which on a priority has its name.
_LEAST = {"low": 0, "normal": int(Priority.NORMAL), "high": int(Priority.HIGH), "urgent": int(Priority.URGENT)}
_ABOVE = {"low": int(Priority.NORMAL), "normal": int(Priority.HIGH), "high": int(Priority.URGENT), "urgent": 1 << 31}


@dataclass(slots=True)
class Query:
    """One SELECT.

    Attributes:
        source: what follows FROM.
        order: what follows ORDER BY.
        conditions: joined by AND.
        values: for the question marks in the conditions, in their order.
    """

    source: str = "messages m"
    order: str = BY_TIME
    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        """One more condition."""
        self.conditions.append(condition)
        self.values += values

    def sql(self, columns: str) -> str:
        """The statement, with a question mark for the limit at its end."""
        where = " AND ".join(self.conditions) or "1"
        return f"SELECT {columns} FROM {self.source} WHERE {where} ORDER BY {self.order} LIMIT ?"  # noqa: S608

    def count_sql(self) -> str:
        """The statement that counts what fits."""
        return f"SELECT count(*) FROM {self.source} WHERE {' AND '.join(self.conditions) or '1'}"  # noqa: S608


def queries(wanted: MessageFilter, after: tuple[float, int] | None, now: float) -> list[Query]:
    """The queries whose answers together are the messages that fit, each newest first.

    Args:
        wanted: what must fit.
        after: time and number of the message that the page begins after.
        now: a delayed message whose time is over waits.
    """
    if wanted.states is None and not wanted.deliveries:
        return [_query(wanted, after, _ANY)]
    states = wanted.states or frozenset()
    # No message may be in two answers.
    others = f" AND +m.state NOT IN ({', '.join(repr(state.value) for state in sorted(states))})" if states else ""
    parts = [_Part(f"{{plus}}m.delivery = ?{others}", (one.value,)) for one in sorted(wanted.deliveries)]
    for state in sorted(states):
        if state in _HOLDS:
            filed = f"{{plus}}m.state = 'scheduled' AND m.hold_reason {_HOLDS[state]} AND {{plus}}m.due_at > ?"
            parts.append(_Part(filed, (now,), is_pending=True))
        elif state is MessageState.RETRYING:
            parts.append(_Part("{plus}m.state = ? AND {plus}m.due_at > ?", (state.value, now), is_pending=True))
            parts.append(_Part("{plus}m.state = ? AND m.due_at IS NULL", (state.value,), is_pending=True))
        else:
            parts.append(_Part("{plus}m.state = ?", (state.value,), is_pending=state in PENDING))
        if state is MessageState.WAITING:
            parts.append(_Part(_DUE, (now,)))
    return [_query(wanted, after, part) for part in parts]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one query asks of the state."""

    condition: str = ""
    values: tuple[object, ...] = ()
    is_pending: bool = False


_ANY = _Part()


def _query(wanted: MessageFilter, after: tuple[float, int] | None, part: _Part) -> Query:
    query = Query()
    is_driven = _find_few(query, wanted)
    # Where nothing can fit, SQLite finds no way through an index that is forced on it.
    if part.is_pending and not is_driven and _NOTHING not in query.conditions:
        query.source = _PENDING_ROWS
        query.add(_IS_PENDING)
    if part.condition:
        query.add(part.condition.format(plus="+" if is_driven else ""), *part.values)
        is_driven = True
    _narrow(query, wanted, is_driven=is_driven)
    plus = "+" if query.order == BY_NUMBER else ""
    if wanted.since is not None:
        query.add(f"{plus}m.born_at >= ?", wanted.since)
    if wanted.until is not None:
        query.add(f"{plus}m.born_at < ?", wanted.until)
    if wanted.arrived_by is not None:
        query.add("+m.entered_seq <= ?", wanted.arrived_by)
    if after is not None and query.order == BY_NUMBER:
        query.add("words.rowid < ?", after[1])
    elif after is not None:
        query.add("(m.born_at, m.id) < (?, ?)", *after)
    return query


def _narrow(query: Query, wanted: MessageFilter, *, is_driven: bool) -> None:
    """Conditions that many messages fit."""
    if wanted.key_prefix is not None:
        column = f"{'+' if is_driven else ''}m.idempotency_key"
        query.add(f"{column} >= ? AND {column} < ?", wanted.key_prefix, wanted.key_prefix + "\U0010ffff")
        is_driven = True
    for name, value in (("source", wanted.source), ("lane", wanted.lane)):
        if value is not None:
            query.add(f"{'+' if is_driven else ''}m.{name} = ?", value)
            is_driven = True
    if wanted.priority is not None:
        query.add("+m.priority >= ? AND +m.priority < ?", _LEAST[wanted.priority], _ABOVE[wanted.priority])


def _find_few(query: Query, wanted: MessageFilter) -> bool:
    """Conditions that fit few messages; whether the query goes by one of them."""
    is_driven = False
    if wanted.ids is not None:
        chosen = json.dumps(sorted(wanted.ids))
        query.add("m.id IN (SELECT id FROM messages WHERE message_id IN (SELECT value FROM json_each(?)))", chosen)
        is_driven = True
    if wanted.key is not None:
        _find_key(query, wanted.key)
        is_driven = True
    if wanted.phone_number is not None:
        is_driven = _find_number(query, wanted.phone_number, is_driven=is_driven)
    if wanted.text is not None:
        is_driven = _find_words(query, wanted.text, is_driven=is_driven)
    return is_driven


def _find_key(query: Query, key: str) -> None:
    query.add(
        "m.id IN (SELECT id FROM messages WHERE message_id = ? UNION SELECT id FROM messages WHERE idempotency_key = ? "
        "UNION SELECT id FROM messages WHERE provider_id = ?)",
        key,
        key,
        key,
    )


def _find_number(query: Query, text: str, *, is_driven: bool) -> bool:
    whole = search_terms.whole_number(text)
    if whole is not None:
        query.add(f"{'+' if is_driven else ''}m.phone_number = ?", whole)
        return True
    part = search_terms.digits(text)
    if not part:
        query.add(_NOTHING)
    elif is_driven or len(part) < search_terms.RARE_DIGITS:
        query.add("+m.phone_number LIKE ?", f"%{part}%")
    else:
        query.add("m.id IN (SELECT id FROM messages WHERE phone_number LIKE ?)", f"%{part}%")
        return True
    return is_driven


def _find_words(query: Query, text: str, *, is_driven: bool) -> bool:
    match = search_terms.words_query(text)
    if match is None:
        query.add(_NOTHING)
    elif is_driven:
        query.add("EXISTS (SELECT 1 FROM words WHERE words MATCH ? AND words.rowid = m.id)", match)
    else:
        query.source = "words CROSS JOIN messages m ON m.id = words.rowid"
        query.order = BY_NUMBER
        query.add("words MATCH ?", match)
    return True
