"""What WAHA says, for the checks: its answers and webhooks as its documentation has them.

Sources: `devlikeapro/waha-docs`: the OpenAPI file (2026.7.1), "Send messages", "Sessions", "Events", "Webhooks"; the
issues of `devlikeapro/waha` that the cases name.
"""

import hashlib
import hmac
import json
from dataclasses import replace

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ReceiptStatus, SessionNotice, SessionState
from antrian.providers.conformance.probe import (
    KEY,
    RECIPIENT,
    AnswerCase,
    ClientSettings,
    FieldRule,
    ProviderProbe,
    RequestShape,
    Situation,
    WebhookProbe,
    WebhookSample,
    http_answer,
)
from antrian.providers.contract import Provider
from antrian.providers.http import Timeouts
from antrian.providers.waha.client import WahaProvider
from antrian.providers.waha.receipts import READER
from antrian.providers.webhook import WebhookRequest

_SESSION, _SENDER = "pemberitahuan", "628114040707"
_CHAT = f"{RECIPIENT.removeprefix('+')}@c.us"
#: As the adapter of another message would have made it: the checks do not ask the adapter.
_BARE = "3EB0A70123456789ABCDEF"
_AT = 1_794_990_000
_FAR = 4_102_444_800  # 2100-01-01


def _client(settings: ClientSettings) -> Provider:
    timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
    return WahaProvider(settings.url, SecretStr(settings.key), _SESSION, timeouts=timeouts)


def _taken(written: object) -> bytes:
    return http_answer(201, {"id": written, "timestamp": _AT, "from": f"{_SENDER}@c.us", "fromMe": True, "ack": 0})


def _error(status: int, words: str, **more: object) -> bytes:
    return http_answer(status, {"statusCode": status, "message": words, "error": "Refused", **more})


def _session_is(state: str) -> bytes:
    words = "Session status is not as expected. Try again later or restart the session"
    return http_answer(422, {"error": words, "session": _SESSION, "status": state, "expected": ["WORKING"]})


def _case(name: str, answer: bytes, failure: FailureClass | Situation) -> AnswerCase:
    if isinstance(failure, Situation):
        return AnswerCase(name=name, situation=failure, answers=(answer,))
    return AnswerCase(name=name, failure=failure, answers=(answer,))


CASES = (
    AnswerCase(
        name="accepted",
        situation=Situation.ACCEPTED,
        answers=(_taken(f"true_{_CHAT}_{_BARE}"),),
        provider_id=_BARE,
    ),
    AnswerCase(name="accepted by another engine (#760)", answers=(_taken({"id": _BARE}),), provider_id=_BARE),
    _case("accepted without an id (#552)", http_answer(201, {"ack": 0}), FailureClass.UNCERTAIN),
    _case("wrong key", _error(401, "Unauthorized"), Situation.BAD_CREDENTIALS),
    _case("throttled", _error(429, "Too Many Requests"), Situation.THROTTLED),
    AnswerCase(
        name="463 (#1992), until a date",
        situation=Situation.COLD_REFUSED,
        answers=(_error(500, "server returned error 463", timeEnforcementEnds=_FAR),),
        retry_after=(86_400.0, 31 * 86_400.0),
    ),
    _case("session without its QR code", _session_is("SCAN_QR_CODE"), Situation.SESSION_DOWN),
    *(_case(state, _session_is(state), FailureClass.UNAVAILABLE) for state in ("STOPPED", "STARTING", "FAILED")),
    _case("a state that is new", _session_is("PASSKEY_REQUIRED"), FailureClass.UNAVAILABLE),
    _case("no such session", _error(404, f'Session "{_SESSION}" does not exist'), FailureClass.UNAVAILABLE),
    _case("fields refused", _error(400, "chatId must be a string"), FailureClass.REJECTED),
    _case("an error, and it was sent (#1225)", _error(500, "Internal server error"), FailureClass.UNCERTAIN),
)


def _sign(request: WebhookRequest, secret: str) -> WebhookRequest:
    digest = hmac.new(secret.encode(), request.body, hashlib.sha512).hexdigest()
    headers = {"x-webhook-hmac": digest, "x-webhook-hmac-algorithm": "sha512", "x-webhook-request-id": "01JQ"}
    return replace(request, headers={**request.headers, **headers, "x-webhook-timestamp": f"{_AT}000"})


def _body(event: str, payload: object, session: str = _SESSION) -> bytes:
    envelope = {"id": f"evt_{event}_{hash_of(payload)}", "timestamp": _AT * 1000, "event": event, "session": session}
    more = {"metadata": {}, "me": {"id": f"{_SENDER}@c.us"}, "payload": payload, "engine": "NOWEB", "environment": {}}
    return json.dumps(envelope | more).encode()


def hash_of(payload: object) -> str:
    """A name for an event that is another one for each."""
    return hashlib.sha256(json.dumps(payload).encode()).hexdigest()[:12]


def _ack(number: int, name: str) -> bytes:
    payload = {"id": f"true_{_CHAT}_{_BARE}", "from": _CHAT, "fromMe": True, "ack": number, "ackName": name}
    return _body("message.ack", payload)


def _receipt(status: ReceiptStatus) -> DeliveryReceipt:
    return DeliveryReceipt(status=status, at=float(_AT), provider_id=_BARE, correlation_id=_BARE, recipient=RECIPIENT)


_ACKS = {
    (0, "PENDING"): _receipt(ReceiptStatus.ACCEPTED),
    (1, "SERVER"): _receipt(ReceiptStatus.SENT),
    (2, "DEVICE"): _receipt(ReceiptStatus.DELIVERED),
    (3, "READ"): _receipt(ReceiptStatus.READ),
    (4, "PLAYED"): _receipt(ReceiptStatus.READ),
    (-1, "ERROR"): replace(_receipt(ReceiptStatus.FAILED), failure_class=FailureClass.REJECTED),
}
_STATES = {
    "WORKING": SessionState.CONNECTED,
    "SCAN_QR_CODE": SessionState.NEEDS_QR,
    "PASSKEY_REQUIRED": SessionState.NEEDS_PASSKEY,
    "STOPPED": SessionState.DISCONNECTED,
    "FAILED": SessionState.DISCONNECTED,
}
_WRITTEN = {"id": f"false_{_CHAT}_AAA1", "timestamp": _AT, "from": _CHAT, "fromMe": False, "body": "Halo"}

WEBHOOKS = WebhookProbe(
    lane=Lane(name="default", provider="waha", sender=_SENDER, options=(("session", _SESSION),)),
    sign=_sign,
    signature="x-webhook-hmac",
    samples=(
        *(WebhookSample(name=name, body=_ack(ack, name), events=(told,)) for (ack, name), told in _ACKS.items()),
        *(
            WebhookSample(
                name=state, body=_body("session.status", {"status": state}), events=(SessionNotice(state=told),)
            )
            for state, told in _STATES.items()
        ),
        WebhookSample(
            name="a text",
            body=_body("message", _WRITTEN),
            events=(InboundMessage(recipient=RECIPIENT, provider_id="AAA1", at=float(_AT), text="Halo"),),
        ),
    ),
    unknown=(
        WebhookSample(name="a new event", body=_body("payment.received", {"id": "1"})),
        WebhookSample(name="a new ack", body=_ack(9, "TELEPATHY")),
        WebhookSample(name="a new state", body=_body("session.status", {"status": "ASLEEP"})),
    ),
    foreign=(WebhookSample(name="of another session", body=_body("session.status", {"status": "FAILED"}, "lain")),),
)

PROBE = ProviderProbe(
    provider="waha",
    make_client=_client,
    sender=_SENDER,
    request=RequestShape(
        path="/api/sendText",
        text="text",
        recipient="chatId",
        recipient_value=_CHAT,
        credentials="header:x-api-key",
        credentials_value=KEY,
        rules=(
            FieldRule("session", _SESSION),
            FieldRule("chatId", r"[0-9]+@c\.us"),
            FieldRule("id", "[0-9A-F]{16,32}", required=False),
            FieldRule("linkPreview", "true|false", required=False, kind=bool),
        ),
        known=frozenset({"session", "chatId", "text", "id", "reply_to", "linkPreview", "linkPreviewHighQuality"}),
        correlation="id",
        source="WAHA's OpenAPI file, MessageTextRequest",
    ),
    cases=CASES,
    lacks={
        Situation.NOT_ON_WHATSAPP: "WAHA takes a message to any number; that it has no WhatsApp comes, if at all, by "
        "a receipt"
    },
    complain=lambda words: _error(400, words),
    reader=READER,
    webhooks=WEBHOOKS,
)
