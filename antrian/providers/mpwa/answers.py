"""What MPWA's answers mean: pure, and tested as a table.

MPWA's HTTP status says little: every failure of its own is a 400, and with `full=1` the panel hands on its node
process's failures as a 200 with `"status": false` and the text in `message` instead of `msg`. So the text decides
first, and the status only where a proxy or a web server answered in MPWA's place. Forks word things differently:
texts are matched by substring, in any case.
"""

import re
from collections.abc import Iterable
from typing import Any

from antrian.domain.failure_class import FailureClass
from antrian.providers.answer_table import is_success
from antrian.providers.cold_refusal import COLD_REFUSED, is_cold_refusal, stated_wait
from antrian.providers.contract import Failed, SendResult, Sent
from antrian.providers.http import Answer
from antrian.providers.json_fields import identifier, inner, json_object, words
from antrian.providers.redaction import quote

#: A device that is "not registered on WhatsApp" is no reason to give up the message: only numbers are meant.
_NOT_ON_WHATSAPP = (
    r"^(?!.*\b(?:sender|device|session)\b).*"
    r"(?:(?:not (?:registered|exists?|found)|n't exist|(?:tidak|belum) terdaftar) (?:on|in|di) whats ?app"
    r"|not (?:on|a) whats ?app|bukan nomor whats ?app)"
)

#: The first match wins, so the narrow texts stand above the broad ones.
_TEXTS: tuple[tuple[str, FailureClass, str], ...] = (
    (r"api[_ ]?key|unauthenticated|unauthorized", FailureClass.UNAVAILABLE, "bad-credentials"),
    # MPWA asks WhatsApp about the number first and cannot tell a "no" from a dead connection.
    (r"not registered.*sender not connected", FailureClass.TRANSIENT, "unregistered-or-disconnected"),
    (
        r"disconnected|not connected|sender is invalid|device not found",
        FailureClass.UNAVAILABLE,
        "sender-disconnected",
    ),
    (_NOT_ON_WHATSAPP, FailureClass.REJECTED, "not-on-whatsapp"),
    (r"\bplan\b|permission|subscription|no longer have enough", FailureClass.UNAVAILABLE, "plan-exhausted"),
    # The panel lost its node process's answer: the message may have gone.
    (r"check your connection", FailureClass.UNCERTAIN, "answer-lost"),
    (r"failed to send message|check your whatsapp connection", FailureClass.TRANSIENT, "send-failed"),
    (r"invalid param|invalid data|check your parameter", FailureClass.REJECTED, "invalid-fields"),
)

#: Where a proxy, a web server or a framework answered in MPWA's place; by status, then by its first digit.
_STATUSES: dict[int, tuple[FailureClass, str]] = {
    413: (FailureClass.REJECTED, "too-large"),
    429: (FailureClass.THROTTLED, "throttled"),
    502: (FailureClass.UNCERTAIN, "gateway-error"),
    503: (FailureClass.UNAVAILABLE, "provider-down"),
    504: (FailureClass.UNCERTAIN, "gateway-error"),
    # The address is not quite right (http for https, most likely), so it is the same for every message.
    3: (FailureClass.UNAVAILABLE, "redirected"),
    # A wrong path, a wall in front of the panel: nothing was sent, and it is unknown whose fault it is.
    4: (FailureClass.UNAVAILABLE, "refused-by-web-server"),
}
_UNCLEAR = (FailureClass.UNCERTAIN, "unclear-answer")

#: Failures that a disconnected sender would explain as well as the message itself does.
DOUBTFUL = frozenset({"send-failed", "unregistered-or-disconnected", "unrecognised", "refused-by-web-server"})

_THROTTLED = 429
_MPWA_ITSELF = (400, 422)


def classify(answer: Answer, private: Iterable[str] = (), now: float | None = None) -> SendResult:
    """Turn MPWA's answer to `/send-message` into a result.

    Args:
        answer: what came over HTTP; any bytes at all.
        private: texts that must not appear in the result's detail.
        now: unix seconds, to turn a date that the answer states into a wait; without it none is.
    """
    fields = json_object(answer.body)
    if _is_accepted(fields):
        if is_success(answer.status):
            return Sent(_message_id(fields))
        return Failed(FailureClass.UNCERTAIN, "contradiction", f"status true with HTTP {answer.status}")
    said = _words(fields)
    failure_class, code = _by_text(answer.status, said) or _by_status(answer.status)
    detail = quote(said, private) or f"HTTP {answer.status} without a message from MPWA"
    wait = answer.retry_after
    if failure_class is FailureClass.COLD_REFUSED and now is not None:
        wait = stated_wait(fields, now) or wait
    return Failed(failure_class, code, detail, wait)


def reconsider(failed: Failed, *, connected: bool | None) -> Failed:
    """Judge a doubtful failure again, now that the sender's own connection has been asked about.

    Args:
        failed: a failure whose code is in `DOUBTFUL`.
        connected: whether the sender is connected to WhatsApp; None if it is unknown.
    """
    if connected is None:
        return failed
    if not connected:
        return Failed(FailureClass.UNAVAILABLE, "sender-disconnected", failed.detail)
    if failed.code == "unregistered-or-disconnected":
        return Failed(FailureClass.REJECTED, "not-on-whatsapp", failed.detail)
    if failed.code == "refused-by-web-server":
        # The panel works, so it was this message that a filter in front of it did not like.
        return Failed(FailureClass.REJECTED, failed.code, failed.detail)
    return failed


def is_connected(answer: Answer) -> bool | None:
    """Read the answer to `/check-number` about the sender's own number, which is on WhatsApp if anything works.

    Returns:
        None where the answer proves nothing: forks without that page, or whose panel lost its node process.
    """
    fields = json_object(answer.body)
    if not _is_accepted(fields):
        return None
    found = fields.get("data", fields.get("msg"))
    if isinstance(found, dict):
        return True if found.get("exists") is True else None
    return found if isinstance(found, bool) else None


def _by_text(status: int, said: str) -> tuple[FailureClass, str] | None:
    if status == _THROTTLED:
        return None
    if is_cold_refusal(said):
        return COLD_REFUSED
    for pattern, failure_class, code in _TEXTS:
        if re.search(pattern, said, re.IGNORECASE | re.DOTALL):
            return failure_class, code
    if status in _MPWA_ITSELF and said:
        # Given up rather than tried again: an unknown text says that nothing was sent, and does not say that later
        # is better. The dead letter keeps the text for an operator, and can be re-driven.
        return FailureClass.REJECTED, "unrecognised"
    return None


def _by_status(status: int) -> tuple[FailureClass, str]:
    return _STATUSES.get(status) or _STATUSES.get(status // 100, _UNCLEAR)


def _is_accepted(fields: dict[str, Any]) -> bool:
    status = fields.get("status")
    return status is True or (isinstance(status, str) and status.lower() == "true")


def _words(fields: dict[str, Any]) -> str:
    # A framework's `errors` are a dictionary of lists: the field's name and what is wrong with it.
    return words(fields, ("msg", "message", "errors", "error"))


def _message_id(fields: dict[str, Any]) -> str | None:
    found = inner(fields, "data", "key").get("id")
    return identifier(found) or None if isinstance(found, str) else None
