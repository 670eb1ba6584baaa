"""What Meta says, for the checks: its answers and webhooks as its manual has them.

Sources: Meta's manual, "Messages", "Error codes", "Webhooks reference", "Direct Send", as of September 2026; webhooks
as clients of it captured them.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import AccountNotice, DeliveryReceipt, InboundMessage, ReceiptStatus
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
from antrian.providers.http import Timeouts
from antrian.providers.meta_cloud.client import MetaCloudProvider
from antrian.providers.meta_cloud.payload import MetaOptions
from antrian.providers.meta_cloud.receipts import READER
from antrian.providers.webhook import WebhookRequest

_SENDER, _NUMBER_ID = "628114040707", "106540352242922"
_WAMID = "wamid.HBgNNjI4MTIzNDU2Nzg5MBUCABEYEjBBN0M4RjNFMkQxQjRBOTZFNQA="
_PERSON = RECIPIENT.removeprefix("+")
_AT = 1_794_990_000
#: Of the challenge: an option of the lane, not the secret.
_WORD = "kata-dari-kami"


def _client(settings: ClientSettings) -> Provider:
    timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
    return MetaCloudProvider(settings.url, SecretStr(settings.key), _NUMBER_ID, MetaOptions(), timeouts=timeouts)


def _error(code: int, words: str, status: int = 400) -> bytes:
    data = {"messaging_product": "whatsapp", "details": words}
    error = {"message": f"(#{code}) {words}", "type": "OAuthException", "code": code, "error_data": data}
    return http_answer(status, {"error": error | {"fbtrace_id": "AbCdEfGhIjKlMnOp"}})


def _case(code: int, words: str, expected: FailureClass | Situation, status: int = 400) -> AnswerCase:
    situation = expected if isinstance(expected, Situation) else None
    failure = expected if isinstance(expected, FailureClass) else None
    return AnswerCase(
        name=f"{code}, {words}", failure=failure, situation=situation, answers=(_error(code, words, status),)
    )


def _accepted(**more: str) -> bytes:
    contacts = [{"input": RECIPIENT, "wa_id": _PERSON}]
    messages = [{"id": _WAMID, **more}]
    return http_answer(200, {"messaging_product": "whatsapp", "contacts": contacts, "messages": messages})


CASES = (
    AnswerCase(name="accepted", situation=Situation.ACCEPTED, answers=(_accepted(),), provider_id=_WAMID),
    AnswerCase(
        name="accepted and held for an assessment",
        answers=(_accepted(message_status="held_for_quality_assessment"),),
        provider_id=_WAMID,
    ),
    _case(131026, "Message undeliverable", Situation.NOT_ON_WHATSAPP),
    _case(190, "Access token has expired", Situation.BAD_CREDENTIALS, 401),
    _case(130429, "Rate limit hit", Situation.THROTTLED, 429),
    _case(131031, "Business account locked", Situation.SESSION_DOWN, 403),
    _case(131047, "Re-engagement message", FailureClass.REJECTED),
    _case(131049, "Not delivered to keep the ecosystem healthy", FailureClass.REJECTED),
    _case(132001, "Template does not exist", FailureClass.REJECTED, 404),
    _case(131048, "Spam rate limit hit", FailureClass.UNAVAILABLE),
    _case(131042, "Business eligibility payment issue", FailureClass.UNAVAILABLE),
    _case(100, "Object with ID '1' does not exist", FailureClass.UNAVAILABLE),
    _case(131000, "Something went wrong", FailureClass.TRANSIENT, 500),
    _case(131056, "Pair rate limit hit", FailureClass.RECIPIENT_BUSY),
    _case(999_999, "A code that nobody knows", FailureClass.REJECTED),
    AnswerCase(
        name="accepted and refused", failure=FailureClass.UNCERTAIN, answers=(_error(131047, "Re-engagement", 200),)
    ),
    AnswerCase(
        name="a 5xx without an error", failure=FailureClass.UNCERTAIN, answers=(http_answer(503, {"status": "down"}),)
    ),
)


def _sign(request: WebhookRequest, secret: str) -> WebhookRequest:
    digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return replace(request, headers={**request.headers, "x-hub-signature-256": f"sha256={digest}"})


def _change(value: object, field: str = "messages") -> bytes:
    entry = {"id": "102290129340398", "time": _AT, "changes": [{"field": field, "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _value(number_id: str = _NUMBER_ID, **more: object) -> dict[str, object]:
    metadata = {"display_phone_number": _SENDER, "phone_number_id": number_id}
    return {"messaging_product": "whatsapp", "metadata": metadata, **more}


def _statuses(parts: Sequence[object]) -> bytes:
    return _change(_value(statuses=list(parts)))


def _status(word: str, **more: object) -> dict[str, object]:
    status = {"id": _WAMID, "status": word, "timestamp": str(_AT), "recipient_id": _PERSON}
    return {**status, "biz_opaque_callback_data": "m-1:0:1", **more}


def _receipt(status: ReceiptStatus) -> DeliveryReceipt:
    return DeliveryReceipt(
        status=status, at=float(_AT), provider_id=_WAMID, correlation_id="m-1:0:1", recipient=RECIPIENT
    )


def _failure(code: int, title: str) -> Mapping[str, object]:
    details = {"details": f"{title}."}
    return _status("failed", errors=[{"code": code, "title": title, "message": title, "error_data": details}])


_FAILED = replace(_receipt(ReceiptStatus.FAILED), failure_class=FailureClass.REJECTED, code="undeliverable", detail="")
_STATUSES = tuple(
    WebhookSample(name=word, body=_statuses([_status(word)]), events=(_receipt(ReceiptStatus(word)),))
    for word in ("sent", "delivered", "read")
)
_WRITTEN = {"from": _PERSON, "id": "wamid.I", "timestamp": str(_AT), "type": "text", "text": {"body": "Halo"}}
_CONTACT = {"profile": {"name": "Budi"}, "wa_id": _PERSON, "user_id": "ID.13491208655302741918"}

WEBHOOKS = WebhookProbe(
    lane=Lane(
        name="default",
        provider="meta_cloud",
        sender=_SENDER,
        options=(("phone_number_id", _NUMBER_ID), ("verify_token", _WORD)),
    ),
    sign=_sign,
    signature="x-hub-signature-256",
    samples=(
        *_STATUSES,
        WebhookSample(
            name="failed for good", body=_statuses([_failure(131026, "Message undeliverable")]), events=(_FAILED,)
        ),
        WebhookSample(
            name="failed for now",
            body=_statuses([_failure(131000, "Something went wrong")]),
            events=(replace(_FAILED, failure_class=FailureClass.TRANSIENT, code="something-went-wrong"),),
        ),
        WebhookSample(
            name="a text",
            body=_change(_value(contacts=[_CONTACT], messages=[_WRITTEN])),
            events=(InboundMessage(recipient=RECIPIENT, provider_id="wamid.I", at=float(_AT), text="Halo"),),
        ),
        WebhookSample(
            name="no more marketing",
            body=_change(
                _value(
                    user_preferences=[
                        {"wa_id": _PERSON, "category": "marketing_messages", "value": "stop", "timestamp": _AT}
                    ]
                ),
                "user_preferences",
            ),
            events=(InboundMessage(recipient=RECIPIENT, at=float(_AT), kind="marketing_messages", preference="stop"),),
        ),
        WebhookSample(
            name="quality",
            body=_change({"display_phone_number": _SENDER, "event": "FLAGGED"}, "phone_number_quality_update"),
            events=(AccountNotice(kind="quality", at=float(_AT)),),
        ),
        WebhookSample(
            name="restriction",
            body=_change({"event": "ACCOUNT_RESTRICTION", "restriction_info": []}, "account_update"),
            events=(AccountNotice(kind="restriction", at=float(_AT)),),
        ),
    ),
    unknown=(
        WebhookSample(name="a new field", body=_change(_value(calls=[{"id": "c"}]), "calls")),
        WebhookSample(name="a new status", body=_statuses([_status("flown")])),
    ),
    foreign=(
        WebhookSample(
            name="of another number", body=_change(_value("106540352242923", statuses=[_status("delivered")]))
        ),
    ),
    batch=WebhookBatch(
        join=_statuses,
        parts=(
            (_status("sent"), _receipt(ReceiptStatus.SENT)),
            (_status("delivered"), _receipt(ReceiptStatus.DELIVERED)),
            (_failure(131026, "Message undeliverable"), _FAILED),
        ),
    ),
    challenge=((("hub.mode", "subscribe"), ("hub.challenge", "115820"), ("hub.verify_token", _WORD)), "115820"),
)

PROBE = ProviderProbe(
    provider="meta_cloud",
    make_client=_client,
    sender=_SENDER,
    request=RequestShape(
        path=f"/v25.0/{_NUMBER_ID}/messages",
        text="text.body",
        recipient="to",
        recipient_value=RECIPIENT,
        credentials="header:authorization",
        credentials_value=f"Bearer {KEY}",
        rules=(
            FieldRule("messaging_product", "whatsapp"),
            FieldRule("recipient_type", "individual"),
            FieldRule("type", "text"),
            FieldRule("to", r"\+?[0-9]{6,15}"),
            FieldRule("header:authorization", r"Bearer\s+[A-Za-z0-9\-_.]+.*"),
            FieldRule("text.body", ".{1,4096}"),
            FieldRule("text.preview_url", "true|false", required=False, kind=bool),
            FieldRule("biz_opaque_callback_data", ".{1,512}", required=False),
        ),
        # facebook/openapi, business-messaging-api_v23.0.yaml: TextMessage, BaseMessageProperties; the manual alone has
        # `biz_opaque_callback_data`, `recipient` and what Direct Send adds.
        known=frozenset(
            {"messaging_product", "recipient_type", "to", "type", "context", "text"}
            | {"biz_opaque_callback_data", "recipient", "category", "ttl_seconds"}
        ),
        correlation="biz_opaque_callback_data",
        source="Meta's OpenAPI file, sendMessage",
    ),
    cases=CASES,
    lacks={
        Situation.COLD_REFUSED: "Meta has no such refusal: outside the 24-hour window it demands a template, which is "
        "known before anything is sent"
    },
    complain=lambda words: _error(131009, words),
    reader=READER,
    webhooks=WEBHOOKS,
)
