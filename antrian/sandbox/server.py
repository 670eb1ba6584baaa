"""The sandbox over HTTP: a thread per connection, nothing kept on disk."""

import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from antrian.sandbox.behaviour import AnswerKind, Ending, ModeName, Submission
from antrian.sandbox.control_pages import ControlPages
from antrian.sandbox.dialects.catalog import dialect_at
from antrian.sandbox.dialects.dialect import Dialect
from antrian.sandbox.exchange import DOWN, Reply, SandboxRequest
from antrian.sandbox.follow_up import ReceiptPace
from antrian.sandbox.report import WebhookTarget
from antrian.sandbox.reporting import Reporting
from antrian.sandbox.request_log import RequestLog

LARGEST_BODY = 1024 * 1024

#: Bytes of a too large body that are still read, so that the client reads our answer instead of a reset.
_READ_AWAY = 16 * LARGEST_BODY

#: Seconds that a connection may be idle, and that a client may wait for an answer which never comes.
_IDLE_SECONDS = 60.0
_SILENT_SECONDS = 3600.0

_NOT_FOUND = Reply(404, {"error": "The sandbox has no such page; it sends by POST /send-message."})


class SandboxServer:
    """A sandbox that listens in threads of this process.

    Args:
        host: address to listen on.
        port: 0 takes a free one; see `url`.
        targets: where webhooks go; `POST /_sandbox/webhook` adds others.
        pace: how fast receipts follow each other.

    Attributes:
        record: what arrived.
        reporting: what is reported of it.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        targets: Iterable[WebhookTarget] = (),
        pace: ReceiptPace | None = None,
    ) -> None:
        self.record = RequestLog()
        self.reporting = Reporting(targets, pace)
        self._address = (host, port)
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base address, for `WHATSAPP_API_URL`; the port is known once started."""
        host, port = self._listener.server_address[:2] if self._listener else self._address
        return f"http://{host!s}:{port}"

    def start(self) -> Self:
        """Listen, and answer until `stop`.

        Raises:
            OSError: the address cannot be listened on.
        """
        self._listener = _Listener(self._address, self.record, self.reporting)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Listen no longer and end every connection, those without an answer too."""
        if self._listener is not None and self._thread is not None:
            self._listener.shutdown()
            self._thread.join()
            self._listener.server_close()
            self._listener.hang_up()
            self._thread = None
        self.reporting.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], record: RequestLog, reporting: Reporting) -> None:
        self.record = record
        self.reporting = reporting
        self.control = ControlPages(record, reporting)
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def hang_up(self, patience: float = 5.0) -> None:
        """End the connections that are open and wait `patience` seconds for their threads."""
        with self._changed:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, patience)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that leaves in the middle is what this server is for.
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "antrian-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS
    wbufsize = -1  # headers and body leave in one piece

    server: _Listener
    _arrived: float

    def parse_request(self) -> bool:
        """Note the time of arrival: the request's first line has just come in."""
        self._arrived = self.server.record.now()
        return super().parse_request()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the parent's name)
        """Log nothing: a line would carry no more than the list of requests does."""

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def do_DELETE(self) -> None:
        self._route()

    def _route(self) -> None:
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        request = SandboxRequest(
            self.command,
            path,
            dict(parse_qsl(query)),
            {name.lower(): value for name, value in self.headers.items()},
            self._read_body(),
        )
        reply = self.server.control.answer(request)
        if reply is not None:
            self._answer(reply)
        elif (found := dialect_at(path)) is not None:
            self._speak(found[0], replace(request, path=found[1]))
        else:
            self._answer(_NOT_FOUND)

    def _speak(self, dialect: Dialect, request: SandboxRequest) -> None:
        mode = self.server.record.mode
        message = dialect.read(request)
        if isinstance(message, Submission):
            self._send(dialect, message)
            return
        reply = message or dialect.other(request, mode)
        is_down = reply is not None and mode.name is ModeName.DOWN
        self._answer(DOWN if is_down else reply or _NOT_FOUND)

    def _send(self, dialect: Dialect, submission: Submission) -> None:
        record = self.server.record
        provider_id = dialect.new_id(submission)
        decision = record.take(submission, self._arrived, provider_id, dialect.name)
        now = record.now()
        self.server.reporting.follow(dialect, submission, decision, provider_id, mode=record.mode, now=now)
        if decision.ending is Ending.SILENCE:
            self.close_connection = True
            self._client_leaves_within(_SILENT_SECONDS)
        elif decision.ending is Ending.DROP or (decision.after and self._client_leaves_within(decision.after)):
            self.close_connection = True
        elif decision.kind is AnswerKind.DOWN:
            self._answer(DOWN)
        else:
            self._answer(dialect.render(submission, decision, provider_id, now))

    def _read_body(self) -> bytes | None:
        stated = self.headers.get("Content-Length", "0")
        length = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 16 else -1  # noqa: PLR2004
        if "Transfer-Encoding" in self.headers or not 0 <= length <= LARGEST_BODY:
            self.close_connection = True
            self._read_away(length)
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError
        return body

    def _read_away(self, length: int) -> None:
        left = min(length, _READ_AWAY)
        while left > 0 and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)

    def _client_leaves_within(self, seconds: float) -> bool:
        # Reading is how one learns that the other side is gone; whatever it still sends is not read as a request.
        self.close_connection = True
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.connection.settimeout(left)
            try:
                if not self.connection.recv(65536):
                    return True
            except TimeoutError:
                break
            except OSError:
                return True
        self.connection.settimeout(_IDLE_SECONDS)
        return False

    def _answer(self, reply: Reply) -> None:
        content = reply.content
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
