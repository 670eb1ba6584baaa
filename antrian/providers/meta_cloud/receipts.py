"""Meta's webhooks: how they are proved, and what they tell. Pure.

One request carries several entries, each with several changes, each with several statuses or messages: every one is
read by itself, so that one that cannot be read hides no other. An app has one webhook for all its numbers unless an
address of its own is set for a number, so what names another number than the lane's is not the lane's.

Where a person's number is not known, Meta names them by an id of theirs for this business (BSUID).
"""

import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import (
    LONGEST_RAW,
    AccountNotice,
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    ReceiptStatus,
    UnreadableReport,
)
from antrian.providers.json_fields import moment, text
from antrian.providers.meta_cloud.answers import meaning_of, words_of
from antrian.providers.redaction import quote
from antrian.providers.webhook import WebhookReader, WebhookRequest, is_signed

#: Meta's word for each status (its manual, "Status messages webhook reference"). A voice message that was `played`
#: was opened.
_STATUSES: Final = {
    "accepted": ReceiptStatus.ACCEPTED,
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "played": ReceiptStatus.READ,
    "failed": ReceiptStatus.FAILED,
}

#: Messages that no person wrote: they open no window. What `system` tells is read by `_system`.
_WRITTEN_BY_NOBODY: Final = {"system": "contact-changed", "request_welcome": "chat-opened"}

_PREFERENCES: Final = {"stop": "stop", "resume": "start", "signup": "start"}

#: What a field tells of the account, in one of few words. None of these holds anything of a recipient's.
_ACCOUNT_FIELDS: Final = {
    "phone_number_quality_update": "quality",
    "phone_number_name_update": "name",
    "business_capability_update": "capability",
    "account_update": "account",
    "account_alerts": "alert",
    "account_review_update": "account",
    "account_settings_update": "account",
    "business_status_update": "account",
    "security": "security",
    "message_template_status_update": "template",
    "message_template_quality_update": "template",
    "message_template_components_update": "template",
    "template_category_update": "template",
    "template_correct_category_detection": "template",
}
#: Events of `account_update` after which less may be sent, or nothing.
_RESTRICTIONS: Final = frozenset(
    {"ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION", "DISABLED_UPDATE", "ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"}
)

_SIGNATURE = "x-hub-signature-256"
_ALGORITHM = "sha256="
_LONGEST_ID = 512
_LONGEST_TEXT = 65_536
_CHALLENGE = re.compile(r"[\x21-\x7e]{1,256}")
_DIGITS = re.compile(r"[0-9]{6,15}")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def _verify(request: WebhookRequest, secrets: Sequence[str], _lane: Lane, _now: float) -> bool:
    signature = request.header(_SIGNATURE)
    return signature.startswith(_ALGORITHM) and is_signed(
        request.body, signature.removeprefix(_ALGORITHM), secrets, "sha256"
    )


def _challenge(request: WebhookRequest, _secrets: Sequence[str], lane: Lane) -> str | None:
    """The number that proves to Meta that the address is ours, for a request that names our word."""
    query, expected = dict(request.query), lane.option("verify_token")
    given = query.get("hub.verify_token", "")
    is_ours = hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
    if not expected or not is_ours or query.get("hub.mode") != "subscribe":
        return None
    found = _CHALLENGE.fullmatch(query.get("hub.challenge", ""))
    return None if found is None else found[0]


def _read(request: WebhookRequest, lane: Lane, _now: float) -> Sequence[ProviderEvent]:
    try:
        document = _parsed(request.body)
    except (ValueError, RecursionError):
        return [UnreadableReport(reason="it is not JSON", raw=_beginning(request.body.decode("utf-8", "replace")))]
    if not isinstance(document, dict) or document.get("object") != "whatsapp_business_account":
        return [_unreadable("it is not about a WhatsApp Business Account", document)]
    return list(_entries(document, lane)) or [_unreadable("it tells nothing", document)]


READER: Final = WebhookReader(verify=_verify, read=_read, challenge=_challenge)


def _entries(document: Mapping[str, Any], lane: Lane) -> Iterator[ProviderEvent]:
    entries = document.get("entry")
    for entry in entries if isinstance(entries, list) else [entries]:
        found = _mapping(entry)
        changes = found.get("changes")
        if not isinstance(changes, list):
            yield _unreadable("an entry has no list of changes", entry)
            continue
        for change in changes:
            value = change.get("value") if isinstance(change, dict) else None
            if not isinstance(value, dict):
                yield _unreadable("a change has no value", change)
            elif reason := _why_not_ours(value, lane):
                yield _unreadable(reason, change)
            else:
                yield from list(_change(change, value, moment(found.get("time")))) or [
                    _unreadable("a change tells nothing", change)
                ]


def _why_not_ours(value: Mapping[str, Any], lane: Lane) -> str:
    """Why a change is not the lane's, in one phrase; empty where it is, or is the whole account's."""
    if "metadata" in value:
        metadata = value["metadata"]
        named = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
        return "" if str(named) == lane.option("phone_number_id") else "it is about another phone number id"
    numbers = [_only_digits(value.get("display_phone_number")), _only_digits(lane.sender)]
    return "it is about another number" if all(numbers) and numbers[0] != numbers[1] else ""


def _change(change: Mapping[str, Any], value: Mapping[str, Any], at: float | None) -> Iterator[ProviderEvent]:
    field = change.get("field")
    if field == "messages":
        yield from _messages_field(value, at)
    elif field == "user_preferences":
        for preference in _listed(value.get("user_preferences")):
            yield _preference(preference)
    elif field == "user_id_update":
        for update in _listed(value.get("user_id_update", value)):
            yield _identity(update, _mapping(update), at)
    elif isinstance(field, str) and field in _ACCOUNT_FIELDS:
        yield _account(field, value, at)
    else:
        yield _unreadable("its field is not known", change)


def _messages_field(value: Mapping[str, Any], at: float | None) -> Iterator[ProviderEvent]:
    errors = _listed(value.get("errors"))
    statuses = _listed(value.get("statuses"))
    for status in statuses:
        yield _receipt(status, errors)
    for message in _listed(value.get("messages")):
        yield _message(message)
    if not any(map(_needs_errors, statuses)):
        for error in errors:
            yield _error(error, at)


def _receipt(status: object, errors: Sequence[object]) -> ProviderEvent:
    found = _mapping(status)
    word = found.get("status")
    kind = _STATUSES.get(word) if isinstance(word, str) else None
    provider_id, correlation_id = _text(found.get("id")), _text(found.get("biz_opaque_callback_data"))
    if kind is None or not (provider_id or correlation_id):
        return _unreadable("a status names no message, or is not known", status)
    receipt = DeliveryReceipt(
        status=kind,
        at=moment(found.get("timestamp")),
        provider_id=provider_id,
        correlation_id=correlation_id,
        recipient=_person(found, "recipient_id", "recipient_user_id", "recipient_participant_user_id"),
    )
    if kind is not ReceiptStatus.FAILED:
        return receipt
    failure_class, code, detail = _failure(_mapping(next(iter(_listed(found.get("errors")) or errors), None)))
    return replace(receipt, failure_class=failure_class, code=code, detail=detail)


def _needs_errors(status: object) -> bool:
    """Whether the errors beside the statuses are the ones of this status."""
    found = _mapping(status)
    return found.get("status") == "failed" and not found.get("errors")


def _failure(error: dict[str, Any]) -> tuple[FailureClass, str, str]:
    """What may be done about a message that Meta could not deliver: another try, or nothing."""
    words = words_of(error)
    meaning = meaning_of(error.get("code"), words)
    if meaning is None:
        return FailureClass.REJECTED, "unrecognised", quote(words) or "failed without a reason that is known"
    is_final = meaning.failure_class is FailureClass.REJECTED
    detail = quote(f"({error['code']}) {words}")
    return FailureClass.REJECTED if is_final else FailureClass.TRANSIENT, meaning.code, detail


def _message(message: object) -> ProviderEvent:
    found = _mapping(message)
    kind = found.get("type")
    kind = kind if isinstance(kind, str) and _WORD.fullmatch(kind) else "unknown"
    at = moment(found.get("timestamp"))
    if kind == "system":
        return _identity(message, _mapping(found.get("system")) | {"from": found.get("from")}, at)
    if kind in _WRITTEN_BY_NOBODY:
        return AccountNotice(kind=_WRITTEN_BY_NOBODY[kind], at=at)
    if "group_id" in found:
        return _unreadable("a message in a group", message)
    writer, bsuid = _person(found, "from", "from_user_id"), _text(found.get("from_user_id"))
    if not writer:
        return _unreadable("a message without a writer", message)
    kind, words = _written(kind, found)
    return InboundMessage(
        recipient=writer,
        provider_id=_text(found.get("id")),
        at=at,
        text=words,
        kind=kind,
        identities={"bsuid": bsuid} if bsuid else {},
    )


def _written(kind: str, message: Mapping[str, Any]) -> tuple[str, str]:
    """The kind of a message, and its words: the text, or those of the button that was pressed."""
    content = _mapping(message.get(kind))
    if kind == "text":
        return "text", _text(content.get("body"), _LONGEST_TEXT)
    if kind == "button":
        return "button", _text(content.get("text"), _LONGEST_TEXT)
    for reply in ("button_reply", "list_reply") if kind == "interactive" else ():
        if isinstance(content.get(reply), dict):
            return "button", _text(content[reply].get("title"), _LONGEST_TEXT)
    return kind, ""


def _preference(preference: object) -> ProviderEvent:
    """A person who wants no more marketing, or wants it again: no message, and `kind` says what it is about."""
    found = _mapping(preference)
    word = found.get("value")
    wanted = _PREFERENCES.get(word) if isinstance(word, str) else None
    person, bsuid = _person(found, "wa_id", "user_id"), _text(found.get("user_id"))
    category = found.get("category")
    if wanted is None or not person or not isinstance(category, str) or not _WORD.fullmatch(category):
        return _unreadable("a preference that is not known", preference)
    return InboundMessage(
        recipient=person,
        at=moment(found.get("timestamp")),
        kind=category,
        identities={"bsuid": bsuid} if bsuid else {},
        preference=wanted,
    )


def _identity(report: object, change: Mapping[str, Any], at: float | None) -> ProviderEvent:
    """A person's number or id changed; the values are what both were."""
    names = ("type", "from", "wa_id", "user_id", "previous_user_id", "parent_user_id", "previous_parent_user_id")
    values = {name: _text(change.get(name)) for name in names if _text(change.get(name))}
    if not values:
        return _unreadable("a change of a contact without names", report)
    return AccountNotice(kind="contact-changed", detail="a recipient's number or id changed", at=at, values=values)


def _account(field: str, value: Mapping[str, Any], at: float | None) -> AccountNotice:
    event = value.get("event") or value.get("alert_type") or value.get("decision")
    event = event if isinstance(event, str) and _WORD.fullmatch(event) else ""
    is_over = _mapping(value.get("ban_info")).get("waba_ban_state") == "REINSTATE"
    is_restricted = field == "account_update" and event in _RESTRICTIONS and not is_over
    kind = "restriction" if is_restricted else _ACCOUNT_FIELDS[field]
    return AccountNotice(kind=kind, detail=f"{field} {event}".strip(), at=at, values=_kept(value))


def _error(error: object, at: float | None) -> ProviderEvent:
    """A fault of the account or of a request, that belongs to no status."""
    found = _mapping(error)
    words = words_of(found)
    meaning = meaning_of(found.get("code"), words)
    values = {"code": found["code"]} if type(found.get("code")) is int else {}
    if meaning is not None:
        values["meaning"] = meaning.code
    return AccountNotice(kind="error", detail=quote(words), at=at, values=values)


def _kept(value: Mapping[str, Any]) -> dict[str, Any]:
    """A report's own values, or the beginning of them where they are many."""
    written = _as_json(value)
    kept = _parsed(written) if len(written) <= LONGEST_RAW else None
    return kept if isinstance(kept, dict) else {"beginning": _beginning(written)}


def _person(found: Mapping[str, Any], number: str, *others: str) -> str:
    """E.164 with + where the number is known, else the first other name."""
    digits = _text(found.get(number)).removeprefix("+")
    if _DIGITS.fullmatch(digits):
        return f"+{digits}"
    return next((name for other in others if (name := _text(found.get(other)))), "")


def _text(value: object, longest: int = _LONGEST_ID) -> str:
    return text(value, longest)


def _only_digits(value: object) -> str:
    return "".join(re.findall(r"[0-9]+", value)) if isinstance(value, str) else ""


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> Sequence[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _parsed(written: str | bytes) -> Any:
    """JSON, with nothing where JavaScript's infinities and the like stand, which no event can hold."""
    return json.loads(written, parse_constant=lambda _word: None)


def _as_json(part: object) -> str:
    try:
        return json.dumps(part, ensure_ascii=False).encode("utf-8", "replace").decode()
    except RecursionError:
        return ""


def _unreadable(reason: str, part: object) -> UnreadableReport:
    return UnreadableReport(reason=reason, raw=_beginning(_as_json(part)))


def _beginning(text: str) -> str:
    return text[:LONGEST_RAW]
