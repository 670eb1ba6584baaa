"""Whether the broker has a memory or disk alarm, seen as every publisher sees it: it stops reading what we write."""

from collections.abc import Sequence
from contextlib import suppress

from pika.adapters.blocking_connection import BlockingConnection
from pika.exceptions import AMQPError

from antrian.broker.connection import connection_parameters, translate
from antrian.doctor.finding import Finding, ok, problem

SUBJECT = "alarm"

#: Seconds after which a blocked connection is given up; it could not even be closed properly.
_GIVE_UP = 0.5


def check(alarm: str | None) -> Finding:
    """What an alarm means.

    Args:
        alarm: the broker's words, such as `low on memory`; None without one.
    """
    if alarm is None:
        return ok(SUBJECT, "The broker has no memory or disk alarm.")
    page = "AntrianBrokerDiskAlarm" if "disk" in alarm else "AntrianBrokerMemoryAlarm"
    return problem(
        SUBJECT,
        f"The broker has an alarm and accepts no messages: {alarm}.",
        f"Free memory or disk on the broker, as docs/runbooks/{page}.md says; sending goes on by itself afterwards.",
    )


def look(urls: Sequence[str]) -> str | None:
    """The broker's words about its alarm, or None.

    Raises:
        BrokerError: it does not answer.
    """
    reasons: list[str] = []
    parameters = connection_parameters(urls, name="antrian doctor", heartbeat=30)
    for one in parameters:
        one.blocked_connection_timeout = _GIVE_UP
    try:
        connection = BlockingConnection(parameters)
        # pika's own way tells of it only to those who wait for events, and by then the connection is given up.
        connection._impl.add_on_connection_blocked_callback(  # noqa: SLF001
            lambda _connection, frame: reasons.append(str(frame.method.reason))
        )
        # To no queue at all. With an alarm, the broker stops listening with the first thing that is published.
        connection.channel().basic_publish("", "antrian.doctor", b"")
        connection.channel()
    except AMQPError as error:
        if not reasons:
            raise translate(error, "AMQP_URL") from error
        return ", ".join(reasons)
    with suppress(AMQPError):
        connection.close()
    return None
