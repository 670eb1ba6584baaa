"""What a provider's answers mean, as a table: the first row that fits decides, and each says where it comes from."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed
from antrian.providers.redaction import quote


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One kind of failure.

    Attributes:
        failure_class: what may be done about it.
        code: see `Failed`.
        source: where the provider, or who met it, says so.
        words: a pattern that its words must have, in any case; empty fits all.
        statuses: HTTP statuses, or their first digit; empty fits all.
        advice: what to do, told instead of the provider's words.
    """

    failure_class: FailureClass
    code: str
    source: str
    words: str = ""
    statuses: Collection[int] = ()
    advice: str = ""

    def fits(self, status: int, said: str) -> bool:
        """Whether an answer with this status and these words is of this kind."""
        if self.statuses and not {status, status // 100} & set(self.statuses):
            return False
        return re.search(self.words, said, re.IGNORECASE | re.DOTALL) is not None

    def failed(self, said: str, status: int, private: Iterable[str] = (), wait: float | None = None) -> Failed:
        """The result of an attempt that was answered so; `private` texts are taken out of the provider's words."""
        detail = self.advice or quote(said, private) or f"HTTP {status} without a reason"
        return Failed(self.failure_class, self.code, detail, wait)


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """What one of a provider's numbered codes means.

    Attributes:
        failure_class: what may be done.
        code: our constant.
        source: where it was read.
        wait: seconds, where it should be longer than the usual.
    """

    failure_class: FailureClass
    code: str
    source: str
    wait: float | None = None


def first_fitting(rows: Iterable[AnswerRow], status: int, said: str) -> AnswerRow | None:
    """The row that decides."""
    return next((row for row in rows if row.fits(status, said)), None)


_HTTP = "RFC 9110"

#: Where a proxy, a web server or a framework answered in the provider's place; the last rows of every table.
WEB_SERVER = (
    AnswerRow(FailureClass.REJECTED, "too-large", f"{_HTTP} §15.5.14", statuses=(413,)),
    AnswerRow(FailureClass.THROTTLED, "throttled", "RFC 6585 §4", statuses=(429,)),
    # A proxy lost the answer of what is behind it: the message may have gone.
    AnswerRow(FailureClass.UNCERTAIN, "gateway-error", f"{_HTTP} §15.6.3", statuses=(502, 504)),
    AnswerRow(FailureClass.UNAVAILABLE, "provider-down", f"{_HTTP} §15.6.4", statuses=(503,)),
    # The address is not quite right (http for https, most likely), so it is the same for every message.
    AnswerRow(FailureClass.UNAVAILABLE, "redirected", f"{_HTTP} §15.4", statuses=(3,)),
    # A wrong path, a wall in front of it: nothing was sent, and it is unknown whose fault it is.
    AnswerRow(FailureClass.UNAVAILABLE, "refused-by-web-server", f"{_HTTP} §15.5", statuses=(4,)),
    AnswerRow(FailureClass.UNCERTAIN, "unclear-answer", "anything else may have been sent"),
)


def is_success(status: int) -> bool:
    """Whether an HTTP status is of the success family."""
    return 200 <= status < 300  # noqa: PLR2004 (the success family)
