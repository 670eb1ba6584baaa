"""What the sandbox reports: `{"events": […]}`, signed with `X-Sandbox-Signature: sha256=<hex>` over the body.

Its contract stands in `antrian/sandbox/dialects/sandbox.py`, which shares nothing with this.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import (
    LONGEST_RAW,
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    ReceiptStatus,
    SessionNotice,
    SessionState,
    UnreadableReport,
)
from antrian.providers.redaction import quote
from antrian.providers.webhook import WebhookReader, WebhookRequest, is_signed

_PREFIX = "sha256="
_LONGEST_NAME = 512
_LONGEST_TEXT = 65_536
#: The end of the year 9999, unix seconds.
_LATEST = 253_402_300_799
_STATUSES = {str(status): status for status in ReceiptStatus}
_STATES = {str(state): state for state in SessionState}


def verify(request: WebhookRequest, secrets: Sequence[str], _lane: Lane, _now: float) -> bool:
    """See `WebhookReader`."""
    prefix, signature = request.header("x-sandbox-signature")[:7], request.header("x-sandbox-signature")[7:]
    return prefix == _PREFIX and is_signed(request.body, signature, secrets, "sha256")


def read(request: WebhookRequest, _lane: Lane, _now: float) -> Sequence[ProviderEvent]:
    """See `WebhookReader`."""
    try:
        decoded = json.loads(request.body)
    except (ValueError, RecursionError):
        return [_unreadable("it is not JSON", request.body.decode(errors="replace"))]
    events = decoded.get("events") if isinstance(decoded, dict) else None
    if not isinstance(events, list):
        return [_unreadable("it has no list of events", request.body.decode(errors="replace"))]
    return [_event(event) for event in events]


def _event(event: object) -> ProviderEvent:
    told: ProviderEvent | None = None
    if isinstance(event, dict):
        read_one = {"status": _receipt, "inbound": _inbound, "session": _session}.get(str(event.get("type")))
        told = read_one(event) if read_one else None
    return told or _unreadable("an event cannot be read", _dumped(event))


def _dumped(event: object) -> str:
    try:
        return json.dumps(event)
    except RecursionError:
        return ""


def _receipt(event: Mapping[str, Any]) -> DeliveryReceipt | None:
    status = _STATUSES.get(str(event.get("status")))
    name, ours = _text(event, "id"), _text(event, "correlation_id")
    if status is None or not (name or ours):
        return None
    receipt = DeliveryReceipt(
        status=status, at=_moment(event), provider_id=name, correlation_id=ours, recipient=_text(event, "number")
    )
    return receipt if status is not ReceiptStatus.FAILED else _failed(receipt, event)


def _failed(receipt: DeliveryReceipt, event: Mapping[str, Any]) -> DeliveryReceipt:
    # Only what is certain to be useless is given up, and only what is certain to allow it is tried again.
    is_for_now = event.get("final") is False
    return DeliveryReceipt(
        status=receipt.status,
        at=receipt.at,
        provider_id=receipt.provider_id,
        correlation_id=receipt.correlation_id,
        recipient=receipt.recipient,
        failure_class=FailureClass.TRANSIENT if is_for_now else FailureClass.REJECTED,
        code="not-delivered-for-now" if is_for_now else "undeliverable",
        detail=quote(_text(event, "reason"), (receipt.recipient, receipt.recipient.removeprefix("+"))),
    )


def _inbound(event: Mapping[str, Any]) -> InboundMessage | None:
    number, text = _text(event, "number"), event.get("text")
    if not number:
        return None
    words = _clean(text[:_LONGEST_TEXT]) if isinstance(text, str) else ""
    return InboundMessage(recipient=number, provider_id=_text(event, "id"), at=_moment(event), text=words)


def _session(event: Mapping[str, Any]) -> SessionNotice | None:
    state = _STATES.get(str(event.get("state")))
    return None if state is None else SessionNotice(state=state, at=_moment(event))


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    return _clean(value[:_LONGEST_NAME]) if isinstance(value, str) else ""


def _clean(text: str) -> str:
    # JSON can hold half of a surrogate pair, which nothing that follows could write down.
    return text.encode("utf-8", "replace").decode()


def _moment(event: Mapping[str, Any]) -> float | None:
    at = event.get("at")
    is_number = isinstance(at, int | float) and not isinstance(at, bool)
    return float(at) if is_number and 0 <= at <= _LATEST else None  # type: ignore[operator,arg-type]


def _unreadable(reason: str, raw: str) -> UnreadableReport:
    return UnreadableReport(reason=reason, raw=raw[:LONGEST_RAW])


READER = WebhookReader(verify, read)
