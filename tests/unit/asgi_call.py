"""The receipts application called as a web server calls it, with a writer that remembers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from signed_reader import READER, SECRET

from antrian.broker.event_log import PublishArguments
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.lane import Lane
from antrian.providers.webhook import WebhookReader
from antrian.receipts.app import ClientLimits, ReceiptsApp
from antrian.receipts.event_writer import Written
from antrian.receipts.metrics import ReceiptMetrics
from antrian.receipts.webhooks import Webhooks


@dataclass
class RememberedBatches:
    """Takes batches, and says of each what the test wants."""

    result: Written = Written.CONFIRMED
    trouble: str = ""
    batches: list[Sequence[PublishArguments]] = field(default_factory=list)

    async def write(self, publications: Sequence[PublishArguments], _patience: float) -> Written:
        await asyncio.sleep(0)
        self.batches.append(publications)
        return self.result

    @property
    def events(self) -> list[Event]:
        found = [Event.decode(one.body) for batch in self.batches for one in batch]
        assert None not in found
        return [event for event in found if event]


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[bytes, bytes]
    body: bytes


def make_app(
    reader: WebhookReader = READER, lane: Lane | None = None, limits: ClientLimits | None = None
) -> tuple[ReceiptsApp, RememberedBatches]:
    """An application for one lane, and what it writes."""
    lane = lane or Lane(name="default", provider="sandbox", webhook_secrets=(SecretStr(SECRET),))
    writer, metrics = RememberedBatches(), ReceiptMetrics()
    webhooks = Webhooks({lane.name: lane}, {lane.provider: reader})
    metrics.serve_lanes({lane.name: lane.provider})
    return ReceiptsApp(webhooks, writer, Names(), metrics, "https://wa.example.com", limits or ClientLimits()), writer


async def call(
    app: ReceiptsApp,
    path: str | bytes,
    body: bytes | Sequence[bytes] = b"",
    headers: Mapping[str, str] | Sequence[tuple[bytes, bytes]] = (),
    *,
    method: str = "POST",
    query: bytes = b"",
    client: str = "192.0.2.1",
    ends: bool = True,
) -> Answered:
    """One request. A body in pieces comes in pieces; one that does not end never comes to its end."""
    pieces = [body] if isinstance(body, bytes) else list(body)
    listed = headers.items() if isinstance(headers, Mapping) else headers
    raw = [(_bytes(name).lower(), _bytes(value)) for name, value in listed]
    scope = {
        "type": "http",
        "method": method,
        "raw_path": _bytes(path),
        "path": "",
        "query_string": query,
        "headers": raw,
        "client": (client, 1),
        "server": ("127.0.0.1", 8090),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.Event().wait()
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces) or not ends}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, content = sent
    return Answered(start["status"], dict(start["headers"]), content["body"])


def ask(app: ReceiptsApp, *about: Any, **more: Any) -> Answered:
    return asyncio.run(call(app, *about, **more))


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")
