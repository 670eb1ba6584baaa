"""Tells when the broker of a running `antrian up` goes away and when it is back."""

import socket
import time
from collections.abc import Sequence

from antrian.broker.connection import connection_parameters

#: Seconds between two tries, and how long one may take.
_PERIOD, _PATIENCE = 1.0, 1.0


class BrokerWatch:
    """Tries the broker's ports from time to time.

    Args:
        urls: the broker's addresses; one that answers is enough.
        is_private: whether `antrian broker start` can start it.
    """

    def __init__(self, urls: Sequence[str], *, is_private: bool) -> None:
        parameters = connection_parameters(urls, name="antrian up", heartbeat=0)
        self._places = [(str(one.host), int(one.port)) for one in parameters]
        self._is_private = is_private
        self._is_away = False
        self._next = 0.0

    def news(self) -> str | None:
        """A sentence when the broker has gone or has come back since the last call."""
        if time.monotonic() < self._next:
            return None
        is_away = not any(_listens(place) for place in self._places)
        self._next = time.monotonic() + _PERIOD
        if is_away == self._is_away:
            return None
        self._is_away = is_away
        if not is_away:
            return "the broker is back, and sending goes on"
        remedy = ": `antrian broker start` starts it again" if self._is_private else ""
        return f"the broker no longer answers; messages are safe on its disk{remedy}"


def _listens(place: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(place, _PATIENCE):
            return True
    except OSError:
        return False
