"""Making a queue anew with other arguments, while publishers go on publishing.

A queue's arguments cannot be changed, and between deleting it and declaring it again messages would fall through: the
lane's fan-out also feeds the journal, so that the publisher would even get its confirm. Therefore a stand-in with the
same bindings takes in what arrives meanwhile, and gives it to the new queue afterwards. What arrives while both are
bound is there twice, with the same message_id and generation; the consumer sends it once.
"""

from collections.abc import Callable

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import ChannelClosedByBroker

from antrian.broker.topology import Binding, Queue, Topology
from antrian.domain.errors import TopologyConflict
from antrian.domain.lenient_headers import readable_key

_NOT_FOUND = 404


def replace(connection: BlockingConnection, queue: Queue, wanted: Topology) -> None:
    """Delete one empty, unused queue and declare it again as the topology has it; nothing is lost.

    A last-value queue (a lane's state) keeps its value. If this was interrupted before, it is finished first.
    The queue must not be looked through by hand meanwhile (`antrian dead list`): the broker takes a queue whose
    messages are all being looked at for an empty one.

    Raises:
        TopologyConflict: the queue holds messages, has consumers, or is a stream; nothing was changed.
    """
    if queue.is_stream:
        raise TopologyConflict(
            f"stream {queue.name} was not replaced: it holds the record of what happened. Give it a policy, or use a "
            "new WHATSAPP_QUEUE_NAMESPACE",
        )
    channel = connection.channel()
    channel.confirm_delivery()
    stand_in = _StandIn(channel, queue, wanted)
    stand_in.declare_exchanges()
    if _exists(connection, stand_in.name):
        stand_in.declare_queue()
        stand_in.hand_over()
    stand_in.begin()
    try:
        _delete(connection, queue)
    except ChannelClosedByBroker as error:
        stand_in.withdraw()
        raise TopologyConflict(
            f"queue {queue.name} was not replaced: it must be empty and without consumers ({error.reply_text})",
        ) from error
    stand_in.declare_queue()
    stand_in.hand_over()


def _exists(connection: BlockingConnection, name: str) -> bool:
    try:
        with connection.channel() as probe:
            probe.queue_declare(name, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return False
    return True


def _delete(connection: BlockingConnection, queue: Queue) -> None:
    # On a channel of its own, because a refusal closes it.
    connection.channel().queue_delete(queue.name, if_unused=True, if_empty=True)


class _StandIn:
    """A plain queue that takes in, for a moment, what another queue would."""

    def __init__(self, channel: BlockingChannel, queue: Queue, wanted: Topology) -> None:
        self.name = f"{queue.name}.replacing"
        self._channel = channel
        self._queue = queue
        self._bindings = [one for one in wanted.bindings if one.to == "queue" and one.destination == queue.name]
        sources = {binding.source for binding in self._bindings}
        self._exchanges = [exchange for exchange in wanted.exchanges if exchange.name in sources]

    def declare_exchanges(self) -> None:
        """Make sure of the exchanges that feed the queue."""
        for exchange in self._exchanges:
            self._channel.exchange_declare(exchange.name, exchange.kind, durable=True)

    def declare_queue(self) -> None:
        """Make the queue as the topology has it, alone: others may be waiting for a replacement of their own."""
        self._channel.queue_declare(self._queue.name, durable=True, arguments=dict(self._queue.arguments))
        for binding in self._bindings:
            self._channel.queue_bind(self._queue.name, binding.source, binding.key)

    def begin(self) -> None:
        """Take in what arrives from now on, and the value of a last-value queue."""
        self._channel.queue_declare(self.name, durable=True)
        for binding in self._bindings:
            self._channel.queue_bind(self.name, binding.source, binding.key)
        if self._queue.arguments.get("x-max-length") == 1:
            self._move_all(self._queue.name, lambda _method: ("", self.name))

    def hand_over(self) -> None:
        """Give everything to the queue, by the way that it came, and vanish."""
        self._unbind(self._bindings)
        self._move_all(self.name, self._way)
        self._channel.queue_delete(self.name, if_empty=True)

    def withdraw(self) -> None:
        """Vanish; the queue itself is still there and has everything, its own value aside."""
        self._unbind(self._bindings)
        self._move_all(self.name, lambda method: self._way(method) if not method.exchange else None)
        self._channel.queue_delete(self.name)

    def _way(self, method: pika.spec.Basic.GetOk) -> tuple[str, str]:
        return (method.exchange, readable_key(method.routing_key)) if method.exchange else ("", self._queue.name)

    def _unbind(self, bindings: list[Binding]) -> None:
        for binding in bindings:
            self._channel.queue_unbind(self.name, binding.source, binding.key)

    def _move_all(self, queue: str, way: Callable[[pika.spec.Basic.GetOk], tuple[str, str] | None]) -> None:
        """Publish every message of `queue` where `way` says, confirmed, and only then ack it."""
        while True:
            method, properties, body = self._channel.basic_get(queue)
            if method is None:
                return
            target = way(method)
            if target is not None:
                self._channel.basic_publish(*target, body or b"", properties, mandatory=True)
            self._channel.basic_ack(method.delivery_tag)
