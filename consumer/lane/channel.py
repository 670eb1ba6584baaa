"""One lane's own channel on the process's connection: its deliveries, one at a time, and its lasting state."""

from collections.abc import Callable
from typing import Any

import pika
from pika import spec
from pika.channel import Channel
from pika.connection import Connection
from pika.exceptions import NoFreeChannels

from antrian.broker.io_thread import IOThread
from antrian.broker.lane_state import decode_state
from antrian.broker.topology import Names
from antrian.domain.lenient_headers import readable_key
from consumer.inbox import (
    ChannelLost,
    ChannelOpened,
    Delivery,
    PausedStateRead,
    Signal,
    SubscribersCounted,
    Unsubscribed,
)


class LaneChannel:
    """One lane's own channel; all methods are safe from any thread and return at once.

    Attributes:
        is_open: whether it can be used; set by the lane when it is told so.
        is_gone: whether it cannot be used any more; likewise.
    """

    def __init__(
        self, io: IOThread, connection: Connection, names: Names, lane: str, tell: Callable[[Signal], None]
    ) -> None:
        self.is_open = self.is_gone = False
        self._io = io
        self._connection = connection
        self._queue = names.lane(lane)
        self._state_queue = names.state(lane)
        self._tell = tell
        self._channel: Channel | None = None
        self._prefetch = 1
        io.call(self._open)

    def subscribe(self, prefetch: int = 1) -> None:
        """Have the lane's messages delivered, so many at a time."""

        def act(channel: Channel) -> None:
            if prefetch != self._prefetch:
                self._prefetch = prefetch
                channel.basic_qos(prefetch_count=prefetch)
            channel.basic_consume(self._queue, self._delivered, consumer_tag="lane")

        self._on(act)
        self.count_subscribers()

    def count_subscribers(self) -> None:
        """Have the lane's subscribers counted, for the `SubscribersCounted` signal."""

        def counted(frame: Any) -> None:
            self._tell(SubscribersCounted(frame.method.consumer_count))

        self._on(lambda channel: channel.queue_declare(self._queue, passive=True, callback=counted))

    def unsubscribe(self) -> None:
        """Have nothing more delivered; what is unacked stays so. Ends with the `Unsubscribed` signal."""
        self._on(lambda channel: channel.basic_cancel("lane", callback=lambda _frame: self._tell(Unsubscribed(self))))

    def ack(self, tag: int) -> None:
        """The message of this delivery is done with."""
        self._on(lambda channel: channel.basic_ack(tag))

    def ack_up_to(self, tag: int) -> None:
        """The messages of this delivery and of all before it are done with."""
        self._on(lambda channel: channel.basic_ack(tag, multiple=True))

    def give_back(self, tag: int) -> None:
        """The message returns to its place in the queue."""
        self._on(lambda channel: channel.basic_nack(tag, requeue=True))

    def read_paused_state(self) -> None:
        """Have the lane's state queue read, for the `PausedStateRead` signal; its value stays in the queue."""

        def act(channel: Channel) -> None:
            channel.basic_get(self._state_queue, self._state_read)
            # In one piece with the taking, so that a process that stands still in between hides nothing from others.
            # Tag 0 is all that this channel holds, and that is nothing else: a lane that learns is not subscribed.
            channel.basic_nack(0, multiple=True, requeue=True)

        self._on(act)

    def close(self) -> None:
        """Give up the channel; an unacked delivery goes back to its place."""

        def act() -> None:
            if self._channel is not None and self._channel.is_open:
                self._channel.close()

        self._io.call(act)

    # Everything below runs in the I/O thread.

    def _open(self) -> None:
        if not self._connection.is_open:
            return
        try:
            self._channel = self._connection.channel(on_open_callback=self._opened)
        except NoFreeChannels:
            # Only a lane that was added later: how many can begin was counted when the connection was made.
            self._tell(ChannelLost(self, "the broker allows no more channels on this connection (channel_max)"))
        else:
            self._channel.add_on_close_callback(self._closed)

    def _opened(self, channel: Channel) -> None:
        channel.add_on_cancel_callback(self._cancelled)
        channel.add_callback(
            lambda _frame: self._tell(PausedStateRead(self, None)), [spec.Basic.GetEmpty], one_shot=False
        )
        channel.basic_qos(prefetch_count=1)
        self._tell(ChannelOpened(self))

    def _on(self, act: Callable[[Channel], object]) -> None:
        def act_if_open() -> None:
            if self._channel is not None and self._channel.is_open:
                act(self._channel)

        self._io.call(act_if_open)

    def _delivered(self, _channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        key = readable_key(method.routing_key)
        self._tell(Delivery(method.delivery_tag, method.redelivered, key, body, properties, self))

    def _state_read(self, _channel: Channel, _method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
        self._tell(PausedStateRead(self, decode_state(body)))

    def _cancelled(self, frame: Any) -> None:
        self._tell(ChannelLost(self, f"the broker ended the subscription to {frame.method.consumer_tag}"))

    def _closed(self, channel: Channel, reason: BaseException) -> None:
        # The loss of the whole connection is told to all lanes at once.
        if channel.connection.is_open:
            self._tell(ChannelLost(self, str(reason)))
