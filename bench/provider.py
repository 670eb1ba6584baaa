"""The sandbox as a process of its own: one clock for all arrivals, whichever process sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from bench.stage import Stage
from bench.waiting import wait_until

_READY = "listens on "
_START_PATIENCE = 30.0
_ANSWER_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One send, as the provider saw it.

    Attributes:
        at: unix seconds, by the provider's clock.
        sender: who sent it.
        text: what was sent.
    """

    at: float
    sender: str
    text: str


class Provider:
    """A sandbox that runs.

    Args:
        url: its base address.
        pid: its process id.
    """

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid

    def arrivals(self, sender: str) -> list[Arrival]:
        """What one sender has sent so far, in order of arrival."""
        return [one for one in self.all_arrivals() if one.sender == sender]

    def all_arrivals(self) -> list[Arrival]:
        """What every sender has sent so far, in order of arrival."""
        answer = requests.get(f"{self.url}/_sandbox/requests", timeout=_ANSWER_PATIENCE)
        answer.raise_for_status()
        return [Arrival(one["at"], one["sender"], one["message"]) for one in answer.json()]

    def forget(self) -> None:
        """Begin a new list of arrivals."""
        requests.delete(f"{self.url}/_sandbox/requests", timeout=_ANSWER_PATIENCE).raise_for_status()

    def wait_for(self, sender: str, count: int, patience: float, *, every: float = 0.01) -> list[Arrival]:
        """What a sender has sent, once it is so much.

        Raises:
            BenchmarkFailed: it did not come in time.
        """

        def enough() -> list[Arrival]:
            found = self.arrivals(sender)
            return found if len(found) >= count else []

        return wait_until(enough, patience, f"{count} sends of {sender} have arrived", every=every)


@contextmanager
def run_provider(stage: Stage) -> Iterator[Provider]:
    """Start a sandbox, and stop it at the end."""
    with stage.child("-m", "antrian", "sandbox", "--port", "0", PYTHONUNBUFFERED="1") as child:
        line = child.wait_for(_READY, _START_PATIENCE)
        yield Provider(line.partition(_READY)[2].partition(";")[0], child.pid or 0)
