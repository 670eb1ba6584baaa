"""How GOWA's webhooks are proved and read (docs/webhook-payload.md of aldinokemal/go-whatsapp-web-multidevice). Pure.

All devices of a server call the same addresses, each with its own name in `device_id`: a lane that names its device
passes over the others' events, and one that names none is told that there are others.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from antrian.domain.lane import Lane
from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ProviderEvent, ReceiptStatus, UnreadableReport
from antrian.providers.gateway_webhook import LONGEST_TEXT, is_device, is_group, person_of, unreadable
from antrian.providers.json_fields import LONGEST_ID, identifier, json_object, moment, text
from antrian.providers.webhook import WebhookReader, WebhookRequest, is_signed

#: `receipt_type` of `message.ack`: whatsmeow's ReceiptType, of which the empty one is delivered.
_RECEIPTS: Final = {
    "delivered": ReceiptStatus.DELIVERED,
    "": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "played": ReceiptStatus.READ,
}

#: Receipts of our own telephone, and what WhatsApp's clients tell each other.
_OUR_OWN: Final = frozenset(
    {"sender", "retry", "read-self", "played-self", "server-error", "inactive", "peer_msg", "hist_sync"}
)

#: Events that say nothing of our messages or of what people write.
_PASSED_OVER: Final = (
    "message.reaction",
    "message.revoked",
    "message.edited",
    "message.deleted",
    "group.",
    "newsletter.",
    "call.",
    "chat_presence",
)

#: What a message holds beside or instead of words, by GOWA's names.
_KINDS: Final = (
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "video_note",
    "contact",
    "contacts_array",
    "location",
    "live_location",
    "list",
    "order",
)

_MOST_IDS = 1_000
_PREFIX = "sha256="


def _verify(request: WebhookRequest, secrets: Sequence[str], _lane: Lane, _now: float) -> bool:
    written = request.header("X-Hub-Signature-256")
    return written.startswith(_PREFIX) and is_signed(request.body, written.removeprefix(_PREFIX), secrets, "sha256")


def _read(request: WebhookRequest, lane: Lane, _now: float) -> Sequence[ProviderEvent]:
    envelope = json_object(request.body)
    if not _is_ours(envelope.get("device_id"), lane):
        # Without the body, which is another sender's affair.
        told = UnreadableReport(reason="is of another device than this lane's sender: set the lane's option device_id")
        return () if lane.option("device_id") else (told,)
    name, payload = envelope.get("event"), envelope.get("payload")
    if not isinstance(name, str) or not isinstance(payload, dict):
        return (unreadable("is no event of GOWA", request.body),)
    if (read := _READ.get(name)) is not None:
        return read(payload, moment(envelope.get("timestamp")))
    if name.startswith(_PASSED_OVER):
        return ()
    return (unreadable("is an event that this version does not know", envelope),)


def _is_ours(named: object, lane: Lane) -> bool:
    device, asked = text(named, LONGEST_ID), lane.option("device_id")
    if not device or device == asked:
        return True
    if person_of(device) is None or person_of(lane.sender) is None:
        # One of the two is a name, so that they cannot be compared.
        return not asked
    return is_device(device, lane.sender)


def _receipts(payload: dict[str, Any], at: float | None) -> Sequence[ProviderEvent]:
    kind, ids = payload.get("receipt_type"), payload.get("ids")
    if isinstance(kind, str) and kind in _OUR_OWN:
        return ()
    status = _RECEIPTS.get(kind) if isinstance(kind, str) else None
    if status is None or not isinstance(ids, list) or not ids:
        return (unreadable("is a receipt without a known status and ids", payload),)
    # In a group every member answers: nobody becomes known by that.
    person = None if is_group(payload.get("chat_id")) else person_of(payload.get("from"), payload.get("from_lid"))
    recipient = person.recipient if person else ""
    return [_receipt(status, at, named, recipient) for named in ids[:_MOST_IDS]]


def _receipt(status: ReceiptStatus, at: float | None, named: object, recipient: str) -> ProviderEvent:
    name = identifier(named)
    if not name:
        return unreadable("is a receipt for something that has no id", {"id": named})
    return DeliveryReceipt(status=status, at=at, provider_id=name, recipient=recipient)


def _inbound(payload: dict[str, Any], told_at: float | None) -> Sequence[ProviderEvent]:
    if payload.get("is_from_me") is True or is_group(payload.get("chat_id")) or is_group(payload.get("from")):
        return ()
    person = person_of(payload.get("from"), payload.get("from_lid"))
    if person is None:
        return (unreadable("is a message without a writer", payload),)
    return (
        InboundMessage(
            recipient=person.recipient,
            provider_id=identifier(payload.get("id")),
            at=moment(payload.get("timestamp")) or told_at,
            text=text(payload.get("body"), LONGEST_TEXT),
            kind=next((kind for kind in _KINDS if payload.get(kind)), "text"),
            identities=person.identities,
        ),
    )


_READ: Final[dict[str, Callable[[dict[str, Any], float | None], Sequence[ProviderEvent]]]] = {
    "message.ack": _receipts,
    "message": _inbound,
}

READER = WebhookReader(verify=_verify, read=_read)
