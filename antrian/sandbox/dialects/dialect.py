"""What every dialect can do."""

import uuid
from typing import Protocol

from antrian.sandbox.behaviour import Decision, Mode, Submission
from antrian.sandbox.exchange import Reply, SandboxRequest
from antrian.sandbox.report import WebhookCall, WebhookReport, WebhookTarget


class Dialect(Protocol):
    """One provider as the sandbox plays it; pure, apart from new ids."""

    #: As addresses below `/dialect/` and the list of requests name it.
    name: str

    def read(self, request: SandboxRequest) -> Submission | Reply | None:
        """Read a request to send.

        Returns:
            the message, or how the provider refuses the request, or None where it is not one to send.
        """

    def other(self, request: SandboxRequest, mode: Mode) -> Reply | None:
        """Answer one of the provider's other pages; None where there is no such page."""

    def new_id(self, submission: Submission) -> str:
        """A provider's id for a message."""

    def render(self, submission: Submission, decision: Decision, provider_id: str, at: float) -> Reply:
        """Say in the provider's words what was decided, at that time in unix seconds; not asked for `down`."""

    def write(self, report: WebhookReport, target: WebhookTarget) -> WebhookCall | None:
        """Word and sign a webhook; None where the provider reports no such thing."""


def whatsapp_id() -> str:
    """An id as WhatsApp's web clients make them."""
    return f"3EB0{uuid.uuid4().hex[:18].upper()}"
