"""The sandbox's own dialect, at the root of its address: MPWA's requests, and receipts, which MPWA does not have.

A request may name itself (`correlation_id`, a text of at most 512 characters), and its receipts carry that name. A
webhook is a JSON object, `{"events": […]}`, with the header `X-Sandbox-Signature: sha256=<hex>`: the HMAC-SHA256 of the
body with the webhook's secret. Its events:

    {"type": "status", "id": …, "correlation_id": …, "status": "sent|delivered|read|failed", "at": unix seconds,
     "sender": …, "number": "+62…"}                       `failed` has also `"final": true|false` and `"reason"`
    {"type": "inbound", "id": …, "sender": …, "number": "+62…", "text": …, "at": …}
    {"type": "session", "sender": …, "state": "connected|disconnected|needs_qr|needs_passkey|banned", "at": …}
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from antrian.sandbox.behaviour import Submission
from antrian.sandbox.dialects.mpwa import MpwaDialect
from antrian.sandbox.exchange import Reply, SandboxRequest
from antrian.sandbox.report import InboundReport, SessionReport, StatusReport, WebhookCall, WebhookReport, WebhookTarget

LONGEST_CORRELATION = 512


class SandboxDialect(MpwaDialect):
    """What `WHATSAPP_PROVIDER=sandbox` speaks."""

    name = "sandbox"

    def read(self, request: SandboxRequest) -> Submission | Reply | None:
        """See `Dialect`."""
        submission = super().read(request)
        named = request.fields if isinstance(submission, Submission) else None
        given = named.get("correlation_id") if isinstance(named, Mapping) else None
        if isinstance(submission, Submission) and isinstance(given, str):
            return replace(submission, correlation_id=given[:LONGEST_CORRELATION])
        return submission

    def write(self, report: WebhookReport, target: WebhookTarget) -> WebhookCall | None:
        """See `Dialect`."""
        body = json.dumps({"events": [_event(report)]}).encode()
        signature = hmac.new(target.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Sandbox-Signature": f"sha256={signature}"}
        return WebhookCall(target.url, body, headers)


def _event(report: WebhookReport) -> dict[str, Any]:
    at = round(report.at, 3)
    match report:
        case SessionReport():
            return {"type": "session", "sender": report.sender, "state": report.state, "at": at}
        case InboundReport():
            told = {"id": report.provider_id, "number": f"+{report.number}", "text": report.text}
            return {"type": "inbound", "sender": report.sender, "at": at} | told
        case StatusReport():
            event = {
                "type": "status",
                "id": report.provider_id,
                "correlation_id": report.correlation_id,
                "status": report.status,
                "at": at,
                "sender": report.sender,
                "number": f"+{report.number}" if report.number else "",
            }
            reason = "The number cannot be reached" if report.is_final else "WhatsApp did not take it for now"
            return event | ({"final": report.is_final, "reason": reason} if report.status == "failed" else {})
