"""Whether the broker's user may do what a role needs, asked without doing it.

RabbitMQ checks a right before anything else, so a request that would fail for another reason tells:

    read a queue        subscribe with an impossible argument: 403 not allowed, 406 allowed
    write to an exchange, or hear it        undo a binding that does not exist: 403 not allowed, else nothing happens
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from re import fullmatch
from typing import Literal

from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import ChannelClosedByBroker

from antrian.broker.definitions import ROLES
from antrian.broker.topology import Topology
from antrian.doctor.finding import Finding, ok, problem

SUBJECT = "permissions"

_ACCESS_REFUSED = 403
#: A binding that does not exist.
_NO_KEY = "antrian.doctor"

Lacking = Mapping[str, tuple["Need", ...]]


@dataclass(frozen=True, slots=True)
class Need:
    """One permission that a user needs.

    Attributes:
        deed: `publish to` an exchange, `read` a queue, or `hear` an exchange by a queue of one's own.
        name: of the exchange or queue.
    """

    deed: Literal["publish to", "read", "hear"]
    name: str


def needs(role: str, wanted: Topology, lanes: tuple[str, ...]) -> tuple[Need, ...]:
    """What a role must be allowed; of the delay ladder one rung, because all have one rule. Pure."""
    return tuple(_needs(role, wanted, lanes))


def _needs(role: str, wanted: Topology, lanes: tuple[str, ...]) -> Iterator[Need]:
    rights = ROLES[role](wanted.names, lanes)
    queues = {queue.name for queue in wanted.queues}
    other_rungs = {wanted.names.delay(level) for level in range(1, 100)}
    for name in (exchange.name for exchange in wanted.exchanges):
        if name not in other_rungs and fullmatch(rights.write, name):
            yield Need("publish to", name)
        if name not in queues and fullmatch(rights.read, name):
            yield Need("hear", name)
    for name in sorted(queues - other_rungs):
        if fullmatch(rights.read, name):
            yield Need("read", name)


def check(lacking: Lacking, role: str | None) -> Finding:
    """Whether the user may do the work.

    Args:
        lacking: by role, what this user may not do.
        role: the one that counts; None when any will do.
    """
    able = [one for one, missing in lacking.items() if not missing]
    if role in able or (role is None and able):
        return ok(SUBJECT, f"This user may do what these need: {', '.join(able)}.")
    nearest = role or min(lacking, key=lambda one: len(lacking[one]))
    missing = "; ".join(f"{need.deed} {need.name}" for need in lacking[nearest])
    return problem(
        SUBJECT,
        f"This user may not do what a {nearest} needs: {missing}.",
        "Give it the rights that `antrian topology definitions` lists for that user, or use another user in AMQP_URL.",
    )


def look(connection: BlockingConnection, wanted: Topology, lanes: tuple[str, ...]) -> Lacking:
    """By role, what this connection's user may not do; it leaves nothing behind."""
    wishes = {role: needs(role, wanted, lanes) for role in ROLES}
    asking = _Asking(connection, wanted)
    every = dict.fromkeys(need for needed in wishes.values() for need in needed)
    refused = {need for need in every if not asking.may(need)}
    return {role: tuple(need for need in needed if need in refused) for role, needed in wishes.items()}


class _Asking:
    """Asks one thing at a time; most answers cost a channel."""

    def __init__(self, connection: BlockingConnection, wanted: Topology) -> None:
        self._connection = connection
        self._channel = connection.channel()
        self._sources: Sequence[str] = (wanted.names.due, wanted.names.urgent)
        self._own = ""

    def may(self, need: Need) -> bool:
        """Whether it is allowed."""
        try:
            if not self._channel.is_open:
                self._channel = self._connection.channel()
            self._try(self._channel, need)
        except ChannelClosedByBroker as answer:
            return not self._is_refusal(answer, need)
        return True

    def _try(self, channel: BlockingChannel, need: Need) -> None:
        match need.deed:
            case "read":
                channel.basic_qos(prefetch_count=1)
                channel.basic_consume(need.name, lambda *_: None, arguments={"x-priority": "none"})
                channel.close()  # no broker lets it come to this, and nothing may be delivered to us
            case "publish to":
                source = next(one for one in self._sources if one != need.name)
                channel.exchange_unbind(need.name, source, _NO_KEY)
            case "hear":
                self._own = self._own or channel.queue_declare("", exclusive=True).method.queue
                channel.queue_unbind(self._own, need.name, _NO_KEY)

    def _is_refusal(self, answer: ChannelClosedByBroker, need: Need) -> bool:
        # Undoing a binding needs a right on its other end as well, and a topic's key may be refused for itself.
        return answer.reply_code == _ACCESS_REFUSED and any(
            f"{kind} '{need.name}' in vhost" in answer.reply_text and "to topic" not in answer.reply_text
            for kind in ("queue", "exchange")
        )
