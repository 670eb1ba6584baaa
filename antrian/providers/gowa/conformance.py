"""What GOWA says, for the checks: its answers and webhooks as its repository has them.

Sources: `aldinokemal/go-whatsapp-web-multidevice`: `docs/openapi.yaml`, `docs/webhook-payload.md`, `src/pkg/error`.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ReceiptStatus
from antrian.providers.conformance.probe import (
    KEY,
    RECIPIENT,
    AnswerCase,
    ClientSettings,
    FieldRule,
    ProviderProbe,
    RequestShape,
    Situation,
    WebhookBatch,
    WebhookProbe,
    WebhookSample,
    http_answer,
)
from antrian.providers.contract import Provider
from antrian.providers.gowa.client import GowaProvider
from antrian.providers.gowa.receipts import READER
from antrian.providers.http import Timeouts
from antrian.providers.webhook import WebhookRequest

_SENDER, _DEVICE = "628114040707", "kantor"
_CHAT = f"{RECIPIENT.removeprefix('+')}@s.whatsapp.net"
_ID = "3EB0C767D0AB5E1F2D"
_WHEN, _AT = "2026-11-18T12:06:40Z", 1_795_003_600.0
_FAR = 4_102_444_800  # 2100-01-01


def _client(settings: ClientSettings) -> Provider:
    timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
    return GowaProvider(settings.url, SecretStr(f"antrian:{settings.key}"), _DEVICE, timeouts=timeouts)


def _error(status: int, code: str, words: str, **more: object) -> bytes:
    return http_answer(status, {"status": status, "code": code, "message": words, "results": None, **more})


def _case(name: str, answer: bytes, failure: FailureClass | Situation) -> AnswerCase:
    if isinstance(failure, Situation):
        return AnswerCase(name=name, situation=failure, answers=(answer,))
    return AnswerCase(name=name, failure=failure, answers=(answer,))


CASES = (
    AnswerCase(
        name="accepted",
        situation=Situation.ACCEPTED,
        answers=(
            http_answer(
                200, {"code": "SUCCESS", "message": "Success", "results": {"message_id": _ID, "status": "sent"}}
            ),
        ),
        provider_id=_ID,
    ),
    _case("success with another code", http_answer(200, {"code": "QUEUED"}), FailureClass.UNCERTAIN),
    _case("not registered", _error(400, "INVALID_JID", "user is not registered"), Situation.NOT_ON_WHATSAPP),
    _case("wrong password", http_answer(401, b"Unauthorized"), Situation.BAD_CREDENTIALS),
    _case("throttled by a proxy", http_answer(429, b"<html>Too Many Requests"), Situation.THROTTLED),
    AnswerCase(
        name="463, until a date",
        situation=Situation.COLD_REFUSED,
        answers=(_error(500, "INTERNAL_SERVER_ERROR", "server returned error 463", restricted_until=_FAR),),
        retry_after=(86_400.0, 31 * 86_400.0),
    ),
    _case("logged out", _error(500, "INTERNAL_SERVER_ERROR", "you are not logged in"), Situation.SESSION_DOWN),
    _case("not connected", _error(401, "AUTHENTICATION_ERROR", "not connected to server"), FailureClass.UNAVAILABLE),
    _case("no such device", _error(404, "DEVICE_NOT_FOUND", "device not found"), FailureClass.UNAVAILABLE),
    _case("fields refused", _error(400, "VALIDATION_ERROR", "message: cannot be blank."), FailureClass.REJECTED),
    _case("an error while sending", _error(500, "INTERNAL_SERVER_ERROR", "timed out"), FailureClass.UNCERTAIN),
)


def _sign(request: WebhookRequest, secret: str) -> WebhookRequest:
    digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return replace(request, headers={**request.headers, "x-hub-signature-256": f"sha256={digest}"})


def _body(event: str, payload: object, device: str = f"{_SENDER}@s.whatsapp.net") -> bytes:
    return json.dumps({"event": event, "device_id": device, "timestamp": _WHEN, "payload": payload}).encode()


def _ack(kind: str, *ids: object) -> bytes:
    payload = {"ids": list(ids), "chat_id": _CHAT, "from": _CHAT, "receipt_type": kind}
    return _body("message.ack", payload | {"receipt_type_description": kind})


def _receipt(status: ReceiptStatus, name: str = _ID) -> DeliveryReceipt:
    return DeliveryReceipt(status=status, at=_AT, provider_id=name, recipient=RECIPIENT)


_WRITTEN = {"id": "3AF1", "chat_id": _CHAT, "from": _CHAT, "from_name": "Budi", "timestamp": _WHEN, "body": "Halo"}
_DELIVERED, _READ = _receipt(ReceiptStatus.DELIVERED), _receipt(ReceiptStatus.READ)

WEBHOOKS = WebhookProbe(
    lane=Lane(name="default", provider="gowa", sender=_SENDER, options=(("device_id", _DEVICE),)),
    sign=_sign,
    signature="x-hub-signature-256",
    samples=(
        WebhookSample(name="delivered", body=_ack("delivered", _ID), events=(_DELIVERED,)),
        WebhookSample(name="read", body=_ack("read", _ID), events=(_READ,)),
        WebhookSample(
            name="two read at once",
            body=_ack("read", _ID, "3EB0FF"),
            events=(_READ, _receipt(ReceiptStatus.READ, "3EB0FF")),
        ),
        WebhookSample(
            name="a text",
            body=_body("message", _WRITTEN),
            events=(InboundMessage(recipient=RECIPIENT, provider_id="3AF1", at=_AT, text="Halo"),),
        ),
    ),
    unknown=(
        WebhookSample(name="a new event", body=_body("payment.received", {"id": "1"})),
        WebhookSample(name="a new receipt", body=_ack("telepathy", _ID)),
    ),
    foreign=(WebhookSample(name="of another device", body=_body("message", _WRITTEN, "628114040708@s.whatsapp.net")),),
    batch=WebhookBatch(
        join=lambda ids: _ack("delivered", *ids),
        parts=((_ID, _DELIVERED), ("3EB0FF", _receipt(ReceiptStatus.DELIVERED, "3EB0FF"))),
        bad=(None, "", {}, [], True, {"id": _ID}),
    ),
)

PROBE = ProviderProbe(
    provider="gowa",
    make_client=_client,
    sender=_SENDER,
    request=RequestShape(
        path="/send/message",
        text="message",
        recipient="phone",
        recipient_value=_CHAT,
        credentials="header:authorization",
        credentials_value=f"Basic {base64.b64encode(f'antrian:{KEY}'.encode()).decode()}",
        rules=(FieldRule("phone", r"[0-9]+@s\.whatsapp\.net"), FieldRule("header:x-device-id", _DEVICE)),
        known=frozenset({"phone", "message", "reply_message_id", "is_forwarded", "duration", "mentions"}),
        source="GOWA's docs/openapi.yaml, sendMessage",
    ),
    cases=CASES,
    complain=lambda words: _error(400, "VALIDATION_ERROR", words),
    reader=READER,
    webhooks=WEBHOOKS,
)
