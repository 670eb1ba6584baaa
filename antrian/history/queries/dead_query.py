"""SQL that finds dead letters; pure. See `antrian.history.queries.message_query` about the `+`."""

import json

from antrian.history.queries import search_terms
from antrian.history.queries.message_query import Query
from antrian.history.records import DeadFilter

NEWEST_FIRST, OLDEST_FIRST = "d.died_at DESC, d.id DESC", "d.died_at, d.id"

_SOURCE = "dead d CROSS JOIN messages m ON m.id = d.message"


def dead_query(wanted: DeadFilter, after: tuple[float, int] | None = None, *, order: str = NEWEST_FIRST) -> Query:
    """The query for the dead letters that fit."""
    query = Query(_SOURCE, order, ["d.is_live"])
    is_driven = _find_few(query, wanted)
    causes = {"failure_class": wanted.failure_class, "code": wanted.code, "detail": wanted.detail}
    for column, value in (*reversed(causes.items()), ("source", wanted.source), ("lane", wanted.lane)):
        if value is not None:
            # There is no index that begins with the detail, and none of the class alone is in order of time.
            is_indexed = column in {"code", "source", "lane"}
            query.add(f"{'+' if is_driven or not is_indexed else ''}d.{column} = ?", value)
            is_driven = is_driven or is_indexed
    if wanted.since is not None:
        query.add("d.died_at >= ?", wanted.since)
    if wanted.until is not None:
        query.add("d.died_at < ?", wanted.until)
    if after is not None:
        query.add("(d.died_at, d.id) < (?, ?)", *after)
    return query


def _find_few(query: Query, wanted: DeadFilter) -> bool:
    is_driven = False
    if wanted.ids is not None:
        chosen = json.dumps(sorted(wanted.ids))
        query.add("d.message IN (SELECT id FROM messages WHERE message_id IN (SELECT value FROM json_each(?)))", chosen)
        is_driven = True
    if wanted.phone_number is not None:
        whole = search_terms.whole_number(wanted.phone_number)
        part = search_terms.digits(wanted.phone_number)
        if whole is not None:
            query.add(f"{'+' if is_driven else ''}d.phone_number = ?", whole)
            is_driven = True
        else:
            query.add("+d.phone_number LIKE ?" if part else "0", *([f"%{part}%"] if part else []))
    if wanted.text is not None:
        match = search_terms.words_query(wanted.text)
        # Looked up once: asked for each letter, a beginning that many words have would take minutes.
        condition = "+d.message IN (SELECT rowid FROM words WHERE words MATCH ?)"
        query.add(condition if match else "0", *([match] if match else []))
    return is_driven
