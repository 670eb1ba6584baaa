"""Fonnte: `POST /send`, a form with the device's token in `Authorization`; it answers 200 whatever became of it.

Its webhooks are JSON and not signed. The first one of a message names its `id`, the later ones its `stateid` only.
"""

import hashlib
import json
import math
import re
import secrets
from datetime import UTC, datetime
from typing import Any, Final

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, ModeName, Submission, digits_of, is_absent
from antrian.sandbox.exchange import Reply, SandboxRequest
from antrian.sandbox.report import InboundReport, SessionReport, StatusReport, WebhookCall, WebhookReport, WebhookTarget

_DEVICE: Final = "6281100000000"
_REASONS: Final = {
    AnswerKind.NOT_ON_WHATSAPP: "target invalid",
    AnswerKind.AMBIGUOUS: "target invalid",
    AnswerKind.FAILED: "url unreachable",
    AnswerKind.UNAUTHORIZED: "token invalid",
    AnswerKind.DISCONNECTED: "request invalid on disconnected device",
    AnswerKind.COLD_REFUSED: "server returned error 463",
}


class FonnteDialect:
    """See the module."""

    name = "fonnte"

    def read(self, request: SandboxRequest) -> Submission | Reply | None:
        """See `Dialect`."""
        if (request.method, request.path) != ("POST", "/send"):
            return None
        if not _has_token(request):
            return _refused("token invalid")
        form = request.form
        target, message = form.get("target", "").strip(), form.get("message", "")
        if not target or not message:
            return _refused("invalid/empty body value")
        # It takes lists. We promise one per call, so a list is a bug to be shown.
        if not re.fullmatch(r"\+?[0-9]{6,15}", target):
            return _refused("target input invalid")
        return Submission(sender="", number=target, message=message)

    def other(self, request: SandboxRequest, mode: Mode) -> Reply | None:
        """See `Dialect`; the pages of the device and of a number."""
        if request.method != "POST" or request.path not in {"/device", "/validate"}:
            return None
        if not _has_token(request) or mode.name is ModeName.UNAUTHORIZED:
            return _refused("token invalid")
        is_connected = mode.name is not ModeName.DISCONNECTED
        if request.path == "/device":
            return Reply(200, _device(is_connected=is_connected))
        if not is_connected:
            return _refused("device disconnected")
        digits = digits_of(request.form.get("target", ""))
        found, missing = ([], [digits]) if is_absent(digits) else ([digits], [])
        return Reply(200, {"status": True, "registered": found, "not_registered": missing})

    def new_id(self, _submission: Submission) -> str:
        """See `Dialect`."""
        return f"80{secrets.randbelow(10**10):010}"

    def render(self, submission: Submission, decision: Decision, provider_id: str, _at: float) -> Reply:
        """See `Dialect`."""
        if decision.kind is AnswerKind.THROTTLED:
            # A proxy's: it has no limit of its own.
            return Reply(429, {"message": "Too Many Attempts."}, {"Retry-After": str(math.ceil(decision.seconds))})
        if decision.kind is not AnswerKind.SENT:
            return _refused(_REASONS[decision.kind])
        told = {"detail": "success! message in queue", "process": "pending", "status": True}
        return Reply(200, told | {"id": [provider_id], "requestid": 2937124, "target": [submission.digits]})

    def write(self, report: WebhookReport, target: WebhookTarget) -> WebhookCall | None:
        """See `Dialect`."""
        body = {"device": report.sender or target.own_number} | _told(report)
        return WebhookCall(target.url, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _has_token(request: SandboxRequest) -> bool:
    token = request.header("authorization").strip()
    return bool(token) and " " not in token


def _refused(reason: str) -> Reply:
    return Reply(200, {"status": False, "reason": reason, "requestid": 2937124})


def _device(*, is_connected: bool) -> dict[str, Any]:
    return {
        "status": True,
        "device": _DEVICE,
        "device_status": "connect" if is_connected else "disconnect",
        "name": "Sandbox",
        "package": "Free",
        "quota": "1000",
        "messages": 0,
        "expired": 0,
    }


def _told(report: WebhookReport) -> dict[str, Any]:
    match report:
        case SessionReport():
            status = "connect" if report.state == "connected" else "disconnect"
            moment = datetime.fromtimestamp(report.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
            told = {"status": status, "token": "the-sandbox-s-token", "timestamp": moment}
            return told if status == "connect" else told | {"reason": report.state}
        case InboundReport():
            names = ("member", "location", "url", "filename", "extension")
            told = {"sender": report.number, "message": report.text, "name": "Sandbox", "inboxid": report.provider_id}
            return told | dict.fromkeys(names, "")
        case StatusReport():
            return _status(report)


def _status(report: StatusReport) -> dict[str, Any]:
    state = hashlib.md5(report.provider_id.encode(), usedforsecurity=False).hexdigest()[:20].upper()
    if report.status == "sent":
        return {"id": report.provider_id, "stateid": state, "status": "sent", "state": "sent"}
    if report.status == "failed":
        return {"id": report.provider_id, "status": "invalid" if report.is_final else "url unreachable"}
    return {"stateid": state, "state": report.status}
