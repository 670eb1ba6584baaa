"""A server that breaks its connections in one chosen way each."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Fault = Callable[[socket.socket], None]


@contextmanager
def serving(fault: Fault) -> Iterator[str]:
    """Listen on a free port and treat every connection with `fault`; yields the base address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    connections: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=_treat, args=(fault, connection), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in connections:
            connection.close()


def _treat(fault: Fault, connection: socket.socket) -> None:
    try:
        fault(connection)
    except OSError:
        connection.close()


def read_request(connection: socket.socket) -> bytes:
    """Read one request with a `Content-Length`, headers and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _piece(connection)
    headers, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in headers.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += _piece(connection)
    return headers + b"\r\n\r\n" + body


def _piece(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise ConnectionAbortedError
    return piece


def answer_with(raw: bytes) -> Fault:
    """Read the request, write these bytes and close."""

    def fault(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    return fault


def stall_after(raw: bytes) -> Fault:
    """Read the request, write these bytes and then nothing, until the client goes."""

    def fault(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(raw)
        while connection.recv(65536):
            pass
        connection.close()

    return fault


def reset(connection: socket.socket) -> None:
    """Read the request and reset the connection."""
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def drip(connection: socket.socket) -> None:
    """Answer with a body that never ends, a byte at a time, each well within any read time-out."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    connection.settimeout(0.02)
    while True:
        connection.sendall(b" ")
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            pass
