"""How Fonnte's webhooks are proved and read (docs.fonnte.com: Reply, Update Message Status, Device Status). Pure.

They are not signed: the server has compared the secret part of the address, and the body must name the lane's own
device. All of them may be given the same address: what a body holds says which it is. The webhook of the device carries
the device's token, which must be kept nowhere.
"""

import hashlib
from collections.abc import Mapping, Sequence
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
)
from antrian.providers.gateway_webhook import (
    LONGEST_TEXT,
    fields_of,
    is_device,
    is_group,
    person_of,
    unreadable,
)
from antrian.providers.json_fields import identifier, moment, text
from antrian.providers.redaction import quote
from antrian.providers.webhook import WebhookReader, WebhookRequest

#: `status` and `state`, in small letters.
_STATUSES: Final = {
    "pending": ReceiptStatus.ACCEPTED,
    "processing": ReceiptStatus.ACCEPTED,
    "waiting": ReceiptStatus.ACCEPTED,
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "received": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "played": ReceiptStatus.READ,
    "invalid": ReceiptStatus.FAILED,
    "expired": ReceiptStatus.FAILED,
    "failed": ReceiptStatus.FAILED,
    "url unreachable": ReceiptStatus.FAILED,
}

#: Why a message failed: its class, code and what people read.
_FAILURES: Final = {
    "invalid": (FailureClass.REJECTED, "not-on-whatsapp", "Fonnte could not send to this number"),
    "expired": (FailureClass.REJECTED, "expired-at-provider", "the device was not connected for 7 days"),
    "failed": (FailureClass.REJECTED, "send-failed", "Fonnte could not send it, and does not say why"),
    "url unreachable": (FailureClass.TRANSIENT, "send-failed", "Fonnte could not fetch an address"),
}

_STATES: Final = {"connect": SessionState.CONNECTED, "disconnect": SessionState.DISCONNECTED}

#: Fields of which the value may be kept, of a body that cannot be read: of all others the name alone, for one of them
#: is the device's token.
_KEPT: Final = frozenset({"id", "stateid", "status", "state", "timestamp", "type"})
_LONGEST_KEPT = 64

#: Before the name that Fonnte gives a message once it has left, so that it is none of its other names.
STATE_PREFIX: Final = "stateid:"


def _verify(request: WebhookRequest, secrets: Sequence[str], lane: Lane, _now: float) -> bool:
    return any(secrets) and is_device(fields_of(request).get("device"), lane.sender)


def _read(request: WebhookRequest, _lane: Lane, _now: float) -> Sequence[ProviderEvent]:
    fields = fields_of(request)
    if fields.get("id") or fields.get("stateid"):
        return _receipts(fields)
    if fields.get("sender"):
        return _inbound(fields)
    if (state := _STATES.get(_word(fields.get("status")))) is not None:
        return (_notice(state, fields),)
    return (unreadable("is no webhook of Fonnte that this version knows", _without_secrets(fields)),)


def _receipts(fields: Mapping[str, Any]) -> Sequence[ProviderEvent]:
    """One receipt, which bears every name of the message that the body has.

    The first call has `id`, which the answer to the send had too, and mostly `stateid`; all later ones have `stateid`
    alone. Under one receipt each, nobody could tell later that the two names are of one message; so the second stands
    beside the first, and the history keeps the pair.
    """
    said = [_word(fields.get(name)) for name in ("status", "state")]
    known = [word for word in said if word in _STATUSES]
    named, state = identifier(fields.get("id")), identifier(fields.get("stateid"))
    if not known or not (named or state):
        return (unreadable("is a status that this version does not know", _without_secrets(fields)),)
    word = max(known, key=lambda word: _STATUSES[word].rank)
    failure_class, code, detail = _FAILURES.get(word, (None, "", ""))
    later = f"{STATE_PREFIX}{state}" if state else ""
    return (
        DeliveryReceipt(
            status=_STATUSES[word],
            at=moment(fields.get("timestamp")),
            provider_id=named or later,
            alias=later if named else "",
            failure_class=failure_class,
            code=code,
            detail=detail,
        ),
    )


def _inbound(fields: Mapping[str, Any]) -> Sequence[ProviderEvent]:
    sender = fields.get("sender")
    if fields.get("member") or is_group(sender):
        return ()
    person = person_of(sender if isinstance(sender, str) else identifier(sender))
    if person is None:
        return (unreadable("is a message without a writer", _without_secrets(fields)),)
    pressed = text(fields.get("text"), LONGEST_TEXT)
    kind = text(fields.get("type"), 64) or ("file" if fields.get("url") else "text")
    return (
        InboundMessage(
            recipient=person.recipient,
            provider_id=_name_of(fields),
            at=moment(fields.get("timestamp")),
            text=pressed or text(fields.get("message"), LONGEST_TEXT),
            kind="button" if pressed else kind,
            identities=person.identities,
        ),
    )


def _name_of(fields: Mapping[str, Any]) -> str:
    # Fonnte names a message only where its inbox is on; else the same writer, second and words are the same message.
    if named := identifier(fields.get("inboxid")):
        return named
    if not fields.get("timestamp"):
        return ""
    parts = [str(fields.get(name)) for name in ("sender", "timestamp", "message", "text")]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _notice(state: SessionState, fields: Mapping[str, Any]) -> SessionNotice:
    reason = quote(text(fields.get("reason"), 500), [text(fields.get("token"), 500)])
    return SessionNotice(state=state, at=moment(fields.get("timestamp")), detail=reason)


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _without_secrets(fields: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: (str(value)[:_LONGEST_KEPT] if isinstance(value, str | int) else type(value).__name__)
        if name in _KEPT
        else "…"
        for name, value in fields.items()
    }


def _repeat_key(request: WebhookRequest) -> str:
    # Without a time or a name, a later message with the same words has the same body: it must not be lost as a repeat.
    fields = fields_of(request)
    has_own = any(fields.get(name) for name in ("timestamp", "inboxid", "id", "stateid"))
    return hashlib.sha256(request.body).hexdigest() if has_own else ""


READER = WebhookReader(verify=_verify, read=_read, repeat_key=_repeat_key)
