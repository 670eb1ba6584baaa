"""One connection of a consumer: three channels, and everything that can be asked of them.

A session belongs to its connection for good: what a worker asks of a session whose connection is gone falls flat, so
that a delivery tag can never be acked on a later connection.
"""

from collections.abc import Callable, Sequence
from itertools import count
from queue import SimpleQueue
from typing import Any

import pika
from pika.channel import Channel
from pika.connection import Connection

from broker.confirms import Confirmation, ConfirmChannel
from broker.errors import BrokerError
from broker.events import Event
from broker.io_thread import IOThread
from broker.lenient_headers import readable_key
from broker.topology import Names
from broker.urgent_bell import heard
from consumer import inbox

#: Stream entries under way at once, and how many are acked together; a stream must be read with a limit and acks.
STREAM_PREFETCH = 1_000
STREAM_ACK_EVERY = 200

#: Never used twice in a process, so that a late answer cannot be taken for another's.
_tokens = count(1)

Inbox = SimpleQueue[signals.Signal]
Offset = int | str


class Link:
    """Keeps a consumer connected: puts `Up` with a fresh session, and `Down`, into the inbox.

    Args:
        parameters: the broker's addresses.
        names: of the consumer's namespace.
        inbox: where everything that happens is put.
        name: the thread's name.
    """

    def __init__(self, parameters: Sequence[pika.URLParameters], names: Names, inbox: Inbox, *, name: str) -> None:
        self._names = names
        self._inbox = inbox
        self._io = IOThread(parameters, name=name, on_up=self._up, on_down=self._down)

    def start(self) -> None:
        """Begin to connect."""
        self._io.start()

    def close(self) -> None:
        """End the connection; unacked deliveries go back to their queue."""
        self._io.stop()

    def _up(self, connection: Connection) -> None:
        connection.add_on_connection_blocked_callback(
            lambda _connection, frame: self._inbox.put(signals.Blocked(str(frame.method.reason))),
        )
        connection.add_on_connection_unblocked_callback(
            lambda _connection, _frame: self._inbox.put(signals.Blocked(None)),
        )
        Session(self._io, connection, self._names, self._inbox)

    def _down(self, error: BrokerError) -> None:
        self._inbox.put(signals.Down(error))


class Session:
    """What a worker can ask of one connection; all methods are safe from any thread and return at once."""

    def __init__(self, io: IOThread, connection: Connection, names: Names, inbox: Inbox) -> None:
        self._io = io
        self._connection = connection
        self._names = names
        self._inbox = inbox
        self._channels: list[Channel] = []
        for _ in range(3):
            connection.channel(on_open_callback=self._channel_open)

    def publish(
        self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties, *, mandatory: bool = True
    ) -> int:
        """Publish; the `Confirmed` signal carries the token returned here."""
        token = next(_tokens)

        def act() -> None:
            if not self._confirms.is_open:
                self._inbox.put(signals.Confirmed(token, Confirmation.LOST))
                return
            done = self._confirmation(token)
            self._confirms.publish(exchange, routing_key, body, properties, done, mandatory=mandatory)

        self._io.call(act)
        return token

    def subscribe(self, queue: str) -> None:
        """Have the lane's messages delivered, one at a time."""

        def act(channel: Channel) -> None:
            channel.basic_consume(queue, self._delivered, consumer_tag="lane")

        self._on(self._lane, act)
        self.count_subscribers(queue)

    def count_subscribers(self, queue: str) -> None:
        """Have the lane's subscribers counted, for the `Counted` signal."""

        def count_(frame: Any) -> None:
            self._inbox.put(signals.Counted(frame.method.consumer_count))

        self._on(self._lane, lambda channel: channel.queue_declare(queue, passive=True, callback=count_))

    def unsubscribe(self) -> None:
        """Have nothing more delivered; what is unacked stays so. Ends with the `Unsubscribed` signal."""

        def act(channel: Channel) -> None:
            channel.basic_cancel("lane", callback=lambda _frame: self._inbox.put(signals.Unsubscribed()))

        self._on(self._lane, act)

    def ack(self, tag: int) -> None:
        """The message of this delivery is done with."""
        self._on(self._lane, lambda channel: channel.basic_ack(tag))

    def give_back(self, tag: int) -> None:
        """The message returns to its place in the queue."""
        self._on(self._lane, lambda channel: channel.basic_nack(tag, requeue=True))

    def read_outcomes(self, offset: Offset) -> None:
        """Have the outcomes stream's entries delivered as `Recorded`, from an offset or `first`."""

        def act(channel: Channel) -> None:
            arguments: dict[str, Any] = {"x-stream-offset": offset}
            channel.basic_consume(self._names.outcomes, self._recorded, consumer_tag="outcomes", arguments=arguments)

        self._on(self._feed, act)

    def listen(self) -> None:
        """Have commands delivered as `Told`, through a queue of this connection's own; from `Listening` on, all."""

        def declared(channel: Channel, queue: str) -> None:
            channel.queue_bind(queue, self._names.control)
            channel.basic_consume(queue, self._told, auto_ack=True, callback=self._listening)

        def act(channel: Channel) -> None:
            channel.queue_declare("", exclusive=True, callback=lambda frame: declared(channel, frame.method.queue))

        self._on(self._feed, act)

    def drop(self) -> None:
        """Give up the connection and begin a new one."""

        def act() -> None:
            # The I/O thread may have another connection by now, which is none of ours.
            if self._connection.is_open:
                self._io.drop()

        self._io.call(act)

    # Everything below runs in the I/O thread.

    def _channel_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_cancel_callback(self._cancelled)
        self._channels.append(channel)
        if len(self._channels) < 3:  # noqa: PLR2004 (publishing, the lane, the feed)
            return
        publishing, self._lane, self._feed = self._channels
        self._confirms = ConfirmChannel(publishing)
        self._lane.basic_qos(prefetch_count=1)
        self._feed.basic_qos(prefetch_count=STREAM_PREFETCH)
        self._inbox.put(signals.Up(self))

    def _on(self, channel: Channel, act: Callable[[Channel], object]) -> None:
        def act_if_open() -> None:
            if channel.is_open:
                act(channel)

        self._io.call(act_if_open)

    def _confirmation(self, token: int) -> Callable[[Confirmation], None]:
        return lambda confirmation: self._inbox.put(signals.Confirmed(token, confirmation))

    def _delivered(self, _channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        key = readable_key(method.routing_key)
        self._inbox.put(signals.Delivery(method.delivery_tag, method.redelivered, key, body, properties))

    def _recorded(self, channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        event = Event.decode(body)
        offset = (properties.headers or {}).get("x-stream-offset")
        # Without an offset its headers were such that nothing in their table can be read, and we write none.
        if event is not None and isinstance(offset, int):
            self._inbox.put(signals.Recorded(event, offset))
        if method.delivery_tag % STREAM_ACK_EVERY == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)

    def _listening(self, _frame: Any) -> None:
        self._inbox.put(signals.Listening())

    def _told(self, _channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        control = heard(self._names, method.exchange, readable_key(method.routing_key), body, properties)
        if control is not None:
            self._inbox.put(signals.Told(control))

    def _cancelled(self, frame: Any) -> None:
        self._inbox.put(signals.Cancelled(str(frame.method.consumer_tag)))

    def _channel_closed(self, channel: Channel, _reason: BaseException) -> None:
        # A channel closed by the broker means that something is gone or forbidden: begin again from the topology.
        if channel.connection.is_open:
            self._io.drop()
