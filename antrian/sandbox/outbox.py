"""Sends webhooks when they are due, again and again where the receiver does not take them; nothing is kept on disk."""

import heapq
import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import Final

import requests

from antrian.sandbox.report import WebhookCall

#: Seconds before each further try; after the last one the webhook is given up.
WAITS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 30.0, 30.0, 60.0, 60.0, 60.0)

#: Seconds for one try.
PATIENCE: Final = 10.0

#: Webhooks of one message leave in their order; a receiver that is slow holds up those of other messages less.
_THREADS: Final = 4

#: Seconds that the end waits for webhooks that are being sent.
_PATIENCE_AT_THE_END: Final = 2.0

_TOO_MANY, _TOO_LATE, _FAULTS = 429, 408, 500


@dataclass(order=True, slots=True)
class _Due:
    at: float
    place: int
    call: WebhookCall = field(compare=False)
    tries: int = field(compare=False, default=0)


class Outbox:
    """Webhooks that wait until they are due.

    Args:
        waits: see `WAITS`.
    """

    def __init__(self, waits: tuple[float, ...] = WAITS) -> None:
        self._waits = waits
        self._changed = threading.Condition()
        self._heaps: list[list[_Due]] = [[] for _ in range(_THREADS)]
        self._threads: list[threading.Thread] = []
        self._placed = self._open = self._taken = self._given_up = 0
        self._last_status: int | None = None
        self._stopping = False

    def put(self, call: WebhookCall, after: float, about: str) -> None:
        """Send a webhook after so many seconds; those `about` one message keep their order."""
        with self._changed:
            if not self._threads:
                self._start()
            self._placed += 1
            self._open += 1
            heap = self._heaps[zlib.crc32(about.encode()) % _THREADS]
            heapq.heappush(heap, _Due(time.monotonic() + after, self._placed, call))
            self._changed.notify_all()

    def counts(self) -> dict[str, int | None]:
        """How many wait, were taken, were given up; and the latest HTTP status, None where there was no answer."""
        with self._changed:
            return {
                "waiting": self._open,
                "taken": self._taken,
                "given_up": self._given_up,
                "last_status": self._last_status,
            }

    def clear(self) -> int:
        """Forget those that wait; return how many there were."""
        with self._changed:
            count = sum(map(len, self._heaps))
            for heap in self._heaps:
                heap.clear()
            self._open -= count
        return count

    def stop(self) -> None:
        """Send nothing more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        threads, self._threads = self._threads, []
        for thread in threads:
            # One that waits for an answer is left to itself: it ends with the process, if not before.
            thread.join(_PATIENCE_AT_THE_END)

    def _start(self) -> None:
        self._stopping = False
        for place, heap in enumerate(self._heaps):
            thread = threading.Thread(target=self._work, args=(heap,), name=f"sandbox webhooks {place}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self, heap: list[_Due]) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (due := self._next(heap)) is not None:
                self._settle(heap, due, post(session, due.call))

    def _next(self, heap: list[_Due]) -> _Due | None:
        with self._changed:
            while not self._stopping:
                left = heap[0].at - time.monotonic() if heap else None
                if left is not None and left <= 0:
                    return heapq.heappop(heap)
                self._changed.wait(left)
        return None

    def _settle(self, heap: list[_Due], due: _Due, status: int | None) -> None:
        with self._changed:
            self._last_status = status
            if not is_worth_another_try(status):
                self._taken += is_taken(status)
                self._given_up += not is_taken(status)
                self._open -= 1
            elif due.tries >= len(self._waits):
                self._given_up += 1
                self._open -= 1
            else:
                due.at = time.monotonic() + self._waits[due.tries]
                due.tries += 1
                heapq.heappush(heap, due)


def post(session: requests.Session, call: WebhookCall, patience: float = PATIENCE) -> int | None:
    """Call a webhook once; the HTTP status, or None where there was no answer."""
    try:
        with session.post(
            call.url, data=call.body, headers=call.headers, timeout=patience, allow_redirects=False
        ) as answer:
            return answer.status_code
    except (requests.RequestException, ValueError):
        return None


def is_taken(status: int | None) -> bool:
    """Whether the receiver took it."""
    return status is not None and 200 <= status < 300  # noqa: PLR2004 (the success family)


def is_worth_another_try(status: int | None) -> bool:
    """Whether the receiver may take it later."""
    return status is None or status >= _FAULTS or status in {_TOO_MANY, _TOO_LATE}
