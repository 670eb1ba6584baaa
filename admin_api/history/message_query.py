"""SQL that finds messages; pure.

With several indexes to choose from and no statistics, SQLite would guess. So each query names one column to go by,
the one that fits the fewest messages, and hides the others from the planner with a `+`.
"""

from dataclasses import dataclass, field

from admin_api.history import search_terms
from admin_api.history.records import MessageFilter, State

COLUMNS = (
    "m.message_id, m.lane, m.state, m.priority, m.phone_number, m.text, m.source, m.idempotency_key, m.metadata, "
    "m.queued_at, m.expires_at, m.due_at, m.generation, m.attempt, m.provider_id, m.failure_class, m.code, m.detail, "
    "m.sent_at, m.changed_at, (SELECT o.message_id FROM messages o WHERE o.copied_to = m.message_id), m.copied_to, "
    "m.undo_id, m.born_at, m.id, m.entered_at, m.entered_seq, m.cancelling"
)

#: Ordering by time and, where the words of the text are looked for, by the order of coming; both newest first.
BY_TIME, BY_NUMBER = "m.born_at DESC, m.id DESC", "words.rowid DESC"

#: What the delay ladder has let go, and nobody has moved into its lane yet: hardly ever anything.
_DUE = (
    "m.id IN (SELECT id FROM messages INDEXED BY messages_delayed "
    "WHERE state IN ('retrying', 'scheduled') AND due_at <= ?)"
)


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


def queries(wanted: MessageFilter, after: tuple[float, int] | None, now: float) -> list[Query]:
    """The queries whose answers together are the messages that fit, each newest first.

    Args:
        wanted: what must fit.
        after: time and number of the message that the page begins after.
        now: a delayed message whose time is over waits.
    """
    if wanted.states is None:
        return [_query(wanted, after, "", ())]
    parts: list[tuple[str, tuple[object, ...]]] = []
    for state in sorted(wanted.states):
        if state in {State.RETRYING, State.SCHEDULED}:
            parts.append(("{plus}m.state = ? AND m.due_at > ?", (state.value, now)))
            if state is State.RETRYING:
                parts.append(("{plus}m.state = ? AND m.due_at IS NULL", (state.value,)))
        else:
            parts.append(("{plus}m.state = ?", (state.value,)))
        if state is State.WAITING:
            parts.append((_DUE, (now,)))
    return [_query(wanted, after, condition, values) for condition, values in parts]


def _query(wanted: MessageFilter, after: tuple[float, int] | None, state: str, values: tuple[object, ...]) -> Query:
    query = Query()
    is_driven = _find_few(query, wanted)
    if state:
        query.add(state.format(plus="+" if is_driven else ""), *values)
        is_driven = True
    for column, value in (("source", wanted.source), ("lane", wanted.lane)):
        if value is not None:
            query.add(f"{'+' if is_driven else ''}m.{column} = ?", value)
            is_driven = True
    plus = "+" if query.order == BY_NUMBER else ""
    if wanted.since is not None:
        query.add(f"{plus}m.born_at >= ?", wanted.since)
    if wanted.until is not None:
        query.add(f"{plus}m.born_at < ?", wanted.until)
    if after is not None and query.order == BY_NUMBER:
        query.add("words.rowid < ?", after[1])
    elif after is not None:
        query.add("(m.born_at, m.id) < (?, ?)", *after)
    return query


def _find_few(query: Query, wanted: MessageFilter) -> bool:
    """Conditions that fit few messages; whether the query goes by one of them."""
    is_driven = False
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
        query.add("0")
    elif is_driven or len(part) < search_terms.RARE_DIGITS:
        query.add("+m.phone_number LIKE ?", f"%{part}%")
    else:
        query.add("m.id IN (SELECT id FROM messages WHERE phone_number LIKE ?)", f"%{part}%")
        return True
    return is_driven


def _find_words(query: Query, text: str, *, is_driven: bool) -> bool:
    match = search_terms.words_query(text)
    if match is None:
        query.add("0")
    elif is_driven:
        query.add("EXISTS (SELECT 1 FROM words WHERE words MATCH ? AND words.rowid = m.id)", match)
    else:
        query.source = "words CROSS JOIN messages m ON m.id = words.rowid"
        query.order = BY_NUMBER
        query.add("words MATCH ?", match)
    return True
