"""MPWA: `POST /send-message` with `api_key`, `sender`, `number` and `message`; every failure of its own is a 400."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, ModeName, Submission, digits_of, is_absent
from antrian.sandbox.dialects.dialect import whatsapp_id
from antrian.sandbox.exchange import Reply, SandboxRequest, text_of
from antrian.sandbox.report import InboundReport, WebhookCall, WebhookReport, WebhookTarget

INVALID_IDENTITY = "Invalid api_key or sender,please check again"
INVALID_FIELDS = "Invalid parameters!"
FAILED = "Failed to send message!"
NOT_ON_WHATSAPP = "The number is not registered on WhatsApp"
#: A gateway hands on what WhatsApp answers while a sender may not begin new chats.
COLD_REFUSED = "Failed to send message! server returned error 463"
AMBIGUOUS = "The destination Number not registered in WhatsApp or your sender not connected"


class MpwaDialect:
    """MPWA as its API page describes it; it has no receipts, and an unsigned webhook for what people write."""

    name = "mpwa"

    def read(self, request: SandboxRequest) -> Submission | Reply | None:
        """See `Dialect`."""
        is_it = (request.method, request.path) == ("POST", "/send-message")
        return read_submission(request.fields) if is_it else None

    def other(self, request: SandboxRequest, mode: Mode) -> Reply | None:
        """See `Dialect`."""
        is_it = (request.method, request.path) == ("POST", "/check-number")
        return check_number(request.fields, mode) if is_it else None

    def new_id(self, _submission: Submission) -> str:
        """See `Dialect`."""
        return whatsapp_id()

    def render(self, submission: Submission, decision: Decision, provider_id: str, _at: float) -> Reply:
        """See `Dialect`."""
        if decision.kind is AnswerKind.SENT:
            return _sent(submission, provider_id)
        if decision.kind is AnswerKind.THROTTLED:
            return Reply(429, {"message": "Too Many Attempts."}, {"Retry-After": str(math.ceil(decision.seconds))})
        if decision.kind is AnswerKind.COLD_REFUSED:
            return _cold_refused(decision.until)
        return _FAILURES.get(decision.kind, failure(FAILED))

    def write(self, report: WebhookReport, target: WebhookTarget) -> WebhookCall | None:
        """See `Dialect`."""
        if not isinstance(report, InboundReport):
            return None
        body = {
            "device": report.sender or target.own_number,
            "message": report.text,
            "from": report.number,
            "name": "Sandbox",
            "participant": None,
            "ppUrl": None,
            "media": None,
            "mimetype": None,
        }
        return WebhookCall(target.url, json.dumps(body).encode(), {"Content-Type": "application/json"})


def failure(msg: str) -> Reply:
    """Answer as MPWA answers every failure: 400 and a text."""
    return Reply(400, {"status": False, "msg": msg})


_FAILURES = {
    AnswerKind.UNAUTHORIZED: failure(INVALID_IDENTITY),
    AnswerKind.NOT_ON_WHATSAPP: failure(NOT_ON_WHATSAPP),
    # The panel hands on its node process's failures like this: a 200, and `message` instead of `msg`.
    AnswerKind.AMBIGUOUS: Reply(200, {"status": False, "message": AMBIGUOUS}),
    AnswerKind.DISCONNECTED: Reply(200, {"status": False, "message": AMBIGUOUS}),
}


def read_submission(fields: object) -> Submission | Reply:
    """Check the fields of a request to `/send-message`, in MPWA's order: identity first."""
    if not isinstance(fields, Mapping):
        return failure(INVALID_FIELDS)
    api_key, sender = text_of(fields.get("api_key")), text_of(fields.get("sender"))
    if not api_key or not sender:
        return failure(INVALID_IDENTITY)
    number, message = text_of(fields.get("number")), fields.get("message")
    # MPWA takes several receivers with pipes between them. We promise one per call, so a list is a bug to be shown.
    if not re.fullmatch(r"\+?[0-9][0-9 ()-]{4,24}", number) or not isinstance(message, str) or not message:
        return failure(INVALID_FIELDS)
    return Submission(sender=sender, number=number, message=message, full=bool(fields.get("full")))


def check_number(fields: object, mode: Mode) -> Reply:
    """Answer `/check-number`: is this number on WhatsApp, as far as the sender's connection can tell."""
    if not isinstance(fields, Mapping) or not (text_of(fields.get("api_key")) and text_of(fields.get("sender"))):
        return failure(INVALID_IDENTITY)
    if mode.name is ModeName.UNAUTHORIZED:
        return failure(INVALID_IDENTITY)
    digits = digits_of(text_of(fields.get("number")))
    if not digits:
        return failure(INVALID_FIELDS)
    if mode.name is ModeName.DISCONNECTED or is_absent(digits):
        return Reply(200, {"status": True, "msg": False})
    return Reply(200, {"status": True, "msg": {"jid": f"{digits}@s.whatsapp.net", "exists": True}})


def _sent(submission: Submission, provider_id: str) -> Reply:
    if not submission.full:
        return Reply(200, {"status": True, "msg": "Message sent successfully!"})
    key = {"remoteJid": f"{submission.digits}@s.whatsapp.net", "fromMe": True, "id": provider_id}
    text = {"extendedTextMessage": {"text": submission.message}}
    return Reply(200, {"status": True, "data": {"key": key, "message": text}})


def _cold_refused(until: float | None) -> Reply:
    body: dict[str, Any] = {"status": False, "msg": COLD_REFUSED}
    if until is not None:
        # As the clients of WhatsApp's own protocol state it, where they were told.
        ends = datetime.fromtimestamp(until, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        enforcement = {"isActive": True, "enforcementType": "RESTRICT_ALL_COMPANIONS", "timeEnforcementEnds": ends}
        body["reachoutTimeLock"] = enforcement
    return Reply(500, body)
