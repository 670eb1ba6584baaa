"""Twilio's webhooks: how they are proved, and what they tell. Pure.

One request tells one thing: how far a message has come (`MessageStatus`), or that a person wrote (`Body`). Twilio does
not give our name for a message back, and says no time of an event.

`X-Twilio-Signature` is the base64 of an HMAC over the address that Twilio called and the fields of the form in their
order by name; over the address alone where the body is JSON, whose digest then stands in the address.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import (
    LONGEST_RAW,
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    ReceiptStatus,
    UnreadableReport,
)
from antrian.providers.outgoing_checks import PHONE
from antrian.providers.redaction import quote
from antrian.providers.template import BSUID
from antrian.providers.twilio.answers import described, meaning_of
from antrian.providers.twilio.payload import CHANNEL, sender_of
from antrian.providers.webhook import WebhookReader, WebhookRequest, is_signed

#: Twilio's word for each status (its page "Messages resource", "Message status values").
_STATUSES: Final = {
    "accepted": ReceiptStatus.ACCEPTED,
    "scheduled": ReceiptStatus.ACCEPTED,
    "queued": ReceiptStatus.ACCEPTED,
    "sending": ReceiptStatus.ACCEPTED,
    "sent": ReceiptStatus.SENT,
    # Of a message in several parts; WhatsApp has none such.
    "partially_delivered": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "undelivered": ReceiptStatus.FAILED,
    "failed": ReceiptStatus.FAILED,
    "canceled": ReceiptStatus.FAILED,
}
_RECEIVED: Final = frozenset({"", "received", "receiving"})

#: What Advanced Opt-Out found in a message; `HELP` is neither.
_PREFERENCES: Final = {"STOP": "stop", "START": "start"}

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1000
_LONGEST_ID = 128
_LONGEST_TEXT = 65_536
_ADDRESS = re.compile(r"(https?)://([^/?#]*?)(:[0-9]+)?([/?#].*)?", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_STANDARD_PORTS = {"https": ":443", "http": ":80"}


def _verify(request: WebhookRequest, secrets: Sequence[str], _lane: Lane, _now: float) -> bool:
    signed = _signed_fields(request)
    if signed is None:
        return False
    # A rule for webhooks may choose the stronger digest; what is signed stays the same.
    rule = request.header("x-twilio-webhooks-signature-settings").upper()
    algorithm = "sha256" if "HMAC_SHA256" in rule else "sha1"
    found = [
        is_signed(f"{address}{signed}".encode("utf-8", "replace"), _signature(request), secrets, algorithm, _base64)
        for address in _spellings(request.url)
    ]
    return any(found)


def _read(request: WebhookRequest, lane: Lane, _now: float) -> Sequence[ProviderEvent]:
    pairs = _form(request)
    if not pairs:
        return [_unreadable("it is not a form", request)]
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    if reason := _why_not_ours(fields, lane):
        return [_unreadable(reason, request)]
    return [_event(fields) or _unreadable("it tells nothing that is known", request)]


def _event(fields: Mapping[str, str]) -> ProviderEvent | None:
    """What the fields tell; None where it is nothing that is known."""
    word = (fields.get("MessageStatus") or fields.get("SmsStatus", "")).lower()
    return _message(fields) if word in _RECEIVED else _receipt(fields, word)


def _why_not_ours(fields: Mapping[str, str], lane: Lane) -> str:
    """Why a report is not about the lane, in one phrase; empty where it is."""
    account, sender = lane.option("account_sid"), sender_of(lane.sender or "")
    if account and fields.get("AccountSid", account) != account:
        return "it is about another account"
    if sender not in (fields.get("From", sender), fields.get("To", sender)):
        return "it is about another sender"
    return ""


def _receipt(fields: Mapping[str, str], word: str) -> DeliveryReceipt | None:
    status, provider_id = _STATUSES.get(word), _id(fields)
    if status is None or not provider_id:
        return None
    person = _person(fields.get("To", ""))
    if status is not ReceiptStatus.FAILED:
        return DeliveryReceipt(status=status, provider_id=provider_id, recipient=person)
    written = fields.get("ErrorCode", "")
    code = int(written) if re.fullmatch(r"[0-9]{1,5}", written, re.ASCII) else None
    meaning = meaning_of(code)
    # What may have arrived is not sent again.
    again = meaning is not None and meaning.failure_class not in {FailureClass.REJECTED, FailureClass.UNCERTAIN}
    return DeliveryReceipt(
        status=status,
        provider_id=provider_id,
        recipient=person,
        failure_class=FailureClass.TRANSIENT if again else FailureClass.REJECTED,
        code="unrecognised" if meaning is None else meaning.code,
        detail=described(code, quote(fields.get("ErrorMessage") or fields.get("ChannelStatusMessage", "")))
        or "failed without a reason that is known",
    )


def _message(fields: Mapping[str, str]) -> InboundMessage | None:
    writer, provider_id = _writer(fields), _id(fields)
    if not writer or not provider_id or not ({"Body", "NumMedia", "MessageType", "OptOutType"} & set(fields)):
        return None
    kind, text = _written(fields)
    other = next((name for name in _names(fields) if BSUID.fullmatch(name)), "")
    return InboundMessage(
        recipient=writer,
        provider_id=provider_id,
        text=text[:_LONGEST_TEXT],
        kind=kind,
        identities={"bsuid": other} if other else {},
        preference=_PREFERENCES.get(fields.get("OptOutType", "").upper(), ""),
    )


def _written(fields: Mapping[str, str]) -> tuple[str, str]:
    """The kind of a message, and its words: the text, or those of the button that was pressed."""
    body = fields.get("Body", "")
    if "ButtonText" in fields or "ButtonPayload" in fields:
        return "button", fields.get("ButtonText") or body
    kind = fields.get("MessageType", "")
    if not _WORD.fullmatch(kind):
        kind = "text" if fields.get("NumMedia", "0") in {"", "0"} else "media"
    return kind, body if kind == "text" else ""


def _writer(fields: Mapping[str, str]) -> str:
    found = [person for name in _names(fields) if (person := _person(name))]
    # The number, where it is known, is the name that the contact is kept under.
    return next((name for name in found if name.startswith("+")), next(iter(found), ""))


def _names(fields: Mapping[str, str]) -> Iterator[str]:
    yield fields.get("From", "").removeprefix(CHANNEL)
    yield fields.get("WaId", "")
    yield fields.get("ExternalUserId", "").removeprefix(CHANNEL)


def _person(name: str) -> str:
    """E.164 with +, or Meta's own name for the person; empty where it is neither."""
    bare = name.removeprefix(CHANNEL)
    number = f"+{bare.removeprefix('+')}"
    if PHONE.fullmatch(number):
        return number
    return bare if BSUID.fullmatch(bare) else ""


def _id(fields: Mapping[str, str]) -> str:
    return (fields.get("MessageSid") or fields.get("SmsSid", ""))[:_LONGEST_ID]


def _signed_fields(request: WebhookRequest) -> str | None:
    """What follows the address in what is signed; None where nothing proves the body."""
    if request.content_type == _FORM:
        pairs = _form(request)
        # Sorted, and each pair once: so Twilio's own libraries do it.
        return None if pairs is None else "".join(name + value for name, value in sorted(set(pairs)))
    digest = dict(request.query).get("bodySHA256", "")
    own = hashlib.sha256(request.body).hexdigest()
    return "" if hmac.compare_digest(own.encode(), digest.lower().encode("utf-8", "replace")) else None


def _form(request: WebhookRequest) -> list[tuple[str, str]] | None:
    """The pairs of a form, empty values too; None where it is none."""
    if request.content_type != _FORM:
        return None
    try:
        return parse_qsl(request.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None


def _spellings(url: str) -> Iterator[str]:
    """The address as it is, without a port, and with the standard one: Twilio signs one of these, by its own rules."""
    yield url
    if found := _ADDRESS.fullmatch(url):
        scheme, host, _, rest = found.groups("")
        yield f"{scheme}://{host}{rest}"
        yield f"{scheme}://{host}{_STANDARD_PORTS[scheme.lower()]}{rest}"


def _signature(request: WebhookRequest) -> str:
    return request.header("x-twilio-signature").strip()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _unreadable(reason: str, request: WebhookRequest) -> UnreadableReport:
    return UnreadableReport(reason=reason, raw=request.body.decode("utf-8", "replace")[:LONGEST_RAW])


READER: Final = WebhookReader(verify=_verify, read=_read, repeat_key=_signature)
