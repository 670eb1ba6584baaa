"""The difference between the topology and a broker, and how to close it.

AMQP can neither list objects nor show their arguments, so a difference is found the only way there is: ask passively
whether the object exists, and if it does, declare it again. The broker then says which argument differs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.channel import Channel
from pika.exceptions import ChannelClosedByBroker, ChannelWrongStateError

from antrian.broker.topology import QUORUM_NEEDS, Binding, Exchange, Queue, Topology
from antrian.domain.errors import BrokerRefused, TopologyConflict

_NOT_FOUND, _ACCESS_REFUSED, _PRECONDITION_FAILED = 404, 403, 406
_INEQUIVALENT = re.compile(
    r"inequivalent arg '(?P<argument>[^']+)'.*?received (?P<wanted>none|.*?) but current is (?P<current>.*)$",
)


class SyncStatus(StrEnum):
    """How an object stands between the plan and the broker."""

    SAME = "same"
    MISSING = "missing"
    CHANGED = "changed"
    #: This user may not have it compared, for that needs the right to declare it; nor, since RabbitMQ 4, ask whether
    #: something is there with which it may do nothing at all.
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class TopologyDifference:
    """One object of the topology, compared with the broker.

    Attributes:
        kind: `exchange`, `queue` or `stream`.
        name: the object's name.
        status: how it stands.
        argument: the first argument that differs, such as `x-max-priority`; empty unless changed.
        wanted: its value in the topology, in the broker's words.
        current: its value in the broker, in the broker's words.
    """

    kind: str
    name: str
    status: SyncStatus
    argument: str = ""
    wanted: str = ""
    current: str = ""

    def sentence(self) -> str:
        """The difference and the way out of it, for people."""
        return (
            f"{self.kind} {self.name}: {self.argument} is {self.current} in the broker, and should be {self.wanted}. "
            + _MIGRATION.get(self.kind, "").format(name=self.name)
        )


_MIGRATION = {
    "queue": (
        "Arguments of a queue cannot be changed. Either put the setting back, or migrate: stop the consumers, let the "
        "queue run empty or move its messages away, then `antrian topology apply --replace {name}`; or use a new "
        "WHATSAPP_QUEUE_NAMESPACE and let the old one drain."
    ),
    "stream": (
        "Arguments of a stream cannot be changed, but a policy can: set max-age or stream-max-segment-size-bytes for "
        "{name} with `rabbitmqctl set_policy --apply-to queues`, and put the setting back; or use a new "
        "WHATSAPP_QUEUE_NAMESPACE and keep the old stream for reading."
    ),
    "exchange": (
        "The type of an exchange cannot be changed. Another program made it: use another WHATSAPP_QUEUE_NAMESPACE, or "
        "delete it and run `antrian topology apply` again."
    ),
}


def plan(connection: BlockingConnection, wanted: Topology) -> list[TopologyDifference]:
    """Compare every exchange and queue with the broker, changing nothing.

    Users with few rights (`antrian.broker.definitions`) may only ask whether the things that they use are there.

    Raises:
        BrokerRefused: the broker is too old.
    """
    _check_version(connection, wanted)
    probe = _Probe(connection)
    differences = [probe.exchange(exchange) for exchange in wanted.exchanges]
    differences += [probe.queue(queue) for queue in wanted.queues]
    return differences


def apply(connection: BlockingConnection, wanted: Topology) -> list[TopologyDifference]:
    """Make what is missing, bind everything, and return what was found before.

    A user who may not declare is content if all that it may see is there.

    Raises:
        TopologyConflict: an object exists with other arguments; nothing was changed.
        BrokerRefused: something is missing, and this user may not declare it.
    """
    if _is_all_there(connection, wanted):
        return [TopologyDifference(_kind(one), one.name, SyncStatus.SAME) for one in _objects(wanted)]
    found = plan(connection, wanted)
    conflicts = [difference.sentence() for difference in found if difference.status is SyncStatus.CHANGED]
    if conflicts:
        raise TopologyConflict("the broker's topology differs:\n" + "\n".join(f"  {line}" for line in conflicts))
    missing = [difference for difference in found if difference.status is SyncStatus.MISSING]
    if not missing and SyncStatus.UNCHECKED in {difference.status for difference in found}:
        return found
    try:
        declare(connection.channel(), wanted)
    except ChannelClosedByBroker as refusal:
        if refusal.reply_code != _ACCESS_REFUSED or not missing:
            raise
        raise BrokerRefused(
            f"{missing[0].kind} {missing[0].name} is missing in the broker, and this user may not create it: run "
            "`antrian topology apply` as a user who may, or import deploy/rabbitmq/definitions.json again"
        ) from refusal
    return found


def _is_all_there(connection: BlockingConnection, wanted: Topology) -> bool:
    """Whether every object is there and as it is wanted, and bind it all; false when only a closer look can tell.

    All is sent without waiting for answers, and one question at the end of each round waits for it: a process with
    hundreds of lanes looks at thousands of objects each time it connects. Nothing is declared before everything was
    seen to be there, so a conflict is found without having changed anything.
    """
    _check_version(connection, wanted)
    channel = connection.channel()
    sent = channel._impl  # noqa: SLF001 (the blocking channel's methods wait for each answer)
    try:
        for exchange in wanted.exchanges:
            sent.exchange_declare(exchange.name, passive=True)
        for queue in wanted.queues:
            sent.queue_declare(queue.name, passive=True)
        channel.queue_declare(wanted.queues[-1].name, passive=True)
        # The first conflict closes the channel, and with it whatever was sent after it has no effect.
        declare(sent, wanted)
        channel.queue_declare(wanted.queues[-1].name, passive=True)
    except (ChannelClosedByBroker, ChannelWrongStateError):
        return False
    channel.close()
    return True


def _objects(wanted: Topology) -> tuple[Exchange | Queue, ...]:
    return (*wanted.exchanges, *wanted.queues)


def _kind(one: Exchange | Queue) -> str:
    if isinstance(one, Exchange):
        return "exchange"
    return "stream" if one.is_stream else "queue"


def declare(channel: BlockingChannel | Channel, wanted: Topology) -> None:
    """Declare and bind everything in the topology's order; idempotent.

    A blocking channel waits for each answer; pika's own channel sends all and waits for none.
    """
    for exchange in wanted.exchanges:
        channel.exchange_declare(exchange.name, exchange.kind, durable=True)
    for queue in wanted.queues:
        channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
    for binding in wanted.bindings:
        _bind(channel, binding)


def _check_version(connection: BlockingConnection, wanted: Topology) -> None:
    # Declaring is no test: an old broker accepts arguments that it does not know, and then ignores them.
    properties = connection._impl.server_properties or {}  # noqa: SLF001 (pika has no public way to ask)
    version = str(properties.get("version", "0"))
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < wanted.oldest_broker:
        needed = ".".join(map(str, wanted.oldest_broker))
        why = (
            "WHATSAPP_QUEUE_TYPE=quorum needs RabbitMQ 4.3 or newer: before that, quorum queues do not keep priorities"
            if wanted.oldest_broker == QUORUM_NEEDS
            else f"Antrian needs RabbitMQ {needed} or newer"
        )
        raise BrokerRefused(f"{why}; this broker is {version}")


def _bind(channel: BlockingChannel | Channel, binding: Binding) -> None:
    if binding.to == "queue":
        channel.queue_bind(binding.destination, binding.source, binding.key)
    else:
        channel.exchange_bind(binding.destination, binding.source, binding.key, dict(binding.arguments))


class _Probe:
    """Asks about one object at a time; a refused question costs a channel, so it keeps a spare."""

    def __init__(self, connection: BlockingConnection) -> None:
        self._connection = connection
        self._channel = connection.channel()
        self._may_compare = True

    def exchange(self, exchange: Exchange) -> TopologyDifference:
        return self._compare(
            "exchange",
            exchange.name,
            lambda channel: channel.exchange_declare(exchange.name, passive=True),
            lambda channel: channel.exchange_declare(exchange.name, exchange.kind, durable=True),
        )

    def queue(self, queue: Queue) -> TopologyDifference:
        return self._compare(
            _kind(queue),
            queue.name,
            lambda channel: channel.queue_declare(queue.name, passive=True),
            lambda channel: channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments)),
        )

    def _compare(
        self,
        kind: str,
        name: str,
        look: Callable[[BlockingChannel], object],
        declare_again: Callable[[BlockingChannel], object],
    ) -> TopologyDifference:
        refusal = self._ask(look)
        if refusal is None and self._may_compare:
            refusal = self._ask(declare_again)
            if refusal is None:
                return TopologyDifference(kind, name, SyncStatus.SAME)
            # Once is enough: the broker writes every refusal into its log.
            self._may_compare = refusal.reply_code != _ACCESS_REFUSED
        if refusal is None or refusal.reply_code == _ACCESS_REFUSED:
            return TopologyDifference(kind, name, SyncStatus.UNCHECKED)
        if refusal.reply_code == _NOT_FOUND:
            return TopologyDifference(kind, name, SyncStatus.MISSING)
        if refusal.reply_code != _PRECONDITION_FAILED:
            raise BrokerRefused(f"{kind} {name} cannot be declared: {refusal.reply_text}") from refusal
        match = _INEQUIVALENT.search(refusal.reply_text)
        parts = match.groupdict() if match else {"argument": refusal.reply_text, "wanted": "?", "current": "?"}
        return TopologyDifference(kind, name, SyncStatus.CHANGED, **parts)

    def _ask(self, question: Callable[[BlockingChannel], object]) -> ChannelClosedByBroker | None:
        try:
            question(self._channel)
        except ChannelClosedByBroker as refusal:
            self._channel = self._connection.channel()
            return refusal
        return None
