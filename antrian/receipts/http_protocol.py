"""uvicorn's HTTP connection for a server that faces the internet: headers and idle connections have their limits.

uvicorn itself waits for ever for a request's headers, and takes any number of connections.
`tests/unit/receipts/test_http_protocol.py` says whether what is overridden here still is what uvicorn calls.
"""

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from antrian.receipts.request_body import WHOLE_BODY

#: Seconds that a connection may take for a request's headers, the wait for a next request included.
HEADER_SECONDS = 15.0
#: Connections at once. When one more comes, that which has waited longest without a request is closed.
MOST_CONNECTIONS = 1_000
#: Bytes of a request's line and headers.
LARGEST_HEADERS = 16 * 1024


#: Seconds between two looks for connections that have waited too long.
_SWEEP = 1.0


_logger = logging.getLogger("antrian.receipts.http")
# uvicorn warns of each request that is none: a stranger could fill a disk.
_logger.setLevel(logging.ERROR)


class IdleConnections:
    """The connections of a server that wait for a request, the longest first.

    One timer for all of them: one for each would be started and ended with every request.

    Args:
        seconds: that one may wait.
        sweep: seconds between two looks.
    """

    def __init__(self, seconds: float, sweep: float) -> None:
        self._seconds = seconds
        self._sweep_every = sweep
        self._since: dict[BoundedProtocol, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: "BoundedProtocol", loop: asyncio.AbstractEventLoop) -> None:
        """It waits from now on."""
        self._since.pop(connection, None)
        self._since[connection] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._sweep_every, self._sweep, loop)

    def discard(self, connection: "BoundedProtocol") -> None:
        """It does not wait."""
        self._since.pop(connection, None)

    def longest(self) -> "BoundedProtocol | None":
        """The one that has waited longest."""
        return next(iter(self._since), None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        latest = loop.time() - self._seconds
        for connection in [one for one, since in self._since.items() if since <= latest]:
            connection.close_now()
        self._timer = loop.call_later(self._sweep_every, self._sweep, loop) if self._since else None


class BoundedProtocol(H11Protocol):
    """One connection; make a class of it for each server with `bounded_protocol`."""

    most_connections = MOST_CONNECTIONS
    idle: IdleConnections

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.logger = _logger

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room, and begin to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            (self.idle.longest() or self).close_now()
        if not transport.is_closing():
            self.idle.add(self, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.idle.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a request that has begun is the application's to limit."""
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            self.idle.discard(self)
            if not cycle.more_body and not cycle.response_started:
                # The application begins only now: it need not wait for the body, nor limit the wait.
                self.scope[WHOLE_BODY] = True  # type: ignore[literal-required]

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.idle.add(self, self.loop)
        super().on_response_complete()

    def close_now(self) -> None:
        """End the connection, whatever is on its way."""
        self.idle.discard(self)
        self.transport.abort()


def bounded_protocol(
    *, header_seconds: float = HEADER_SECONDS, most_connections: int = MOST_CONNECTIONS, sweep: float = _SWEEP
) -> type[BoundedProtocol]:
    """The class of one server's connections."""
    about = {"idle": IdleConnections(header_seconds, sweep), "most_connections": most_connections}
    return type("ServerProtocol", (BoundedProtocol,), about)
