"""The consumer's own small HTTP server: `/metrics` for Prometheus, `/healthz` for the orchestrator."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from antrian.domain.errors import PortBusy

#: Seconds that a client may take for its request; one that never asks must not keep a thread for ever.
_PATIENCE = 10.0

_TEXT = "text/plain; charset=utf-8"

Render = Callable[[], tuple[bytes, str]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # With the handshake done by the kernel, a second server on the same port is refused, as it must be.
    allow_reuse_port = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is not logged."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    render: Render
    is_well: Callable[[], bool]

    def do_GET(self) -> None:
        """Answer."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            body, content_type = self.render()
            self._answer(200, body, content_type)
        elif path == "/healthz":
            well = self.is_well()
            self._answer(200 if well else 503, b"ok\n" if well else b"not connected to the broker\n", _TEXT)
        else:
            self._answer(404, b"there is /metrics, and /healthz\n", _TEXT)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """A scrape is not logged."""

    def version_string(self) -> str:
        """The server header does not name the version of Python."""
        return "antrian"

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def metrics_server(host: str, port: int, render: Render, is_well: Callable[[], bool]) -> Iterator[int]:
    """Serve until left; yields the port.

    Args:
        host: address to listen on.
        port: 0 for any that is free.
        render: makes the answer to `/metrics`: body and content type.
        is_well: the answer to `/healthz`.

    Raises:
        PortBusy: the address cannot be listened on.
    """
    handler = type("Handler", (_Handler,), {"render": staticmethod(render), "is_well": staticmethod(is_well)})
    kind = type("Server", (_Server,), {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET})
    try:
        server = kind((host, port), handler)
    except OSError as error:
        raise PortBusy(
            f"{host}:{port} for the consumer's metrics cannot be used ({(error.strerror or str(error)).lower()}): end "
            "what listens there, choose another with CONSUMER_METRICS_PORT, or set that to 0 to have none",
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="antrian-metrics", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(1)
