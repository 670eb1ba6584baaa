"""What Fonnte says, for the checks: its answers and webhooks as docs.fonnte.com has them, and as its clients met them.

Sources: "API Send Message", "Webhook Reply Message", "Webhook Update Message Status", "Webhook Device Status".
"""

import json

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import (
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    ReceiptStatus,
    SessionNotice,
    SessionState,
)
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

_SENDER, _NUMBER = "628114040707", RECIPIENT.removeprefix("+")
_AT = 1_794_990_000


def _client(settings: ClientSettings) -> Provider:
    timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
    return FonnteProvider(SecretStr(settings.key), settings.url, timeouts=timeouts)


def _taken(**more: object) -> bytes:
    told = {"detail": "success! message in queue", "id": ["80367170"], "process": "pending", "requestid": 1}
    return http_answer(200, told | {"target": [_NUMBER]} | more)


def _refused(reason: str, **more: object) -> bytes:
    return http_answer(200, {"status": False, "reason": reason, "requestid": 1} | more)


def _taken_case(name: str, answer: bytes, situation: Situation | None = None) -> AnswerCase:
    return AnswerCase(name=name, situation=situation, answers=(answer,), provider_id="80367170")


def _case(name: str, answer: bytes, failure: FailureClass | Situation) -> AnswerCase:
    if isinstance(failure, Situation):
        return AnswerCase(name=name, situation=failure, answers=(answer,))
    return AnswerCase(name=name, failure=failure, answers=(answer,))


CASES = (
    _taken_case("accepted", _taken(status=True), Situation.ACCEPTED),
    _taken_case("accepted, as text", _taken(status="true")),
    _taken_case("accepted, with a capital", _taken(Status=True)),
    _taken_case("accepted, without a status", _taken()),
    _case("number without WhatsApp", _refused("target invalid"), Situation.NOT_ON_WHATSAPP),
    _case("wrong token", _refused("token invalid"), Situation.BAD_CREDENTIALS),
    _case("wrong token, as text", _refused("token invalid", status="false"), FailureClass.UNAVAILABLE),
    _case("throttled by a proxy", http_answer(429, {"message": "Too Many Attempts."}), Situation.THROTTLED),
    _case("463", _refused("server returned error 463"), Situation.COLD_REFUSED),
    _case("device away", _refused("request invalid on disconnected device"), Situation.SESSION_DOWN),
    _case("quota used up", _refused("insufficient quota"), FailureClass.UNAVAILABLE),
    _case("fields refused", _refused("invalid/empty body value"), FailureClass.REJECTED),
    _case("an address that is away", _refused("url unreachable"), FailureClass.TRANSIENT),
    _case("no word of the device", _refused("request timeout"), FailureClass.UNCERTAIN),
    _case("a new reason", _refused("the moon is full"), FailureClass.REJECTED),
    _case("true with a failure's status", http_answer(500, {"status": True, "id": ["1"]}), FailureClass.UNCERTAIN),
)


def _sample(title: str, *events: ProviderEvent, **fields: object) -> WebhookSample:
    return WebhookSample(name=title, body=json.dumps({"device": _SENDER} | fields).encode(), events=events)


WEBHOOKS = WebhookProbe(
    lane=Lane(name="default", provider="fonnte", sender=_SENDER),
    samples=(
        _sample(
            "sent, with both names",
            DeliveryReceipt(status=ReceiptStatus.SENT, provider_id="80367170", alias="stateid:4F2A"),
            id="80367170",
            stateid="4F2A",
            status="sent",
        ),
        _sample(
            "delivered, with the later name",
            DeliveryReceipt(status=ReceiptStatus.DELIVERED, provider_id="stateid:4F2A"),
            stateid="4F2A",
            state="delivered",
        ),
        _sample(
            "read",
            DeliveryReceipt(status=ReceiptStatus.READ, provider_id="stateid:4F2A"),
            stateid="4F2A",
            state="read",
        ),
        _sample(
            "number without WhatsApp",
            DeliveryReceipt(status=ReceiptStatus.FAILED, provider_id="80367171", failure_class=FailureClass.REJECTED),
            id="80367171",
            status="invalid",
        ),
        _sample(
            "device away",
            SessionNotice(state=SessionState.DISCONNECTED, at=float(_AT)),
            status="disconnect",
            token="the-device's-own-token",  # noqa: S106 (of no one)
            timestamp=_AT,
            reason="logout",
        ),
        _sample("device back", SessionNotice(state=SessionState.CONNECTED), status="connect", token="another"),  # noqa: S106 (of no one)
        _sample(
            "a text",
            InboundMessage(recipient=RECIPIENT, provider_id="77", text="Halo"),
            sender=_NUMBER,
            message="Halo",
            name="Budi",
            inboxid="77",
        ),
    ),
    unknown=(
        _sample("a new status", id="80367172", status="dreaming"),
        _sample("a new webhook", event="payment", amount=7),
    ),
    foreign=(
        WebhookSample(name="of another device", body=b'{"device": "628999000111", "id": "1", "status": "read"}'),
        WebhookSample(name="of no device", body=b'{"id": "1", "status": "read"}'),
    ),
)

PROBE = ProviderProbe(
    provider="fonnte",
    make_client=_client,
    sender=_SENDER,
    request=RequestShape(
        path="/send",
        text="message",
        recipient="target",
        recipient_value=_NUMBER,
        credentials="header:authorization",
        credentials_value=KEY,
        media_type="application/x-www-form-urlencoded",
        rules=(FieldRule("countryCode", "0"), FieldRule("connectOnly", "true")),
        source="docs.fonnte.com, API Send Message",
    ),
    cases=CASES,
    complain=_refused,
    reader=READER,
    webhooks=WEBHOOKS,
)
