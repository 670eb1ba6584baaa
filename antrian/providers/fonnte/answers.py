"""What Fonnte's answers to `/send` mean: pure, and tested as a table.

HTTP says nothing: success and failure are both 200, told apart by `status`, which was seen as a boolean, as text, with
a capital, and missing.
"""

from collections.abc import Iterable
from typing import Any

from antrian.domain.failure_class import FailureClass
from antrian.providers.answer_table import WEB_SERVER, AnswerRow, first_fitting, is_success
from antrian.providers.cold_refusal import COLD_REFUSED, is_cold_refusal, stated_wait
from antrian.providers.contract import Failed, SendResult, Sent
from antrian.providers.http import Answer
from antrian.providers.json_fields import identifier, json_object, words
from antrian.providers.redaction import quote

_DOCS = "docs.fonnte.com, API Send Message"

#: By `reason`; the first match wins.
_REASONS = (
    AnswerRow(
        FailureClass.UNAVAILABLE,
        "sender-disconnected",
        _DOCS,
        words="disconnected device|device.{0,20}(?:disconnect|not connect)",
        advice="the device is not connected: scan its QR code on Fonnte's page",
    ),
    AnswerRow(
        FailureClass.UNAVAILABLE,
        "bad-credentials",
        _DOCS,
        words=r"\btoken\b|unknown user|invalid device|unauthori[sz]ed",
    ),
    AnswerRow(FailureClass.UNAVAILABLE, "plan-exhausted", _DOCS, words=r"\bquota\b|\bpackage\b|device expired"),
    AnswerRow(FailureClass.REJECTED, "not-on-whatsapp", _DOCS, words="target (?:input )?invalid|invalid target"),
    AnswerRow(FailureClass.UNCERTAIN, "answer-lost", _DOCS, words="request time(?:d )?out"),
    AnswerRow(FailureClass.TRANSIENT, "send-failed", _DOCS, words="url unreachable"),
    AnswerRow(FailureClass.REJECTED, "invalid-fields", _DOCS, words="body value|input invalid|invalid input"),
    # Given up rather than tried again: an unknown reason says that nothing was sent, and not that later is better.
    AnswerRow(
        FailureClass.REJECTED,
        "unrecognised",
        f"{_DOCS}: reasons may be added",
        words=r"\S",
        statuses=(2, 400, 422),
    ),
)

_TAKEN = {"true": True, "1": True, "success": True, "false": False, "0": False, "failed": False}


def classify(answer: Answer, private: Iterable[str] = (), now: float | None = None) -> SendResult:
    """Turn Fonnte's answer to `/send` into a result.

    Args:
        answer: what came over HTTP; any bytes at all.
        private: texts that must not appear in the result's detail.
        now: unix seconds, to turn a date that the answer states into a wait; without it none is.
    """
    fields = {name.lower(): value for name, value in json_object(answer.body).items()}
    taken, said = _is_taken(fields), words(fields, ("reason", "detail", "message", "error"))
    if taken:
        if is_success(answer.status):
            return Sent(message_id(fields) or None)
        return Failed(FailureClass.UNCERTAIN, "contradiction", f"status true with HTTP {answer.status}")
    if is_cold_refusal(said):
        wait = stated_wait(fields, now) if now is not None else None
        return Failed(*COLD_REFUSED, quote(said, private), wait or answer.retry_after)
    # A reason without a status is a failure; words without either may be anything.
    reasons = _REASONS if taken is False or words(fields, ("reason",)) else ()
    row = first_fitting((*reasons, *WEB_SERVER), answer.status, said) or WEB_SERVER[-1]
    return row.failed(said, answer.status, private, answer.retry_after)


def message_id(fields: dict[str, Any]) -> str:
    """Fonnte's name for the message: one receiver a call, so the first of its ids."""
    ids = fields.get("id")
    return identifier(ids[0] if isinstance(ids, list) and ids else ids)


def _is_taken(fields: dict[str, Any]) -> bool | None:
    """Whether Fonnte took the message; None where it does not say."""
    status = fields.get("status")
    if isinstance(status, str):
        return _TAKEN.get(status.strip().lower())
    if isinstance(status, bool):
        return status
    # Missing: only an id without a reason proves anything.
    return True if status is None and message_id(fields) and not fields.get("reason") else None
