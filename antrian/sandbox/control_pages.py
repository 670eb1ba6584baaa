"""The pages below `/_sandbox/`: they look at the sandbox and change how it behaves."""

from collections.abc import Callable
from typing import Any, Final

from antrian.sandbox.control import (
    ReceiptWanted,
    Whose,
    read_inbound,
    read_mode,
    read_receipt,
    read_receipt_pace,
    read_session,
    read_target,
)
from antrian.sandbox.dialects.dialect import whatsapp_id
from antrian.sandbox.exchange import Reply, SandboxRequest
from antrian.sandbox.report import InboundReport, SessionReport, StatusReport, WebhookReport, WebhookTarget
from antrian.sandbox.reporting import Reporting
from antrian.sandbox.request_log import RequestLog

_NO_WEBHOOK: Final = "No webhook fits: POST /_sandbox/webhook says where webhooks go."


class ControlPages:
    """The control endpoints.

    Args:
        record: what arrived.
        reporting: what is reported of it.
    """

    def __init__(self, record: RequestLog, reporting: Reporting) -> None:
        self._record = record
        self._reporting = reporting
        self._pages: dict[tuple[str, str], Callable[[SandboxRequest], Reply]] = {
            ("GET", "/_sandbox/requests"): self._list_requests,
            ("DELETE", "/_sandbox/requests"): self._forget_requests,
            ("GET", "/_sandbox/mode"): self._tell_mode,
            ("POST", "/_sandbox/mode"): self._set_mode,
            ("DELETE", "/_sandbox/contacts"): self._forget_contacts,
            ("GET", "/_sandbox/webhook"): self._tell_reporting,
            ("POST", "/_sandbox/webhook"): self._set_webhook,
            ("DELETE", "/_sandbox/webhook"): self._forget_webhooks,
            ("GET", "/_sandbox/receipts"): self._tell_pace,
            ("POST", "/_sandbox/receipts"): self._set_pace,
            ("POST", "/_sandbox/receipt"): self._send_receipt,
            ("POST", "/_sandbox/inbound"): self._take_inbound,
            ("POST", "/_sandbox/session"): self._send_session,
            ("GET", "/healthz"): lambda _request: Reply(200, {"status": "ok"}),
        }

    def answer(self, request: SandboxRequest) -> Reply | None:
        """Answer a control request; None where it is none."""
        page = self._pages.get((request.method, request.path))
        return page(request) if page else None

    def _list_requests(self, _request: SandboxRequest) -> Reply:
        return Reply(200, [arrival.as_json() for arrival in self._record.arrivals()])

    def _forget_requests(self, _request: SandboxRequest) -> Reply:
        return Reply(200, {"removed": self._record.clear()})

    def _tell_mode(self, _request: SandboxRequest) -> Reply:
        mode = self._record.mode
        ends = {} if mode.until is None else {"until": round(mode.until, 3)}
        return Reply(200, {"mode": mode.name, "seconds": mode.seconds} | ends)

    def _set_mode(self, request: SandboxRequest) -> Reply:
        mode = read_mode(request.json, self._record.now())
        if isinstance(mode, str):
            return _wrong(mode)
        self._record.mode = mode
        return self._tell_mode(request)

    def _forget_contacts(self, _request: SandboxRequest) -> Reply:
        return Reply(200, {"forgotten": self._record.forget_contacts()})

    def _tell_reporting(self, _request: SandboxRequest) -> Reply:
        return Reply(200, self._reporting.told())

    def _set_webhook(self, request: SandboxRequest) -> Reply:
        target = read_target(request.json)
        if isinstance(target, str):
            return _wrong(target)
        self._reporting.set_target(target)
        return self._tell_reporting(request)

    def _forget_webhooks(self, request: SandboxRequest) -> Reply:
        return Reply(200, {"removed": self._reporting.forget_targets(request.query.get("provider"))})

    def _tell_pace(self, _request: SandboxRequest) -> Reply:
        pace = self._reporting.pace
        return Reply(200, {"delays": [pace.sent, pace.delivered, pace.read]})

    def _set_pace(self, request: SandboxRequest) -> Reply:
        pace = read_receipt_pace(request.json)
        if isinstance(pace, str):
            return _wrong(pace)
        self._reporting.pace = pace
        return self._tell_pace(request)

    def _send_receipt(self, request: SandboxRequest) -> Reply:
        wanted = read_receipt(request.json)
        if isinstance(wanted, str):
            return _wrong(wanted)
        whose, report = self._status_report(wanted)
        target = self._reporting.find(whose.provider, whose.sender)
        told = {"id": report.provider_id, "status": report.status}
        return self._report(report, target, told) if target else _wrong(_NO_WEBHOOK)

    def _status_report(self, wanted: ReceiptWanted) -> tuple[Whose, StatusReport]:
        arrival, now = self._record.find(wanted.name), self._record.now()
        if arrival is None:
            report = StatusReport(status=wanted.status, at=now, provider_id=wanted.name, is_final=wanted.is_final)
            return wanted.whose, report
        submission = arrival.submission
        report = StatusReport(
            status=wanted.status,
            at=now,
            provider_id=arrival.provider_id,
            correlation_id=submission.correlation_id,
            number=submission.digits,
            sender=submission.sender,
            account=submission.account,
            is_final=wanted.is_final,
        )
        # Where a dialect's requests do not name the sender, there can be one alone.
        return Whose(arrival.dialect, submission.sender or None), report

    def _take_inbound(self, request: SandboxRequest) -> Reply:
        inbound = read_inbound(request.json)
        if isinstance(inbound, str):
            return _wrong(inbound)
        self._record.note_inbound(inbound.number)
        told: dict[str, Any] = {"number": inbound.number, "known": True}
        target = self._reporting.find(inbound.whose.provider, inbound.whose.sender)
        if target is None:
            return Reply(200, told | {"forwarded": False})
        report = InboundReport(
            number=inbound.number,
            text=inbound.text,
            at=self._record.now(),
            provider_id=whatsapp_id(),
            sender=inbound.whose.sender or target.sender,
        )
        return self._report(report, target, told)

    def _send_session(self, request: SandboxRequest) -> Reply:
        wanted = read_session(request.json)
        if isinstance(wanted, str):
            return _wrong(wanted)
        target = self._reporting.find(wanted.whose.provider, wanted.whose.sender)
        if target is None:
            return _wrong(_NO_WEBHOOK)
        sender = wanted.whose.sender or target.sender
        report = SessionReport(state=wanted.state, at=self._record.now(), sender=sender)
        return self._report(report, target, {"state": wanted.state})

    def _report(self, report: WebhookReport, target: WebhookTarget, told: dict[str, Any]) -> Reply:
        forwarded, status = self._reporting.report(report, target)
        return Reply(200, told | {"forwarded": forwarded, "http_status": status})


def _wrong(sentence: str) -> Reply:
    return Reply(400, {"error": sentence})
