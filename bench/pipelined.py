"""Bare pika at its best: one connection, one channel, no threads, confirms pipelined; nothing but what must be done.

It counts what it must to know which message the broker has, as any honest publisher does, and nothing else.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any, Self

import pika
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel
from pika.connection import Connection
from pika.frame import Method

from bench.errors import BenchmarkFailed

#: As many in flight as our publisher has.
WINDOW = 2_000

#: Exchange, routing key, body and properties of one publish.
Item = tuple[str, str, bytes, pika.BasicProperties]


class PipelinedChannel:
    """A channel in confirm mode that this thread drives.

    Args:
        url: the broker's address.
    """

    def __init__(self, url: str) -> None:
        self._trouble: BaseException | None = None
        self._items: Iterator[Item] = iter(())
        self._pending: dict[int, float] = {}
        self._oldest = self._next = 1
        self._latencies: list[float] = []
        self._connection = SelectConnection(
            pika.URLParameters(url),
            on_open_callback=self._connected,
            on_open_error_callback=self._failed,
            on_close_callback=self._failed,
        )
        self._run()

    def publish(self, items: Iterable[Item]) -> list[float]:
        """Publish all, mandatory, and wait for their confirms.

        Returns:
            For each message, in the order of the confirms, the seconds from handing it to pika to its confirm.

        Raises:
            BenchmarkFailed: the broker did not keep one of them, or the connection broke.
        """
        self._items = iter(items)
        self._latencies = []
        self._connection.ioloop.add_callback_threadsafe(self._fill)
        self._run()
        return self._latencies

    def close(self) -> None:
        """End the connection."""
        if self._connection.is_open:
            self._connection.close()
            self._connection.ioloop.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        self._connection.ioloop.start()
        if self._trouble is not None:
            raise BenchmarkFailed(f"bare pika could not publish: {self._trouble}")

    def _connected(self, connection: Connection) -> None:
        connection.channel(on_open_callback=self._opened)

    def _opened(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._confirmed, callback=lambda _frame: self._connection.ioloop.stop())

    def _failed(self, _connection: object, error: BaseException) -> None:
        if not isinstance(error, pika.exceptions.ConnectionClosedByClient):
            self._trouble = error
        self._connection.ioloop.stop()

    def _returned(self, *_: object) -> None:
        self._give_up("a message was unroutable")

    def _fill(self) -> None:
        pending, publish, clock = self._pending, self._channel.basic_publish, time.perf_counter
        while len(pending) < WINDOW:
            item = next(self._items, None)
            if item is None:
                break
            exchange, routing_key, body, properties = item
            pending[self._next] = clock()
            self._next += 1
            publish(exchange, routing_key, body, properties, True)  # noqa: FBT003 (pika's own order; the fastest call)
        if not pending:
            self._connection.ioloop.stop()

    def _confirmed(self, frame: Method[Any]) -> None:
        answer = frame.method
        if not isinstance(answer, pika.spec.Basic.Ack):
            self._give_up("the broker refused a message")
            return
        now = time.perf_counter()
        first = self._oldest if answer.multiple else answer.delivery_tag
        for tag in range(first, answer.delivery_tag + 1):
            handed = self._pending.pop(tag, None)
            if handed is not None:
                self._latencies.append(now - handed)
        if answer.multiple:
            self._oldest = answer.delivery_tag + 1
        if len(self._pending) <= WINDOW // 2:
            self._fill()

    def _give_up(self, why: str) -> None:
        self._trouble = BenchmarkFailed(why)
        self._connection.ioloop.stop()
