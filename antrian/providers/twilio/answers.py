"""What Twilio's answers and error codes mean: pure, and tested as a table.

A message that Twilio takes may fail later: the same codes then come with its receipt.
"""

from collections.abc import Iterable
from typing import Any, Final

from antrian.domain.failure_class import FailureClass
from antrian.providers.answer_table import CodeMeaning, is_success
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


_REJECTED, _TRANSIENT = FailureClass.REJECTED, FailureClass.TRANSIENT
_THROTTLED, _UNAVAILABLE = FailureClass.THROTTLED, FailureClass.UNAVAILABLE

MEANINGS: Final[dict[int, CodeMeaning]] = {
    # This message may do better later.
    30001: CodeMeaning(_TRANSIENT, "queue-overflow", _DICTIONARY),
    30003: CodeMeaning(_TRANSIENT, "unreachable", _DICTIONARY),
    # It was handed on, and what became of it is not known.
    30008: CodeMeaning(FailureClass.UNCERTAIN, "unknown-error", _DICTIONARY),
    # Too fast.
    20429: CodeMeaning(_THROTTLED, "throttled", _DICTIONARY),
    63017: CodeMeaning(_THROTTLED, "account-rate", _DICTIONARY),
    # The key, or the account.
    20003: CodeMeaning(_UNAVAILABLE, "bad-credentials", _DICTIONARY),
    20403: CodeMeaning(_UNAVAILABLE, "account-suspended", _DICTIONARY),
    20404: CodeMeaning(_UNAVAILABLE, "unknown-account", _DICTIONARY),
    30002: CodeMeaning(_UNAVAILABLE, "account-suspended", _DICTIONARY),
    21730: CodeMeaning(_UNAVAILABLE, "maintenance", _DICTIONARY),
    63038: CodeMeaning(_UNAVAILABLE, "account-daily-limit", _DICTIONARY, wait=LIMIT_WAIT),
    # The sender.
    63007: CodeMeaning(_UNAVAILABLE, "unknown-sender", _DICTIONARY),
    63018: CodeMeaning(_UNAVAILABLE, "sender-limit", _DICTIONARY, wait=LIMIT_WAIT),
    # This recipient.
    21211: CodeMeaning(_REJECTED, "bad-recipient", _DICTIONARY),
    21408: CodeMeaning(_REJECTED, "country-restricted", _DICTIONARY),
    21610: CodeMeaning(_REJECTED, "opted-out", _DICTIONARY),
    21614: CodeMeaning(_REJECTED, "bad-recipient", _DICTIONARY),
    30004: CodeMeaning(_REJECTED, "blocked", _DICTIONARY),
    30005: CodeMeaning(_REJECTED, "unknown-recipient", _DICTIONARY),
    30006: CodeMeaning(_REJECTED, "unreachable-recipient", _DICTIONARY),
    63003: CodeMeaning(_REJECTED, "unknown-recipient", _DICTIONARY),
    63014: CodeMeaning(_REJECTED, "blocked-by-recipient", _DICTIONARY),
    63024: CodeMeaning(_REJECTED, "undeliverable", _DICTIONARY),
    63032: CodeMeaning(_REJECTED, "recipient-in-experiment", _DICTIONARY),
    63049: CodeMeaning(_REJECTED, "held-back-by-meta", _DICTIONARY),
    # This message.
    21606: CodeMeaning(_REJECTED, "sender-cannot-send", _DICTIONARY),
    21612: CodeMeaning(_REJECTED, "no-route", _DICTIONARY),
    21654: CodeMeaning(_REJECTED, "template-parameters", _CONTENT),
    21656: CodeMeaning(_REJECTED, "template-parameters", _CONTENT),
    21910: CodeMeaning(_REJECTED, "channels-differ", _DICTIONARY),
    30007: CodeMeaning(_REJECTED, "filtered", _DICTIONARY),
    63013: CodeMeaning(_REJECTED, "policy", _DICTIONARY),
    63016: CodeMeaning(_REJECTED, "outside-window", _WHATSAPP),
    63021: CodeMeaning(_REJECTED, "invalid-content", _DICTIONARY),
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


def meaning_of(code: object) -> CodeMeaning | None:
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
