"""What WAHA's answers to `/api/sendText` mean: pure, and tested as a table."""

from collections.abc import Iterable
from typing import Any

from antrian.domain.failure_class import FailureClass
from antrian.providers.answer_table import WEB_SERVER, AnswerRow, first_fitting, is_success
from antrian.providers.cold_refusal import COLD_REFUSED, is_cold_refusal, stated_wait
from antrian.providers.contract import Failed, SendResult, Sent
from antrian.providers.http import Answer
from antrian.providers.json_fields import inner, json_object, words
from antrian.providers.redaction import quote
from antrian.providers.waha.payload import bare_id

_DOCS = "devlikeapro/waha-docs, Sessions"


def _session(status: str, code: str, advice: str) -> AnswerRow:
    return AnswerRow(FailureClass.UNAVAILABLE, code, _DOCS, words=rf"\A{status}\Z", advice=advice)


#: By the session's status in a 422, which says `expected: ["WORKING"]`.
_SESSIONS = (
    _session("SCAN_QR_CODE", "session-scan-qr", "the WAHA session waits for its QR code: scan it in WAHA's dashboard"),
    _session("PASSKEY_[A-Z_]+", "session-passkey", "the WAHA session waits for a passkey: confirm it on the telephone"),
    _session("STOPPED", "session-stopped", "the WAHA session is stopped: start it in WAHA's dashboard"),
    _session("FAILED", "session-failed", "the WAHA session has failed: restart it, and scan its QR code if it asks"),
    _session("STARTING", "session-starting", "the WAHA session is starting: nothing is to be done yet"),
    AnswerRow(
        FailureClass.UNAVAILABLE,
        "session-not-working",
        "devlikeapro/waha-docs, Sessions: states may be added",
        advice="the WAHA session does not work: look at it in WAHA's dashboard",
    ),
)

_ROWS = (
    AnswerRow(
        FailureClass.UNAVAILABLE,
        "session-not-found",
        "devlikeapro/waha, answer of a session that was never started",
        words=r"session\b.{0,80}\b(?:not found|does(?:n't| not) exist)|did(?:n't| not) find a session",
        statuses=(404, 422),
        advice="WAHA has no session of that name: see the lane's option session, and start it in WAHA's dashboard",
    ),
    AnswerRow(
        FailureClass.UNAVAILABLE, "bad-credentials", "devlikeapro/waha-docs, Security: X-Api-Key", statuses=(401, 403)
    ),
    AnswerRow(
        FailureClass.REJECTED,
        "not-on-whatsapp",
        "as other gateways word it; WAHA's documents have no answer for it",
        words=r"not (?:registered|exists?) (?:on|in) whats ?app|not on whats ?app",
        statuses=(400, 404, 422),
    ),
    AnswerRow(FailureClass.REJECTED, "invalid-fields", "WAHA's OpenAPI file: validation", statuses=(400, 422)),
    # The engine GOWS asks for it before anything is sent.
    AnswerRow(FailureClass.TRANSIENT, "send-failed", "tulir/whatsmeow, send.go", words="failed to get device list"),
    # An error was answered and the message was sent: devlikeapro/waha#1225. Its receipt, which bears the id that we
    # chose, says more; that the session works proves nothing (#2110).
    AnswerRow(FailureClass.UNCERTAIN, "error-while-sending", "devlikeapro/waha#1225", statuses=(500,)),
    *WEB_SERVER,
)

_TOO_MANY = 429


def classify(answer: Answer, private: Iterable[str] = (), now: float | None = None) -> SendResult:
    """Turn WAHA's answer to `/api/sendText` into a result.

    Args:
        answer: what came over HTTP; any bytes at all.
        private: texts that must not appear in the result's detail.
        now: unix seconds, to turn a date that the answer states into a wait; without it none is.
    """
    fields = json_object(answer.body)
    if is_success(answer.status):
        return _accepted(fields, answer.status, private)
    said = words(fields, ("message", "error", "exception", "details"))
    if is_cold_refusal(said):
        wait = stated_wait(fields, now) if now is not None else None
        return Failed(*COLD_REFUSED, quote(said, private), wait or answer.retry_after)
    if (session := _session_row(answer.status, fields, said)) is not None:
        return session.failed(said, answer.status)
    row = first_fitting(_ROWS, answer.status, said) or WEB_SERVER[-1]
    return row.failed(said, answer.status, private, answer.retry_after)


def message_id(fields: dict[str, Any]) -> str:
    """WhatsApp's id of the message in an answer: each engine of WAHA writes it in its own way (waha#760)."""
    found = (fields.get("id"), inner(fields, "id").get("id"), inner(fields, "key").get("id"))
    return next((name for name in map(bare_id, found) if name), "")


def _accepted(fields: dict[str, Any], status: int, private: Iterable[str]) -> SendResult:
    if name := message_id(fields):
        return Sent(name)
    said = quote(words(fields, ("message", "error")), private)
    return Failed(FailureClass.UNCERTAIN, "unclear-answer", said or f"HTTP {status} without a reason")


def _session_row(status: int, fields: dict[str, Any], said: str) -> AnswerRow | None:
    if status == _TOO_MANY or not ("expected" in fields or "session status is not as expected" in said.lower()):
        return None
    state = fields.get("status")
    return first_fitting(_SESSIONS, status, state if isinstance(state, str) else "")
