"""What MPWA is asked: `POST /send-message` (zymzz-id/MPWA, its API page). Pure."""

import re

from antrian.domain.failure_class import FailureClass
from antrian.providers import outgoing_checks
from antrian.providers.contract import Failed, Outgoing

#: What MPWA's panel or its node process would replace: `{a|b}` by one of the two, the others by what they name.
_SPINTAX = re.compile(r"\{[^{}|]*\|[^{}]*\}|\{(?:number|random_text|random_num)\}", re.IGNORECASE)


def message_fields(outgoing: Outgoing, echoed_id: str = "") -> dict[str, object]:
    """The fields of a request that sends a message, but for who asks.

    Args:
        outgoing: it.
        echoed_id: our name for the attempt, for a receiver that gives it back: the sandbox; empty for MPWA.
    """
    # With full=1 the answer carries WhatsApp's own id of the message.
    fields: dict[str, object] = {"number": outgoing.recipient.removeprefix("+"), "message": outgoing.text, "full": 1}
    return fields | ({"correlation_id": echoed_id} if echoed_id else {})


def refuse(outgoing: Outgoing) -> Failed | None:
    """Say why MPWA must not be given this message, or None if it may."""
    if _SPINTAX.search(outgoing.text):
        return Failed(
            FailureClass.REJECTED,
            "spintax",
            "the text contains {…|…} or {number}, which MPWA would replace: write it without braces",
        )
    return outgoing_checks.refuse(outgoing)
