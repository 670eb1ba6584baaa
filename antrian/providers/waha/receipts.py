"""How WAHA's webhooks are proved and read (devlikeapro/waha-docs, Events and Webhooks). Pure.

Its signature covers the body alone, and the body holds an id of its own for each event, so a repeated request is known
by its body. Another session of the same server may call the same address: its events are of another sender.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import (
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    ReceiptStatus,
    SessionNotice,
    SessionState,
    UnreadableReport,
)
from antrian.providers.gateway_webhook import LONGEST_TEXT, is_group, person_of, unreadable
from antrian.providers.json_fields import LONGEST_ID, identifier, inner, json_object, moment, text
from antrian.providers.waha.payload import DEFAULT_SESSION, bare_id, chat_of, is_sent_id
from antrian.providers.webhook import WebhookReader, WebhookRequest, is_signed

#: `ack` of `message.ack`.
_ACKS: Final = {
    -1: ReceiptStatus.FAILED,
    0: ReceiptStatus.ACCEPTED,
    1: ReceiptStatus.SENT,
    2: ReceiptStatus.DELIVERED,
    3: ReceiptStatus.READ,
    # A voice message was played: no less than read.
    4: ReceiptStatus.READ,
}

_STATES: Final = {
    "WORKING": SessionState.CONNECTED,
    "SCAN_QR_CODE": SessionState.NEEDS_QR,
    "PASSKEY_REQUIRED": SessionState.NEEDS_PASSKEY,
    "PASSKEY_CONFIRMATION_REQUIRED": SessionState.NEEDS_PASSKEY,
    "FAILED": SessionState.DISCONNECTED,
    "STOPPED": SessionState.DISCONNECTED,
    "STARTING": SessionState.DISCONNECTED,
}

#: Events that say nothing of our messages, of what people write, or of the session.
_PASSED_OVER = (
    "message.reaction",
    "message.edited",
    "message.revoked",
    "message.waiting",
    "message.ack.group",
    "state.change",
    "engine.event",
    "event.response",
    "presence.",
    "group.",
    "poll.",
    "chat.",
    "call.",
    "label.",
)


def _verify(request: WebhookRequest, secrets: Sequence[str], _lane: Lane, _now: float) -> bool:
    return is_signed(request.body, request.header("X-Webhook-Hmac"), secrets, "sha512")


def _repeat_key(request: WebhookRequest) -> str:
    digest = hashlib.sha256(request.body).hexdigest()
    # The request's name is not signed: where the body has an id, a stranger who changes the name changes nothing.
    # Servers of 2023 gave no ids, and two changes of a session there may be alike to the letter.
    has_own = identifier(json_object(request.body).get("id"))
    return digest if has_own else f"{request.header('X-Webhook-Request-Id')} {digest}"


def _read(request: WebhookRequest, lane: Lane, _now: float) -> Sequence[ProviderEvent]:
    envelope = json_object(request.body)
    session = text(envelope.get("session"), LONGEST_ID)
    if session and session != lane.option("session", DEFAULT_SESSION):
        # Without the body, which is another sender's affair.
        return (UnreadableReport(reason="is of another session than this lane's: give each session its own webhook"),)
    name, payload = envelope.get("event"), envelope.get("payload")
    if not isinstance(name, str) or not isinstance(payload, dict):
        return (unreadable("is no event of WAHA", request.body),)
    if (read := _READ.get(name)) is not None:
        return read(payload, moment(envelope.get("timestamp")))
    if name.startswith(_PASSED_OVER):
        return ()
    return (unreadable("is an event that this version does not know", envelope),)


def _receipt(payload: dict[str, Any], at: float | None) -> Sequence[ProviderEvent]:
    if payload.get("fromMe") is False:
        return ()
    ack, written = payload.get("ack"), inner(payload, "id").get("_serialized") or payload.get("id")
    name = bare_id(written)
    status = _ACKS.get(ack) if isinstance(ack, int) and not isinstance(ack, bool) else None
    if status is None or not name:
        return (unreadable("is a receipt without a known status and an id", payload),)
    person = person_of(chat_of(written), payload.get("to"))
    failed = status is ReceiptStatus.FAILED
    return (
        DeliveryReceipt(
            status=status,
            at=at,
            provider_id=name,
            correlation_id=name if is_sent_id(name) else "",
            recipient=person.recipient if person else "",
            # WAHA does not say why, and WhatsApp's own client may go on trying: another try could be a second message.
            failure_class=FailureClass.REJECTED if failed else None,
            code="refused-by-whatsapp" if failed else "",
            detail="WhatsApp reported an error for this message, without a reason" if failed else "",
        ),
    )


def _inbound(payload: dict[str, Any], told_at: float | None) -> Sequence[ProviderEvent]:
    if payload.get("fromMe") is True or is_group(payload.get("from")):
        return ()
    data = inner(payload, "_data")
    # Where a person hides their number, `from` is their LID, and some engines tell the number beside it.
    hidden = (
        inner(data, "key").get("remoteJidAlt"),
        inner(data, "key").get("senderPn"),
        inner(data, "Info").get("SenderAlt"),
    )
    person = person_of(payload.get("from"), *hidden)
    if person is None:
        return (unreadable("is a message without a writer", payload),)
    kind = _kind(payload, data)
    return (
        InboundMessage(
            recipient=person.recipient,
            provider_id=bare_id(payload.get("id")),
            at=moment(payload.get("timestamp")) or told_at,
            # A location's body is its picture.
            text="" if kind in {"location", "vcard"} else text(payload.get("body"), LONGEST_TEXT),
            kind=kind,
            identities=person.identities,
        ),
    )


def _kind(payload: dict[str, Any], data: dict[str, Any]) -> str:
    if payload.get("location"):
        return "location"
    if payload.get("vCards"):
        return "vcard"
    if payload.get("hasMedia") is True:
        family = text(inner(payload, "media").get("mimetype"), 64).partition("/")[0]
        return family or text(data.get("type"), 64) or "media"
    return "text"


def _notice(payload: dict[str, Any], at: float | None) -> Sequence[ProviderEvent]:
    status = payload.get("status")
    state = _STATES.get(status) if isinstance(status, str) else None
    if state is None:
        return (unreadable("is a session's status that this version does not know", payload),)
    return (SessionNotice(state=state, at=at, detail="" if state is SessionState.CONNECTED else f"WAHA says {status}"),)


_READ: Final[dict[str, Callable[[dict[str, Any], float | None], Sequence[ProviderEvent]]]] = {
    "message.ack": _receipt,
    "message": _inbound,
    # What people write comes as both, where both are asked for: under the same id.
    "message.any": _inbound,
    "session.status": _notice,
}


READER = WebhookReader(verify=_verify, read=_read, repeat_key=_repeat_key)
