"""The end of the outcomes stream: what happened lately, up to now, and from then on whatever happens.

A stream has no "end of stream" mark for its readers, and a reader must not write one. But a stream can be read from
its last chunk: that tells at once where the end is, and reading from an earlier time is over when it gets there.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from pika.adapters.blocking_connection import BlockingConnection

from antrian.broker.stream.entry import PREFETCH, Start, StreamEntry
from antrian.broker.stream.subscription import Subscription
from antrian.domain.events import Event

#: Entries read at most, in some two seconds; only a re-drive or a clearing writes so many within an hour.
_MOST_ENTRIES = 20_000

#: Entries read at least, however old they are: how a consumer runs is told with each of its sends.
_FEWEST_ENTRIES = 200

#: Seconds for the first entry to come where the broker counts none: in an empty stream, and for some seconds after the
#: first entry of all. What there is is on its way as soon as the subscription is confirmed.
_FIRST_ENTRY = 0.1

#: The same where the broker counts entries: a silence only means that it is busy.
_COUNTED_ENTRY = 5.0

#: Seconds without any entry after which the stream is taken to have no more: clocks may differ.
_SILENCE = 1.0

#: Seconds between two looks at what has come.
_GLANCE = 0.02

_Take = Callable[[int, Event | None], None]


class OutcomeTail:
    """Reads the stream's end over a channel of its own.

    Args:
        connection: whoever owns it calls `process_data_events`, which is when events are taken.
        stream: its name.
        take: called for each event, in order, each once.
    """

    def __init__(self, connection: BlockingConnection, stream: str, take: Callable[[Event], None]) -> None:
        self._connection = connection
        self._stream = stream
        self._take = take
        self._offset = -1
        self._end: list[tuple[int, Event | None]] = []
        self._arrived = 0
        self._caught_up = False

    def catch_up(self, since: float) -> None:
        """Take all events from `since` (unix seconds) up to now, and at least the last few hundred."""
        last = self._read("last", self._notice)
        is_counted = last.settle() > 0
        self._wait(lambda: bool(self._end), max(_COUNTED_ENTRY, _FIRST_ENTRY) if is_counted else _FIRST_ENTRY)
        # A chunk is delivered whole; a question asked after its first entry is answered after its last one.
        last.settle()
        if self._end:
            end = self._end[-1][0]
            is_recent = any(event is None or event.at >= since for _, event in self._end)
            start = min(self._offset_at(since) if is_recent else end, end - _FEWEST_ENTRIES)
            self._read(max(start, end - _MOST_ENTRIES, 0), self._advance)
            last.abandon()
            self._wait(lambda: self._offset >= end, _SILENCE)
        for offset, event in self._end:
            self._advance(offset, event)
        # Whichever subscription is left goes on telling.
        self._caught_up = True

    def _offset_at(self, since: float) -> int:
        """Where the entries of that time begin."""
        offsets: list[int] = []
        start = datetime.fromtimestamp(since, UTC).replace(tzinfo=None)
        probe = self._read(start, lambda offset, _event: offsets.append(offset), prefetch=1, acks=False)
        self._wait(lambda: bool(offsets), _SILENCE)
        probe.close()
        return offsets[0] if offsets else 0

    def _read(self, start: Start, take: _Take, *, prefetch: int = PREFETCH, acks: bool = True) -> Subscription:
        def delivered(entry: StreamEntry) -> None:
            self._arrived += 1
            take(entry.offset, Event.of_delivery(entry.body, entry.routing_key))

        return Subscription(self._connection, self._stream, start, delivered, prefetch=prefetch, acks=acks)

    def _notice(self, offset: int, event: Event | None) -> None:
        """An entry of the last chunk, which must wait until what came before it is told."""
        if self._caught_up:
            self._advance(offset, event)
        else:
            self._end.append((offset, event))

    def _advance(self, offset: int, event: Event | None) -> None:
        if offset <= self._offset:
            return
        self._offset = offset
        if event is not None:
            self._take(event)

    def _wait(self, condition: Callable[[], bool], patience: float) -> None:
        """Take in entries until the condition holds, or none has come for `patience` seconds."""
        arrived, deadline = self._arrived, time.monotonic() + patience
        while not condition():
            # What came while this process stood still is in the socket, however late it is.
            is_over = time.monotonic() >= deadline
            self._connection.process_data_events(_GLANCE)
            if self._arrived != arrived:
                arrived, deadline = self._arrived, time.monotonic() + patience
            elif is_over:
                return
