"""A TCP proxy to stand between a client and the broker: it can freeze, delay and cut, and counts who comes."""

import contextlib
import math
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

#: Bytes of AMQP's heartbeat, which says nothing.
_HEARTBEAT = 8


class TcpProxy:
    """Listens on a port of its own on loopback and passes bytes on, in both directions.

    Args:
        target: the port on loopback behind it.
        port: where to listen; a free one when 0.

    Attributes:
        connections: how many have come so far.
        held_questions: pieces for the broker that a freeze has held so far, heartbeats aside.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.held_questions = 0
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._questions_flow, self._answers_flow, self._closed = (threading.Event() for _ in range(3))
        self._seconds, self._piece, self._rate = 0.0, 65_536, math.inf
        self._quota, self._asked = math.inf, 0
        self._is_shut = False
        self._fatal, self._is_fatal_confirmed, self._cuts_left = b"", False, 0
        self._doomed: set[socket.socket] = set()
        self.thaw()
        self._spawn(self._accept)

    def through(self, url: str) -> str:
        """An address of what is behind it, by way of this proxy."""
        there = urlsplit(url)
        return there._replace(netloc=there.netloc.replace(f":{there.port}", f":{self.port}")).geturl()

    def freeze(self, *, answers_only: bool = False) -> None:
        """Hold all bytes, or only those from the broker; connections stay open."""
        self._answers_flow.clear()
        if not answers_only:
            self._questions_flow.clear()

    def freeze_after(self, size: int) -> None:
        """Hold what is for the broker by itself, once so many more bytes have come: a test may come late."""
        self._quota = self._asked + size

    def thaw(self) -> None:
        """Let everything through again, what was held first."""
        self._quota = math.inf
        self._questions_flow.set()
        self._answers_flow.set()

    def shut(self) -> None:
        """Reset all connections, and each new one at once."""
        with self._lock:
            self._is_shut = True
        self.cut()

    def open(self) -> None:
        """New connections are let through again."""
        self._is_shut = False

    def delay(self, seconds: float) -> None:
        """Hold every piece for a while before it is passed on."""
        self._seconds = seconds

    def narrow(self, bytes_per_second: float) -> None:
        """Let only so much through, in small pieces, as a line does that is not loopback."""
        self._piece, self._rate = 4_096, bytes_per_second

    def cut_at(self, words: bytes, *, confirmed: bool = False, times: int = 1) -> None:
        """Reset a connection when it sends these words.

        Args:
            words: what a client sends to the broker.
            confirmed: the broker gets them, and its answer is lost; otherwise it does not get them.
            times: how often.
        """
        with self._lock:
            self._fatal, self._is_fatal_confirmed, self._cuts_left = words, confirmed, times

    @property
    def cuts_left(self) -> int:
        """How often `cut_at` has yet to cut."""
        return self._cuts_left

    def cut(self) -> None:
        """Reset all connections; what is held is lost. New connections are accepted."""
        with self._lock:
            for one in self._sockets:
                _reset(one)
            self._sockets.clear()

    def close(self) -> None:
        """Reset all connections and listen no more."""
        self._closed.set()
        self.thaw()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in list(self._threads):
            thread.join(60)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        try:
            broker = socket.create_connection(("127.0.0.1", self._target), 60)
        except OSError:
            _reset(client)
            return
        broker.settimeout(None)
        # It may have been shut in the meantime, and must not miss this one.
        with self._lock:
            if self._is_shut:
                for one in (client, broker):
                    _reset(one)
                return
            self._sockets |= {client, broker}
        self._spawn(self._pump, client, broker, self._questions_flow)
        self._spawn(self._pump, broker, client, self._answers_flow)

    def _pump(self, source: socket.socket, sink: socket.socket, flow: threading.Event) -> None:
        end = b""
        with contextlib.suppress(OSError):
            while piece := source.recv(self._piece):
                if pause := self._seconds + len(piece) / self._rate:
                    self._closed.wait(pause)
                if flow is self._questions_flow:
                    self._count_question(len(piece))
                flow.wait()
                if self._is_fatal(source, sink, end + piece):
                    break
                sink.sendall(piece)
                # Words may begin in one piece and end in the next.
                end = piece[1 - len(self._fatal) :] if len(self._fatal) > 1 else b""
        with self._lock:
            self._sockets -= {source, sink}
        for one in (source, sink):
            _reset(one)

    def _is_fatal(self, source: socket.socket, sink: socket.socket, piece: bytes) -> bool:
        with self._lock:
            if source in self._doomed:
                return True
            if not self._cuts_left or self._fatal not in piece:
                return False
            self._cuts_left -= 1
            if self._is_fatal_confirmed:
                self._doomed.add(sink)
            return not self._is_fatal_confirmed

    def _count_question(self, size: int) -> None:
        with self._lock:
            self._asked += size
            if self._asked > self._quota:
                self._questions_flow.clear()
            self.held_questions += size > _HEARTBEAT and not self._questions_flow.is_set()

    def _spawn(self, function, *arguments) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        # Wakes whoever waits in recv, which close alone does not.
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def proxy_before(url: str, port: int = 0) -> AbstractContextManager[TcpProxy]:
    """A proxy to what listens at an address, for the time of a `with`."""
    return tcp_proxy(urlsplit(url).port or 5672, port)


@contextmanager
def tcp_proxy(target: int, port: int = 0) -> Iterator[TcpProxy]:
    """A proxy for the time of a `with`."""
    proxy = TcpProxy(target, port)
    try:
        yield proxy
    finally:
        proxy.close()
