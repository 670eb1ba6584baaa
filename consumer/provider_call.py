"""Calls the providers in a few threads that all lanes share: a slow one costs neither heartbeats nor other lanes.

A lane reserves its call before it records that sending begins, and makes it right after. When every provider answers,
no call waits; when one hangs, its lanes wait for each other, and the lanes of other providers go on: part of
the threads is kept for them.
"""

import threading
from collections import Counter
from queue import SimpleQueue
from typing import TYPE_CHECKING

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing, Provider, SendResult
from consumer.event_loop import Inbox, Receiver
from consumer.inbox import CallGranted, ProviderAnswered, Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Calls that may be under way at once in one process.
MOST_CALLS = 48


def may_begin(endpoint: str, under_way: "Mapping[str, int]", lanes: "Mapping[str, int]", most: int) -> bool:
    """Whether one more call to a provider leaves enough for the others; pure.

    Half of the calls are shared out evenly as a guarantee for each provider, as far as it has lanes to use it.

    Args:
        endpoint: of the provider.
        under_way: calls by endpoint.
        lanes: lanes by endpoint, this one included.
        most: calls at once.
    """
    guaranteed = max(1, most // (2 * max(1, len(lanes))))
    free = most - sum(under_way.values())
    if under_way.get(endpoint, 0) < min(guaranteed, lanes.get(endpoint, 1)):
        return free > 0
    kept = sum(
        max(0, min(guaranteed, count) - under_way.get(other, 0)) for other, count in lanes.items() if other != endpoint
    )
    return free > kept


class Reservation:
    """The right to make one call.

    Attributes:
        is_granted: whether the call can be made at once.
        is_used: whether it was made; it then ends with the call.
    """

    def __init__(self, endpoint: str, receiver: Receiver) -> None:
        self.endpoint = endpoint
        self.receiver = receiver
        self.is_granted = False
        self.is_used = False


class ProviderCalls:
    """All calls of one process; everything but the calls themselves happens in the event loop.

    Args:
        inbox: where the answers are put.
        most: calls at once, and so threads.
    """

    def __init__(self, inbox: Inbox, most: int = MOST_CALLS) -> None:
        self._inbox = inbox
        self._most = most
        self._lanes: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._waiting: list[Reservation] = []
        self._calls: dict[int, Reservation] = {}
        self._number = 0
        self._jobs: SimpleQueue[tuple[Provider, Outgoing, int]] = SimpleQueue()
        self._threads = 0

    def join(self, endpoint: str) -> None:
        """One more lane sends to this provider."""
        self._lanes[endpoint] += 1

    def leave(self, endpoint: str) -> None:
        """One lane less."""
        self._lanes -= Counter([endpoint])
        self._grant()

    def reserve(self, endpoint: str, receiver: Receiver) -> Reservation:
        """Ask for a call; the `CallGranted` signal comes if it is not granted at once."""
        reservation = Reservation(endpoint, receiver)
        self._waiting.append(reservation)
        self._grant(told=reservation)
        return reservation

    def release(self, reservation: Reservation) -> None:
        """Give a reservation back that is not used."""
        if reservation.is_used:
            return
        if reservation.is_granted:
            self._under_way -= Counter([reservation.endpoint])
        elif reservation in self._waiting:
            self._waiting.remove(reservation)
        self._grant()

    def begin(self, reservation: Reservation, provider: Provider, outgoing: Outgoing) -> int:
        """Make the call; `ProviderAnswered` carries the number returned here, and goes to who made the reservation."""
        reservation.is_used = True
        self._number += 1
        self._calls[self._number] = reservation
        if self._threads < min(self._most, len(self._calls)):
            self._threads += 1
            threading.Thread(target=self._work, daemon=True, name="antrian-send").start()
        self._jobs.put((provider, outgoing, self._number))
        return self._number

    def receive(self, signal: Signal) -> None:
        """A call has ended; see `Receiver`."""
        if isinstance(signal, ProviderAnswered):
            reservation = self._calls.pop(signal.call)
            self._under_way -= Counter([reservation.endpoint])
            reservation.receiver.receive(signal)
            self._grant()

    def _grant(self, told: Reservation | None = None) -> None:
        """Let those begin who may, the longest waiting first."""
        for reservation in list(self._waiting):
            if may_begin(reservation.endpoint, self._under_way, self._lanes, self._most):
                self._waiting.remove(reservation)
                self._under_way[reservation.endpoint] += 1
                reservation.is_granted = True
                if reservation is not told:
                    reservation.receiver.receive(CallGranted())

    def _work(self) -> None:
        while True:
            provider, outgoing, call = self._jobs.get()
            self._inbox.put((self, ProviderAnswered(call, _send(provider, outgoing))))


def _send(provider: Provider, outgoing: Outgoing) -> SendResult:
    try:
        return provider.send(outgoing)
    except Exception as error:  # noqa: BLE001 (a broken adapter must not stop the lane; the message may have gone out)
        return Failed(FailureClass.UNCERTAIN, "adapter-error", type(error).__name__)
