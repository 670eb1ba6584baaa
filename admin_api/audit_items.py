"""What people did, as it is told: what came of it, and which message it was about; pure."""

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import unquote

from antrian.domain.event_name import EventName

Verdict = Literal["done", "looked_at", "denied", "refused", "too_late", "failed"]

#: Actions that, answered with 200, only counted what they would do.
_LOOKS = frozenset({"POST /failed/redrive"})
_OK, _NOT_FOUND, _CONFLICT, _OURS = 200, 404, 409, 500
_REFUSED_FROM = 400

_MESSAGE = re.compile(r"/(?:failed|messages)/(.+)/(?:redrive|note|cancel|uncancel)")


def verdict(name: str, details: Mapping[str, Any]) -> Verdict:
    """What came of a request.

    Args:
        name: of the event.
        details: of the event.
    """
    status = details.get("status")
    if name == EventName.AUDIT_DENIED:
        return "denied"
    if not isinstance(status, int):
        return "done"
    if status >= _OURS:
        return "failed"
    if status in {_NOT_FOUND, _CONFLICT}:
        return "too_late"
    if status >= _REFUSED_FROM:
        return "refused"
    only_looked = details.get("dry_run") is True or (status == _OK and details.get("action") in _LOOKS)
    return "looked_at" if only_looked else "done"


def message_id(details: Mapping[str, Any]) -> str | None:
    """The message that a request was about; None when it was about none, or many."""
    found = _MESSAGE.search(str(details.get("target", "")))
    return unquote(found[1]) if found else None
