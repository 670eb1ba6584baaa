"""The headers of a message on the wire: our own `antrian-*`, the failures that they carry, and the trace.

Other programs must not set ours. So one that is there but makes no sense is not repaired but refused (`bad-header`):
falling back to attempt 1 could retry a message for ever, while a dead letter is seen and can be sent again by hand. A
message without them is simply new. Of other people's headers only `traceparent` and `tracestate` travel on, and only
when they are well-formed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from antrian.domain.errors import MalformedMessage
from antrian.domain.lenient_headers import is_undecodable
from antrian.domain.trace_context import TRACEPARENT, TRACESTATE, TraceContext, read_trace, write_trace

ATTEMPT = "antrian-attempt"
GENERATION = "antrian-generation"
QUEUED_AT = "antrian-queued-at"
DUE_AT = "antrian-due-at"
FAILURES = "antrian-failures"
WAITS = "antrian-waits"
#: Why the copy waits on the delay ladder, where a rule of its lane put it there: so it is found without any history.
#: It is for those who look through the ladder; a message does not have it, and no copy that is made of one.
HOLD = "antrian-hold"

#: The largest count or millisecond that makes sense: AMQP's signed 32 bits, and the last moment of the year 9999.
LARGEST_COUNT = 2**31 - 1
LATEST_MILLISECOND = 253_402_300_799_999

#: Failures kept: the first tells what began it, the latest what it is now. All must fit one AMQP frame.
FIRST_FAILURES_KEPT = 1
LAST_FAILURES_KEPT = 9
LONGEST_DETAIL = 200
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """One attempt that did not send the message.

    Args:
        attempt: its number, from 1; 0 for a delivery that was refused before any attempt.
        at: when it ended, in unix seconds.
        failure_class: `transient`, `rejected`, `recipient_busy`, … as the provider's adapter decided.
        code: the provider's or our own short constant for machines.
        detail: one sentence for people, at most 200 characters on the wire; never the text or the number.
    """

    attempt: int
    at: float
    failure_class: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class AttemptHistory:
    """What the headers say about the way behind a message; a time is None when they do not say."""

    attempt: int = 1
    generation: int = 0
    queued_at: float | None = None
    failures: tuple[AttemptFailure, ...] = ()
    trace: TraceContext | None = None
    due_at: float | None = None


class Travelled(Protocol):
    """What has a way behind it: a `AttemptHistory`, or a message itself."""

    @property
    def attempt(self) -> int:
        """See `AttemptHistory`."""

    @property
    def generation(self) -> int:
        """See `AttemptHistory`."""

    @property
    def queued_at(self) -> float | None:
        """See `AttemptHistory`."""

    @property
    def failures(self) -> tuple[AttemptFailure, ...]:
        """See `AttemptHistory`."""

    @property
    def trace(self) -> TraceContext | None:
        """See `AttemptHistory`."""

    @property
    def due_at(self) -> float | None:
        """See `AttemptHistory`."""


_NEW = AttemptHistory()


def bounded(failures: tuple[AttemptFailure, ...]) -> tuple[AttemptFailure, ...]:
    """The failures that are kept: the first, and the last nine."""
    if len(failures) <= FIRST_FAILURES_KEPT + LAST_FAILURES_KEPT:
        return failures
    return failures[:FIRST_FAILURES_KEPT] + failures[-LAST_FAILURES_KEPT:]


def write(travelled: Travelled) -> dict[str, Any]:
    """The AMQP header table of a message; times become whole milliseconds."""
    headers: dict[str, Any] = {ATTEMPT: travelled.attempt}
    if travelled.queued_at is not None:
        headers[QUEUED_AT] = round(travelled.queued_at * 1000)
    if travelled.due_at is not None:
        headers[DUE_AT] = round(travelled.due_at * 1000)
    if travelled.generation:
        headers[GENERATION] = travelled.generation
    if travelled.trace is not None:
        headers |= write_trace(travelled.trace)
    return headers | write_failures(travelled.failures) if travelled.failures else headers


def mark_held(headers: Mapping[str, Any] | None, reason: str) -> dict[str, Any]:
    """The headers of a copy that a rule of its lane puts on the delay ladder.

    Args:
        headers: of the copy.
        reason: a `HoldReason`.
    """
    return {**(headers or {}), HOLD: reason}


def held_for(headers: object) -> str | None:
    """Why a copy was put on the delay ladder; None for one that waits there for a time of its own."""
    reason = headers.get(HOLD) if isinstance(headers, Mapping) else None
    return reason if isinstance(reason, str) else None


def write_failures(failures: tuple[AttemptFailure, ...]) -> dict[str, Any]:
    """The header that carries failures alone."""
    return {FAILURES: [_failure_table(failure) for failure in bounded(failures)]}


def _failure_table(failure: AttemptFailure) -> dict[str, Any]:
    return {
        "attempt": failure.attempt,
        "at": round(failure.at * 1000),
        "class": _writable(failure.failure_class, LONGEST_NAME),
        "code": _writable(failure.code, LONGEST_NAME),
        "detail": _writable(failure.detail, LONGEST_DETAIL),
    }


def _writable(text: str, longest: int) -> str:
    # A provider's JSON answer may hold half a surrogate pair, which cannot be written as UTF-8.
    return text[:longest].encode(errors="replace").decode()


def read(headers: object) -> AttemptHistory:
    """What a header table says; headers of other people are left alone.

    Raises:
        MalformedMessage: `bad-header`, naming the header, when one of ours has a wrong type or an absurd value.
    """
    if not headers:
        return _NEW
    if not isinstance(headers, Mapping) or is_undecodable(headers):
        raise MalformedMessage("bad-header", "the headers are not a table that can be read")
    return AttemptHistory(
        attempt=_whole(headers.get(ATTEMPT, 1), ATTEMPT, smallest=1),
        generation=_whole(headers.get(GENERATION, 0), GENERATION),
        queued_at=_moment(headers, QUEUED_AT),
        failures=_failures(headers.get(FAILURES)),
        trace=read_trace(headers.get(TRACEPARENT), headers.get(TRACESTATE)),
        due_at=_moment(headers, DUE_AT),
    )


def read_failures(headers: object) -> tuple[AttemptFailure, ...]:
    """The failures in a header table.

    Raises:
        MalformedMessage: `bad-header`.
    """
    return _failures(headers.get(FAILURES) if isinstance(headers, Mapping) else None)


def _failures(value: object) -> tuple[AttemptFailure, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise MalformedMessage("bad-header", f"{FAILURES} must be an array of tables")
    return tuple(_failure(entry) for entry in bounded(tuple(value)))


def _whole(value: object, header: str, smallest: int = 0, largest: int = LARGEST_COUNT) -> int:
    # True is an int to Python and a boolean on the wire.
    if not isinstance(value, int) or isinstance(value, bool) or not smallest <= value <= largest:
        raise MalformedMessage("bad-header", f"{header} must be a whole number from {smallest} to {largest}")
    return int(value)


def _moment(headers: Mapping[Any, Any], header: str) -> float | None:
    milliseconds = headers.get(header)
    return None if milliseconds is None else _seconds(milliseconds, header)


def _seconds(milliseconds: object, header: str) -> float:
    return _whole(milliseconds, header, largest=LATEST_MILLISECOND) / 1000


def _failure(table: object) -> AttemptFailure:
    if not isinstance(table, Mapping):
        raise MalformedMessage("bad-header", f"{FAILURES} must be an array of tables")
    return AttemptFailure(
        attempt=_whole(table.get("attempt"), f"{FAILURES}.attempt"),
        at=_seconds(table.get("at"), f"{FAILURES}.at"),
        failure_class=_text(table, "class", LONGEST_NAME),
        code=_text(table, "code", LONGEST_NAME),
        detail=_text(table, "detail", LONGEST_DETAIL),
    )


def _text(table: Mapping[Any, Any], key: str, longest: int) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise MalformedMessage("bad-header", f"{FAILURES}.{key} must be text")
    return value[:longest]
