"""WAHA: `POST /api/sendText` with `X-Api-Key`; a client may choose the message's id beforehand.

Webhooks carry `X-Webhook-Hmac`, the HMAC-SHA512 of the body in hex, and `X-Webhook-Request-Id`.
"""

import hashlib
import hmac
import json
import math
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, ModeName, Submission, digits_of, is_absent
from antrian.sandbox.dialects.dialect import whatsapp_id
from antrian.sandbox.exchange import Reply, SandboxRequest, text_of
from antrian.sandbox.report import InboundReport, SessionReport, StatusReport, WebhookCall, WebhookReport, WebhookTarget

_SESSION: Final = "default"
_OWN_NUMBER: Final = "6281100000000@c.us"
_ACKS: Final = {"failed": (-1, "ERROR"), "sent": (1, "SERVER"), "delivered": (2, "DEVICE"), "read": (3, "READ")}
_STATES: Final = {
    "connected": "WORKING",
    "disconnected": "STOPPED",
    "needs_qr": "SCAN_QR_CODE",
    "needs_passkey": "PASSKEY_REQUIRED",
    "banned": "FAILED",
}
#: What its engine says of each kind of failure.
_EXCEPTIONS: Final = {
    AnswerKind.FAILED: "failed to send message",
    AnswerKind.COLD_REFUSED: "server returned error 463",
}


class WahaDialect:
    """See the module."""

    name = "waha"

    def read(self, request: SandboxRequest) -> Submission | Reply | None:
        """See `Dialect`."""
        if (request.method, request.path) != ("POST", "/api/sendText"):
            return None
        if not request.header("x-api-key"):
            return _UNAUTHORIZED
        return _submission(request.fields)

    def other(self, request: SandboxRequest, mode: Mode) -> Reply | None:
        """See `Dialect`; the pages of a session and of a number, and whether it lives."""
        if (request.method, request.path) == ("GET", "/ping"):
            return Reply(200, {"message": "pong"})
        session = re.fullmatch(r"/api/sessions/([^/]+)", request.path)
        if request.method != "GET" or (session is None and request.path != "/api/contacts/check-exists"):
            return None
        if not request.header("x-api-key") or mode.name is ModeName.UNAUTHORIZED:
            return _UNAUTHORIZED
        return Reply(200, _session(session[1], mode)) if session else _number(request, mode)

    def new_id(self, submission: Submission) -> str:
        """See `Dialect`."""
        return f"true_{submission.digits}@c.us_{submission.correlation_id or whatsapp_id()}"

    def render(self, submission: Submission, decision: Decision, provider_id: str, at: float) -> Reply:
        """See `Dialect`."""
        match decision.kind:
            case AnswerKind.SENT:
                return Reply(201, _message(submission, provider_id, at))
            case AnswerKind.THROTTLED:
                wait = {"Retry-After": str(math.ceil(decision.seconds))}
                return Reply(429, {"statusCode": 429, "message": "ThrottlerException: Too Many Requests"}, wait)
            case AnswerKind.UNAUTHORIZED:
                return _UNAUTHORIZED
            case AnswerKind.DISCONNECTED:
                return _not_working(submission.sender)
            case AnswerKind.NOT_ON_WHATSAPP | AnswerKind.AMBIGUOUS:
                return Reply(422, {"message": "The number is not registered on WhatsApp", "statusCode": 422})
            case _:
                return _exception(_EXCEPTIONS[decision.kind], decision.until)

    def write(self, report: WebhookReport, target: WebhookTarget) -> WebhookCall | None:
        """See `Dialect`."""
        request_id = uuid.uuid4().hex
        event, payload = _told(report, f"{target.own_number}@c.us")
        envelope = {
            "id": f"evt_{request_id[:26]}",
            "timestamp": round(report.at * 1000),
            "event": event,
            "session": report.sender or _SESSION,
            "metadata": {},
            "me": {"id": f"{target.own_number}@c.us", "pushName": "Sandbox"},
            "payload": payload,
            "engine": "GOWS",
            "environment": {"version": "2026.7.1", "engine": "GOWS", "tier": "PLUS", "browser": None},
        }
        body = json.dumps(envelope).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Request-Id": request_id,
            "X-Webhook-Timestamp": str(round(report.at * 1000)),
            "X-Webhook-Hmac": hmac.new(target.secret.encode(), body, hashlib.sha512).hexdigest(),
            "X-Webhook-Hmac-Algorithm": "sha512",
        }
        return WebhookCall(target.url, body, headers)


_UNAUTHORIZED: Final = Reply(401, {"message": "Unauthorized", "statusCode": 401})


def _submission(fields: object) -> Submission | Reply:
    if not isinstance(fields, Mapping):
        return _invalid("the body must be JSON")
    chat, text, name = text_of(fields.get("chatId")), fields.get("text"), fields.get("id")
    if not re.fullmatch(r"[0-9]{6,15}@(c\.us|s\.whatsapp\.net)", chat):
        return _invalid("chatId must be a string")
    if not isinstance(text, str) or not text:
        return _invalid("text must be a string")
    if name is not None and not isinstance(name, str):
        return _invalid("id must be a string")
    session = text_of(fields.get("session")) or _SESSION
    return Submission(sender=session, number=chat.partition("@")[0], message=text, correlation_id=name or "")


def _number(request: SandboxRequest, mode: Mode) -> Reply:
    if mode.name is ModeName.DISCONNECTED:
        return _not_working(request.query.get("session", _SESSION))
    digits = digits_of(request.query.get("phone", ""))
    exists = bool(digits) and not is_absent(digits)
    return Reply(200, {"numberExists": exists} | ({"chatId": f"{digits}@c.us"} if exists else {}))


def _invalid(message: str) -> Reply:
    return Reply(400, {"message": [message], "error": "Bad Request", "statusCode": 400})


def _not_working(session: str) -> Reply:
    error = "Session status is not as expected. Try again later or restart the session"
    return Reply(422, {"error": error, "session": session, "status": "SCAN_QR_CODE", "expected": ["WORKING"]})


def _exception(message: str, until: float | None) -> Reply:
    body: dict[str, Any] = {"statusCode": 500, "exception": {"message": message, "name": "Error"}}
    if until is not None:
        body["exception"]["details"] = {"timeEnforcementEnds": round(until)}
    return Reply(500, body)


def _message(submission: Submission, provider_id: str, at: float) -> dict[str, Any]:
    return {
        "id": provider_id,
        "timestamp": int(at),
        "from": _OWN_NUMBER,
        "fromMe": True,
        "source": "api",
        "to": f"{submission.digits}@c.us",
        "body": submission.message,
        "hasMedia": False,
        "ack": 0,
        "ackName": "PENDING",
    }


def _session(name: str, mode: Mode) -> dict[str, Any]:
    status = "SCAN_QR_CODE" if mode.name is ModeName.DISCONNECTED else "WORKING"
    me = {"id": _OWN_NUMBER, "pushName": "Sandbox"} if status == "WORKING" else None
    return {"name": name, "status": status, "me": me, "config": {}, "presence": None, "timestamps": {"activity": None}}


def _told(report: WebhookReport, own: str) -> tuple[str, dict[str, Any]]:
    match report:
        case SessionReport():
            status = _STATES[report.state]
            return "session.status", {
                "name": report.sender or _SESSION,
                "status": status,
                "statuses": [{"status": status, "timestamp": round(report.at * 1000)}],
            }
        case InboundReport():
            chat = f"{report.number}@c.us"
            return "message", {
                "id": f"false_{chat}_{report.provider_id}",
                "timestamp": int(report.at),
                "from": chat,
                "fromMe": False,
                "source": "app",
                "to": own,
                "body": report.text,
                "hasMedia": False,
                "ack": 2,
                "ackName": "DEVICE",
            }
        case StatusReport():
            ack, name = _ACKS[report.status]
            chat = f"{report.number}@c.us"
            payload = {"id": report.provider_id, "from": chat, "to": chat, "participant": None, "fromMe": True}
            return "message.ack", payload | {"ack": ack, "ackName": name}
