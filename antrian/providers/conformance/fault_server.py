"""A server that treats each connection in one chosen way: it answers, breaks off, stalls or never stops."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Self

#: What is done with one accepted connection.
Fault = Callable[[socket.socket], None]

#: Seconds that the server keeps quiet, or goes on for ever: a client that waits longer has no patience of its own.
LONGEST_SILENCE = 6.0

_RESET_ON_CLOSE = b"\1\0\0\0\0\0\0\0"


class FaultServer:
    """Listens on a free port of this machine.

    Args:
        fault: what is done with every connection.

    Attributes:
        requests: those that were read whole by `read_request`, heads and bodies.
        connections: how many were accepted.
    """

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            heard = _Heard(connection, self.requests)
            self._open.append(heard)
            threading.Thread(target=self._treat, args=(heard,), daemon=True).start()

    def _treat(self, connection: "_Heard") -> None:
        with suppress(OSError):
            self._fault(connection)
            return
        connection.close()


class _Heard(socket.socket):
    """An accepted connection that knows where to note the request that is read from it."""

    def __init__(self, accepted: socket.socket, requests: list[bytes]) -> None:
        super().__init__(fileno=accepted.detach())
        self.requests = requests


@contextmanager
def serving(fault: Fault) -> Iterator[str]:
    """Treat every connection with `fault`; yields the base address."""
    with FaultServer(fault) as server:
        yield server.url


def read_request(connection: socket.socket) -> bytes:
    """Read one request with a `Content-Length`, head and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _piece(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += _piece(connection)
    whole = head + b"\r\n\r\n" + body
    if isinstance(connection, _Heard):
        connection.requests.append(whole)
    return whole


def _piece(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise ConnectionAbortedError
    return piece


def answer_with(raw: bytes) -> Fault:
    """Read the request, write these bytes and close."""
    return answer_each([raw])


def answer_each(answers: Iterable[bytes]) -> Fault:
    """As `answer_with`, with an answer for each connection; the last one repeats."""
    raws = list(answers)
    turn = count()

    def fault(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(raws[min(next(turn), len(raws) - 1)])
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    return fault


def stall_after(raw: bytes) -> Fault:
    """Read the request, write these bytes and then nothing, until the client goes or `LONGEST_SILENCE` is over."""

    def fault(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(raw)
        connection.settimeout(LONGEST_SILENCE)
        with suppress(TimeoutError):
            while connection.recv(65536):
                pass
        connection.close()

    return fault


def answer_after(seconds: float, raw: bytes) -> Fault:
    """Read the request, wait, then answer."""

    def fault(connection: socket.socket) -> None:
        read_request(connection)
        threading.Event().wait(seconds)
        connection.sendall(raw)
        connection.close()

    return fault


def reset(connection: socket.socket) -> None:
    """Read the request and reset the connection."""
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.close()


def hang_up(connection: socket.socket) -> None:
    """Close the connection without reading anything."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.close()


def hang_up_in_handshake(connection: socket.socket) -> None:
    """Read the first piece of whatever comes, and close."""
    _piece(connection)
    hang_up(connection)


def speak_no_tls(connection: socket.socket) -> None:
    """Greet as a mail server does."""
    connection.sendall(b"220 this is no TLS\r\n")
    while connection.recv(65536):
        pass
    connection.close()


def drip(connection: socket.socket) -> None:
    """Answer with a body that does not end, a byte at a time, each well within any read time-out."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    connection.settimeout(0.02)
    end = time.monotonic() + LONGEST_SILENCE
    while time.monotonic() < end:
        connection.sendall(b" ")
        with suppress(TimeoutError):
            if not connection.recv(1):
                break
    connection.close()
