"""Meta's WhatsApp Cloud API: `POST /vNN.N/{phone-number-id}/messages` with a bearer token.

Errors are branched on by `code`; webhooks are signed with the app's secret: `X-Hub-Signature-256: sha256=<hex>`.
"""

import base64
import hashlib
import hmac
import json
import math
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, ModeName, Submission
from antrian.sandbox.exchange import Reply, SandboxRequest, text_of
from antrian.sandbox.report import InboundReport, SessionReport, StatusReport, WebhookCall, WebhookReport, WebhookTarget

#: The business account that webhooks name where nobody gave one.
ACCOUNT: Final = "102290129340398"
_NUMBER_ID: Final = "106540352242922"
_VERSION: Final = r"/v[0-9]{1,3}\.[0-9]"
_LONGEST_TEXT: Final = 4096
_LONGEST_CALLBACK_DATA: Final = 512

#: Status, code, title and details of each kind of failure.
_ERRORS: Final = {
    AnswerKind.NOT_ON_WHATSAPP: (400, 131026, "Message undeliverable", "The recipient is not on WhatsApp."),
    AnswerKind.AMBIGUOUS: (400, 131026, "Message undeliverable", "Message Undeliverable."),
    AnswerKind.FAILED: (500, 131000, "Something went wrong", "Something went wrong."),
    AnswerKind.THROTTLED: (429, 130429, "Rate limit hit", "Cloud API message throughput has been reached."),
    AnswerKind.UNAUTHORIZED: (401, 190, "Invalid OAuth access token", "Cannot parse access token"),
    AnswerKind.DISCONNECTED: (403, 131031, "Business Account locked", "The account has been locked."),
    # What it has instead of WhatsApp's 463: a sender of low quality may not go on.
    AnswerKind.COLD_REFUSED: (400, 131048, "Spam rate limit hit", "There are restrictions on how many messages."),
}


class MetaCloudDialect:
    """See the module."""

    name = "meta_cloud"

    def read(self, request: SandboxRequest) -> Submission | Reply | None:
        """See `Dialect`."""
        found = re.fullmatch(rf"{_VERSION}/([0-9A-Za-z_-]+)/messages", request.path)
        if request.method != "POST" or found is None:
            return None
        if not request.bearer:
            return _error(*_ERRORS[AnswerKind.UNAUTHORIZED])
        return _submission(request.fields, found[1])

    def other(self, request: SandboxRequest, mode: Mode) -> Reply | None:
        """See `Dialect`; the page of the sender itself."""
        found = re.fullmatch(rf"{_VERSION}/([0-9]+)", request.path)
        if request.method != "GET" or found is None:
            return None
        if not request.bearer or mode.name is ModeName.UNAUTHORIZED:
            return _error(*_ERRORS[AnswerKind.UNAUTHORIZED])
        number = {"id": found[1], "display_phone_number": "+62 811-0000-0000", "verified_name": "Sandbox"}
        return Reply(200, number | {"quality_rating": "GREEN", "platform_type": "CLOUD_API"})

    def new_id(self, _submission: Submission) -> str:
        """See `Dialect`."""
        return f"wamid.{base64.b64encode(secrets.token_bytes(33)).decode()}"

    def render(self, submission: Submission, decision: Decision, provider_id: str, _at: float) -> Reply:
        """See `Dialect`."""
        if decision.kind is not AnswerKind.SENT:
            wait = {"Retry-After": str(math.ceil(decision.seconds))} if decision.kind is AnswerKind.THROTTLED else {}
            return _error(*_ERRORS[decision.kind], headers=wait)
        message = {"id": provider_id} | ({"message_status": "accepted"} if submission.kind == "template" else {})
        contacts = [{"input": submission.number, "wa_id": submission.digits}]
        return Reply(200, {"messaging_product": "whatsapp", "contacts": contacts, "messages": [message]})

    def write(self, report: WebhookReport, target: WebhookTarget) -> WebhookCall | None:
        """See `Dialect`."""
        change = _change(report, target.own_number)
        if change is None:
            return None
        entry = {"id": target.account or ACCOUNT, "time": int(report.at), "changes": [change]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        signature = hmac.new(target.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        return WebhookCall(target.url, body, headers)


def _submission(fields: object, sender: str) -> Submission | Reply:
    if not isinstance(fields, Mapping) or fields.get("messaging_product") != "whatsapp":
        return _invalid("The parameter messaging_product is required.")
    number = text_of(fields.get("to")) or text_of(fields.get("recipient"))
    if not re.fullmatch(r"\+?[0-9]{6,15}|[A-Z]{2}\.[0-9A-Za-z.]{1,128}", number):
        return _invalid("The parameter to is required.")
    named = fields.get("biz_opaque_callback_data", "")
    if not isinstance(named, str) or len(named) > _LONGEST_CALLBACK_DATA:
        return _invalid("Param biz_opaque_callback_data must be a string of at most 512 characters.")
    kind, message = _content(fields)
    if message is None:
        return _invalid(f"The parameter {kind} is required, or is not as it should be.")
    return Submission(sender=sender, number=number, message=message, kind=kind, correlation_id=named, account=ACCOUNT)


def _content(fields: Mapping[str, Any]) -> tuple[str, str | None]:
    kind = text_of(fields.get("type")) or "text"
    content = fields.get(kind)
    if kind == "text":
        text = content.get("body") if isinstance(content, Mapping) else None
        is_good = isinstance(text, str) and 0 < len(text) <= _LONGEST_TEXT
        return kind, text if is_good else None
    if kind != "template" or not isinstance(content, Mapping):
        return kind, None
    name, language = text_of(content.get("name")), content.get("language")
    if not name or not isinstance(language, Mapping) or not text_of(language.get("code")):
        return kind, None
    return kind, "|".join([name, *_parameters(content.get("components", []))])


def _parameters(components: object) -> list[str]:
    parts = components if isinstance(components, list) else []
    lists = [part.get("parameters", []) for part in parts if isinstance(part, Mapping)]
    found = [one for parameters in lists if isinstance(parameters, list) for one in parameters]
    return [text_of(one.get("text")) for one in found if isinstance(one, Mapping)]


def _invalid(details: str) -> Reply:
    return _error(400, 100, "Invalid parameter", details)


def _error(status: int, code: int, title: str, details: str, *, headers: Mapping[str, str] | None = None) -> Reply:
    error = {
        "message": f"(#{code}) {title}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUv",
    }
    return Reply(status, {"error": error}, headers or {})


def _change(report: WebhookReport, own_number: str) -> dict[str, Any] | None:
    if isinstance(report, SessionReport):
        return _account_change(report)
    number_id = report.sender or _NUMBER_ID
    metadata = {"display_phone_number": own_number, "phone_number_id": number_id}
    value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": metadata}
    contact = {"profile": {"name": "Sandbox"}, "wa_id": report.number}
    if isinstance(report, InboundReport):
        message = {"from": report.number, "id": report.provider_id, "timestamp": str(int(report.at)), "type": "text"}
        value |= {"contacts": [contact], "messages": [message | {"text": {"body": report.text}}]}
    else:
        # With a failure no contact is named.
        value |= {} if report.status == "failed" else {"contacts": [contact]}
        value |= {"statuses": [_status(report)]}
    return {"field": "messages", "value": value}


def _status(report: StatusReport) -> dict[str, Any]:
    status: dict[str, Any] = {
        "id": report.provider_id,
        "status": report.status,
        "timestamp": str(int(report.at)),
        "recipient_id": report.number,
    }
    if report.correlation_id:
        status["biz_opaque_callback_data"] = report.correlation_id
    if report.status == "failed":
        kind = AnswerKind.AMBIGUOUS if report.is_final else AnswerKind.FAILED
        _, code, title, details = _ERRORS[kind]
        status["errors"] = [
            {"code": code, "title": title, "message": title, "error_data": {"details": details}, "href": ""}
        ]
    else:
        status["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}
    return status


def _account_change(report: SessionReport) -> dict[str, Any] | None:
    if report.state == "banned":
        day = datetime.fromtimestamp(report.at, UTC).strftime("%B %d, %Y")
        banned = {"waba_ban_state": "DISABLE", "waba_ban_date": day}
        return {"field": "account_update", "value": {"event": "DISABLED_UPDATE", "ban_info": banned}}
    if report.state == "connected":
        return {"field": "account_update", "value": {"event": "ACCOUNT_RECONNECTED"}}
    return None
