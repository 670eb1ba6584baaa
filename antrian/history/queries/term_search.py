"""Messages by one term, out of the history's file."""

import heapq
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

from antrian.history.projection.columns import MESSAGE
from antrian.history.queries import cursor as list_place
from antrian.history.queries import rows as row_reading
from antrian.history.queries import term_query
from antrian.history.queries.reader import Reader
from antrian.history.queries.term import Meaning
from antrian.history.queries.term_query import FEW, LAST_NUMBER, Condition, Statement
from antrian.history.records import MessageFilter, MessageRecord, Page

#: Every source once, by jumping from one to the next in their index.
_SOURCES = """WITH RECURSIVE found(source) AS (
    SELECT min(source) FROM messages UNION ALL
    SELECT (SELECT min(m.source) FROM messages m WHERE m.source > found.source)
    FROM found WHERE found.source IS NOT NULL
) SELECT source FROM found WHERE source IS NOT NULL AND source != '' LIMIT ?"""


def sources(reader: Reader, limit: int) -> list[str]:
    """The publishing services that the history knows, in the order of their names."""
    # Without its index, each of them would take a look through the whole file.
    row = reader.row("SELECT is_indexed FROM position")
    return [name for (name,) in reader.rows(_SOURCES, (limit,))] if row and row[0] else []


class TermSearch:
    """One search.

    Args:
        reader: of the file.
        found: what the term may mean.
        wanted: the other filters.
    """

    def __init__(self, reader: Reader, found: Sequence[Meaning], wanted: MessageFilter) -> None:
        self._reader = reader
        self._now = time.time()
        self._meanings = [term_query.condition_of(one) for one in found]
        self._filters = term_query.filter_conditions(wanted, self._now)
        self._ids: set[int] = set()
        self._common: list[Condition] = []
        self._known: tuple[int, set[int]] = (0, set())
        if self._filters:
            self._look_up()

    def page(self, cursor: str | None, limit: int) -> Page[MessageRecord]:
        """Messages that fit, in the order in which they came, newest first.

        Raises:
            BadCursor: the cursor is not one of a list's.
        """
        before = list_place.read(cursor)[1] if cursor is not None else LAST_NUMBER
        columns = MESSAGE.sql
        if self._filters:
            statements = self._filtered(columns, before, limit + 1)
        else:
            ids = heapq.nlargest(limit + 1, self._newest(before, limit + 1))
            statements = [term_query.of_ids(columns, ids, (), before, limit + 1)]
        # A message that has several of the meanings is in several answers.
        answers = [[MESSAGE.named(row) for row in self._reader.rows(*one)] for one in statements]
        every = {row["id"]: row for row in heapq.merge(*answers, key=_number, reverse=True)}
        rows = list(islice(every.values(), limit + 1))
        items = tuple(row_reading.message(row, self._now) for row in rows[:limit])
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(items, list_place.write(last["born_at"], last["id"]) if last else None)

    def count(self, limit: int) -> int:
        """How many messages fit, counted up to `limit`; asked before a page, it costs next to nothing more."""
        if not self._filters:
            self._known = (limit, self._newest(LAST_NUMBER, limit))
            return min(limit, len(self._known[1]))
        statements = self._filtered("m.id", LAST_NUMBER, limit)
        row = self._reader.row(*term_query.count_of(statements)) if statements else None
        return min(limit, int(row[0])) if row else 0

    def _newest(self, before: int, limit: int) -> set[int]:
        if before == LAST_NUMBER and self._known[0] >= limit:
            return self._known[1]
        return set[int]().union(*(self._newest_of(one, before, limit) for one in self._meanings))

    def _newest_of(self, meaning: Condition, before: int, limit: int) -> set[int]:
        # Whole words are found much faster than unfinished ones; when many messages have them, they are what is meant.
        found = self._numbers(meaning.finished().newest(before, limit)) if meaning.words else set()
        return found if len(found) >= limit else self._numbers(meaning.newest(before, limit))

    def _filtered(self, columns: str, before: int, limit: int) -> list[Statement]:
        found = [term_query.of_ids(columns, self._ids, self._filters, before, limit)] if self._ids else []
        return found + [term_query.through_all(columns, one, self._filters, before, limit) for one in self._common]

    def _look_up(self) -> None:
        for one in self._meanings:
            ids = self._numbers(one.some(FEW + 1))
            if len(ids) > FEW:
                self._common.append(one)
            else:
                self._ids |= ids
        for one in self._filters if self._common else ():
            ids = self._numbers(one.some(FEW + 1))
            if len(ids) <= FEW:
                self._narrow_down(ids)
                return

    def _narrow_down(self, fitting: set[int]) -> None:
        """Only these fit one of the filters, so only these are checked for what many messages have."""
        for one in self._common if fitting else ():
            self._ids |= self._numbers(one.among(fitting)) & fitting
        self._common = []

    def _numbers(self, statement: Statement) -> set[int]:
        return {number for (number,) in self._reader.rows(*statement)}


def _number(row: dict[str, Any]) -> int:
    return int(row["id"])
