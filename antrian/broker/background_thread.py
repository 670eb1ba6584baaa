"""A thread that serves the process as long as it lives, and whose loss does not go unnoticed."""

import threading
import time
from collections.abc import Callable

import structlog

#: Seconds between the loss of a thread's work and its next start.
RESTART_PERIOD = 1.0

#: Seconds for which a loss is told to those who ask: longer than the usual time between two health checks.
TOLD_FOR = 15.0

_log = structlog.get_logger("antrian.threads")


class BackgroundThread:
    """Runs its work, and starts it again when it ends without having been told to.

    Args:
        work: returns once `stopping` is set.
        name: of the thread.
        stopping: set by the owner.
    """

    def __init__(self, work: Callable[[], None], *, name: str, stopping: threading.Event) -> None:
        self.name = name
        self._work = work
        self._stopping = stopping
        self._lost_at: float | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_well(self) -> bool:
        """Whether the thread runs, and its work has not been lost lately."""
        lately = self._lost_at is not None and time.monotonic() - self._lost_at < TOLD_FOR
        return self._thread.is_alive() and not lately

    @property
    def is_alive(self) -> bool:
        """Whether the thread was started and has not ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the end, at most so many seconds."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            error: BaseException | None = None
            try:
                self._work()
            except BaseException as lost:  # noqa: BLE001 (what ends a thread would otherwise end it without a word)
                error = lost
            if self._stopping.is_set():
                return
            self._lost_at = time.monotonic()
            _log.critical("thread.lost", thread=self.name, restarted_in=RESTART_PERIOD, exc_info=error)
            self._stopping.wait(RESTART_PERIOD)
