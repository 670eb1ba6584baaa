"""The receiver on the page about callbacks: it takes what we sign, and nothing else."""

import re
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from antrian.operations.callbacks.standard_webhooks import read_secret, signed_headers

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "callbacks.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type":"message.read"}'


def test_the_receiver_takes_what_is_signed_and_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setenv("CALLBACK_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(code.rpartition("ThreadingHTTPServer(")[0], names)  # noqa: S102 (our own page)
    server = ThreadingHTTPServer(("127.0.0.1", 0), names["Receiver"])
    Thread(target=server.serve_forever, daemon=True).start()
    keys, url = [b"x" * 32, read_secret(SECRET)], f"http://127.0.0.1:{server.server_port}/"
    signed = signed_headers(keys, "msg_1", time.time(), BODY)
    try:
        for headers, body, answer in (
            (signed, BODY, 204),
            (signed, BODY + b" ", 401),
            (signed | {"webhook-id": "msg_2"}, BODY, 401),
            (signed_headers(keys, "msg_1", time.time() - 600, BODY), BODY, 401),
            (signed_headers([b"y" * 32], "msg_1", time.time(), BODY), BODY, 401),
            ({}, BODY, 401),
        ):
            assert requests.post(url, body, headers=headers, timeout=60).status_code == answer
    finally:
        server.shutdown()
        server.server_close()
