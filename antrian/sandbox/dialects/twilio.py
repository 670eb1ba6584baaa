"""Twilio for WhatsApp: `POST /2010-04-01/Accounts/{AccountSid}/Messages.json`, a form with basic authentication.

Webhooks are forms, signed with the account's auth token over the address that is called:
`X-Twilio-Signature: base64(HMAC-SHA1(token, address + each name and value in the names' order))`.
"""

import base64
import hashlib
import hmac
import math
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import urlencode

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, ModeName, Submission
from antrian.sandbox.exchange import Reply, SandboxRequest
from antrian.sandbox.report import InboundReport, SessionReport, StatusReport, WebhookCall, WebhookReport, WebhookTarget

#: The account that webhooks name where no message named one.
ACCOUNT: Final = f"AC{'0' * 32}"
_API: Final = "2010-04-01"
_LONGEST_BODY: Final = 1600
_CHANNEL: Final = "whatsapp:"

#: Status, code and text of each kind of failure.
_ERRORS: Final = {
    AnswerKind.NOT_ON_WHATSAPP: (400, 63003, "Channel could not find To address"),
    AnswerKind.AMBIGUOUS: (400, 63003, "Channel could not find To address"),
    AnswerKind.FAILED: (400, 30001, "Queue overflow"),
    AnswerKind.THROTTLED: (429, 20429, "Too Many Requests"),
    AnswerKind.UNAUTHORIZED: (401, 20003, "Authenticate"),
    AnswerKind.DISCONNECTED: (400, 63007, "Twilio could not find a Channel with the specified From address"),
    # What it has instead of WhatsApp's 463: the sender is over its limit of conversations.
    AnswerKind.COLD_REFUSED: (400, 63018, "Rate limit exceeded for Channel"),
}


class TwilioDialect:
    """See the module."""

    name = "twilio"

    def read(self, request: SandboxRequest) -> Submission | Reply | None:
        """See `Dialect`."""
        found = re.fullmatch(rf"/{_API}/Accounts/([0-9A-Za-z]+)/Messages\.json", request.path)
        if request.method != "POST" or found is None:
            return None
        if not all(request.basic):
            return _error(*_ERRORS[AnswerKind.UNAUTHORIZED])
        return _submission(request.form, found[1])

    def other(self, request: SandboxRequest, mode: Mode) -> Reply | None:
        """See `Dialect`; the page of the account."""
        found = re.fullmatch(rf"/{_API}/Accounts/([0-9A-Za-z]+)\.json", request.path)
        if request.method != "GET" or found is None:
            return None
        if not all(request.basic) or mode.name is ModeName.UNAUTHORIZED:
            return _error(*_ERRORS[AnswerKind.UNAUTHORIZED])
        return Reply(200, {"sid": found[1], "friendly_name": "Sandbox", "status": "active", "type": "Full"})

    def new_id(self, _submission: Submission) -> str:
        """See `Dialect`."""
        return f"SM{uuid.uuid4().hex}"

    def render(self, submission: Submission, decision: Decision, provider_id: str, at: float) -> Reply:
        """See `Dialect`."""
        if decision.kind is AnswerKind.SENT:
            return Reply(201, _message(submission, provider_id, at))
        wait = {"Retry-After": str(math.ceil(decision.seconds))} if decision.kind is AnswerKind.THROTTLED else {}
        return _error(*_ERRORS[decision.kind], headers=wait)

    def write(self, report: WebhookReport, target: WebhookTarget) -> WebhookCall | None:
        """See `Dialect`."""
        if isinstance(report, SessionReport):
            return None
        own = report.sender or target.own_number
        form = _status(report, own) if isinstance(report, StatusReport) else _inbound(report, own)
        account = (report.account if isinstance(report, StatusReport) else "") or target.account or ACCOUNT
        form |= {"AccountSid": account, "ApiVersion": _API}
        signed = (target.public_url or target.url) + "".join(f"{name}{form[name]}" for name in sorted(form))
        digest = hmac.new(target.secret.encode(), signed.encode(), hashlib.sha1).digest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": base64.b64encode(digest).decode(),
        }
        return WebhookCall(target.url, urlencode(form).encode(), headers)


def _submission(form: Mapping[str, str], account: str) -> Submission | Reply:
    to, sender = form.get("To", ""), form.get("From", "") or form.get("MessagingServiceSid", "")
    if not re.fullmatch(rf"({_CHANNEL})?(\+[0-9]{{6,15}}|[A-Z]{{2}}\.[0-9A-Za-z.]{{1,128}})", to):
        return _error(400, 21211, f"Invalid 'To' Phone Number: {to[:20]}")
    if not sender:
        return _error(400, 21603, "A 'From' phone number is required.")
    kind, message = _content(form)
    if not message:
        return _error(400, 21619, "A text message body or media urls must be specified.")
    if len(message) > _LONGEST_BODY and kind == "text":
        return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    return Submission(
        sender=sender.removeprefix(_CHANNEL),
        number=to.removeprefix(_CHANNEL),
        message=message,
        kind=kind,
        account=account,
        callback=form.get("StatusCallback", ""),
    )


def _content(form: Mapping[str, str]) -> tuple[str, str]:
    if template := form.get("ContentSid"):
        return "template", "|".join(filter(None, [template, form.get("ContentVariables", "")]))
    return "text", form.get("Body", "")


def _error(status: int, code: int, message: str, *, headers: Mapping[str, str] | None = None) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply(status, {"code": code, "message": message, "more_info": more, "status": status}, headers or {})


def _message(submission: Submission, sid: str, at: float) -> dict[str, Any]:
    is_service = submission.sender.startswith("MG")
    created = format_datetime(datetime.fromtimestamp(at, UTC))
    return {
        "sid": sid,
        "account_sid": submission.account,
        "api_version": _API,
        "body": submission.message if submission.kind == "text" else "",
        "date_created": created,
        "date_updated": created,
        "date_sent": None,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if is_service else f"{_CHANNEL}{submission.sender}",
        "messaging_service_sid": submission.sender if is_service else None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "status": "accepted" if is_service else "queued",
        "subresource_uris": {"media": f"/{_API}/Accounts/{submission.account}/Messages/{sid}/Media.json"},
        "to": f"{_CHANNEL}{submission.number}",
        "uri": f"/{_API}/Accounts/{submission.account}/Messages/{sid}.json",
    }


def _status(report: StatusReport, own: str) -> dict[str, str]:
    status = {"failed": "undelivered"}.get(report.status, report.status)
    form = {
        "MessageSid": report.provider_id,
        "SmsSid": report.provider_id,
        "MessageStatus": status,
        "SmsStatus": status,
        "ChannelPrefix": "whatsapp",
        "From": f"{_CHANNEL}{_plus(own)}",
        "To": f"{_CHANNEL}{_plus(report.number)}",
        "ChannelToAddress": _plus(report.number),
    }
    if report.status == "read":
        form["EventType"] = "READ"
    if report.status == "failed":
        form["ErrorCode"] = "63024" if report.is_final else "30003"
        form["ChannelStatusMessage"] = "Invalid message recipient" if report.is_final else "Unreachable handset"
    return form


def _inbound(report: InboundReport, own: str) -> dict[str, str]:
    sid = f"SM{hashlib.md5(report.provider_id.encode(), usedforsecurity=False).hexdigest()}"
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "SmsStatus": "received",
        "MessageType": "text",
        "NumMedia": "0",
        "NumSegments": "1",
        "ProfileName": "Sandbox",
        "WaId": report.number,
        "Body": report.text,
        "From": f"{_CHANNEL}{_plus(report.number)}",
        "To": f"{_CHANNEL}{_plus(own)}",
    }


def _plus(number: str) -> str:
    return f"+{number}" if number.isdecimal() else number
