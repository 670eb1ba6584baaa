"""Connecting to RabbitMQ, and the one place where pika's exceptions become ours.

pika says                                        we raise
access refused, wrong vhost (403, 530)           BrokerRefused
a certificate that one side does not accept      BrokerRefused
an end of a connection that was open             ConnectionBroke, a BrokerUnreachable
anything else about a connection or channel      BrokerUnreachable
"""

import logging
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.adapters.utils import connection_workflow
from pika.exceptions import (
    AMQPChannelError,
    AMQPConnectionError,
    AMQPError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from antrian.broker.tls import apply_tls, tls_trouble, without_tls_words
from antrian.domain.errors import BrokerError, BrokerRefused, BrokerUnreachable, ConnectionBroke, SettingsError
from antrian.domain.lenient_headers import make_pika_lenient
from antrian.domain.settings import Settings

#: Seconds for TCP and for the whole AMQP handshake of one address.
SOCKET_TIMEOUT = 5
HANDSHAKE_TIMEOUT = 10

_ACCESS_REFUSED, _NOT_ALLOWED = 403, 530

#: What pika makes of any end within the handshake. Why it ended is kept as text: a broker that refuses has said so,
#: while a connection that only broke there may be good at the next try.
_GUESSES = (ProbableAccessDeniedError, ProbableAuthenticationError)
_SAID_NO = re.compile(rf"ConnectionClosedByBroker: \(({_ACCESS_REFUSED}|{_NOT_ALLOWED})\)")

# pika reports every failed connect with a stack trace of its own; ours says it in one sentence.
logging.getLogger("pika").setLevel(logging.CRITICAL)


def connection_parameters(urls: Sequence[str], *, name: str, heartbeat: int) -> list[pika.URLParameters]:
    """Parameters for each address, in order.

    Args:
        urls: `amqp://` or `amqps://` addresses; a cluster has several.
        name: what the broker shows as the connection's name, such as `antrian consumer`.
        heartbeat: seconds, unless the address names its own `heartbeat`.
    """
    make_pika_lenient()
    try:
        parameters = [pika.URLParameters(without_tls_words(url)) for url in urls]
    except ValueError as error:
        # The library's text may quote a part of the address, and with it the password.
        raise SettingsError("AMQP_URL: an address, or a parameter after its question mark, cannot be read") from error
    for one, url in zip(parameters, urls, strict=True):
        one.client_properties = {"connection_name": name, "product": "Antrian"}
        one.socket_timeout = SOCKET_TIMEOUT
        one.stack_timeout = HANDSHAKE_TIMEOUT
        apply_tls(one, url)
        if "heartbeat=" not in url:
            one.heartbeat = heartbeat
    return parameters


def address(parameters: pika.connection.Parameters) -> str:
    """Host, port and virtual host, without the credentials."""
    vhost = "" if parameters.virtual_host == "/" else f"/{parameters.virtual_host}"
    return f"{parameters.host}:{parameters.port}{vhost}"


def translate(error: BaseException, where: str) -> BrokerError:
    """Our error for what pika or the socket reported while talking to `where` (host:port)."""
    causes = list(_causes(error))
    if any(isinstance(cause, _GUESSES) and _SAID_NO.search(str(cause.args)) for cause in causes):
        return BrokerRefused(f"the broker at {where} refuses this user, password or virtual host")
    for cause in causes:
        if trouble := tls_trouble(cause, where):
            return trouble
        if isinstance(cause, ConnectionClosedByBroker | ChannelClosedByBroker):
            refused = cause.reply_code in {_ACCESS_REFUSED, _NOT_ALLOWED}
            kind = BrokerRefused if refused else BrokerUnreachable
            return kind(f"the broker at {where} closed the connection: {cause.reply_text}")
    reason = next((str(cause.strerror) for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
    return BrokerUnreachable(f"no broker answers at {where}" + (f": {reason.lower()}" if reason else ""))


def translate_broken(error: BaseException, where: str) -> BrokerError:
    """The same, for a connection that was open before."""
    translated = translate(error, where)
    if isinstance(error, AMQPConnectionError) and isinstance(translated, BrokerUnreachable):
        return ConnectionBroke(str(translated))
    return translated


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that pika's connection workflow packed into it, innermost last."""
    yield error
    inner: list[object] = [error.__cause__, *error.args]
    if isinstance(error, connection_workflow.AMQPConnectionWorkflowFailed):
        inner += list(error.exceptions)
    if isinstance(error, connection_workflow.AMQPConnectorPhaseErrorBase):
        inner.append(error.exception)
    for cause in inner:
        if isinstance(cause, BaseException):
            yield from _causes(cause)


class _Answered:
    """Which of a cluster's addresses answered last: a node that is gone may cost its whole time-out at every try."""

    latest = ""

    @classmethod
    def is_not_the_latest(cls, parameters: pika.connection.Parameters) -> bool:
        return address(parameters) != cls.latest


class _Connection(BlockingConnection):
    """Remembers what it has bound queues of its own to; see `bind_own_queue`."""

    def __init__(self, parameters: Sequence[pika.URLParameters]) -> None:
        self.own: list[tuple[str, str, str]] = []
        super().__init__(parameters)

    def unbind_own_queues(self) -> None:
        """Returns when nothing more is routed to them."""
        if self.own:
            with self.channel() as channel:
                for queue, exchange, key in self.own:
                    channel.queue_unbind(queue, exchange, key)


def bind_own_queue(channel: BlockingChannel, exchange: str, key: str, arguments: dict[str, Any] | None = None) -> str:
    """A queue for this connection alone, bound to an exchange; it ends with the connection.

    It is unbound before the connection ends, so that the broker does not find it gone while it routes a publish to it:
    RabbitMQ ends the publisher's connection for that (see `antrian.broker.broken_connection`).

    Args:
        channel: as `open_channel` gives it.
        exchange: what it is bound to.
        key: by which key, or pattern.
        arguments: of the queue.
    """
    queue = str(channel.queue_declare("", exclusive=True, arguments=arguments).method.queue)
    channel.queue_bind(queue, exchange, key)
    if isinstance(channel.connection, _Connection):
        channel.connection.own.append((queue, exchange, key))
    return queue


@contextmanager
def open_channel(urls: Sequence[str], *, name: str, heartbeat: int = 30) -> Iterator[BlockingChannel]:
    """A channel for short, sequential work (declaring, counting, moving); publishes are confirmed one by one.

    Raises:
        BrokerUnreachable: no address answers; a `ConnectionBroke` when the connection broke later.
        BrokerRefused: the broker answers, but not to this user.
    """
    where = "the given address"
    try:
        parameters = connection_parameters(urls, name=name, heartbeat=heartbeat)
        where = ", ".join(address(one) for one in parameters)
        connection = _Connection(sorted(parameters, key=_Answered.is_not_the_latest))
        _Answered.latest = address(connection._impl.params)  # noqa: SLF001 (pika has no public way to ask)
    except (AMQPError, connection_workflow.AMQPConnectorException, OSError, socket.gaierror) as error:
        raise translate(error, where) from error
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel
    except (AMQPConnectionError, AMQPChannelError) as error:
        # Only what the broker did: an OSError from the caller's own work is the caller's.
        raise translate_broken(error, where) from error
    finally:
        if connection.is_open:
            # What was to be done is done and confirmed; how the goodbye goes changes nothing.
            with suppress(AMQPError):
                connection.unbind_own_queues()
                connection.close()


def broker_urls(settings: Settings) -> tuple[str, ...]:
    """The addresses to connect to: AMQP_URL's, or else the private node's.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
    """
    if settings.amqp_urls:
        return settings.amqp_urls
    # Imported late: a service that has an AMQP_URL needs nothing of the private node's code.
    from antrian.broker.discovery import running_broker_url  # noqa: PLC0415

    return (running_broker_url(settings),)
