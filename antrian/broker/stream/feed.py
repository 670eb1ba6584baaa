"""A stream's entries as they come, in batches, read in the thread that makes something of them.

A thread of its own for the connection would only take turns with the other one: it brought nothing.

A reader that is slow, or stuck, never has more in memory than two windows: none is acked while a whole one waits to be
taken.
"""

import math
import time
from collections import deque
from contextlib import suppress
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.stream.entry import ACK_EVERY, OFFSET, StreamEntry, subscription_arguments
from antrian.domain.errors import BrokerUnreachable
from antrian.domain.lenient_headers import readable_key

#: Entries taken at once, at most.
BATCH = 2_000

#: Entries under way at once: while some are being written, the next ones arrive.
PREFETCH = 4_000

#: Seconds after the first entry in which others may come to share its transaction.
GATHERING = 0.05

#: Seconds of silence that make a stream empty, where nothing else is known of it.
SILENCE = 0.5

#: So many share a transaction well enough: while it is written, the broker sends the next ones.
ENOUGH = 500

#: To hear a few entries takes about as long as to hear hundreds: while fewer than so many come, so many seconds pass
#: before the next look.
_FEW, _BREATH = 100, 0.004

#: Where properties say nothing. What is not kept need not be looked at by the garbage collector, which otherwise takes
#: a seventh of the time.
_NO_PROPERTIES = pika.BasicProperties()


class StreamFeed:
    """Reads a stream from a place on, until its connection breaks or the stream is deleted; then make another.

    Args:
        channel: for nothing else; its owner closes the connection.
        stream: its name.
        start: the offset of an entry that is there, `first`, or an age.
        bare: an exchange whose publishers' properties say nothing; they are left out.
        batch: entries taken at once, at most.
        silence: seconds after which a stream that was not read from an offset on, and has sent nothing, is empty.

    Attributes:
        passed_by: the time that `end_passed_at` told last, in monotonic seconds: no clock that is set changes it.
    """

    def __init__(
        self,
        channel: BlockingChannel,
        stream: str,
        start: int | str,
        *,
        bare: str = "",
        batch: int = BATCH,
        silence: float = SILENCE,
    ) -> None:
        self._channel = channel
        self._batch = batch
        self._silence = silence
        self._stream = stream
        self._bare = bare
        self._entries: deque[StreamEntry] = deque()
        self._last = start - 1 if isinstance(start, int) else -1
        self._received = self._taken = self._acked = 0
        self._is_deleted = False
        self._is_hurried = False
        self._is_continued = isinstance(start, int)
        self._began_at = time.monotonic()
        self._end: tuple[int, float, float] | None = None
        self.passed_by = -math.inf
        channel.basic_qos(prefetch_count=PREFETCH)
        channel.add_on_cancel_callback(self._cancelled)
        channel.basic_consume(self._stream, self._delivered, arguments=subscription_arguments(start))

    def take(self, timeout: float) -> list[StreamEntry]:
        """The next entries; waits for the first at most `timeout` seconds.

        Raises:
            BrokerUnreachable: the stream was deleted, and there will be no more.
            AMQPError: the connection broke.
        """
        entries, limit = self._entries, self._batch
        if not entries:
            self._hear(timeout)
        deadline = time.monotonic() + GATHERING
        while entries and len(entries) < limit and not self._is_hurried and time.monotonic() < deadline:
            before = self._received
            self._hear(0)
            if self._received - before < _FEW:
                if len(entries) >= ENOUGH:
                    break
                time.sleep(_BREATH)
        if not entries:
            # The broker closes a channel that leaves a delivery without an ack for half an hour.
            self._ack()
        self._is_hurried = False
        taken = [entries.popleft() for _ in range(min(limit, len(entries)))]
        if not taken and self._is_deleted:
            raise BrokerUnreachable(f"the stream {self._stream} was deleted")
        self._taken += len(taken)
        # More comes while these are being written.
        self._ask_for_more()
        return taken

    def hurry(self) -> None:
        """Have `take` return at once, with whatever is there; from any thread."""
        self._is_hurried = True
        # A connection that is being closed takes no callbacks, and `take` raises then.
        with suppress(Exception):
            self._channel.connection.add_callback_threadsafe(_nothing)

    def look_for_the_end(self) -> None:
        """Find out how far the stream goes now; `end_passed_at` tells."""
        if self._end is not None or self._is_deleted or not self._has_begun():
            return
        asked_at, asked_by, acked = time.time(), time.monotonic(), self._acked
        self._channel.queue_declare(self._stream, passive=True)
        self._hear(0)
        # What was in the stream comes before the answer, unless the broker might send no more until an ack.
        if self._received - acked < PREFETCH:
            self._end = self._received, asked_at, asked_by

    def end_passed_at(self) -> float | None:
        """A time at which the stream held nothing but what was taken since; None if there is no later one to tell."""
        if self._end is None or self._end[0] > self._taken:
            return None
        (_, at, self.passed_by), self._end = self._end, None
        return at

    def _has_begun(self) -> bool:
        """Whether the broker has had the time to send what is there; its stream answers when it comes to it."""
        return self._received > 0 or (not self._is_continued and time.monotonic() - self._began_at > self._silence)

    def _hear(self, timeout: float) -> None:
        # No ack in between: the library hears more while it sends one, and would never come back.
        self._channel.connection.process_data_events(timeout)
        self._ask_for_more()

    def _ask_for_more(self) -> None:
        if self._received - self._acked >= ACK_EVERY and len(self._entries) < PREFETCH:
            self._ack()

    def _delivered(self, _channel: BlockingChannel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        # As `offset_of`, written out because every entry of every stream passes here.
        self._last = offset = (properties.headers or {}).pop(OFFSET, self._last + 1)
        exchange = method.exchange
        kept = _NO_PROPERTIES if exchange == self._bare else properties
        self._entries.append(StreamEntry(offset, exchange, readable_key(method.routing_key), kept, body))
        self._received += 1

    def _ack(self) -> None:
        if self._received > self._acked:
            self._acked = self._received
            self._channel.basic_ack(self._received, multiple=True)

    def _cancelled(self, _frame: Any) -> None:
        self._is_deleted = True


def _nothing() -> None:
    """What wakes a connection that is listening."""
