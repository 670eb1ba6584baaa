"""Keeps a book up to date in a process that has nothing else to do with the streams: the admin side, a command."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pika

from antrian.broker.background_thread import BackgroundThread
from antrian.broker.stream.entry import NOWHERE, StreamEntry, StreamPlace, place_of
from antrian.broker.stream.reader import StreamReader
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook, ContactsLost
from antrian.domain.errors import AntrianError
from antrian.domain.events import Event

#: Seconds between two looks at whether the book has caught up.
_GLANCE = 0.02

#: Seconds that the thread has to end.
_END = 5.0

_NO_PROPERTIES = pika.BasicProperties()


class ContactsBehind(AntrianError):
    """The contacts stream has not been read to its end, so nothing can be said of anybody."""


class ContactsFollower:
    """Reads the contacts stream into a book, in a thread of its own.

    Args:
        urls: the broker's addresses.
        names: of the namespace.
        book: its owner closes it after the follower has stopped.
        name: what the broker shows as the connection's name.

    Attributes:
        book: it.
    """

    def __init__(self, urls: Sequence[str], names: Names, book: ContactBook, *, name: str) -> None:
        self.book = book
        self._urls = urls
        self._names = names
        self._name = name
        self._stopping = threading.Event()
        self._reading = threading.Event()
        self._reader: StreamReader | None = None
        self._thread = BackgroundThread(self._follow, name="contacts", stopping=self._stopping)

    @property
    def is_caught_up(self) -> bool:
        """Whether the book holds all that the stream held a moment ago."""
        return self._reader is not None and self._reader.is_caught_up and not self.book.is_lost

    @property
    def trouble(self) -> str:
        """Why nothing is read, in one sentence; empty while it is read."""
        return self._reader.trouble if self._reader is not None else ""

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._reading.set()
        self._thread.join(_END)

    def caught_up_book(
        self, patience: float, on_progress: Callable[[int], None] = lambda _position: None
    ) -> ContactBook:
        """The book, once it has caught up.

        Args:
            patience: seconds without progress after which it is given up.
            on_progress: takes how far the stream was read, again and again.

        Raises:
            ContactsBehind: it does not catch up; the text says why.
        """
        if self.book.is_lost:
            self._reading.set()
        position, deadline = -1, time.monotonic() + patience
        while not self.is_caught_up:
            if self.book.position != position:
                position, deadline = self.book.position, time.monotonic() + patience
                on_progress(position)
            if time.monotonic() > deadline:
                why = self.trouble or "the contacts stream does not answer"
                raise ContactsBehind(f"the contacts have not been read yet: {why}")
            self._stopping.wait(_GLANCE)
        return self.book

    def _follow(self) -> None:
        while not self._stopping.is_set():
            if self.book.is_lost:
                self.book.restart()
            self._reading = threading.Event()
            if not self._stopping.is_set():
                names, place = self._names, self._place()
                reader = StreamReader(self._urls, names.contacts, self, name=self._name, place=place, bare=names.events)
                self._reader = reader
                reader.run(self._reading)

    def _place(self) -> StreamPlace:
        """Where the book ends."""
        event, position = self.book.latest, self.book.position
        if position == 0:
            return NOWHERE
        if event is None:
            return StreamPlace(position - 1)
        key = event.routing_key
        return place_of(StreamEntry(position - 1, self._names.events, key, _NO_PROPERTIES, event.encode()))

    # What the reader tells

    def take(self, offset: int, event: Event) -> None:
        """The next event."""
        try:
            self.book.apply(event, offset)
        except ContactsLost:
            # The rest of what came with it is of no use either; then the stream is read again.
            self._reading.set()

    def begin_anew(self) -> None:
        """The stream was made again."""
        self.book.restart()

    def caught_up(self) -> None:
        """All was read; what took long to read is worth keeping at once."""
        try:
            self.book.flush()
        except ContactsLost:
            self._reading.set()


@contextmanager
def following(follower: ContactsFollower) -> Iterator[ContactsFollower]:
    """It follows for as long as that."""
    follower.start()
    try:
        yield follower
    finally:
        follower.stop()
        follower.book.close()
