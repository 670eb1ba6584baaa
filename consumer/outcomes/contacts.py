"""The contacts stream: one reading for all lanes of a process, into one book; no I/O."""

import structlog

from antrian.broker.stream.entry import Start
from antrian.contacts.book import ContactBook, ContactsLost
from antrian.domain.events import Event

_log = structlog.get_logger()


class ContactsReader:
    """Where the reading of the contacts stream stands.

    The book may come from a file, written by a process that is gone and from a stream that is gone, too. So the entry
    before the one that comes next is read again, to see whether it is still the same one.

    Args:
        book: what is learnt goes there.
    """

    def __init__(self, book: ContactBook) -> None:
        self.book = book
        self._is_to_check = False
        self._is_lost = False
        self._beyond = -1

    @property
    def position(self) -> int:
        """Offset of the entry that comes next."""
        return self.book.position

    def resume(self) -> Start:
        """Where to go on reading."""
        position = self.book.position
        self._is_lost, self._is_to_check = False, position > 0
        return position - 1 if position else "first"

    def take(self, event: Event | None, offset: int) -> bool:
        """One entry of the stream has come.

        Returns:
            Whether the reading goes on; if not, it is to begin again, with a new connection.
        """
        if self._is_lost:
            # It was on its way when the position was lost, and comes again.
            return True
        if self._is_to_check:
            self._is_to_check = False
            if not self.book.continues(event, offset):
                _log.warning("contacts.another_stream", offset=offset)
                self.lose_position()
                return False
        try:
            self.book.apply(event, offset)
        except ContactsLost:
            self.lose_position()
            return False
        return True

    def lose_position(self) -> None:
        """Read from the beginning the next time: the book lost what it knew, or it was made from another stream."""
        self._is_lost = True
        self.book.restart()
