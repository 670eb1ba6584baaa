"""The sandbox over HTTP: a thread per connection, nothing kept on disk."""

import json
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import urlsplit

from antrian.sandbox.behaviour import Ending, ModeName, Reply, check_number, down, read_submission
from antrian.sandbox.control import decode_fields, read_inbound, read_mode
from antrian.sandbox.request_log import RequestLog

LARGEST_BODY = 1024 * 1024

#: Bytes of a too large body that are still read, so that the client reads our answer instead of a reset.
_READ_AWAY = 16 * LARGEST_BODY

#: Seconds that a connection may be idle, and that a client may wait for an answer which never comes.
_IDLE_SECONDS = 60.0
_SILENT_SECONDS = 3600.0


class SandboxServer:
    """A sandbox that listens in threads of this process.

    Args:
        host: address to listen on.
        port: 0 takes a free one; see `url`.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.record = RequestLog()
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
        self._listener = _Listener(self._address, self.record)
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

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], record: RequestLog) -> None:
        self.record = record
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
        body = self._read_body()
        answer = {
            ("POST", "/send-message"): self._send_message,
            ("POST", "/check-number"): self._check_number,
            ("GET", "/_sandbox/requests"): self._list_requests,
            ("DELETE", "/_sandbox/requests"): self._forget_requests,
            ("GET", "/_sandbox/mode"): self._tell_mode,
            ("POST", "/_sandbox/mode"): self._set_mode,
            ("POST", "/_sandbox/inbound"): self._take_inbound,
            ("DELETE", "/_sandbox/contacts"): self._forget_contacts,
            ("GET", "/healthz"): self._tell_health,
        }.get((self.command, urlsplit(self.path).path), self._not_found)
        answer(body)

    def _send_message(self, body: bytes | None) -> None:
        record = self.server.record
        submission = read_submission(self._fields(body))
        if not isinstance(submission, Reply):
            self._perform(record.take(submission, self._arrived))
        elif record.mode.name is ModeName.DOWN:
            self._perform(down())
        else:
            self._perform(submission)

    def _check_number(self, body: bytes | None) -> None:
        self._perform(check_number(self._fields(body), self.server.record.mode))

    def _list_requests(self, _body: bytes | None) -> None:
        self._answer(HTTPStatus.OK, [arrival.as_json() for arrival in self.server.record.arrivals()])

    def _forget_requests(self, _body: bytes | None) -> None:
        self._answer(HTTPStatus.OK, {"removed": self.server.record.clear()})

    def _tell_mode(self, _body: bytes | None) -> None:
        mode = self.server.record.mode
        ends = {} if mode.until is None else {"until": round(mode.until, 3)}
        self._answer(HTTPStatus.OK, {"mode": mode.name, "seconds": mode.seconds} | ends)

    def _set_mode(self, body: bytes | None) -> None:
        mode = read_mode(self._fields(body), self.server.record.now())
        if isinstance(mode, str):
            self._answer(HTTPStatus.BAD_REQUEST, {"error": mode})
            return
        self.server.record.mode = mode
        self._tell_mode(body)

    def _take_inbound(self, body: bytes | None) -> None:
        inbound = read_inbound(self._fields(body))
        if isinstance(inbound, str):
            self._answer(HTTPStatus.BAD_REQUEST, {"error": inbound})
            return
        self.server.record.note_inbound(inbound.number)
        # There is no server for inbound messages yet that could be called.
        self._answer(HTTPStatus.OK, {"number": inbound.number, "known": True, "forwarded": False})

    def _forget_contacts(self, _body: bytes | None) -> None:
        self._answer(HTTPStatus.OK, {"forgotten": self.server.record.forget_contacts()})

    def _tell_health(self, _body: bytes | None) -> None:
        self._answer(HTTPStatus.OK, {"status": "ok"})

    def _not_found(self, _body: bytes | None) -> None:
        self._answer(HTTPStatus.NOT_FOUND, {"error": "The sandbox has no such page; it sends by POST /send-message."})

    def _fields(self, body: bytes | None) -> Any:
        return None if body is None else decode_fields(body, self.headers.get("Content-Type", ""))

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

    def _perform(self, reply: Reply) -> None:
        if reply.ending is Ending.SILENCE:
            self.close_connection = True
            self._client_leaves_within(_SILENT_SECONDS)
        elif reply.ending is Ending.DROP or (reply.after and self._client_leaves_within(reply.after)):
            self.close_connection = True
        else:
            self._answer(reply.status, reply.body, reply.headers)

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

    def _answer(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        content = b"<h1>Service Unavailable</h1>" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if body is None else "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
