"""An outcomes stream of any length, and bare pika reading it."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pika
from pika.channel import Channel

from antrian.broker.topology import Names
from antrian.domain.events import EVENT_PROPERTIES, Event
from bench.bare_run import BareRun
from bench.pipelined import Item, PipelinedChannel

#: What pika does best with: many under way, few acks.
_PREFETCH, _ACK_EVERY = 1_000, 200


def fill(url: str, names: Names, events: int) -> None:
    """Record so many events, two for each message: its sending and its being sent."""
    with PipelinedChannel(url) as channel:
        channel.publish(_events(names, events // 2))


def _events(names: Names, messages: int) -> Iterator[Item]:
    source = str(uuid.uuid4())
    for _ in range(messages):
        message_id = str(uuid.uuid4())
        for name, details in (("outcome.sending", {"priority": 5}), ("outcome.sent", {"provider_id": message_id})):
            event = Event(name, time.time(), "default", message_id, attempt=1, source=source, details=details)
            yield names.events, event.routing_key, event.encode(), EVENT_PROPERTIES


class BareReader(BareRun):
    """Reads a stream from its beginning with pika alone, and does nothing with what it reads.

    Args:
        url: the broker's address.
        stream: its name.
        events: how many to read.
    """

    def __init__(self, url: str, stream: str, events: int) -> None:
        super().__init__(url, events, f"read {stream}")
        self._stream = stream

    def _opened(self, channel: Channel) -> None:
        channel.basic_qos(prefetch_count=_PREFETCH)
        self._begin()
        channel.basic_consume(self._stream, self._read, arguments={"x-stream-offset": "first"})

    def _read(self, channel: Channel, method: Any, _properties: pika.BasicProperties, _body: bytes) -> None:
        self._left -= 1
        if method.delivery_tag % _ACK_EVERY == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if self._left == 0:
            self._end()
