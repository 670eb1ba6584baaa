"""How the sandbox answers: pure functions of the request, the mode and how often the number was answered before.

The simulator numbers, by their last four digits:

    9001  not on WhatsApp                     9005  answers after 5 s
    9002  fails every time                    9006  is accepted, and never answered
    9003  fails twice, then succeeds          9007  is accepted, then the connection is dropped
    9004  429 with `Retry-After: 5`, once     9008  not on WhatsApp, in MPWA's own ambiguous words
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

INVALID_IDENTITY = "Invalid api_key or sender,please check again"
INVALID_FIELDS = "Invalid parameters!"
FAILED = "Failed to send message!"
NOT_ON_WHATSAPP = "The number is not registered on WhatsApp"
#: A gateway hands on what WhatsApp answers while a sender may not begin new chats.
COLD_REFUSED = "Failed to send message! server returned error 463"
AMBIGUOUS = "The destination Number not registered in WhatsApp or your sender not connected"

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
        seconds: what `slow` and 9005 take, and what `throttle` and 9004 ask for.
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


@dataclass(frozen=True, slots=True)
class Submission:
    """A request to `/send-message` that has all its fields; the key is looked at and not kept."""

    sender: str
    number: str
    message: str
    full: bool = False

    @property
    def digits(self) -> str:
        """The number as MPWA reads it."""
        return digits_of(self.number)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sandbox answers.

    Args:
        answered: the word for it in the list of requests; None for a request that is not listed.
        status: the HTTP status.
        body: becomes JSON; None is a proxy's page that has no body of the provider.
        headers: on top of the usual ones.
        after: seconds to wait before answering.
        ending: whether there is an answer at all.
        counted: whether the number's script goes one step further with it.
    """

    answered: str | None
    status: int = 400
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    ending: Ending = Ending.ANSWER
    counted: bool = False


def failure(msg: str, answered: str | None = None) -> Reply:
    """Answer as MPWA answers every failure: 400 and a text."""
    return Reply(answered, 400, {"status": False, "msg": msg})


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message that a person writes to the sender; see `/_sandbox/inbound`."""

    number: str
    text: str


def read_submission(fields: object) -> Submission | Reply:
    """Check the fields of a request to `/send-message`, in MPWA's order: identity first."""
    if not isinstance(fields, Mapping):
        return failure(INVALID_FIELDS)
    api_key, sender = _text(fields.get("api_key")), _text(fields.get("sender"))
    if not api_key or not sender:
        return failure(INVALID_IDENTITY)
    number, message = _text(fields.get("number")), fields.get("message")
    # MPWA takes several receivers with pipes between them. We promise one per call, so a list is a bug to be shown.
    if not re.fullmatch(r"\+?[0-9][0-9 ()-]{4,24}", number) or not isinstance(message, str) or not message:
        return failure(INVALID_FIELDS)
    return Submission(sender, number, message, full=bool(fields.get("full")))


def reply_to(submission: Submission, mode: Mode, earlier: int, provider_id: str, *, known: bool = True) -> Reply:
    """Decide about one message.

    Args:
        submission: the message.
        mode: how everyone is treated now.
        earlier: how many counted replies this number has had.
        provider_id: the id that the message gets if it is sent.
        known: whether the number wrote, or received a message, before.
    """
    match mode.name:
        case ModeName.DOWN:
            reply = down("unavailable")
        case ModeName.UNAUTHORIZED:
            reply = failure(INVALID_IDENTITY, "unauthorized")
        case ModeName.THROTTLE:
            reply = _throttled(mode.seconds)
        case ModeName.DISCONNECTED:
            reply = _ambiguous("disconnected")
        case ModeName.COLD_REFUSED if not known:
            reply = _cold_refused(mode.until)
        case ModeName.SLOW:
            reply = replace(_scripted(submission, mode, earlier, provider_id), after=mode.seconds)
        case ModeName.OK | ModeName.COLD_REFUSED:
            reply = _scripted(submission, mode, earlier, provider_id)
    return reply


def check_number(fields: object, mode: Mode) -> Reply:
    """Answer `/check-number`: is this number on WhatsApp, as far as the sender's connection can tell."""
    if mode.name is ModeName.DOWN:
        return down()
    if not isinstance(fields, Mapping) or not (_text(fields.get("api_key")) and _text(fields.get("sender"))):
        return failure(INVALID_IDENTITY)
    if mode.name is ModeName.UNAUTHORIZED:
        return failure(INVALID_IDENTITY)
    digits = digits_of(_text(fields.get("number")))
    if not digits:
        return failure(INVALID_FIELDS)
    if mode.name is ModeName.DISCONNECTED or digits.endswith(("9001", "9008")):
        return Reply(None, 200, {"status": True, "msg": False})
    return Reply(None, 200, {"status": True, "msg": {"jid": f"{digits}@s.whatsapp.net", "exists": True}})


def down(answered: str | None = None) -> Reply:
    """Answer as a proxy does while the panel behind it is gone."""
    return Reply(answered, 503)


def _scripted(submission: Submission, mode: Mode, earlier: int, provider_id: str) -> Reply:
    sent = _sent(submission, provider_id)
    scripts = {
        "9001": failure(NOT_ON_WHATSAPP, "rejected"),
        "9002": failure(FAILED, "failed"),
        "9003": replace(failure(FAILED, "failed") if earlier < _FAILURES_OF_9003 else sent, counted=True),
        "9004": replace(_throttled(mode.seconds) if earlier == 0 else sent, counted=True),
        "9005": replace(sent, after=mode.seconds),
        "9006": replace(sent, answered="never", ending=Ending.SILENCE),
        "9007": replace(sent, answered="dropped", ending=Ending.DROP),
        "9008": _ambiguous("rejected"),
    }
    return scripts.get(submission.digits[-4:], sent)


def _sent(submission: Submission, provider_id: str) -> Reply:
    if not submission.full:
        return Reply("sent", 200, {"status": True, "msg": "Message sent successfully!"})
    key = {"remoteJid": f"{submission.digits}@s.whatsapp.net", "fromMe": True, "id": provider_id}
    text = {"extendedTextMessage": {"text": submission.message}}
    return Reply("sent", 200, {"status": True, "data": {"key": key, "message": text}})


def _throttled(seconds: float) -> Reply:
    headers = {"Retry-After": str(math.ceil(seconds))}
    return Reply("throttled", 429, {"message": "Too Many Attempts."}, headers)


def _cold_refused(until: float | None) -> Reply:
    body: dict[str, Any] = {"status": False, "msg": COLD_REFUSED}
    if until is not None:
        # As the clients of WhatsApp's own protocol state it, where they were told.
        ends = datetime.fromtimestamp(until, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        enforcement = {"isActive": True, "enforcementType": "RESTRICT_ALL_COMPANIONS", "timeEnforcementEnds": ends}
        body["reachoutTimeLock"] = enforcement
    return Reply("cold-refused", 500, body)


def _ambiguous(answered: str) -> Reply:
    # The panel hands on its node process's failures like this: a 200, and `message` instead of `msg`.
    return Reply(answered, 200, {"status": False, "message": AMBIGUOUS})


def _text(value: object) -> str:
    # Callers in other languages write numbers without quotes; a bool would be one too.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def digits_of(number: str) -> str:
    """The digits of a number, which is what names it here."""
    return re.sub(r"[^0-9]", "", number)
