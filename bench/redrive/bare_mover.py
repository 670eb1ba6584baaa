"""Bare pika moving messages out of a queue: consume, publish, and ack on the confirm; nothing else."""

from typing import Any

import pika
from pika.channel import Channel
from pika.frame import Method

from bench.bare_run import BareRun
from bench.pipelined import Item

_PREFETCH = 500


class BareMover(BareRun):
    """Moves a number of messages, up to 500 of them under way at a time.

    Args:
        url: the broker's address.
        source: the queue that holds them.
        target: the exchange and the key that they are published with.
        messages: how many.
        event: published before each of them, all alike; None for nothing.
    """

    def __init__(
        self, url: str, source: str, target: tuple[str, str], messages: int, event: Item | None = None
    ) -> None:
        super().__init__(url, messages, f"moved {source}")
        self._source = source
        self._exchange, self._key = target
        self._event = event
        self._published = 0
        self._oldest = 1
        self._tags: dict[int, int] = {}

    def _opened(self, channel: Channel) -> None:
        self._putting = channel
        channel.confirm_delivery(self._confirmed)
        self._connection.channel(on_open_callback=self._taking_open)

    def _taking_open(self, channel: Channel) -> None:
        self._taking = channel
        channel.basic_qos(prefetch_count=_PREFETCH)
        self._begin()
        channel.basic_consume(self._source, self._got)

    def _got(self, _channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        if self._event is not None:
            self._published += 1
            self._putting.basic_publish(*self._event)
        self._published += 1
        self._tags[self._published] = method.delivery_tag
        self._putting.basic_publish(self._exchange, self._key, body, properties)

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
            self._end()
