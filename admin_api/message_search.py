"""Searching for messages on behalf of a reader: the term, the other filters, pages and counts."""

from collections.abc import Iterator
from dataclasses import dataclass

from admin_api.auth.authorization import Actor
from admin_api.schemas.message import MessageFields
from admin_api.viewer_search import check_search
from antrian.history.queries.history import History
from antrian.history.queries.term import Kind, Meaning, matched_by, meanings
from antrian.history.records import MessageFilter, MessageRecord, Page

#: Messages up to which a search is counted.
COUNTED = 1_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MessageSearch:
    """What one reader looks for.

    Attributes:
        history: that is searched.
        filters: all but the term.
        found: what the term may mean; None without one.
    """

    history: History
    filters: MessageFilter
    found: tuple[Meaning, ...] | None

    @classmethod
    def of(cls, history: History, actor: Actor, wanted: MessageFields) -> "MessageSearch":
        """The search for what was asked.

        Raises:
            Problem: 403, when a viewer searches for what is covered.
        """
        check_search(actor, phone_number=wanted.phone_number, text=wanted.text, key_prefix=wanted.key_prefix)
        found = None
        if wanted.q is not None:
            found = meanings(wanted.q, covered=actor.is_masked, sources=history.sources())
        return cls(history, wanted.meant(), found)

    def page(self, cursor: str | None, limit: int, counted: int) -> tuple[Page[MessageRecord], int]:
        """One page, newest first, and how many messages there are, up to `counted`; 0 does not count."""
        if self.found is None:
            total = self.history.count_up_to(self.filters, counted) if counted else 0
            return self.history.messages(self.filters, cursor, limit), total
        search = self.history.search(self.found, self.filters)
        total = search.count(counted) if counted else 0
        return search.page(cursor, limit), total

    def all(self) -> Iterator[MessageRecord]:
        """Every message, read as it is asked for."""
        cursor: str | None = None
        while True:
            page, _ = self.page(cursor, _AT_ONCE, 0)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def matched_by(self, record: MessageRecord) -> list[Kind]:
        """What the term was found in; nothing without a term."""
        return matched_by(record, self.found or ())
