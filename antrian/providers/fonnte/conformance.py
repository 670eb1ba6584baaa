"""What Fonnte says, for the checks: its answers and webhooks as its documentation has them.

Sources: docs.fonnte.com: "API Send Message", "Webhook Reply Message", "Webhook Update Message Status", "Webhook Device
Status"; spellings of `status` as clients of it saw them.
"""

import json
from urllib.parse import urlencode

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
from antrian.providers.fonnte.client import FonnteProvider
from antrian.providers.fonnte.receipts import READER
from antrian.providers.http import Timeouts

_DEVICE, _PERSON = "628114040707", RECIPIENT.removeprefix("+")
_ID, _STATE = "80367170", "stateid-1"
_AT = 1_794_990_000
_FORM = "application/x-www-form-urlencoded"


def _client(settings: ClientSettings) -> Provider:
    timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
    return FonnteProvider(SecretStr(settings.key), settings.url, timeouts=timeouts)


def _taken(**more: object) -> bytes:
    said = {"detail": "success! message in queue", "id": [_ID], "process": "pending", "requestid": 2937124}
    return http_answer(200, said | {"status": True, "target": [_PERSON]} | more)


def _refused(reason: str, status: int = 200, **more: object) -> bytes:
    return http_answer(status, {"status": False, "reason": reason, "requestid": 2937124, **more})


def _case(reason: str, failure: FailureClass | Situation, answer: bytes = b"") -> AnswerCase:
    raw = answer or _refused(reason)
    if isinstance(failure, Situation):
        return AnswerCase(name=reason, situation=failure, answers=(raw,))
    return AnswerCase(name=reason, failure=failure, answers=(raw,))


CASES = (
    AnswerCase(name="accepted", situation=Situation.ACCEPTED, answers=(_taken(),), provider_id=_ID),
    AnswerCase(name="status as text", answers=(_taken(status="true"),), provider_id=_ID),
    _case("target invalid", Situation.NOT_ON_WHATSAPP),
    _case("token invalid", Situation.BAD_CREDENTIALS),
    _case("throttled by a proxy", Situation.THROTTLED, http_answer(429, b"<html>Too Many Requests")),
    _case("request invalid on disconnected device", Situation.SESSION_DOWN),
    _case("server returned error 463", Situation.COLD_REFUSED),
    _case("insufficient quota", FailureClass.UNAVAILABLE),
    _case("unknown user", FailureClass.UNAVAILABLE),
    _case("invalid/empty body value", FailureClass.REJECTED),
    _case("input invalid", FailureClass.REJECTED),
    _case("url unreachable", FailureClass.TRANSIENT),
    _case("request timeout", FailureClass.UNCERTAIN),
    _case("true with a failure's status", FailureClass.UNCERTAIN, http_answer(500, {"status": True, "id": [_ID]})),
)


def _json(name: str, fields: dict[str, object], *events: object) -> WebhookSample:
    body = json.dumps({"device": _DEVICE, **fields}).encode()
    return WebhookSample(name=name, body=body, events=events)  # type: ignore[arg-type]


def _form(name: str, fields: dict[str, str], *events: object) -> WebhookSample:
    body = urlencode({"device": _DEVICE, **fields}).encode()
    return WebhookSample(name=name, body=body, events=events, media_type=_FORM)  # type: ignore[arg-type]


def _receipt(status: ReceiptStatus, failure: FailureClass | None = None) -> DeliveryReceipt:
    return DeliveryReceipt(status=status, provider_id=_ID, failure_class=failure)


_WRITTEN = {"sender": _PERSON, "message": "Halo", "name": "Budi", "timestamp": _AT, "inboxid": "77"}
_HEARD = InboundMessage(recipient=RECIPIENT, provider_id="77", at=float(_AT), text="Halo")

WEBHOOKS = WebhookProbe(
    lane=Lane(name="default", provider="fonnte", sender=_DEVICE),
    samples=(
        _json("sent", {"id": _ID, "stateid": _STATE, "status": "sent"}, _receipt(ReceiptStatus.SENT)),
        _json(
            "delivered",
            {"id": _ID, "stateid": _STATE, "status": "sent", "state": "delivered"},
            _receipt(ReceiptStatus.DELIVERED),
        ),
        _json("read", {"id": _ID, "stateid": _STATE, "state": "read"}, _receipt(ReceiptStatus.READ)),
        _json(
            "read, under its later name",
            {"stateid": _STATE, "state": "read"},
            DeliveryReceipt(status=ReceiptStatus.READ, provider_id=f"stateid:{_STATE}"),
        ),
        _form("delivered, as a form", {"id": _ID, "state": "delivered"}, _receipt(ReceiptStatus.DELIVERED)),
        _json("invalid", {"id": _ID, "status": "invalid"}, _receipt(ReceiptStatus.FAILED, FailureClass.REJECTED)),
        _json(
            "url unreachable",
            {"id": _ID, "status": "url unreachable"},
            _receipt(ReceiptStatus.FAILED, FailureClass.TRANSIENT),
        ),
        _json("a text", dict(_WRITTEN), _HEARD),
        _json(
            "disconnected",
            {"status": "disconnect", "token": KEY, "timestamp": _AT, "reason": "logged out"},
            SessionNotice(state=SessionState.DISCONNECTED, at=float(_AT), detail="logged out"),
        ),
        _json(
            "connected",
            {"status": "connect", "token": KEY, "timestamp": _AT},
            SessionNotice(state=SessionState.CONNECTED, at=float(_AT)),
        ),
    ),
    unknown=(
        _json("a new status", {"id": _ID, "status": "teleported"}),
        _json("a new webhook", {"event": "poll", "token": KEY}),
    ),
    foreign=(
        WebhookSample(name="of another device", body=b'{"device": "628114040708", "id": "1", "status": "sent"}'),
        WebhookSample(name="of no device", body=b'{"id": "80367170", "status": "sent"}'),
    ),
)

PROBE = ProviderProbe(
    provider="fonnte",
    make_client=_client,
    sender=_DEVICE,
    request=RequestShape(
        path="/send",
        media_type=_FORM,
        text="message",
        recipient="target",
        recipient_value=_PERSON,
        credentials="header:authorization",
        credentials_value=KEY,
        rules=(
            FieldRule("target", "[0-9]{6,15}"),
            FieldRule("countryCode", "[0-9]{1,3}", required=False),
            FieldRule("connectOnly", "true|false", required=False),
            FieldRule("delay", "[0-9]+(-[0-9]+)?", required=False),
        ),
        known=frozenset(
            {"target", "message", "url", "filename", "schedule", "delay", "countryCode", "typing", "connectOnly"}
            | {
                "location",
                "choices",
                "select",
                "pollname",
                "file",
                "data",
                "sequence",
                "preview",
                "inboxid",
                "followup",
            }
        ),
        source="docs.fonnte.com, API Send Message",
    ),
    cases=CASES,
    complain=_refused,
    refused_texts=frozenset({"placeholders"}),
    reader=READER,
    webhooks=WEBHOOKS,
)
