"""What GOWA says, for the checks: its answers and webhooks as its source and documents have them.

Sources: `aldinokemal/go-whatsapp-web-multidevice`: docs/openapi.yaml, docs/webhook-payload.md, src/pkg/error,
src/ui/rest/middleware; `tulir/whatsmeow`: errors.go.
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
    WebhookProbe,
    WebhookSample,
    http_answer,
)
from antrian.providers.contract import Provider
from antrian.providers.gowa.client import GowaProvider
from antrian.providers.gowa.receipts import READER
from antrian.providers.http import Timeouts
from antrian.providers.webhook import WebhookRequest

_DEVICE, _SENDER, _USER = "toko", "628114040707", "antrian"
_CHAT = f"{RECIPIENT.removeprefix('+')}@s.whatsapp.net"
_TOKEN = base64.b64encode(f"{_USER}:{KEY}".encode()).decode()
_AT = 1_794_990_000
_WRITTEN_AT = "2026-11-18T08:20:00Z"
_TIMELOCK = (
    "WhatsApp rejected this send with error 463 (reach-out timelock). This is WhatsApp's server-side anti-spam "
    "restriction on starting new chats and cannot be bypassed by the API."
)


def _client(settings: ClientSettings) -> Provider:
    timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
    return GowaProvider(settings.url, SecretStr(f"{_USER}:{settings.key}"), _DEVICE, timeouts=timeouts)


def _said(status: int, code: str, words: str, results: object = None) -> bytes:
    return http_answer(status, {"status": status, "code": code, "message": words, "results": results})


def _case(name: str, answer: bytes, failure: FailureClass | Situation) -> AnswerCase:
    if isinstance(failure, Situation):
        return AnswerCase(name=name, situation=failure, answers=(answer,))
    return AnswerCase(name=name, failure=failure, answers=(answer,))


CASES = (
    AnswerCase(
        name="accepted",
        situation=Situation.ACCEPTED,
        answers=(_said(200, "SUCCESS", "Message sent", {"message_id": "3EB0F4C2A1", "status": "Message sent"}),),
        provider_id="3EB0F4C2A1",
    ),
    _case("number without WhatsApp", _said(400, "INVALID_JID", "user is not registered"), Situation.NOT_ON_WHATSAPP),
    _case("wrong password", http_answer(401, b"Unauthorized"), Situation.BAD_CREDENTIALS),
    _case("throttled by a proxy", http_answer(429, b"<html>Too Many Requests"), Situation.THROTTLED),
    _case("463, with the status of throttling", _said(429, "WA_REACHOUT_TIMELOCK", _TIMELOCK), Situation.COLD_REFUSED),
    _case("logged out", _said(401, "AUTHENTICATION_ERROR", "you are not login"), Situation.SESSION_DOWN),
    _case(
        "disconnected",
        _said(401, "AUTHENTICATION_ERROR", "you are not connect to services server, please reconnect"),
        FailureClass.UNAVAILABLE,
    ),
    _case(
        "whatsmeow is not connected",
        _said(500, "INTERNAL_SERVER_ERROR", "websocket not connected"),
        FailureClass.UNAVAILABLE,
    ),
    _case("no such device", _said(404, "DEVICE_NOT_FOUND", "device not found"), FailureClass.UNAVAILABLE),
    _case("several devices", _said(400, "DEVICE_ID_REQUIRED", "device_id is required"), FailureClass.UNAVAILABLE),
    _case("no client", _said(500, "INVALID_WA_CLI", "your WhatsApp CLI is invalid or empty"), FailureClass.UNAVAILABLE),
    _case("fields refused", _said(400, "VALIDATION_ERROR", "phone: cannot be blank."), FailureClass.REJECTED),
    _case(
        "no word of WhatsApp's server",
        _said(500, "INTERNAL_SERVER_ERROR", "timed out waiting for message send response"),
        FailureClass.UNCERTAIN,
    ),
    _case("given up by the middleware", _said(504, "GATEWAY_TIMEOUT", "Request timed out"), FailureClass.UNCERTAIN),
)


def _sign(request: WebhookRequest, secret: str) -> WebhookRequest:
    digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return replace(request, headers={**request.headers, "x-hub-signature-256": f"sha256={digest}"})


def _body(event: str, payload: object, sender: str = _SENDER) -> bytes:
    envelope = {"event": event, "device_id": f"{sender}@s.whatsapp.net", "timestamp": _WRITTEN_AT, "payload": payload}
    return json.dumps(envelope).encode()


def _ack(kind: str, *ids: str, sender: str = _SENDER) -> bytes:
    payload = {"ids": ids, "chat_id": _CHAT, "from": _CHAT, "receipt_type": kind}
    return _body("message.ack", payload, sender)


def _receipt(status: ReceiptStatus, name: str) -> DeliveryReceipt:
    return DeliveryReceipt(status=status, at=float(_AT), provider_id=name, recipient=RECIPIENT)


_WRITTEN = {
    "id": "3EB0AAA1",
    "chat_id": _CHAT,
    "from": _CHAT,
    "from_lid": "251556368777322@lid",
    "timestamp": _WRITTEN_AT,
    "is_from_me": False,
    "body": "Halo",
}

WEBHOOKS = WebhookProbe(
    lane=Lane(name="default", provider="gowa", sender=_SENDER),
    sign=_sign,
    signature="x-hub-signature-256",
    samples=(
        WebhookSample(
            name="delivered", body=_ack("delivered", "A1"), events=(_receipt(ReceiptStatus.DELIVERED, "A1"),)
        ),
        WebhookSample(
            name="read, several at once",
            body=_ack("read", "A1", "A2"),
            events=(_receipt(ReceiptStatus.READ, "A1"), _receipt(ReceiptStatus.READ, "A2")),
        ),
        WebhookSample(name="read by ourselves", body=_ack("read-self", "A1")),
        WebhookSample(
            name="a text",
            body=_body("message", _WRITTEN),
            events=(
                InboundMessage(
                    recipient=RECIPIENT,
                    provider_id="3EB0AAA1",
                    at=float(_AT),
                    text="Halo",
                    identities={"lid": "251556368777322@lid"},
                ),
            ),
        ),
    ),
    unknown=(
        WebhookSample(name="a new event", body=_body("payment.received", {"id": "1"})),
        WebhookSample(name="a new receipt", body=_ack("smelt", "A1")),
    ),
    foreign=(WebhookSample(name="of another device", body=_ack("read", "A1", sender="628999000111")),),
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
        credentials_value=f"Basic {_TOKEN}",
        rules=(FieldRule("header:x-device-id", _DEVICE), FieldRule("phone", r"[0-9]+@s\.whatsapp\.net")),
        source="GOWA's docs/openapi.yaml, /send/message",
    ),
    cases=CASES,
    complain=lambda words: _said(500, "INTERNAL_SERVER_ERROR", words),
    secrets=(_TOKEN,),
    reader=READER,
    webhooks=WEBHOOKS,
)
