"""The broker itself: does it answer at every address, and is it new enough."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pika.adapters.blocking_connection import BlockingConnection

from antrian.broker.connection import address, connection_parameters, open_channel
from antrian.broker.topology import QUORUM_NEEDS, STREAMS_NEED, Topology
from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.domain.errors import BrokerError

SUBJECT = "broker"

#: The oldest version line that gets fixes from its makers; older ones work all the same.
MAINTAINED_SINCE = (4, 0)


@dataclass(frozen=True, slots=True)
class Doorbells:
    """Which of the broker's addresses answer.

    Attributes:
        open: addresses (with their credentials) that let us in.
        silent: for each other, why not, in one sentence.
    """

    open: tuple[str, ...]
    silent: tuple[str, ...]


def ring(urls: Sequence[str]) -> Doorbells:
    """Try every address of a cluster, each for itself."""
    answering, silent = [], []
    for url in urls:
        try:
            with open_channel((url,), name="antrian doctor"):
                answering.append(url)
        except BrokerError as error:
            silent.append(str(error))
    return Doorbells(tuple(answering), tuple(silent))


def check_answers(bells: Doorbells) -> Iterator[Finding]:
    """What silent addresses mean."""
    if not bells.open:
        why = "; ".join(bells.silent)
        yield problem(SUBJECT, f"The broker cannot be used: {why}.", "Correct AMQP_URL, or start the broker.")
        return
    where = ", ".join(address(one) for one in connection_parameters(bells.open, name="", heartbeat=30))
    yield ok(SUBJECT, f"A broker answers at {where}.")
    for why in bells.silent:
        yield warning(
            SUBJECT,
            f"One address of the cluster does not answer: {why}.",
            "Start that node, or take its address out of AMQP_URL.",
        )


def version_of(connection: BlockingConnection) -> str:
    """The version that the broker gives, such as `3.10.8`."""
    properties = connection._impl.server_properties or {}  # noqa: SLF001 (pika has no public way to ask)
    return str(properties.get("version", "unknown"))


def check_version(version: str, wanted: Topology) -> Finding:
    """Whether a broker of that version can do what the settings ask for."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < wanted.oldest_broker:
        needed = ".".join(map(str, wanted.oldest_broker))
        why = "WHATSAPP_QUEUE_TYPE=quorum" if wanted.oldest_broker == QUORUM_NEEDS else "Antrian"
        todo = (
            "Upgrade RabbitMQ, or set WHATSAPP_QUEUE_TYPE to classic."
            if numbers >= STREAMS_NEED
            else "Upgrade RabbitMQ."
        )
        return problem(SUBJECT, f"RabbitMQ is {version}; {why} needs {needed} or newer.", todo)
    if numbers < MAINTAINED_SINCE:
        return warning(
            SUBJECT,
            f"RabbitMQ is {version}: it works, but is no longer supported.",
            "Plan the upgrade to RabbitMQ 4.3 (docs/howto/upgrade.md).",
        )
    return ok(SUBJECT, f"RabbitMQ is {version}.")
