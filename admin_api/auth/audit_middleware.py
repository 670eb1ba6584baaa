"""Records audited requests and their answers."""

import time
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.auth.audit_entry import AuditEntry, audit_entry_of, is_on_record
from admin_api.auth.request_state import state_of_request


class RecordsAudit(Protocol):
    """Where entries go; `AuditTrail` is one."""

    def record(self, entry: AuditEntry) -> None:
        """Put a entry on record without waiting."""


class AuditMiddleware:
    """ASGI middleware around the gate, so that it sees refusals too."""

    def __init__(self, app: ASGIApp, *, trail: RecordsAudit) -> None:
        self._app = app
        self._trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = state_of_request(scope)

        async def watching(message: Message) -> None:
            # When the answer begins, not when it ends: an export may take as long as it likes.
            if message["type"] == "http.response.start" and is_on_record(scope["method"], scope["path"], visit):
                self._trail.record(audit_entry_of(scope, visit, message["status"], time.time()))
            await send(message)

        await self._app(scope, receive, watching)
