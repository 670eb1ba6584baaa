"""What goes on record about one request: who asked for what, and what came of it. Nothing that was sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from admin_api.auth.request_state import RequestState
from admin_api.auth.roles import Role
from admin_api.auth.urls import PREFIX, is_safe_method
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.private_text import LIKE_A_NUMBER

ANONYMOUS = "anonymous"

_REFUSALS = frozenset({401, 403, 429})
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_EXPORT = "/export"
_LONGEST = 200
#: What looks like a phone number, or is a token: people paste all kinds of things into addresses.
_PRIVATE = re.compile(rf"antrian_[^/]*|{LIKE_A_NUMBER.pattern}")
_ID = re.compile(r"[0-9a-fA-F-]{32,36}")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One request, as the journal keeps it.

    Attributes:
        at: unix seconds.
        actor: `api:NAME`, `web:NAME` or `anonymous`.
        role: the actor's; empty for an anonymous client.
        action: method and route, such as `POST /undo/{undo_id}`.
        target: the path that was asked for, without its query.
        status: of the answer.
        why: of a refusal; empty otherwise.
        address: the client's, where the entry was refused.
        is_dry_run: whether it only asked what would be done.
        more: so many other refusals of anonymous clients are not listed one by one.
    """

    at: float
    actor: str
    role: str
    action: str
    target: str
    status: int
    why: str = ""
    address: str = ""
    is_dry_run: bool = False
    more: int = 0

    @property
    def is_denied(self) -> bool:
        """Whether it was refused."""
        return bool(self.why) or self.status in _REFUSALS or self.actor == ANONYMOUS

    def event(self) -> Event:
        """The event for the journal."""
        details: dict[str, Any] = {
            "action": self.action,
            "role": self.role,
            "status": self.status,
            "target": self.target,
            "why": self.why,
        }
        details |= {"address": self.address} if self.is_denied else {}
        details |= {"dry_run": True} if self.is_dry_run else {}
        details |= {"more": self.more} if self.more else {}
        name = EventName.AUDIT_DENIED if self.is_denied else EventName.AUDIT_ALLOWED
        return Event(name, self.at, "", source=self.actor, details=details)


def is_on_record(method: str, path: str, visit: RequestState) -> bool:
    """Whether a request is one that goes on record: it changes something, exports something, or is a login.

    What a publisher publishes is in the journal itself; another line about each would only bury the other entries.
    """
    publishes = visit.actor is not None and visit.actor.role is Role.PUBLISHER and not visit.refusal
    return visit.is_audited or path.endswith(_EXPORT) or not (is_safe_method(method) or publishes)


def audit_entry_of(scope: Mapping[str, Any], visit: RequestState, status: int, at: float) -> AuditEntry:
    """The audit entry of a request.

    Args:
        scope: of the request, after a route was found, or not.
        visit: what access control knows about it.
        status: of the answer.
        at: unix seconds.
    """
    client = scope.get("client")
    return AuditEntry(
        at=at,
        actor=visit.actor.label if visit.actor else ANONYMOUS,
        role=str(visit.actor.role) if visit.actor else "",
        action=f"{_method(scope['method'])} {_route(scope)}",
        target=without_secrets(scope["path"]),
        status=status,
        why=visit.refusal[:_LONGEST],
        address=client[0] if client else "",
        is_dry_run=visit.is_dry_run,
    )


def without_secrets(path: str) -> str:
    """A path without any number or a token; message ids stay."""
    return "/".join(_clean(part) for part in unquote(path).split("/"))[:_LONGEST]


def _clean(part: str) -> str:
    part = "".join(character if character.isprintable() else "?" for character in part)
    return part if _ID.fullmatch(part) else _PRIVATE.sub("…", part)


def _method(method: str) -> str:
    return method if method in _METHODS else "OTHER"


def _route(scope: Mapping[str, Any]) -> str:
    # A route is a name of ours; a path that led to none is what a client typed, and stands in the target alone.
    path = getattr(scope.get("route"), "path", None)
    known = path if isinstance(path, str) else without_secrets(scope["path"])
    return known.removeprefix(PREFIX) or "/"
