"""Bare pika moving messages from one queue to another: consume, publish, and ack on the confirm; nothing else."""

import time
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel
from pika.connection import Connection
from pika.frame import Method

from bench.errors import BenchmarkFailed

_PREFETCH = 500
_PATIENCE = 120.0


class BareMover:
    """Moves a number of messages, up to 500 of them under way at a time.

    Args:
        url: the broker's address.
        source: the queue that holds them.
        target: the queue that gets them.
        messages: how many.
    """

    def __init__(self, url: str, source: str, target: str, messages: int) -> None:
        self._source, self._target, self._left = source, target, messages
        self._published = 0
        self._oldest = 1
        self._tags: dict[int, int] = {}
        self._ended_at: float | None = None
        self._connection = SelectConnection(
            pika.URLParameters(url),
            on_open_callback=self._connected,
            on_open_error_callback=lambda connection, _error: connection.ioloop.stop(),
            on_close_callback=lambda connection, _error: connection.ioloop.stop(),
        )

    def seconds(self) -> float:
        """Move them, and say how long that took, from the subscription to the last ack.

        Raises:
            BenchmarkFailed: the connection broke, or the time was over, before all were moved.
        """
        self._connection.ioloop.call_later(_PATIENCE, self._connection.close)
        self._connection.ioloop.start()
        if self._ended_at is None:
            raise BenchmarkFailed(f"bare pika has not moved {self._source}: {self._left} messages were left")
        return self._ended_at - self._started_at

    def _connected(self, connection: Connection) -> None:
        connection.channel(on_open_callback=self._putting_open)

    def _putting_open(self, channel: Channel) -> None:
        self._putting = channel
        channel.confirm_delivery(self._confirmed)
        self._connection.channel(on_open_callback=self._taking_open)

    def _taking_open(self, channel: Channel) -> None:
        self._taking = channel
        channel.basic_qos(prefetch_count=_PREFETCH)
        self._started_at = time.perf_counter()
        channel.basic_consume(self._source, self._got)

    def _got(self, _channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._published += 1
        self._tags[self._published] = method.delivery_tag
        self._putting.basic_publish("", self._target, body, properties)

    def _confirmed(self, frame: Method[Any]) -> None:
        answer = frame.method
        first = self._oldest if answer.multiple else answer.delivery_tag
        for number in range(first, answer.delivery_tag + 1):
            tag = self._tags.pop(number, None)
            if tag is not None:
                self._taking.basic_ack(tag)
                self._left -= 1
        if answer.multiple:
            self._oldest = answer.delivery_tag + 1
        if self._left == 0:
            self._ended_at = time.perf_counter()
            self._connection.close()
