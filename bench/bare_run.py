"""Bare pika doing one thing as fast as it can: the connection, the clock, and what happens when it is not done."""

import time

import pika
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel

from bench.errors import BenchmarkFailed

_PATIENCE = 120.0


class BareRun:
    """A run that begins on an open channel, and ends when nothing is left. Subclasses say what is done.

    Args:
        url: the broker's address.
        left: how many are to be done.
        what: completes the sentence "bare pika has not …" of the failure.
    """

    def __init__(self, url: str, left: int, what: str) -> None:
        self._left = left
        self._what = what
        self._ended_at: float | None = None
        self._connection = SelectConnection(
            pika.URLParameters(url),
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._opened),
            on_open_error_callback=lambda connection, _error: connection.ioloop.stop(),
            on_close_callback=lambda connection, _error: connection.ioloop.stop(),
        )

    def seconds(self) -> float:
        """Do it, and say how long that took, from the subscription to the last one.

        Raises:
            BenchmarkFailed: the connection broke, or the time was over, before all were done.
        """
        self._connection.ioloop.call_later(_PATIENCE, self._connection.close)
        self._connection.ioloop.start()
        if self._ended_at is None:
            raise BenchmarkFailed(f"bare pika has not {self._what}: {self._left} were left")
        return self._ended_at - self._started_at

    def _opened(self, channel: Channel) -> None:
        raise NotImplementedError

    def _begin(self) -> None:
        self._started_at = time.perf_counter()

    def _end(self) -> None:
        self._ended_at = time.perf_counter()
        self._connection.close()
