"""Reads a stream of events in order, from a place on, and goes on following it, whatever happens to the connection."""

import math
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Protocol

import structlog
from pika.exceptions import AMQPError

from antrian.broker.connection import open_channel
from antrian.broker.stream.entry import NOWHERE, StreamEntry, StreamPlace, place_of
from antrian.broker.stream.feed import SILENCE, StreamFeed
from antrian.broker.stream.lookup import last_entry, stream_channel
from antrian.broker.stream.read_ahead import FAR, ReadAhead, ReaderLost
from antrian.broker.stream.resume import Resumption
from antrian.domain.errors import AntrianError
from antrian.domain.events import Event

#: Seconds without an entry after which other things are seen to.
_TICK = 0.1

#: Seconds between two tries to connect.
RECONNECT_PERIOD = 1.0

_log = structlog.get_logger("antrian.stream")


class StreamListener(Protocol):
    """What a reader tells; all in the thread that runs it."""

    def take(self, offset: int, event: Event) -> None:
        """The next event; each comes once, and in order."""

    def begin_anew(self) -> None:
        """The stream was deleted and made again: what follows comes from its beginning."""

    def caught_up(self) -> None:
        """All that the stream held a moment ago was taken; told once for each connection.

        An event that was confirmed just before may come after it. To be sure of one, wait for it.
        """


class StreamReader:
    """Reads one stream for one listener.

    Args:
        urls: the broker's addresses.
        stream: its name.
        listener: is told what comes.
        name: what the broker shows as the connection's name.
        place: of the entry that was taken last, if the reading of an earlier process goes on.
        bare: an exchange whose publishers' properties say nothing; they are left out.
    """

    def __init__(
        self,
        urls: Sequence[str],
        stream: str,
        listener: StreamListener,
        *,
        name: str,
        place: StreamPlace = NOWHERE,
        bare: str = "",
    ) -> None:
        self._urls = urls
        self._stream = stream
        self._listener = listener
        self._name = name
        self._resumption = Resumption(urls, stream, name=name)
        self._place = place
        self._bare = bare
        self._is_alone = False
        self._latest: StreamEntry | None = None
        self._is_caught_up = False
        self._trouble = ""

    @property
    def place(self) -> StreamPlace:
        """Of the entry that was taken last, whether it was an event or not; to be kept with what was made of it.

        Within the listener's `take` it is the entry before. Only the thread that runs the reader may ask.
        """
        if self._latest is not None:
            self._place, self._latest = place_of(self._latest), None
        return self._place

    @property
    def is_caught_up(self) -> bool:
        """Whether the reader is connected and has caught up; from any thread."""
        return self._is_caught_up

    @property
    def trouble(self) -> str:
        """Why nothing is read, in one sentence; empty while it is read. From any thread."""
        return self._trouble

    def run(self, stopping: threading.Event) -> None:
        """Read until `stopping` is set.

        Raises:
            Exception: whatever the listener raised that is no `AntrianError`. Called again, it goes on with the event
                that the listener was given.
        """
        while not stopping.is_set():
            try:
                self._read(stopping)
            except (AntrianError, AMQPError) as error:
                self._tell_trouble(str(error) if isinstance(error, AntrianError) else "the connection broke")
            finally:
                self._is_caught_up = False
            stopping.wait(RECONNECT_PERIOD)

    def _read(self, stopping: threading.Event) -> None:
        last = self._resume()
        if last - self.place.offset >= FAR and not self._is_alone:
            self._read_ahead(stopping)
            last = self._resume()
        with open_channel(self._urls, name=self._name) as channel:
            # Where something is known to be, no silence means that there is nothing.
            silence = SILENCE if last < 0 else math.inf
            feed = StreamFeed(channel, self._stream, self._start, bare=self._bare, silence=silence)
            self._follow(feed, stopping)

    def _read_ahead(self, stopping: threading.Event) -> None:
        """Come near to the end of a stream of which much was not read yet."""
        try:
            with closing(
                ReadAhead(self._urls, self._stream, self._start, bare=self._bare, name=f"{self._name} read-ahead")
            ) as feed:
                self._follow(feed, stopping, to_the_end=True)
        except ReaderLost:
            # Where no process can be started, or where there is no memory for it, this one reads alone.
            self._is_alone = True
            raise

    def _follow(self, feed: StreamFeed | ReadAhead, stopping: threading.Event, *, to_the_end: bool = False) -> None:
        look_at = 0.0
        while not stopping.is_set():
            if not self._is_caught_up and time.monotonic() >= look_at:
                look_at = time.monotonic() + _TICK
                feed.look_for_the_end()
            for entry in feed.take(_TICK):
                self._take(entry)
            self._trouble = ""
            if not self._is_caught_up and feed.end_passed_at() is not None:
                if to_the_end:
                    return
                self._is_caught_up = True
                self._listener.caught_up()

    def _resume(self) -> int:
        """Find out where to read on; returns the offset of the stream's last entry, -1 for none."""
        point = self._resumption.decide(self.place)
        if point.is_new_stream:
            _log.warning("stream.made_again", stream=self._stream, offset=self._place.offset)
            self._place = NOWHERE
            self._listener.begin_anew()
        elif point.missed is not None:
            _log.warning("stream.gap", stream=self._stream, first=point.missed[0], last=point.missed[1])
        self._start = point.start
        with stream_channel(self._urls, self._stream, name=self._name) as channel:
            last = last_entry(channel, self._stream)
            return -1 if last is None else last.offset

    def _take(self, entry: StreamEntry) -> None:
        last = self._latest.offset if self._latest is not None else self._place.offset
        if entry.offset <= last:
            return
        event = Event.of_delivery(entry.body, entry.routing_key)
        if event is not None:
            self._listener.take(entry.offset, event)
        self._latest = entry

    def _tell_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.warning("stream.trouble", stream=self._stream, reason=trouble)
        self._trouble = trouble
