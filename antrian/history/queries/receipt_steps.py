"""The receipts in a message's life, as steps; pure.

A step `receipt.delivered`, `receipt.read`, `receipt.failed` or `receipt.sent` stands for what was reported once or
several times of one send. Its details have `after`, seconds since the provider took the message; `corrects`, where it
had been called undelivered before; and `earlier`, where the message was sent again since.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from antrian.domain.event_name import EventName
from antrian.domain.receipt import ReceiptStatus
from antrian.history.records import LifeEntry

#: Steps by how far the message had come; what says no more than the answer to the send is none.
STEPS: Mapping[str, str] = {
    ReceiptStatus.SENT.value: "receipt.sent",
    ReceiptStatus.DELIVERED.value: "receipt.delivered",
    ReceiptStatus.READ.value: "receipt.read",
    ReceiptStatus.FAILED.value: "receipt.failed",
}
_ARRIVED = frozenset({ReceiptStatus.DELIVERED.value, ReceiptStatus.READ.value})


def step_name(entry: LifeEntry) -> str | None:
    """What the step of a receipt is called; None where it is none of its own."""
    status = entry.details.get("status")
    return STEPS.get(status) if isinstance(status, str) else None


def identity(entry: LifeEntry) -> tuple[str, ...]:
    """What is the same where the same was reported of the same send."""
    return str(entry.details.get("status")), *_send_name(entry)


def about(entry: LifeEntry, entries: Sequence[LifeEntry], place: int) -> tuple[float, dict[str, Any]]:
    """When it happened, and the details of its step.

    Args:
        entry: the receipt.
        entries: the whole life.
        place: of the receipt in it.
    """
    details = dict(entry.details)
    told_at = details.pop("at", None)
    at = min(float(told_at), entry.at) if isinstance(told_at, int | float) else entry.at
    sends = [other for other in entries if other.name == EventName.SENT]
    send = _send_of(entry, sends, entries[:place])
    if send is not None:
        at = max(at, send.at)
        details["after"] = round(at - send.at, 3)
        if send is not sends[-1]:
            details["earlier"] = True
    if details.get("status") in _ARRIVED and _was_called_undelivered(entry, entries[:place]):
        details["corrects"] = True
    return at, details


def _send_of(entry: LifeEntry, sends: Sequence[LifeEntry], before: Sequence[LifeEntry]) -> LifeEntry | None:
    provider_id = entry.details.get("provider_id")
    same = [send for send in sends if provider_id and send.details.get("provider_id") == provider_id]
    told = [send for send in sends if send in before]
    found = same or told or sends
    return found[-1] if found else None


def _was_called_undelivered(entry: LifeEntry, before: Sequence[LifeEntry]) -> bool:
    statuses = [
        other.details.get("status")
        for other in before
        if other.name == EventName.RECEIPT_STATUS and _send_name(other) == _send_name(entry)
    ]
    return ReceiptStatus.FAILED.value in statuses and not _ARRIVED & {*statuses}


def _send_name(entry: LifeEntry) -> tuple[str, str]:
    return str(entry.details.get("provider_id") or ""), str(entry.details.get("correlation_id") or "")
