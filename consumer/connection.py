"""The process's one connection to the broker, as the lanes use it: shared channels, and one channel for each lane.

    publishing   for all lanes, with confirms
    feed         the outcomes stream, the contacts stream and the commands, once for all lanes
    lane …       one lane's deliveries, one at a time

RabbitMQ's default allows 2,047 channels a connection, so 2,045 lanes; a connection that allows fewer than the lanes
need is refused with that reason. Channels belong to their connection for good: what is asked of one that is gone has no
effect, so that a delivery tag can never be acked on a later connection. A lane's channel that the broker closes (its
queue was deleted, say) costs that lane alone; a shared one costs the connection.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

import pika
from pika.channel import Channel
from pika.connection import Connection

from antrian.broker.confirms import Confirmation, ConfirmChannel
from antrian.broker.event_log import PublishArguments
from antrian.broker.io_thread import IOThread
from antrian.broker.stream.entry import PREFETCH, Start, is_ack_due, offset_of, subscription_arguments
from antrian.broker.topology import Names
from antrian.broker.urgent_bell import heard
from antrian.domain.errors import BrokerError, BrokerRefused
from antrian.domain.events import Event
from antrian.domain.lenient_headers import readable_key
from consumer.event_loop import Inbox, Receiver
from consumer.inbox import (
    Blocked,
    CommandReceived,
    Confirmed,
    Connected,
    ConnectionLost,
    ContactRecorded,
    Listening,
    OutcomeRecorded,
    Signal,
    StreamCancelled,
)
from consumer.lane.channel import LaneChannel

#: Channels that all lanes share.
SHARED_CHANNELS = 2

#: What a connection allows that names no limit.
_NO_LIMIT = 65_535

#: Never used twice in a process, so that a late answer cannot be taken for another's.
_tokens = count(1)


class Link:
    """Keeps a process connected: tells of each new connection, and of its loss.

    Args:
        parameters: the broker's addresses.
        names: of the consumer's namespace.
        inbox: where everything that happens is put.
        process: receives what concerns all lanes.
        lanes: how many there are, for each needs a channel.
        name: the thread's name.
    """

    def __init__(
        self,
        parameters: Sequence[pika.URLParameters],
        names: Names,
        inbox: Inbox,
        process: Receiver,
        lanes: Callable[[], int],
        *,
        name: str,
    ) -> None:
        self._names = names
        self._inbox = inbox
        self._process = process
        self._lanes = lanes
        self._refusal: BrokerRefused | None = None
        self._io = IOThread(parameters, name=name, on_up=self._up, on_down=self._down)

    def start(self) -> None:
        """Begin to connect."""
        self._io.start()

    def close(self) -> None:
        """End the connection; unacked deliveries go back to their queues."""
        self._io.stop()

    def _up(self, connection: Connection) -> None:
        connection.add_on_connection_blocked_callback(
            lambda _connection, frame: self._tell(Blocked(str(frame.method.reason)))
        )
        connection.add_on_connection_unblocked_callback(lambda _connection, _frame: self._tell(Blocked(None)))
        allowed = (connection.params.channel_max or _NO_LIMIT) - SHARED_CHANNELS
        if allowed < self._lanes():
            sentence = (
                f"the broker allows {allowed + SHARED_CHANNELS} channels a connection, enough for {allowed} lanes, and "
                f"this process serves {self._lanes()}: raise channel_max in rabbitmq.conf, or start several consumers "
                "with some of the lanes each (antrian consume --lane …)"
            )
            self._refusal = BrokerRefused(sentence)
            self._io.drop()
            return
        BrokerConnection(self._io, connection, self._names, self._inbox, self._process)

    def _down(self, error: BrokerError) -> None:
        refusal, self._refusal = self._refusal, None
        self._tell(ConnectionLost(refusal or error))

    def _tell(self, signal: Signal) -> None:
        self._inbox.put((self._process, signal))


class BrokerConnection:
    """What can be asked of one connection; all methods are safe from any thread and return at once."""

    def __init__(self, io: IOThread, connection: Connection, names: Names, inbox: Inbox, process: Receiver) -> None:
        self._io = io
        self._connection = connection
        self._names = names
        self._inbox = inbox
        self._process = process
        self._channels: list[Channel] = []
        for _ in range(SHARED_CHANNELS):
            connection.channel(on_open_callback=self._channel_open)

    def open_lane(self, lane: str, receiver: Receiver) -> LaneChannel:
        """A channel for one lane; it can be used from the `ChannelOpened` signal on."""
        return LaneChannel(
            self._io, self._connection, self._names, lane, lambda signal: self._inbox.put((receiver, signal))
        )

    def publish(
        self,
        receiver: Receiver,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: pika.BasicProperties,
        *,
        mandatory: bool = True,
    ) -> int:
        """Publish; the `Confirmed` signal to the receiver carries the token returned here."""
        publication = PublishArguments(exchange, routing_key, body, properties, mandatory)
        return self.publish_all(receiver, [publication])[0]

    def publish_all(self, receiver: Receiver, publications: Sequence[PublishArguments]) -> list[int]:
        """Publish in this order; the `Confirmed` signals carry the tokens returned here."""
        tokens = [next(_tokens) for _ in publications]

        def done(token: int, confirmation: Confirmation) -> None:
            self._inbox.put((receiver, Confirmed(token, confirmation)))

        def act() -> None:
            for token, one in zip(tokens, publications, strict=True):
                if self._confirms.is_open:
                    self._confirms.publish(*one[:4], partial(done, token), mandatory=one.mandatory)
                else:
                    done(token, Confirmation.LOST)

        self._io.call(act)
        return tokens

    def listen(self) -> None:
        """Have commands delivered as `CommandReceived`, by a queue of this connection; from `Listening` on, all."""

        def declared(queue: str) -> None:
            self._feed.queue_bind(queue, self._names.control)
            self._feed.basic_consume(
                queue, self._command, auto_ack=True, callback=lambda _frame: self._tell(Listening())
            )

        def act() -> None:
            if self._feed.is_open:
                self._feed.queue_declare("", exclusive=True, callback=lambda frame: declared(frame.method.queue))

        self._io.call(act)

    def read_outcomes(self, offset: Start) -> None:
        """Have the outcomes stream's entries delivered as `OutcomeRecorded`, from an offset or `first`."""

        def act() -> None:
            if self._feed.is_open:
                _read_stream(self._feed, self._names.outcomes, "outcomes", offset, _outcomes_to(self._tell))

        self._io.call(act)

    def read_contacts(self, offset: Start) -> None:
        """Have the contacts stream's entries delivered as `ContactRecorded`, from an offset or `first`."""

        def recorded(event: Event | None, at: int) -> None:
            self._tell(ContactRecorded(event, at))

        def act() -> None:
            if self._feed.is_open:
                _read_stream(self._feed, self._names.contacts, "contacts", offset, recorded)

        self._io.call(act)

    def read_outcomes_apart(self, receiver: Receiver) -> Callable[[], None]:
        """Have the whole outcomes stream delivered to one lane that knows nothing of it yet, on a channel of its own.

        Returns:
            Ends it.
        """
        opened: list[Channel] = []

        def on_open(channel: Channel) -> None:
            channel.basic_qos(prefetch_count=PREFETCH)
            tell = lambda signal: self._inbox.put((receiver, signal))  # noqa: E731
            _read_stream(channel, self._names.outcomes, "outcomes", "first", _outcomes_to(tell))
            opened.append(channel)

        def act() -> None:
            if self._connection.is_open:
                self._connection.channel(on_open_callback=on_open)

        def end() -> None:
            for channel in opened:
                if channel.is_open:
                    channel.close()

        self._io.call(act)
        return lambda: self._io.call(end)

    def drop(self) -> None:
        """Give up the connection and begin a new one."""

        def act() -> None:
            # The I/O thread may have another connection by now, which goes on.
            if self._connection.is_open:
                self._io.drop()

        self._io.call(act)

    # Everything below runs in the I/O thread.

    def _tell(self, signal: Signal) -> None:
        self._inbox.put((self._process, signal))

    def _channel_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_cancel_callback(lambda frame: self._tell(StreamCancelled(str(frame.method.consumer_tag))))
        self._channels.append(channel)
        if len(self._channels) < SHARED_CHANNELS:
            return
        publishing, self._feed = self._channels
        self._confirms = ConfirmChannel(publishing)
        self._feed.basic_qos(prefetch_count=PREFETCH)
        self._tell(Connected(self))

    def _command(self, _channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        control = heard(self._names, method.exchange, readable_key(method.routing_key), body, properties)
        if control is not None:
            self._tell(CommandReceived(control))

    def _channel_closed(self, channel: Channel, _reason: BaseException) -> None:
        # A channel closed by the broker means that something is gone or forbidden: begin again from the topology.
        if channel.connection.is_open:
            self._io.drop()


def _outcomes_to(tell: Callable[[Signal], None]) -> Callable[[Event | None, int], None]:
    def recorded(event: Event | None, offset: int) -> None:
        if event is not None:
            tell(OutcomeRecorded(event, offset))

    return recorded


def _read_stream(
    channel: Channel, stream: str, tag: str, offset: Start, recorded: Callable[[Event | None, int], None]
) -> None:
    def delivered(channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        at = offset_of(properties)
        # Without an offset its headers were such that nothing in their table can be read, and we write none.
        if at is not None:
            recorded(Event.of_delivery(body, method.routing_key), at)
        if is_ack_due(method.delivery_tag):
            channel.basic_ack(method.delivery_tag, multiple=True)

    channel.basic_consume(stream, delivered, consumer_tag=tag, arguments=subscription_arguments(offset))
