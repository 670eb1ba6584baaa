"""How the sandbox treats a message, in whatever dialect it came: pure, of the mode and what the number had before.

The simulator numbers, by their last four digits:

    9001  not on WhatsApp                     9011  delivered late
    9002  fails every time                    9012  every receipt twice
    9003  fails twice, then succeeds          9013  read before delivered before sent
    9004  429 with `Retry-After: 5`, once     9014  never a receipt
    9005  answers after 5 s                   9015  a failed receipt: it cannot be delivered
    9006  is accepted, and never answered     9016  a failed receipt that allows another attempt, which arrives
    9007  is accepted, then the connection    9017  a failed receipt, and delivered after all
          is dropped
    9008  not on WhatsApp, in words that a dead connection would explain as well, where the provider has such

Those from 9011 on are accepted like any other; see `antrian.sandbox.follow_up`.
"""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

USUAL_SECONDS = 5.0
_FAILURES_OF_9003 = 2


class ModeName(StrEnum):
    """How the sandbox treats everyone."""

    OK = "ok"
    DOWN = "down"
    UNAUTHORIZED = "unauthorized"
    THROTTLE = "throttle"
    SLOW = "slow"
    DISCONNECTED = "disconnected"
    #: New contacts are refused, as WhatsApp does with a sender that wrote to too many strangers.
    COLD_REFUSED = "cold-refused"


@dataclass(frozen=True, slots=True)
class Mode:
    """How the sandbox answers now.

    Args:
        name: how everyone is treated.
        seconds: what `slow`, 9005 and 9011 take, and what `throttle` and 9004 ask for.
        until: when it ends and `ok` begins, unix seconds; None for no end.
    """

    name: ModeName = ModeName.OK
    seconds: float = USUAL_SECONDS
    until: float | None = None

    def at(self, now: float) -> "Mode":
        """The mode at that time."""
        is_over = self.until is not None and now >= self.until
        return Mode(seconds=self.seconds) if is_over else self


class Ending(StrEnum):
    """What becomes of the connection."""

    ANSWER = "answer"
    SILENCE = "silence"
    DROP = "drop"


class AnswerKind(StrEnum):
    """What a dialect is to say."""

    SENT = "sent"
    NOT_ON_WHATSAPP = "not-on-whatsapp"
    #: The number is not on WhatsApp or the sender is not connected: gateways cannot always tell.
    AMBIGUOUS = "ambiguous"
    FAILED = "failed"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"
    DISCONNECTED = "disconnected"
    COLD_REFUSED = "cold-refused"
    DOWN = "down"


class Course(StrEnum):
    """Which receipts follow a message that was accepted."""

    USUAL = "usual"
    LATE = "late"
    TWICE = "twice"
    REVERSED = "reversed"
    NEVER = "never"
    FAILED = "failed"
    FAILED_FOR_NOW = "failed-for-now"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A message to send, as any dialect reads it from a request; the key is looked at and not kept.

    Args:
        sender: the sender as the dialect names it; empty where its key alone says it.
        number: the recipient.
        message: the text; of a template its name and parameters.
        kind: `text` or `template`.
        correlation_id: the client's own name for this attempt, where it gave one.
        full: of MPWA: the answer is to carry WhatsApp's id.
        account: whose sender it is, where the dialect says so.
        callback: of Twilio: where the receipts of this very message go.
    """

    sender: str
    number: str
    message: str
    kind: str = "text"
    correlation_id: str = ""
    full: bool = False
    account: str = ""
    callback: str = field(default="", repr=False)

    @property
    def digits(self) -> str:
        """The digits of the number, which name it here."""
        return digits_of(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one message.

    Args:
        answered: the word for it in the list of requests.
        kind: what the dialect says.
        after: seconds to wait before answering.
        ending: whether there is an answer at all.
        counted: whether the number's script goes one step further with it.
        seconds: what `throttled` asks for.
        until: when `cold-refused` ends, unix seconds; None where that is not known.
        course: which receipts follow, where it was accepted.
    """

    answered: str
    kind: AnswerKind
    after: float = 0.0
    ending: Ending = Ending.ANSWER
    counted: bool = False
    seconds: float = 0.0
    until: float | None = None
    course: Course = Course.USUAL


_SENT = Decision(answered="sent", kind=AnswerKind.SENT)
_FAILED = Decision(answered="failed", kind=AnswerKind.FAILED)


def decide(submission: Submission, mode: Mode, earlier: int, *, known: bool = True) -> Decision:
    """Decide about one message.

    Args:
        submission: the message.
        mode: how everyone is treated now.
        earlier: how many counted decisions this number has had.
        known: whether the number wrote, or received a message, before.
    """
    match mode.name:
        case ModeName.DOWN:
            decision = Decision(answered="unavailable", kind=AnswerKind.DOWN)
        case ModeName.UNAUTHORIZED:
            decision = Decision(answered="unauthorized", kind=AnswerKind.UNAUTHORIZED)
        case ModeName.THROTTLE:
            decision = _throttled(mode.seconds)
        case ModeName.DISCONNECTED:
            decision = Decision(answered="disconnected", kind=AnswerKind.DISCONNECTED)
        case ModeName.COLD_REFUSED if not known:
            decision = Decision(answered="cold-refused", kind=AnswerKind.COLD_REFUSED, until=mode.until)
        case ModeName.SLOW:
            decision = replace(_scripted(submission, mode, earlier), after=mode.seconds)
        case ModeName.OK | ModeName.COLD_REFUSED:
            decision = _scripted(submission, mode, earlier)
    return decision


def is_absent(number: str) -> bool:
    """Whether a number is not on WhatsApp."""
    return digits_of(number).endswith(("9001", "9008"))


def digits_of(number: str) -> str:
    """The digits of a number, which is what names it here."""
    return re.sub(r"[^0-9]", "", number)


def _scripted(submission: Submission, mode: Mode, earlier: int) -> Decision:
    scripts = {
        "9001": Decision(answered="rejected", kind=AnswerKind.NOT_ON_WHATSAPP),
        "9002": _FAILED,
        "9003": replace(_FAILED if earlier < _FAILURES_OF_9003 else _SENT, counted=True),
        "9004": replace(_throttled(mode.seconds) if earlier == 0 else _SENT, counted=True),
        "9005": replace(_SENT, after=mode.seconds),
        "9006": replace(_SENT, answered="never", ending=Ending.SILENCE),
        "9007": replace(_SENT, answered="dropped", ending=Ending.DROP),
        "9008": Decision(answered="rejected", kind=AnswerKind.AMBIGUOUS),
        "9011": replace(_SENT, course=Course.LATE),
        "9012": replace(_SENT, course=Course.TWICE),
        "9013": replace(_SENT, course=Course.REVERSED),
        "9014": replace(_SENT, course=Course.NEVER),
        "9015": replace(_SENT, course=Course.FAILED),
        "9016": replace(_SENT, course=Course.FAILED_FOR_NOW if earlier == 0 else Course.USUAL, counted=True),
        "9017": replace(_SENT, course=Course.CORRECTED),
    }
    return scripts.get(submission.digits[-4:], _SENT)


def _throttled(seconds: float) -> Decision:
    return Decision(answered="throttled", kind=AnswerKind.THROTTLED, seconds=seconds)
