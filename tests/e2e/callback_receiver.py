"""A service that is told things by signed callbacks."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

KEY = b"k" * 32
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@dataclass
class CallbackReceiver:
    """Answers as `answer` says, and keeps what is signed as it must be: path, id and payload."""

    answer: Callable[[str], int] = lambda _path: 204
    got: list[tuple[str, str, dict]] = field(default_factory=list)
    forged: int = 0
    url: str = ""

    def take(self, path: str, headers: dict, body: bytes) -> int:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        ours = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        if f"v1,{ours}" not in headers["webhook-signature"].split(" "):
            self.forged += 1
            return 401
        status = self.answer(path)
        self.got.append((path, headers["webhook-id"], json.loads(body)))
        return status

    def states(self, path: str = "/shop") -> dict[str, set[str]]:
        """By message, what was told of it."""
        told: dict[str, set[str]] = {}
        for where, _, payload in list(self.got):
            if where == path:
                told.setdefault(payload["data"]["message_id"], set()).add(payload["data"]["state"])
        return told


@contextmanager
def receiving(**about) -> Iterator[CallbackReceiver]:
    receiver = CallbackReceiver(**about)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not into the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
