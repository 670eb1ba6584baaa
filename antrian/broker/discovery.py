"""Which broker to use: the one that was named, or one of our own, whatever this machine has to make it from."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from antrian.broker.node import debian_package
from antrian.broker.node.container import BrokerContainer, engine_answers
from antrian.broker.node.files import container_files, private_node_files
from antrian.broker.node.program import HOW_TO_INSTALL, rabbitmq_server
from antrian.domain.errors import NoBroker
from antrian.domain.settings import Settings

if TYPE_CHECKING:
    from antrian.broker.node.private_node import PrivateNode


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that answers, or one that AMQP_URL promises.

    Attributes:
        url: AMQP address, password included; several, comma-separated, when AMQP_URL has several.
        kind: `url` (AMQP_URL), `node` (a private node) or `container`.
        started: whether it was started by this call.
        stop: stops what this call started; does nothing to a broker that was there before.
    """

    url: str = field(repr=False)
    kind: Literal["url", "node", "container"]
    started: bool
    stop: Callable[[], object]


def say_on_stderr(sentence: str) -> None:
    """Tell people what is being done, without disturbing what a program prints for other programs."""
    sys.stderr.write(f"{sentence}\n")


def find_broker(settings: Settings, *, tied_to_parent: bool, say: Callable[[str], None] = say_on_stderr) -> Broker:
    """Find a broker, or start one: AMQP_URL, private node, container, installed package, in this order.

    Args:
        settings: `amqp_url` and `antrian_home` are used.
        tied_to_parent: a private node ends when the calling thread ends, even by `kill -9`.
        say: takes a sentence for people about what takes long or is not as it was.

    Raises:
        NoBroker: nothing works here; the text says what to install, or what went wrong.
    """
    if settings.amqp_urls:
        return Broker(",".join(settings.amqp_urls), "url", started=False, stop=_nothing)
    if rabbitmq_server() is None:
        if engine_answers():
            try:
                return _started_container(settings, say)
            except NoBroker as error:
                if not debian_package.can_install():
                    raise
                say(str(error))
        if not debian_package.can_install():
            raise NoBroker(f"there is no broker: set AMQP_URL, or {HOW_TO_INSTALL}, or start Docker")
        debian_package.install_rabbitmq(say)
    return _started_node(settings, tied_to_parent=tied_to_parent, say=say)


def running_broker_url(settings: Settings) -> str:
    """The address for a process that only connects: AMQP_URL's, or that of our own broker if it answers.

    Returns:
        An AMQP address, password included; several, comma-separated, when AMQP_URL has several.

    Raises:
        NoBroker: nothing is running.
    """
    if settings.amqp_urls:
        return ",".join(settings.amqp_urls)
    for files in (private_node_files(settings.antrian_home), container_files(settings.antrian_home)):
        try:
            identity = files.identity()
        except OSError as error:
            raise NoBroker(f"{files.folder} cannot be read ({error.strerror}): set AMQP_URL") from error
        if identity and identity.greeting():
            return identity.url
    raise NoBroker("no broker is running: start one with `antrian broker start`, or set AMQP_URL")


def private_node(settings: Settings, say: Callable[[str], None] = say_on_stderr) -> "PrivateNode":
    """The private node of these settings' home, running or not.

    Raises:
        NoBroker: this installation lacks what a private node needs.
    """
    try:
        from antrian.broker.node.private_node import PrivateNode  # noqa: PLC0415 (a process that only connects needs none of it)
    except ModuleNotFoundError as error:
        raise NoBroker(f"a private broker needs {error.name}: pip install 'antrian[broker]'") from error
    return PrivateNode(settings.antrian_home, say=say)


def _started_node(settings: Settings, *, tied_to_parent: bool, say: Callable[[str], None]) -> Broker:
    node = private_node(settings, say)
    url = node.start(tied_to_parent=tied_to_parent)
    return Broker(url, "node", started=not node.adopted, stop=_nothing if node.adopted else node.stop)


def _started_container(settings: Settings, say: Callable[[str], None]) -> Broker:
    container = BrokerContainer(settings.antrian_home, say=say)
    url = container.start()
    return Broker(
        url, "container", started=not container.adopted, stop=_nothing if container.adopted else container.stop
    )


def _nothing() -> None:
    pass
