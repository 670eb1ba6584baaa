"""A subscription to a stream over a channel of its own, for those who use a blocking connection."""

from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

from antrian.broker.stream.entry import PREFETCH, Start, StreamEntry, is_ack_due, offset_of, subscription_arguments
from antrian.domain.lenient_headers import readable_key


class Subscription:
    """Takes entries whenever the connection's owner has it process what came.

    Args:
        connection: its owner closes it.
        stream: its name.
        start: where to begin; of entries that were written together, a stream sends those before it as well.
        take: called for each entry.
        prefetch: entries without an ack at most; of what was written together, a stream sends more all the same.
        acks: ack by itself, from time to time; otherwise it dries up unless `allow_more` is called.

    Attributes:
        received: how many entries came.
    """

    def __init__(
        self,
        connection: BlockingConnection,
        stream: str,
        start: Start,
        take: Callable[[StreamEntry], None],
        *,
        prefetch: int = PREFETCH,
        acks: bool = False,
    ) -> None:
        self.received = 0
        self._connection = connection
        self._stream, self._prefetch = stream, prefetch
        self._take: Callable[[StreamEntry], None] | None = take
        self._acks = acks
        self._acked = 0
        self._last = start - 1 if isinstance(start, int) else -1
        self._channel = connection.channel()
        self._channel.basic_qos(prefetch_count=prefetch)
        self._channel.basic_consume(stream, self._delivered, arguments=subscription_arguments(start))

    @property
    def is_held_back(self) -> bool:
        """Whether the broker may wait for an ack."""
        return self.received - self._acked >= self._prefetch

    def hear(self, seconds: float) -> None:
        """Take in what comes within this time."""
        self._connection.process_data_events(seconds)

    def settle(self) -> int:
        """Take in everything that is on its way: an answer comes after what was sent before it.

        Returns:
            How many entries the broker counts; for some seconds after the first entry of all, it counts none.
        """
        count = int(self._channel.queue_declare(self._stream, passive=True).method.message_count)
        self._connection.process_data_events(0)
        return count

    def allow_more(self) -> None:
        """Ack what has come; not within `take`, because the library hears more while it sends an ack."""
        if self.received > self._acked:
            self._acked = self.received
            self._channel.basic_ack(self._acked, multiple=True)

    def abandon(self) -> None:
        """Take no more. It is not cancelled, and dries up; it ends with the connection."""
        self._take = None

    def close(self) -> None:
        """End a subscription without acks: nothing is on its way once it has settled, and so nothing is rejected."""
        self.settle()
        self._channel.close()

    def _delivered(self, channel: BlockingChannel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        if self._take is None:
            return
        self.received += 1
        offset = offset_of(properties)
        self._last = self._last + 1 if offset is None else offset
        if self._acks and is_ack_due(method.delivery_tag):
            channel.basic_ack(method.delivery_tag, multiple=True)
        self._take(StreamEntry(self._last, method.exchange, readable_key(method.routing_key), properties, body))
