"""A provider that has many receipts to tell: each connection sends the next one when the last is answered."""

import asyncio
import hmac
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: What the lane of this benchmark is, for the provider.
SECRET, PHONE_NUMBER_ID = "a-secret-of-the-benchmark", "106540352242922"

_OK = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True)
class Load:
    """What a round came to.

    Attributes:
        seconds: from the first request to the last answer.
        times: seconds from each request to its answer, in no order.
        refused: answers that were not 200; not among the times.
    """

    seconds: float
    times: list[float]
    refused: int

    @property
    def rate(self) -> float:
        """Answers of 200 a second."""
        return len(self.times) / self.seconds


def requests(path: str, run: str) -> Iterator[bytes]:
    """Signed requests without end, one receipt each, all different."""
    for number in itertools.count():
        status = {
            "id": f"wamid.{run}{number:012}",
            "status": "delivered",
            "timestamp": "1764400000",
            "recipient_id": "6281234567890",
            "conversation": {"id": f"c{number}", "origin": {"type": "utility"}},
            "pricing": {"billable": True, "pricing_model": "PMP", "category": "utility"},
        }
        metadata = {"display_phone_number": "628114040707", "phone_number_id": PHONE_NUMBER_ID}
        value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": [status]}
        entry = [{"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}]
        body = json.dumps({"object": "whatsapp_business_account", "entry": entry}).encode()
        signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: wa.example.com\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-Hub-Signature: sha1={signature[:40]}\r\nX-Hub-Signature-256: sha256={signature}\r\n\r\n"
        )
        yield head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, give: Iterator[bytes], times: list[float], refused: list[bytes]) -> None:
        self._give, self._times, self._refused = give, times, refused
        self._sent_at = 0.0
        self._answer = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._answer.endswith(b"\r\n\r\n"):
            answer, self._answer = self._answer, b""
            if answer.startswith(_OK):
                self._times.append(time.perf_counter() - self._sent_at)
            else:
                self._refused.append(answer)
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionResetError("the server hung up"))

    def _next(self) -> None:
        request = next(self._give, None)
        if request is None:
            if not self.ended.done():
                self.ended.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


async def _send(port: int, give: Iterator[bytes], connections: int) -> Load:
    loop, times, refused = asyncio.get_running_loop(), list[float](), list[bytes]()
    begun = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(give, times, refused), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.ended for _, protocol in made))
    return Load(time.perf_counter() - begun, times, len(refused))


def send(port: int, path: str, run: str, count: int, connections: int) -> Load:
    """Send so many requests over so many connections."""
    return asyncio.run(_send(port, itertools.islice(requests(path, run), count), connections))
