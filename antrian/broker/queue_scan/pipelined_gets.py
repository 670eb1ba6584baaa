"""Taking messages off a queue one by one, without waiting for each answer before the next request.

A `basic.get` takes exactly one message, in order, from lanes too: there a consumer would only stand by, for they have
a single active consumer. But each costs a round trip; so several are on their way at a time. RabbitMQ answers the
requests of one channel in the order in which they were sent.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pika
from pika import spec
from pika.channel import Channel
from pika.frame import Method

#: Called with the channel, the delivery, the properties and the body, as pika does.
Got = Callable[[Channel, Any, pika.BasicProperties, bytes], None]


class PipelinedGets:
    """The requests on one channel; use it only from its connection's I/O thread.

    Args:
        channel: open, and used for `basic.get` by this object only.
        got: called for each message, in the queue's order.
        nothing_there: called for each request that found the queue empty.
    """

    def __init__(self, channel: Channel, got: Got, nothing_there: Callable[[], None]) -> None:
        self._channel = channel
        self._got = got
        self._nothing_there = nothing_there
        self._unanswered = 0
        channel.add_callback(self._empty, [spec.Basic.GetEmpty], one_shot=False)

    @property
    def unanswered(self) -> int:
        """How many are on their way."""
        return self._unanswered

    def ask(self, queue: str) -> None:
        """Ask for one message; exactly one of the callbacks will be called for it while the channel is open."""
        self._unanswered += 1
        self._expect(self._answered)
        # The frame that pika's `basic_get` writes.
        request = _request(self._channel.channel_number, queue)
        self._channel.connection._output_marshaled_frames((request,))  # noqa: SLF001 (pika makes it anew each time)

    def _answered(self, channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._count()
        self._got(channel, method, properties, body)

    def _empty(self, _frame: Any) -> None:
        self._count()
        self._nothing_there()

    def _count(self) -> None:
        self._unanswered -= 1
        if self._unanswered:
            self._expect(self._answered)

    def _expect(self, callback: Got) -> None:
        # pika knows one request at a time: it refuses a second, and forgets its callback with each answer.
        self._channel._on_getok_callback = callback  # noqa: SLF001


@lru_cache(maxsize=64)
def _request(channel: int, queue: str) -> bytes:
    return bytes(Method(channel, spec.Basic.Get(queue=queue)).marshal())
