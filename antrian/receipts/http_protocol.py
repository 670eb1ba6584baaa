"""uvicorn's HTTP connection for a server that faces the internet: headers and idle connections have their limits.

uvicorn itself waits for ever for a request's headers, and takes any number of connections.
`tests/unit/receipts/test_http_protocol.py` says whether what is overridden here still is what uvicorn calls.
"""

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds that a connection may take for a request's headers, the wait for a next request included.
HEADER_SECONDS = 15.0
#: Connections at once. When one more comes, that which has waited longest without a request is closed.
MOST_CONNECTIONS = 1_000
#: Bytes of a request's line and headers.
LARGEST_HEADERS = 16 * 1024


class BoundedProtocol(H11Protocol):
    """One connection; make a class of it for each server with `bounded_protocol`."""

    header_seconds = HEADER_SECONDS
    most_connections = MOST_CONNECTIONS
    #: Connections that wait for a request, the longest first.
    idle: dict["BoundedProtocol", asyncio.TimerHandle]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # It would write a line for each request that is none; a stranger could fill a disk.
        self.logger = logging.getLogger("antrian.receipts.http")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room, and begin to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            oldest = next(iter(self.idle), self)
            oldest.close_now()
        if not transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a request that has begun is the application's to limit."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_longer()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._wait()
        super().on_response_complete()

    def close_now(self) -> None:
        """End the connection, whatever is on its way."""
        self._wait_no_longer()
        self.transport.abort()

    def _wait(self) -> None:
        self._wait_no_longer()
        self.idle[self] = self.loop.call_later(self.header_seconds, self.close_now)

    def _wait_no_longer(self) -> None:
        timer = self.idle.pop(self, None)
        if timer is not None:
            timer.cancel()


def bounded_protocol(
    *, header_seconds: float = HEADER_SECONDS, most_connections: int = MOST_CONNECTIONS
) -> type[BoundedProtocol]:
    """The class of one server's connections."""
    about = {"header_seconds": header_seconds, "most_connections": most_connections, "idle": {}}
    return type("ServerProtocol", (BoundedProtocol,), about)
