"""What reached the provider, as the sandbox saw it."""

from itertools import pairwise

import requests

from antrian.sandbox.request_log import Arrival
from antrian.sandbox.server import SandboxServer
from waiting import wait_until


class Arrivals:
    """The sandbox's record; times are its own arrival times, unix seconds."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self._sandbox = sandbox

    def all(self) -> list[Arrival]:
        return self._sandbox.record.arrivals()

    def texts(self) -> list[str]:
        return [arrival.submission.message for arrival in self.all()]

    def times(self) -> list[float]:
        return [arrival.at for arrival in self.all()]

    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in pairwise(self.times())]

    def settle(self) -> None:
        """Wait until what a killed consumer has handed over is on record.

        An arrival is timed when it is read: on a busy machine that may be after the next consumer's first send.
        """
        # Accepted after everything that came before it.
        requests.get(f"{self._sandbox.url}/healthz", timeout=60)
        listener = self._sandbox._listener
        assert listener is not None
        wait_until(lambda: not listener._connections, 20, "nobody is connected to the provider")

    def wait_for(self, count: int, timeout: float) -> list[str]:
        """The texts, once so many have arrived."""
        wait_until(lambda: len(self.texts()) >= count, timeout, f"{count} sends have arrived", every=0.01)
        return self.texts()
