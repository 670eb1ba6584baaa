"""Who answers at an AMQP port, without logging in: a broker introduces itself before it asks for credentials."""

import socket
from dataclasses import dataclass

import pika.exceptions
import pika.frame
import pika.spec

_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
#: A broker's introduction takes some 500 bytes.
_LONGEST_GREETING = 65_536


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a broker says of itself: its node's name (before the `@`) and its version, such as `3.10.8`."""

    node: str
    version: str


def greet(port: int, *, node: str, timeout: float = 5) -> Greeting | None:
    """Ask the program that listens on 127.0.0.1:`port` whether it is `node`.

    Args:
        port: a TCP port.
        node: the name that is looked for, without `@` and host.
        timeout: longest wait for each part of the answer, in seconds; a closed port answers at once.

    Returns:
        The broker's introduction, or None when nothing answers, or another program does.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            connection.sendall(_PROTOCOL_HEADER)
            greeting = _read_start(connection)
    except OSError:
        return None
    return greeting if greeting and greeting.node == node else None


def _read_start(connection: socket.socket) -> Greeting | None:
    received = b""
    while len(received) < _LONGEST_GREETING and (chunk := connection.recv(4096)):
        received += chunk
        try:
            _, frame = pika.frame.decode_frame(received)
        except pika.exceptions.AMQPError:
            return None
        if isinstance(frame, pika.frame.Method) and isinstance(frame.method, pika.spec.Connection.Start):
            said = frame.method.server_properties
            return Greeting(str(said.get("cluster_name", "")).partition("@")[0], str(said.get("version", "")))
    return None
