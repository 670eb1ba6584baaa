"""Publishing with confirms on an asynchronous channel: every publish ends in exactly one result."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum, auto
from typing import Any

import pika
from pika import spec
from pika.channel import Channel
from pika.frame import Method

from antrian.broker.publishing_connection import PublishingConnection


class Confirmation(Enum):
    """What became of one publish."""

    #: The broker has it, on disk where it is persistent.
    CONFIRMED = auto()
    #: No queue wanted it; the broker has not kept it.
    RETURNED = auto()
    #: The broker said no (a full queue, an internal error); it has not kept it.
    REFUSED = auto()
    #: The channel ended before an answer: the outcome is unknown.
    LOST = auto()


Done = Callable[[Confirmation], None]

#: What a returned message is known by: its id, and where it was to go. The broker does not say its delivery tag.
_Address = tuple[str | None, str, str]


class ConfirmChannel:
    """A channel in confirm mode; use it only from its connection's I/O thread.

    Args:
        channel: open, and not used for publishing by anybody else: the delivery tags are counted here.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._next_tag = 1
        self._oldest_tag = 1
        self._pending: dict[int, tuple[str | None, str, str, Done]] = {}
        self._returned: Counter[_Address] = Counter()
        connection = channel.connection
        self._connection = connection if isinstance(connection, PublishingConnection) else None
        channel.confirm_delivery(self._confirmed)
        if self._connection is not None:
            self._connection.on_confirm(channel.channel_number, self._confirmed)
        channel.add_on_return_callback(self._message_returned)
        channel.add_on_close_callback(self._closed)

    @property
    def is_open(self) -> bool:
        """Whether a publish can be tried."""
        return bool(self._channel.is_open)

    @property
    def in_flight(self) -> int:
        """How many publishes have no result yet."""
        return len(self._pending)

    def one_write(self) -> AbstractContextManager[None]:
        """Whatever is published within goes to the socket together, where the connection can do that."""
        return self._connection.one_write() if self._connection is not None else nullcontext()

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: pika.BasicProperties,
        done: Done,
        *,
        mandatory: bool = True,
    ) -> None:
        """Publish; `done` is called once, in the I/O thread.

        A mandatory publish needs a `message_id`, because the broker returns the message and not its tag.
        """
        self._pending[self._next_tag] = (properties.message_id, exchange, routing_key, done)
        self._next_tag += 1
        channel = self._channel
        if self._connection is not None and channel.is_open:
            self._connection.publish(
                channel.channel_number, exchange, routing_key, body, properties, mandatory=mandatory
            )
        else:
            channel.basic_publish(exchange, routing_key, body, properties, mandatory)

    def _confirmed(self, frame: Method[Any]) -> None:
        answer = frame.method
        result = Confirmation.CONFIRMED if isinstance(answer, spec.Basic.Ack) else Confirmation.REFUSED
        if not answer.multiple:
            self._finish(answer.delivery_tag, result)
            return
        for tag in range(self._oldest_tag, answer.delivery_tag + 1):
            self._finish(tag, result)
        self._oldest_tag = answer.delivery_tag + 1

    def _finish(self, tag: int, result: Confirmation) -> None:
        pending = self._pending.pop(tag, None)
        if pending is None:
            return
        message_id, exchange, routing_key, done = pending
        if self._returned and self._returned[message_id, exchange, routing_key]:
            # One return, one confirm: the same message may be on its way more than once.
            self._returned -= Counter([(message_id, exchange, routing_key)])
            result = Confirmation.RETURNED
        done(result)

    def _message_returned(self, _channel: Channel, method: Any, properties: pika.BasicProperties, _body: bytes) -> None:
        self._returned[properties.message_id, method.exchange, method.routing_key] += 1

    def _closed(self, _channel: Channel, _reason: BaseException) -> None:
        if self._connection is not None:
            self._connection.on_confirm(self._channel.channel_number, None)
        pending, self._pending = self._pending, {}
        for *_, done in pending.values():
            done(Confirmation.LOST)
