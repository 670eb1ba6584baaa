"""What we do inside pika, on the version of pika that is installed: if one of these fails, publishing became slower."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pika
import pytest
from pika import frame, spec
from pika.adapters.utils.io_services_utils import _AsyncPlaintextTransport

from antrian.broker.publishing_connection import PublishingConnection


class Transport:
    """pika's transport as far as we know it: a socket, and a buffer that the loop empties later."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.later = b""

    def get_write_buffer_size(self) -> int:
        return len(self.later)

    def write(self, data: bytes) -> None:
        self.later += data


class Idle(PublishingConnection):
    """A connection that does not connect."""

    def __init__(self, sock: socket.socket) -> None:
        self._transport: Any = Transport(sock)
        self._body_max_length = 100
        self.bytes_sent = self.frames_sent = 0


@pytest.fixture
def broker() -> Iterator[tuple[Idle, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)  # noqa: FBT003 (the standard library's own)
        there.settimeout(10)
        yield Idle(here), there


def publish(connection: Idle, body: bytes) -> None:
    connection.publish(1, "e", "k", body, pika.BasicProperties(message_id="m"), mandatory=True)


def test_pika_still_calls_what_we_replace(broker: tuple[Idle, socket.socket]) -> None:
    connection, there = broker
    confirms: list[Any] = []
    connection.on_confirm(3, confirms.append)
    connection._frame_buffer = b""
    connection.frames_received = connection.bytes_received = 0
    connection._on_data_available(frame.Method(3, spec.Basic.Ack(7)).marshal())
    assert [confirm.method.delivery_tag for confirm in confirms] == [7]

    connection._send_message(1, spec.Basic.Publish(), (pika.BasicProperties(), b"through pika"))
    assert b"through pika" in there.recv(1_000)
    assert hasattr(_AsyncPlaintextTransport, "_MAX_CONSUME_BYTES")


def test_a_publish_is_on_its_way_at_once(broker: tuple[Idle, socket.socket]) -> None:
    connection, there = broker
    publish(connection, b"Halo")
    assert b"Halo" in there.recv(1_000)
    assert connection._transport.later == b""


def test_what_is_published_together_is_written_together_and_in_order(broker: tuple[Idle, socket.socket]) -> None:
    connection, there = broker
    with connection.one_write():
        publish(connection, b"first")
        with connection.one_write():
            publish(connection, b"second")
        there.setblocking(False)  # noqa: FBT003
        with pytest.raises(BlockingIOError):
            there.recv(1)
    there.settimeout(10)
    written = there.recv(1_000)
    assert written.index(b"first") < written.index(b"second")
    assert connection.bytes_sent == len(written)


def test_what_was_gathered_before_an_error_is_written(broker: tuple[Idle, socket.socket]) -> None:
    connection, there = broker
    with suppress(ZeroDivisionError), connection.one_write():
        publish(connection, b"first")
        raise ZeroDivisionError
    assert b"first" in there.recv(1_000)
    publish(connection, b"second")
    assert b"second" in there.recv(1_000)


def test_what_the_socket_does_not_take_goes_pikas_way_and_nothing_overtakes_it(
    broker: tuple[Idle, socket.socket],
) -> None:
    connection, there = broker
    bodies = [bytes([number]) * 100 for number in range(200)]
    connection._transport._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for body in bodies:
        publish(connection, body)
    later = connection._transport.later
    assert later, "the socket took everything"
    there.settimeout(0.01)
    arrived = b""
    while len(arrived) < connection.bytes_sent - len(later):
        arrived += there.recv(100_000)
    arrived += later
    assert [arrived.index(body) for body in bodies] == sorted(arrived.index(body) for body in bodies)


def test_a_socket_that_complains_is_left_to_pika(broker: tuple[Idle, socket.socket]) -> None:
    connection, _there = broker
    connection._transport._sock.close()
    publish(connection, b"Halo")
    assert b"Halo" in connection._transport.later
