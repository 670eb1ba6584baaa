"""A connection that keeps itself up, in a thread of its own.

Heartbeats never depend on what the rest of the process does, and everything that touches the connection runs in
this thread: other threads hand work over with `IOThread.call`.
"""

import logging
import math
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import pika
from pika.adapters.select_connection import IOLoop
from pika.connection import Connection

from antrian.broker.connection import address, translate
from antrian.broker.publishing_connection import PublishingConnection
from antrian.domain.errors import BrokerError, BrokerUnreachable

#: Seconds before the first reconnect; doubled each time, with full jitter, up to the longest.
SHORTEST_BACKOFF = 0.1
LONGEST_BACKOFF = 3.0

_log = logging.getLogger("antrian.io")


def backoff(failures: int, dice: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds to wait before the next connect, after so many failures in a row (≥ 1)."""
    ceiling: float = min(LONGEST_BACKOFF, SHORTEST_BACKOFF * 2 ** min(failures - 1, 10))
    return dice(ceiling / 2, ceiling)


class IOThread:
    """One connection at a time, to one of several addresses, for ever until stopped.

    Args:
        parameters: where to connect, in order of preference; each failure moves on to the next.
        name: the thread's name.
        on_up: called in this thread with each new connection, once it is open.
        on_down: called in this thread when a connection broke or could not be made; the next one is on its way.
    """

    def __init__(
        self,
        parameters: Sequence[pika.URLParameters],
        *,
        name: str,
        on_up: Callable[[Connection], None],
        on_down: Callable[[BrokerError], None],
    ) -> None:
        self._parameters = parameters
        self._on_up = on_up
        self._on_down = on_down
        self._loop = IOLoop()
        self._connection: PublishingConnection | None = None
        self._up_since = math.inf
        self._dropped = False
        self._failures = 0
        self._turn = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def call(self, function: Callable[[], None]) -> None:
        """Run `function` in the I/O thread as soon as possible; safe from any thread, in order."""
        self._loop.add_callback_threadsafe(function)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Run `function` in the I/O thread after a while; only from within the I/O thread."""
        self._loop.call_later(seconds, function)

    def stop(self, timeout: float = 5.0) -> None:
        """Close the connection and end the thread, waiting at most `timeout` seconds for it."""
        if self._thread.is_alive():
            self.call(self._close)
            self._thread.join(timeout)

    def drop(self) -> None:
        """Give up the present connection and make a new one; only from within the I/O thread."""
        if self._connection is not None and self._connection.is_open:
            self._dropped = True
            self._connection.close(320, "starting over")

    def _run(self) -> None:
        self._connect()
        while True:
            try:
                self._loop.start()
            except Exception as error:  # noqa: BLE001 (whatever pika or a callback raises, this thread must not die silently)
                if self._stopping:
                    break  # pika cannot be stopped in the middle of a handshake without complaining
                self._start_over_after(error)
            else:
                break
        self._loop.close()

    def _start_over_after(self, error: Exception) -> None:
        _log.exception("unexpected error on the connection; opening a new one", exc_info=error)
        # The old loop and connection are in an unknown state. The broker must see at once that they are gone, or it
        # would keep our subscriptions until the heartbeat fails; pika offers no public way to do that.
        with suppress(AttributeError, OSError):
            self._connection._transport._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # noqa: SLF001
        self._loop.close()
        self._loop = IOLoop()
        self._connection = None
        self._failures += 1
        self._loop.call_later(backoff(self._failures), self._connect)
        self._on_down(BrokerUnreachable(f"the connection broke on an unexpected {type(error).__name__}: {error}"))

    def _connect(self) -> None:
        if self._stopping:
            return
        self._connection = PublishingConnection(
            self._parameters[self._turn % len(self._parameters)],
            on_open_callback=self._opened,
            on_open_error_callback=self._failed,
            on_close_callback=self._failed,
            custom_ioloop=self._loop,
        )

    def _opened(self, connection: Connection) -> None:
        if self._stopping:
            connection.close()
            return
        self._up_since = time.monotonic()
        self._on_up(connection)

    def _failed(self, connection: Connection, error: BaseException) -> None:
        del connection
        self._connection = None
        if self._stopping:
            self._loop.stop()
            return
        here = self._parameters[self._turn % len(self._parameters)]
        lasted = time.monotonic() - self._up_since
        if lasted > (LONGEST_BACKOFF if self._dropped else 0):
            # A connection that we gave up ourselves must have lasted, or it would be made again and again.
            self._failures = 0
        self._up_since, self._dropped = math.inf, False
        self._failures += 1
        self._turn += 1
        self._loop.call_later(backoff(self._failures), self._connect)
        self._on_down(translate(error, address(here)))

    def _close(self) -> None:
        self._stopping = True
        if self._connection is None or self._connection.is_closed:
            self._loop.stop()
        elif not self._connection.is_closing:
            self._connection.close()
