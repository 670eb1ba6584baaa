"""GOWA (go-whatsapp-web-multidevice): `POST /send/message` with basic authentication and `X-Device-Id`.

Webhooks are signed with `X-Hub-Signature-256: sha256=<hex>`. It reports `delivered` and `read`, and nothing of a
message that failed, nor of its connection.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, ModeName, Submission, digits_of, is_absent
from antrian.sandbox.dialects.dialect import whatsapp_id
from antrian.sandbox.exchange import Reply, SandboxRequest, text_of
from antrian.sandbox.report import InboundReport, StatusReport, WebhookCall, WebhookReport, WebhookTarget

_OWN_NUMBER: Final = "6281100000000"

#: Status, code and text of each kind of failure.
_ERRORS: Final = {
    AnswerKind.AMBIGUOUS: (400, "INVALID_JID", "user is not registered"),
    AnswerKind.FAILED: (
        500,
        "INTERNAL_SERVER_ERROR",
        "failed to get device list: failed to send usync query: info query timed out",
    ),
    AnswerKind.DISCONNECTED: (
        401,
        "AUTHENTICATION_ERROR",
        "you are not connect to services server, please reconnect",
    ),
    AnswerKind.COLD_REFUSED: (
        429,
        "WA_REACHOUT_TIMELOCK",
        "WhatsApp rejected this send with error 463 (reach-out timelock). This is WhatsApp's server-side restriction.",
    ),
}
_RECEIPTS: Final = {
    "delivered": "means the message was delivered to the device (but the user might not have noticed).",
    "read": "the user opened the chat and saw the message.",
}


class GowaDialect:
    """See the module."""

    name = "gowa"

    def read(self, request: SandboxRequest) -> Submission | Reply | None:
        """See `Dialect`."""
        if (request.method, request.path) != ("POST", "/send/message"):
            return None
        if not all(request.basic):
            return _UNAUTHORIZED
        fields = request.fields
        if not isinstance(fields, Mapping):
            return _error(500, "INTERNAL_SERVER_ERROR", "unexpected end of JSON input")
        phone, message = text_of(fields.get("phone")), fields.get("message")
        if not re.fullmatch(r"\+?[0-9]{6,15}(@s\.whatsapp\.net)?", phone):
            return _error(400, "VALIDATION_ERROR", "phone: cannot be blank.")
        if not isinstance(message, str) or not message:
            return _error(400, "VALIDATION_ERROR", "message: cannot be blank.")
        return Submission(sender=request.header("x-device-id"), number=phone.partition("@")[0], message=message)

    def other(self, request: SandboxRequest, mode: Mode) -> Reply | None:
        """See `Dialect`; the pages of the connection and of a number, and whether it lives."""
        if (request.method, request.path) == ("GET", "/health"):
            return Reply(200, "OK")
        page = {"/app/status": _connection, "/user/check": _number}.get(request.path)
        if request.method != "GET" or page is None:
            return None
        if not all(request.basic) or mode.name is ModeName.UNAUTHORIZED:
            return _UNAUTHORIZED
        return page(request, is_connected=mode.name is not ModeName.DISCONNECTED)

    def new_id(self, _submission: Submission) -> str:
        """See `Dialect`."""
        return whatsapp_id()

    def render(self, submission: Submission, decision: Decision, provider_id: str, at: float) -> Reply:
        """See `Dialect`."""
        jid = f"{submission.digits}@s.whatsapp.net"
        match decision.kind:
            case AnswerKind.SENT:
                moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
                status = f"Message sent to {jid} (server timestamp: {moment})"
                return _success(status, {"message_id": provider_id, "status": status})
            case AnswerKind.THROTTLED:
                # A proxy's: it has no limit of its own.
                return Reply(429, "Too Many Requests", {"Retry-After": str(math.ceil(decision.seconds))})
            case AnswerKind.UNAUTHORIZED:
                return _UNAUTHORIZED
            case AnswerKind.NOT_ON_WHATSAPP:
                return _error(400, "INVALID_JID", f"Phone {jid} is not on whatsapp")
            case _:
                return _error(*_ERRORS[decision.kind])

    def write(self, report: WebhookReport, target: WebhookTarget) -> WebhookCall | None:
        """See `Dialect`."""
        told = _told(report)
        if told is None:
            return None
        event = {"device_id": f"{target.own_number}@s.whatsapp.net"} | told
        if report.sender:
            event["session_id"] = report.sender
        body = json.dumps(event).encode()
        signature = hmac.new(target.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        return WebhookCall(target.url, body, headers)


_UNAUTHORIZED: Final = Reply(401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="Restricted"'})


def _success(message: str, results: dict[str, Any]) -> Reply:
    return Reply(200, {"status": 200, "code": "SUCCESS", "message": message, "results": results})


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"status": status, "code": code, "message": message, "results": None})


def _connection(request: SandboxRequest, *, is_connected: bool) -> Reply:
    status = {"is_connected": is_connected, "is_logged_in": is_connected, "device_id": request.header("x-device-id")}
    return _success("Connection status retrieved", status | {"jid": f"{_OWN_NUMBER}@s.whatsapp.net"})


def _number(request: SandboxRequest, *, is_connected: bool) -> Reply:
    if not is_connected:
        return _error(*_ERRORS[AnswerKind.DISCONNECTED])
    digits = digits_of(request.query.get("phone", ""))
    return _success("Success check user", {"is_on_whatsapp": bool(digits) and not is_absent(digits)})


def _told(report: WebhookReport) -> dict[str, Any] | None:
    moment = datetime.fromtimestamp(report.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(report, StatusReport) and report.status in _RECEIPTS:
        jid = f"{report.number}@s.whatsapp.net"
        payload = {
            "ids": [report.provider_id],
            "chat_id": jid,
            "from": jid,
            "receipt_type": report.status,
            "receipt_type_description": _RECEIPTS[report.status],
        }
        return {"event": "message.ack", "timestamp": moment, "payload": payload}
    if isinstance(report, InboundReport):
        jid = f"{report.number}@s.whatsapp.net"
        message: dict[str, Any] = {
            "id": report.provider_id,
            "chat_id": jid,
            "from": jid,
            "from_name": "Sandbox",
            "timestamp": moment,
            "is_from_me": False,
            "body": report.text,
        }
        return {"event": "message", "payload": message}
    return None
