"""The server's requests, as an ASGI application: find the lane, prove, read, have it written, answer.

No answer but a challenge's has a body: there are providers that send an answer's text to the person who wrote.

    200  written down, or a repeat of what was       408  the body did not come in time
    401  not proved                                  413  the body is too large
    404  no such lane, or a wrong secret             415  not a content type of this provider
    405  neither POST nor GET nor HEAD               429  this address called in vain too often
    503  not written: the broker is away or late, or too much is under way; the provider repeats it
"""

import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

import structlog

from antrian.broker.event_log import PublishArguments
from antrian.broker.topology import Names
from antrian.domain.receipt import ProviderEvent
from antrian.providers.webhook import WebhookReader, WebhookRequest
from antrian.receipts.event_writer import Written
from antrian.receipts.failures import FailureLimit, Network, client_address
from antrian.receipts.metrics import ReceiptMetrics
from antrian.receipts.repeats import Repeats
from antrian.receipts.request_body import LARGEST_BODY, PATIENCE, WHOLE_BODY, BodyFault, Receive, read_body
from antrian.receipts.told import publications_of, unreadable, word_of
from antrian.receipts.webhooks import LaneWebhook, Webhooks

#: Requests that are read or written at once; their bodies are what the server's memory is spent on.
MOST_IN_FLIGHT = 400
#: Parts that are read of one request; providers send 1,000 at most, and so many are within what the writer takes.
MOST_PARTS = 3_000
#: Events that wait for the broker together. A request of a thousand receipts needs longer than the patience for one:
#: it would be repeated for ever, and written down in vain each time.
EVENTS_AT_ONCE = 50
#: Pairs of a query that are looked at.
_MOST_PAIRS = 100
#: Seconds between two lines of the log about the same trouble of a lane.
_LOG_PERIOD = 60.0

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_CLOSE: Final = (b"connection", b"close")
_LATER: Final = (b"retry-after", b"1")
_EMPTY: Final = (b"content-length", b"0")
_ALLOW: Final = (b"allow", b"GET, HEAD, POST")

_log = structlog.get_logger()


class WritesEvents(Protocol):
    """What the application needs of an `EventWriter`."""

    @property
    def trouble(self) -> str:
        """Why nothing can be written now; empty where it can."""

    async def write(self, publications: Sequence[PublishArguments], patience: float) -> Written:
        """Write a batch."""


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What a client may ask of the server.

    Attributes:
        confirm_seconds: how long a request waits for the broker.
        body_seconds: how long a client may take for its body.
        largest_body: its bytes.
        most_in_flight: requests at once.
        proxies: whose `X-Forwarded-For` counts.
    """

    confirm_seconds: float = 0.25
    body_seconds: float = PATIENCE
    largest_body: int = LARGEST_BODY
    most_in_flight: int = MOST_IN_FLIGHT
    proxies: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What a request is answered.

    Attributes:
        status: of HTTP.
        refusal: why it is not taken, of `metrics.REFUSALS`; empty where it is, or where a lane's metric tells.
        headers: further ones.
        text: of a challenge.
    """

    status: int
    refusal: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    text: bytes = b""


_OK: Final = HttpReply(200)
_FORGED: Final = HttpReply(401)
_UNKNOWN: Final = HttpReply(404, "unknown-path")
_WRONG_METHOD: Final = HttpReply(405, "method", (_ALLOW,))
_WRONG_TYPE: Final = HttpReply(415, "content-type", (_CLOSE,))
_BUSY: Final = HttpReply(503, "busy", (_LATER, _CLOSE))
_LIMITED: Final = HttpReply(429, "limited", ((b"retry-after", b"60"), _CLOSE))
_OF_FAULT: Final = {
    BodyFault.TOO_LARGE: HttpReply(413, "too-large", (_CLOSE,)),
    BodyFault.TOO_SLOW: HttpReply(408, "too-slow", (_CLOSE,)),
    BodyFault.CLIENT_LEFT: HttpReply(400, "", (_CLOSE,)),
}
_OF_WRITTEN: Final = {
    Written.CONFIRMED: _OK,
    Written.AWAY: HttpReply(503, "broker-away", (_LATER,)),
    Written.LATE: HttpReply(503, "confirm-late", (_LATER,)),
    Written.REFUSED: HttpReply(503, "broker-refused", (_LATER,)),
}


@dataclass(slots=True)
class ReceiptsApp:
    """The ASGI application.

    Attributes:
        webhooks: those that count now; replaced as a whole.
        writer: has events confirmed.
        names: of the namespace.
        metrics: counts.
        base: the address before `/receipts/…` as providers call it.
        limits: what clients may ask.
        source: what this process is called in its events.
        in_flight: requests that are being read or written.
    """

    webhooks: Webhooks
    writer: WritesEvents
    names: Names
    metrics: ReceiptMetrics
    base: str
    limits: ClientLimits = field(default_factory=ClientLimits)
    source: str = field(default_factory=lambda: f"receipts:{uuid.uuid4()}")
    in_flight: int = 0
    _failures: FailureLimit = field(default_factory=FailureLimit)
    _repeats: Repeats = field(default_factory=Repeats)
    _logged: dict[tuple[str, str], float] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HttpReply one request."""
        begun = time.monotonic()
        path = bytes(scope["raw_path"])
        if path == b"/healthz":
            await _send(send, _OK if scope["method"] in {"GET", "HEAD"} else _WRONG_METHOD)
            return
        webhook = self.webhooks.find(path)
        answer = await self._at(webhook, scope, receive) if webhook else _UNKNOWN
        is_in_vain = answer is _FORGED or answer is _UNKNOWN
        if is_in_vain and not self._failures.take(self._client(scope), begun):
            answer = _LIMITED
        if answer.refusal:
            self.metrics.refused[answer.refusal].inc()
        await _send(send, answer)
        self.metrics.answer.observe(time.monotonic() - begun)

    async def _at(self, webhook: LaneWebhook, scope: Scope, receive: Receive) -> HttpReply:
        """A request whose path is right."""
        request = self._request(scope)
        match request.method:
            case "POST":
                pass
            case "HEAD":
                return _OK
            case "GET":
                return self._challenge(webhook, request)
            case _:
                return _WRONG_METHOD
        wanted = webhook.reader.content_types
        if wanted and request.content_type not in wanted:
            return _WRONG_TYPE
        if self.in_flight >= self.limits.most_in_flight:
            return _BUSY
        self.in_flight += 1
        try:
            return await self._post(webhook, request, receive, is_whole=WHOLE_BODY in scope)
        finally:
            self.in_flight -= 1

    async def _post(
        self, webhook: LaneWebhook, request: WebhookRequest, receive: Receive, *, is_whole: bool
    ) -> HttpReply:
        limits, stated = self.limits, request.header("content-length")
        body = await read_body(
            receive, stated, largest=limits.largest_body, patience=limits.body_seconds, is_whole=is_whole
        )
        if isinstance(body, BodyFault):
            return _OF_FAULT[body]
        lane, counts = webhook.lane, self.metrics.of(webhook.lane.name)
        request, now = WebhookRequest(request.method, request.url, request.query, request.headers, body), time.time()
        if not self._is_proved(webhook, request, now):
            counts.forged.inc()
            self._log_once("receipts.forged", lane.name)
            return _FORGED
        counts.last.set(now)
        name = self._repeats.name(lane.name, self._repeat_key(webhook.reader, request))
        if name and self._repeats.knows(name, time.monotonic()):
            counts.duplicates.inc()
            return _OK
        told = self._read(webhook, request, now)
        if len(told) > MOST_PARTS:
            told = (*told[:MOST_PARTS], unreadable(request.body, "more parts than are read of one request"))
        batch = publications_of(told, lane, self.names, at=now, source=self.source)
        for start in range(0, len(batch), EVENTS_AT_ONCE):
            written = await self.writer.write(batch[start : start + EVENTS_AT_ONCE], limits.confirm_seconds)
            if written is not Written.CONFIRMED:
                return _OF_WRITTEN[written]
        counts.count([word_of(one) for one in told])
        self._repeats.add(name, time.monotonic())
        return _OK

    def _is_proved(self, webhook: LaneWebhook, request: WebhookRequest, now: float) -> bool:
        try:
            return webhook.reader.verify(request, webhook.secrets, webhook.lane, now)
        except Exception as error:  # noqa: BLE001 (what a stranger sent broke an adapter: then it is not proved)
            self._log_once("receipts.reader-broken", webhook.lane.name, error=type(error).__name__, part="verify")
            return False

    def _read(self, webhook: LaneWebhook, request: WebhookRequest, now: float) -> Sequence[ProviderEvent]:
        try:
            return webhook.reader.read(request, webhook.lane, now)
        except Exception as error:  # noqa: BLE001 (it is proved, so it is kept as what nobody can read)
            self._log_once("receipts.reader-broken", webhook.lane.name, error=type(error).__name__, part="read")
            return (unreadable(request.body, "the reader failed"),)

    def _repeat_key(self, reader: WebhookReader, request: WebhookRequest) -> str:
        try:
            return reader.repeat_key(request)
        except Exception:  # noqa: BLE001 (without a key it is written again, which is harmless)
            return ""

    def _challenge(self, webhook: LaneWebhook, request: WebhookRequest) -> HttpReply:
        try:
            text = webhook.reader.challenge(request, webhook.secrets, webhook.lane)
        except Exception as error:  # noqa: BLE001 (as in `_is_proved`)
            self._log_once("receipts.reader-broken", webhook.lane.name, error=type(error).__name__, part="challenge")
            text = None
        if text is None:
            return _FORGED
        return HttpReply(200, text=text.encode("utf-8", "replace"))

    def _request(self, scope: Scope) -> WebhookRequest:
        """The request without its body."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        query, path = bytes(scope["query_string"]), bytes(scope["raw_path"])
        url = f"{self.base}{path.decode('latin-1')}"
        if not query:
            return WebhookRequest(scope["method"], url, (), headers, b"")
        written = query.decode("latin-1")
        return WebhookRequest(scope["method"], f"{url}?{written}", _pairs(written), headers, b"")

    def _client(self, scope: Scope) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return client_address(peer, forwarded.decode("latin-1"), self.limits.proxies)

    def _log_once(self, event: str, lane: str, **about: str) -> None:
        """A line a minute at most: a stranger must not be able to fill a disk."""
        now = time.monotonic()
        if now - self._logged.get((event, lane), -_LOG_PERIOD) >= _LOG_PERIOD:
            self._logged[event, lane] = now
            _log.warning(event, lane=lane, **about)


def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PAIRS))
    except ValueError:
        return ()


async def _send(send: Send, answer: HttpReply) -> None:
    if answer.text:
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(answer.text)).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
    else:
        headers = [_EMPTY, *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.text})
