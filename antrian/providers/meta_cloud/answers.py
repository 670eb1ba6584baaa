"""What Meta's answers and error codes mean: pure, and tested as a table.

Meta asks to decide by `code` (and by `error_data.details`), not by the title or the HTTP status: the same code comes
with different ones. The status decides only where the code is not known, or where something else answered.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from antrian.domain.failure_class import FailureClass
from antrian.providers.answer_table import CodeMeaning, is_success
from antrian.providers.cold_refusal import COLD_REFUSED, is_cold_refusal, stated_wait
from antrian.providers.contract import Failed, SendResult, Sent
from antrian.providers.http import Answer
from antrian.providers.json_fields import json_object
from antrian.providers.redaction import quote

#: Meta's manual, "Error codes" (May and September 2026); its changelog; its pages on Direct Send.
_CODES = "Meta, WhatsApp Cloud API error codes"
_CHANGES = "Meta, WhatsApp Business Platform changelog"
_DIRECT = "Meta, Direct Send API reference"
#: A client's list of exceptions, where a code was read in one copy of Meta's page only.
_PYWA = "pywa 4.5.0, errors"
#: What users of the Graph API report of it, with the answers quoted.
_GRAPH = "Graph API answers, as clients quote them"
_MEMORY = "from memory, in no document that was read"

#: Seconds. Meta advises 4^X s for a pair; a burst is paid back at about a message in 6 s.
PAIR_WAIT: Final = 16.0
#: Seconds after which an account that Meta restricted is asked again: soon would make it worse.
RESTRICTED_WAIT: Final = 3600.0


_REJECTED, _TRANSIENT = FailureClass.REJECTED, FailureClass.TRANSIENT
_THROTTLED, _UNAVAILABLE = FailureClass.THROTTLED, FailureClass.UNAVAILABLE
_BAD_CREDENTIALS = CodeMeaning(_UNAVAILABLE, "bad-credentials", _CODES)

MEANINGS: Final[dict[int, CodeMeaning]] = {
    # This message may do better later.
    1: CodeMeaning(_TRANSIENT, "api-unknown", _CODES),
    2: CodeMeaning(_TRANSIENT, "api-service", _CODES),
    131000: CodeMeaning(_TRANSIENT, "something-went-wrong", _CODES),
    131016: CodeMeaning(_TRANSIENT, "service-unavailable", _CODES),
    # Too fast.
    4: CodeMeaning(_THROTTLED, "app-rate", _CODES),
    80007: CodeMeaning(_THROTTLED, "account-rate", _CODES),
    130429: CodeMeaning(_THROTTLED, "throughput", _CODES),
    131056: CodeMeaning(FailureClass.RECIPIENT_BUSY, "pair-rate", _CODES, PAIR_WAIT),
    # The key.
    **dict.fromkeys((0, 3, 10, 190, *range(200, 300)), _BAD_CREDENTIALS),
    131005: CodeMeaning(_UNAVAILABLE, "access-denied", _CODES),
    # The sender, or its account.
    33: CodeMeaning(_UNAVAILABLE, "number-deleted", _CODES),
    368: CodeMeaning(_UNAVAILABLE, "policy-block", _CODES, RESTRICTED_WAIT),
    131031: CodeMeaning(_UNAVAILABLE, "account-locked", _CODES, RESTRICTED_WAIT),
    131037: CodeMeaning(_UNAVAILABLE, "display-name-not-approved", _CODES),
    131042: CodeMeaning(_UNAVAILABLE, "payment-problem", _CODES),
    131044: CodeMeaning(_UNAVAILABLE, "calling-payment-problem", _CHANGES),
    131045: CodeMeaning(_UNAVAILABLE, "certificate-problem", _CODES),
    131048: CodeMeaning(_UNAVAILABLE, "spam-rate", _CODES, RESTRICTED_WAIT),
    131057: CodeMeaning(_UNAVAILABLE, "maintenance", _CODES),
    131063: CodeMeaning(_UNAVAILABLE, "marketing-disabled", _PYWA),
    131064: CodeMeaning(_UNAVAILABLE, "classification-limit", _CHANGES, RESTRICTED_WAIT),
    133010: CodeMeaning(_UNAVAILABLE, "not-registered", _MEMORY),
    133016: CodeMeaning(_UNAVAILABLE, "registration-rate", _CODES),
    139200: CodeMeaning(_UNAVAILABLE, "direct-send-blocked", _DIRECT, RESTRICTED_WAIT),
    # This recipient.
    130403: CodeMeaning(_REJECTED, "blocked-by-recipient", _PYWA),
    130472: CodeMeaning(_REJECTED, "recipient-in-experiment", _CODES),
    130497: CodeMeaning(_REJECTED, "country-restricted", _CODES),
    131021: CodeMeaning(_REJECTED, "recipient-is-sender", _CODES),
    131026: CodeMeaning(_REJECTED, "undeliverable", _CODES),
    131030: CodeMeaning(_REJECTED, "not-on-test-list", _CODES),
    131047: CodeMeaning(_REJECTED, "outside-window", _CODES),
    131049: CodeMeaning(_REJECTED, "held-back-by-meta", _CODES),
    131050: CodeMeaning(_REJECTED, "opted-out-of-marketing", _CODES),
    131062: CodeMeaning(_REJECTED, "needs-phone", _CHANGES),
    137000: CodeMeaning(_REJECTED, "identity-mismatch", _CODES),
    # This message.
    100: CodeMeaning(_REJECTED, "invalid-parameter", _CODES),
    131008: CodeMeaning(_REJECTED, "parameter-missing", _CODES),
    131009: CodeMeaning(_REJECTED, "parameter-value", _CODES),
    131051: CodeMeaning(_REJECTED, "unsupported-type", _CODES),
    131052: CodeMeaning(_REJECTED, "media-download", _CODES),
    131053: CodeMeaning(_REJECTED, "media-upload", _CODES),
    132000: CodeMeaning(_REJECTED, "template-parameter-count", _CODES),
    132001: CodeMeaning(_REJECTED, "template-missing", _CODES),
    132005: CodeMeaning(_REJECTED, "template-too-long", _CODES),
    132007: CodeMeaning(_REJECTED, "template-policy", _CODES),
    132008: CodeMeaning(_REJECTED, "template-parameters", _CODES),
    132012: CodeMeaning(_REJECTED, "template-parameters", _CODES),
    132015: CodeMeaning(_REJECTED, "template-paused", _CODES),
    132016: CodeMeaning(_REJECTED, "template-disabled", _CODES),
    132018: CodeMeaning(_REJECTED, "template-parameters", _GRAPH),
    132068: CodeMeaning(_REJECTED, "flow-blocked", _CODES),
    132069: CodeMeaning(_REJECTED, "flow-throttled", _CODES),
    135000: CodeMeaning(_REJECTED, "generic-user-error", _CODES),
}

#: Code 100 says that a parameter is wrong; these are the same for every message of the lane, so none is to blame.
_NOT_THIS_MESSAGE: Final = (
    (r"object with id\b.*does not exist", CodeMeaning(_UNAVAILABLE, "unknown-phone-number-id", _GRAPH)),
    (r"direct send\b.*(?:isn't|is not|not) enabled", CodeMeaning(_UNAVAILABLE, "direct-send-disabled", _DIRECT)),
)
_INVALID_PARAMETER: Final = 100

#: Where something in front of Meta answered, by status, then by its first digit.
_STATUSES: Final[dict[int, tuple[FailureClass, str]]] = {
    401: (_UNAVAILABLE, "bad-credentials"),
    413: (_REJECTED, "too-large"),
    429: (_THROTTLED, "throttled"),
    3: (_UNAVAILABLE, "redirected"),
    4: (_UNAVAILABLE, "refused-by-web-server"),
    # Nobody knows whether Meta saw the message.
    5: (FailureClass.UNCERTAIN, "gateway-error"),
}
_UNCLEAR: Final = (FailureClass.UNCERTAIN, "unclear-answer")

#: Long enough for a whole text, so that a quoted one is found and taken out.
_LONGEST_WORDS = 10_000
_LARGEST_CODE = 9_999_999
_LONGEST_ID = 512


def classify(answer: Answer, private: Iterable[str] = (), now: float | None = None) -> SendResult:
    """Turn Meta's answer to `/messages` into a result.

    Args:
        answer: what came over HTTP; any bytes at all.
        private: texts that must not appear in the result's detail.
        now: unix seconds, to turn a date that the answer states into a wait; without it none is.
    """
    fields = json_object(answer.body)
    error = fields.get("error")
    if isinstance(error, dict):
        return _refusal(answer, error, private, now)
    if is_success(answer.status):
        if provider_id := _message_id(fields):
            return Sent(provider_id)
        return Failed(*_UNCLEAR, f"HTTP {answer.status} without the id of a message")
    failure_class, code = _STATUSES.get(answer.status) or _STATUSES.get(answer.status // 100, _UNCLEAR)
    return Failed(failure_class, code, f"HTTP {answer.status} without a reason", answer.retry_after)


def meaning_of(code: object, words: str = "") -> CodeMeaning | None:
    """What a code of Meta's means, in an answer or in a receipt; None for one that is not in the table.

    Args:
        code: as it came in the JSON.
        words: what Meta said with it.
    """
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    if code == _INVALID_PARAMETER:
        for pattern, meaning in _NOT_THIS_MESSAGE:
            if re.search(pattern, words, re.IGNORECASE | re.DOTALL):
                return meaning
    return MEANINGS.get(code)


def words_of(error: dict[str, Any]) -> str:
    """What an error says for people: its message and its details."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    said = [text for text in (error.get("message") or error.get("title"), details) if isinstance(text, str)]
    return " ".join(dict.fromkeys(said)).strip()[:_LONGEST_WORDS]


def _refusal(answer: Answer, error: dict[str, Any], private: Iterable[str], now: float | None) -> Failed:
    words = words_of(error)
    code = error.get("code")
    detail = quote(words, private) or f"HTTP {answer.status} without a reason"
    if is_success(answer.status):
        return Failed(FailureClass.UNCERTAIN, "contradiction", detail)
    meaning = meaning_of(code, words)
    if meaning is not None:
        waits = [wait for wait in (answer.retry_after, meaning.wait) if wait is not None]
        return Failed(meaning.failure_class, meaning.code, _numbered(detail, code), max(waits, default=None))
    if is_cold_refusal(words):
        wait = None if now is None else stated_wait(error, now)
        return Failed(*COLD_REFUSED, _numbered(detail, code), wait or answer.retry_after)
    failure_class, own_code = _by_status(answer.status, is_transient=error.get("is_transient") is True)
    return Failed(failure_class, own_code, _numbered(detail, code), answer.retry_after)


def _by_status(status: int, *, is_transient: bool) -> tuple[FailureClass, str]:
    """The class of an error of Meta's whose code is not in the table."""
    if status in {401, 429}:
        return _STATUSES[status]
    # Meta itself said no, so nothing was sent.
    if is_transient or status // 100 == 5:  # noqa: PLR2004 (the server errors)
        return _TRANSIENT, "server-error"
    # Given up rather than tried again: it says that nothing was sent, and does not say that later is better.
    return (_REJECTED, "unrecognised") if status // 100 == 4 else _STATUSES.get(status // 100, _UNCLEAR)  # noqa: PLR2004


def _numbered(detail: str, code: object) -> str:
    """The detail with Meta's code in front, to look it up."""
    is_code = type(code) is int and 0 <= code <= _LARGEST_CODE
    return quote(f"({code}) {detail}") if is_code else detail


def _message_id(fields: dict[str, Any]) -> str | None:
    messages = fields.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    found = first.get("id") if isinstance(first, dict) else None
    if isinstance(found, str) and found.isprintable() and 0 < len(found) <= _LONGEST_ID:
        return found
    return None
