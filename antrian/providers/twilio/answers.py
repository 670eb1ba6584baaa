"""What Twilio's answers and error codes mean: pure, and tested as a table.

A message that Twilio takes may fail later: the same codes then come with its receipt.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from antrian.domain.failure_class import FailureClass
from antrian.providers.answer_table import is_success
from antrian.providers.cold_refusal import COLD_REFUSED, is_cold_refusal, stated_wait
from antrian.providers.contract import Failed, SendResult, Sent
from antrian.providers.http import Answer
from antrian.providers.json_fields import json_object
from antrian.providers.redaction import quote

#: Twilio's "Error and Warning Dictionary", one page a code: twilio.com/docs/api/errors/CODE.
_DICTIONARY = "Twilio, Error and Warning Dictionary"
_WHATSAPP = "Twilio, WhatsApp best practices"
_CONTENT = "Twilio, Content Template Builder"

#: Seconds after which a sender or an account that reached its daily limit is asked again.
LIMIT_WAIT: Final = 1800.0


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """What one of Twilio's codes means.

    Attributes:
        failure_class: what may be done.
        code: our constant.
        source: where it was read.
        wait: seconds, where it should be longer than the usual.
    """

    failure_class: FailureClass
    code: str
    source: str = _DICTIONARY
    wait: float | None = None


_REJECTED, _TRANSIENT = FailureClass.REJECTED, FailureClass.TRANSIENT
_THROTTLED, _UNAVAILABLE = FailureClass.THROTTLED, FailureClass.UNAVAILABLE

MEANINGS: Final[dict[int, ErrorMeaning]] = {
    # This message may do better later.
    30001: ErrorMeaning(_TRANSIENT, "queue-overflow"),
    30003: ErrorMeaning(_TRANSIENT, "unreachable"),
    # It was handed on, and what became of it is not known.
    30008: ErrorMeaning(FailureClass.UNCERTAIN, "unknown-error"),
    # Too fast.
    20429: ErrorMeaning(_THROTTLED, "throttled"),
    63017: ErrorMeaning(_THROTTLED, "account-rate"),
    # The key, or the account.
    20003: ErrorMeaning(_UNAVAILABLE, "bad-credentials"),
    20403: ErrorMeaning(_UNAVAILABLE, "account-suspended"),
    20404: ErrorMeaning(_UNAVAILABLE, "unknown-account"),
    30002: ErrorMeaning(_UNAVAILABLE, "account-suspended"),
    21730: ErrorMeaning(_UNAVAILABLE, "maintenance"),
    63038: ErrorMeaning(_UNAVAILABLE, "account-daily-limit", wait=LIMIT_WAIT),
    # The sender.
    63007: ErrorMeaning(_UNAVAILABLE, "unknown-sender"),
    63018: ErrorMeaning(_UNAVAILABLE, "sender-limit", wait=LIMIT_WAIT),
    # This recipient.
    21211: ErrorMeaning(_REJECTED, "bad-recipient"),
    21408: ErrorMeaning(_REJECTED, "country-restricted"),
    21610: ErrorMeaning(_REJECTED, "opted-out"),
    21614: ErrorMeaning(_REJECTED, "bad-recipient"),
    30004: ErrorMeaning(_REJECTED, "blocked"),
    30005: ErrorMeaning(_REJECTED, "unknown-recipient"),
    30006: ErrorMeaning(_REJECTED, "unreachable-recipient"),
    63003: ErrorMeaning(_REJECTED, "unknown-recipient"),
    63014: ErrorMeaning(_REJECTED, "blocked-by-recipient"),
    63024: ErrorMeaning(_REJECTED, "undeliverable"),
    63032: ErrorMeaning(_REJECTED, "recipient-in-experiment"),
    63049: ErrorMeaning(_REJECTED, "held-back-by-meta"),
    # This message.
    21606: ErrorMeaning(_REJECTED, "sender-cannot-send"),
    21612: ErrorMeaning(_REJECTED, "no-route"),
    21654: ErrorMeaning(_REJECTED, "template-parameters", _CONTENT),
    21656: ErrorMeaning(_REJECTED, "template-parameters", _CONTENT),
    21910: ErrorMeaning(_REJECTED, "channels-differ"),
    30007: ErrorMeaning(_REJECTED, "filtered"),
    63013: ErrorMeaning(_REJECTED, "policy"),
    63016: ErrorMeaning(_REJECTED, "outside-window", _WHATSAPP),
    63021: ErrorMeaning(_REJECTED, "invalid-content"),
}

#: Where the code is not known, or something in front of Twilio answered; by status, then by its first digit.
_STATUSES: Final[dict[int, tuple[FailureClass, str]]] = {
    401: (_UNAVAILABLE, "bad-credentials"),
    413: (_REJECTED, "too-large"),
    429: (_THROTTLED, "throttled"),
    3: (_UNAVAILABLE, "redirected"),
    4: (_UNAVAILABLE, "refused-by-web-server"),
    # Twilio takes no name for a message from us, so nobody knows whether it has this one.
    5: (FailureClass.UNCERTAIN, "gateway-error"),
}
_UNCLEAR: Final = (FailureClass.UNCERTAIN, "unclear-answer")

#: Statuses of a message that was made and will not be sent.
_FAILED: Final = frozenset({"failed", "undelivered", "canceled"})

_LONGEST_WORDS = 10_000
_LONGEST_ID = 64


def classify(answer: Answer, private: Iterable[str] = (), now: float | None = None) -> SendResult:
    """Turn Twilio's answer to `POST …/Messages.json` into a result.

    Args:
        answer: what came over HTTP; any bytes at all.
        private: texts that must not appear in the result's detail.
        now: unix seconds, to turn a date that the answer states into a wait; without it none is.
    """
    fields = json_object(answer.body)
    is_made = is_success(answer.status)
    if is_made and str(fields.get("status")) not in _FAILED:
        if provider_id := _message_id(fields):
            return Sent(provider_id)
        return Failed(*_UNCLEAR, f"HTTP {answer.status} without the id of a message")
    code = fields.get("error_code" if is_made else "code")
    words = fields.get("error_message" if is_made else "message")
    words = words[:_LONGEST_WORDS] if isinstance(words, str) else ""
    detail = described(code, quote(words, private)) or f"HTTP {answer.status} without a reason"
    meaning = meaning_of(code)
    if meaning is not None:
        waits = [wait for wait in (answer.retry_after, meaning.wait) if wait is not None]
        return Failed(meaning.failure_class, meaning.code, detail, max(waits, default=None))
    if is_cold_refusal(words):
        wait = None if now is None else stated_wait(fields, now)
        return Failed(*COLD_REFUSED, detail, wait or answer.retry_after)
    return Failed(*_by_status(answer.status, has_code=type(code) is int), detail, answer.retry_after)


def meaning_of(code: object) -> ErrorMeaning | None:
    """What a code of Twilio's means, in an answer or in a receipt; None for one that is not in the table."""
    return MEANINGS.get(code) if type(code) is int else None


def described(code: object, words: str) -> str:
    """A detail with Twilio's code in front, to look it up; empty where there is neither."""
    is_code = type(code) is int and 0 < code <= 99_999  # noqa: PLR2004 (five digits)
    return quote(f"({code}) {words}".strip()) if is_code else words


def _by_status(status: int, *, has_code: bool) -> tuple[FailureClass, str]:
    if status not in _STATUSES and (status // 100 == 2 or (status // 100 == 4 and has_code)):  # noqa: PLR2004
        # Given up rather than tried again: it says that nothing was sent, and does not say that later is better.
        return _REJECTED, "unrecognised"
    return _STATUSES.get(status) or _STATUSES.get(status // 100, _UNCLEAR)


def _message_id(fields: dict[str, Any]) -> str | None:
    found = fields.get("sid")
    if isinstance(found, str) and found.isascii() and found.isalnum() and 0 < len(found) <= _LONGEST_ID:
        return found
    return None
