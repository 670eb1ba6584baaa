"""What the sandbox reports of the messages that it was given, and to whom."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import requests

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, Submission
from antrian.sandbox.dialects.catalog import DIALECTS
from antrian.sandbox.dialects.dialect import Dialect
from antrian.sandbox.follow_up import ReceiptPace, steps
from antrian.sandbox.outbox import Outbox, is_taken, post
from antrian.sandbox.report import StatusReport, WebhookCall, WebhookReport, WebhookTarget


class Reporting:
    """Where webhooks go, and those that are due; safe to share between threads.

    Args:
        targets: where they go from the start.
        pace: how fast receipts follow each other.

    Attributes:
        pace: may be set at any time; counts for the messages that come afterwards.
    """

    def __init__(self, targets: Iterable[WebhookTarget] = (), pace: ReceiptPace | None = None) -> None:
        self.pace = pace or ReceiptPace()
        self._lock = threading.Lock()
        self._targets: dict[tuple[str, str], WebhookTarget] = {}
        self._outbox = Outbox()
        for target in targets:
            self.set_target(target)

    def set_target(self, target: WebhookTarget) -> None:
        """Send the webhooks of this provider and sender there; replaces an earlier target of the same two."""
        with self._lock:
            self._targets[target.provider, target.sender] = target

    def forget_targets(self, provider: str | None = None) -> int:
        """Send no more webhooks, of one provider or of all; return how many targets there were."""
        with self._lock:
            gone = [key for key in self._targets if provider in {None, key[0]}]
            for key in gone:
                del self._targets[key]
        if provider is None:
            self._outbox.clear()
        return len(gone)

    def find(self, provider: str | None, sender: str | None) -> WebhookTarget | None:
        """The target of this provider and sender; None for either means the first there is."""
        with self._lock:
            fitting = [target for target in self._targets.values() if provider in {None, target.provider}]
        own = [target for target in fitting if sender is None or _plain(sender) == _plain(target.sender)]
        return next(iter(own + [target for target in fitting if not target.sender]), None)

    def told(self) -> dict[str, Any]:
        """Where webhooks go, without secrets and without the part of an address that may be one; and how they fare."""
        with self._lock:
            targets = list(self._targets.values())
        shown = [{"provider": one.provider, "sender": one.sender, "url": _without_path(one.url)} for one in targets]
        return {"webhooks": shown} | self._outbox.counts()

    def follow(
        self, dialect: Dialect, submission: Submission, decision: Decision, provider_id: str, *, mode: Mode, now: float
    ) -> None:
        """Have the receipts of a message sent that was decided about just now, in unix seconds, if it was accepted."""
        target = self._target_of(dialect, submission)
        if decision.kind is not AnswerKind.SENT or target is None:
            return
        for step in steps(decision.course, self.pace, mode.seconds):
            after = decision.after + step.after
            report = StatusReport(
                status=step.status,
                at=now + after,
                provider_id=provider_id,
                correlation_id=submission.correlation_id,
                number=submission.digits,
                sender=submission.sender or target.sender,
                account=submission.account,
                is_final=step.is_final,
            )
            if call := dialect.write(report, target):
                self._outbox.put(call, after, provider_id)

    def report(self, report: WebhookReport, target: WebhookTarget) -> tuple[bool, int | None]:
        """Report something at once, one try.

        Returns:
            whether it was taken, and the HTTP status: None where there was no answer, or nothing to be said.
        """
        call = DIALECTS[target.provider].write(report, target)
        status = _call_once(call) if call else None
        return is_taken(status), status

    def stop(self) -> None:
        """Send nothing more."""
        self._outbox.stop()

    def _target_of(self, dialect: Dialect, submission: Submission) -> WebhookTarget | None:
        # Where a dialect's requests do not name the sender, there can be one alone.
        target = self.find(dialect.name, submission.sender or None)
        return replace(target, url=submission.callback, public_url="") if target and submission.callback else target


def _plain(sender: str) -> str:
    # Numbers are written in many ways; names are what they are.
    return sender.removeprefix("whatsapp:").removeprefix("+")


def _call_once(call: WebhookCall) -> int | None:
    with requests.Session() as session:
        session.trust_env = False
        return post(session, call)


def _without_path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
