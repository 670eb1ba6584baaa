"""A message's life, as one table: what each event means for its message. Pure.

The consumer's ledger, the history, the pace, the metrics, the dashboard and the docs read it; an outcome is added here.
The columns of `LIFECYCLE`:

event          its name
word, tone     what people read (English; the dashboard's message id), and how it looks to them
state          where the message is afterwards, as the history tells it; None where the event alone does not say so
copy           what the copy that the event is about can still do, as the consumer's ledger keeps it; None where the
               consumer does not depend on it
superseded     what known fact makes the event old news (`is_superseded`)
attempt        whether it begins or ends an attempt: only the consumer whose turn it is writes these, and each end of an
               attempt counts for the pace (the delay begins) and, by its failure class, towards the most attempts
end            whether the message has come to its end, and whether an attempt led there; its state is then what
               publishers are told
author         whose name its `source` is
brings_copy    a copy of the next generation is in the broker
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Final, Literal

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass

Tone = Literal["", "good", "wait", "bad"]


class CopyState(StrEnum):
    """What is known of one copy of a message: what a delivery of it may still lead to."""

    #: It is in its queue, or on the ladder, and no attempt of it is known.
    WAITING = "waiting"
    #: An attempt began and has no outcome yet.
    SENDING = "sending"
    #: The provider accepted it; it is never sent again.
    SENT = "sent"
    #: An attempt failed; its consequence (a retry, a dead letter) is not in the broker yet.
    FAILED = "failed"
    #: The lane had to wait, or its messages to new contacts; the message itself did nothing wrong: it is tried again as
    #: if for the first time.
    HELD = "held"
    #: A copy for the next attempt is on the ladder; this copy is spent.
    RETRYING = "retrying"
    #: A copy is in the dead-letter queue, or was taken back out; this copy is spent.
    DEAD = "dead"
    #: Not sent on purpose: duplicate, expired, cancelled or cleared.
    CLOSED = "closed"


#: States after which a delivery of the same copy has nothing left to do.
SPENT: Final = frozenset({CopyState.RETRYING, CopyState.DEAD, CopyState.CLOSED})

#: States of a copy that is in its place, without an attempt under way.
_IN_PLACE = frozenset({CopyState.WAITING, CopyState.FAILED, CopyState.HELD})


class MessageState(StrEnum):
    """Where a message is."""

    #: Waits on the delay ladder for a time of its own.
    SCHEDULED = "scheduled"
    #: Waits on the delay ladder because of a rule of its lane.
    HELD = "held"
    #: Waits in its lane's queue.
    WAITING = "waiting"
    #: An attempt has begun and has no outcome.
    SENDING = "sending"
    #: Waits on the delay ladder for another attempt.
    RETRYING = "retrying"
    #: The provider accepted it.
    SENT = "sent"
    #: The provider accepted it, and said later that it did not arrive; what follows of that is not in the broker yet.
    FAILED = "failed"
    #: Given up; its dead letter is in the dead-letter queue.
    DEAD = "dead"
    #: Its time was over before it could be sent.
    EXPIRED = "expired"
    #: Its recipient does not want such messages.
    OPTED_OUT = "opted_out"
    #: An admin cancelled it.
    CANCELLED = "cancelled"
    #: An admin cleared the queue that it waited in.
    CLEARED = "cleared"
    #: Its idempotency key was taken.
    DUPLICATE = "duplicate"
    #: Given up, and an admin deleted the dead letter.
    PURGED = "purged"


class AttemptStep(Enum):
    """What an event says about an attempt."""

    BEGINS = auto()
    ENDS = auto()


class End(Enum):
    """How a message came to its end."""

    #: By an attempt, or by its consequence.
    ATTEMPTED = auto()
    #: It was taken out before it could be sent.
    UNATTEMPTED = auto()


class Superseded(Enum):
    """What makes an event say nothing new, beside a send, which supersedes everything."""

    #: Nothing but a send: it counts whatever happened since.
    BY_SEND = auto()
    #: A later copy of the message.
    BY_LATER_COPY = auto()
    #: A later copy; or that this copy is spent, or a later attempt of it began.
    BY_LATER_ATTEMPT = auto()
    #: A later copy; or that this very attempt is not under way, unless only its beginning is missing.
    BY_END_OF_ATTEMPT = auto()
    #: As by a later attempt, and not by a send: this is what became of it.
    BY_END_OF_COPY = auto()


class Author(Enum):
    """Whose name the source of an event is."""

    CONSUMER = auto()
    OPERATOR = auto()
    PUBLISHER = auto()


@dataclass(frozen=True, slots=True)
class LifecycleRow:
    """One row of the table; the module says what the columns are."""

    event: EventName
    word: str
    tone: Tone = ""
    state: MessageState | None = None
    copy: CopyState | None = None
    superseded: Superseded = Superseded.BY_LATER_COPY
    attempt: AttemptStep | None = None
    end: End | None = None
    author: Author = Author.CONSUMER
    brings_copy: bool = False


@dataclass(frozen=True, slots=True)
class StateRow:
    """What a state means.

    Attributes:
        word: what people read.
        tone: how it looks to them.
        copy: what the latest copy of the message can still do.
        is_final: whether nothing leads out of it but a re-drive or an undo.
    """

    word: str
    tone: Tone
    copy: CopyState
    is_final: bool = False


_E, _S, _C, _A, _End, _By, _OPERATOR = EventName, MessageState, CopyState, AttemptStep, End, Superseded, Author.OPERATOR

_ROWS = (
    LifecycleRow(_E.CHOSEN, "Chosen to be sent"),
    LifecycleRow(_E.SENDING, "Attempt begins", "", _S.SENDING, _C.SENDING, _By.BY_LATER_ATTEMPT, _A.BEGINS),
    LifecycleRow(_E.SENT, "Sent", "good", _S.SENT, _C.SENT, _By.BY_SEND, _A.ENDS, _End.ATTEMPTED),
    # Until its consequence is known, the message is back where it came from; after a hold of the lane, it stays there.
    LifecycleRow(_E.FAILED, "Attempt failed", "bad", _S.WAITING, _C.FAILED, _By.BY_END_OF_ATTEMPT, _A.ENDS),
    LifecycleRow(
        _E.UNCERTAIN, "Attempt without an outcome", "wait", _S.WAITING, _C.FAILED, _By.BY_END_OF_ATTEMPT, _A.ENDS
    ),
    # The one event that a send does not supersede: it takes the send back. What follows of it is a copy of its own.
    LifecycleRow(_E.UNDELIVERED, "Not delivered", "bad", _S.FAILED, _C.DEAD, _By.BY_END_OF_COPY, author=_OPERATOR),
    LifecycleRow(_E.RETRYING, "Will be tried again", "wait", _S.RETRYING, _C.RETRYING, brings_copy=True),
    # The same copy is back on the ladder, and nothing was tried: no knowledge of the copy is lost by it.
    LifecycleRow(_E.POSTPONED, "Postponed", "wait", _S.SCHEDULED),
    LifecycleRow(_E.HELD, "Held", "wait", _S.HELD),
    LifecycleRow(_E.RELEASED, "Released", "", _S.WAITING, author=_OPERATOR),
    LifecycleRow(_E.DEAD, "Given up", "bad", _S.DEAD, _C.DEAD, end=_End.ATTEMPTED),
    LifecycleRow(_E.DUPLICATE, "Not sent: duplicate key", "", _S.DUPLICATE, _C.CLOSED, end=_End.UNATTEMPTED),
    LifecycleRow(_E.EXPIRED, "Not sent: expired", "bad", _S.EXPIRED, _C.CLOSED, end=_End.UNATTEMPTED),
    LifecycleRow(_E.OPTED_OUT, "Not sent: opted out", "", _S.OPTED_OUT, _C.CLOSED, end=_End.UNATTEMPTED),
    LifecycleRow(_E.CANCELLED, "Cancelled", "", _S.CANCELLED, _C.CLOSED, end=_End.UNATTEMPTED),
    LifecycleRow(
        _E.CLEARED, "Cleared from the queue", "", _S.CLEARED, _C.CLOSED, end=_End.UNATTEMPTED, author=_OPERATOR
    ),
    # The broker may still refuse the copy; then the letter stays. So only the arrival of the copy ends the letter.
    LifecycleRow(_E.REDRIVEN, "Re-driven", "good", None, _C.DEAD, author=_OPERATOR, brings_copy=True),
    LifecycleRow(_E.CANCELLING, "Cancellation requested", author=_OPERATOR),
    LifecycleRow(_E.UNCANCELLED, "Cancellation undone", "good", author=_OPERATOR),
    # No end: it came to that when it was given up. And the id on an unreadable letter may be that of a good message,
    # so the consumer must not learn from it that anything is spent.
    LifecycleRow(_E.PURGED, "Deleted", "", _S.PURGED, author=_OPERATOR),
    # The copy that was taken out stays spent. A cancellation is not taken back: an undo brings back what was there, and
    # that was a message not to be sent.
    LifecycleRow(_E.RESTORED, "Restored by an undo", "good", None, _C.CLOSED, author=_OPERATOR, brings_copy=True),
    LifecycleRow(_E.BARRIER, "Mark of a consumer"),
    LifecycleRow(_E.CONTACT_KNOWN, "Contacts known", "good", author=_OPERATOR),
    LifecycleRow(_E.CONTACT_OPTED_OUT, "Opted out", author=_OPERATOR),
    LifecycleRow(_E.CONTACT_OPTED_IN, "Opted in again", "good", author=_OPERATOR),
    LifecycleRow(_E.CONTACT_LINKED, "Identity linked", author=_OPERATOR),
    LifecycleRow(_E.COLD_RELEASED, "New contacts allowed again", "good", author=_OPERATOR),
    LifecycleRow(_E.RECEIPT_STATUS, "Receipt", author=_OPERATOR),
    LifecycleRow(_E.RECEIPT_INBOUND, "Message from the person", author=_OPERATOR),
    LifecycleRow(_E.RECEIPT_SESSION, "Connection of the sender", author=_OPERATOR),
    LifecycleRow(_E.RECEIPT_ACCOUNT, "Notice about the account", author=_OPERATOR),
    LifecycleRow(_E.RECEIPT_UNREADABLE, "Unreadable receipt", "bad", author=_OPERATOR),
    LifecycleRow(_E.NOTED, "Note written", author=_OPERATOR),
    LifecycleRow(_E.LANE_PAUSED, "Sending paused", "wait", author=_OPERATOR),
    LifecycleRow(_E.LANE_RESUMED, "Sending resumed", "good", author=_OPERATOR),
    LifecycleRow(_E.LANE_FORCED, "Next message sent at once", author=_OPERATOR),
    LifecycleRow(_E.LANE_TRIED, "Exactly one message sent", author=_OPERATOR),
    LifecycleRow(_E.LANE_CLEARED, "Queue cleared", author=_OPERATOR),
    LifecycleRow(_E.LANES_ACCEPTED, "Change of lanes begins", author=_OPERATOR),
    LifecycleRow(_E.LANES_APPLIED, "Lanes changed", "good", author=_OPERATOR),
    LifecycleRow(_E.LANES_REFUSED, "Change of lanes refused", "bad", author=_OPERATOR),
    LifecycleRow(_E.DEAD_PURGED, "Dead letters deleted", author=_OPERATOR),
    LifecycleRow(_E.UNDO_BEGAN, "Undo begins", author=_OPERATOR),
    LifecycleRow(_E.UNDO_DONE, "Undo done", "good", author=_OPERATOR),
    LifecycleRow(_E.JOB_STARTED, "Re-drive started", author=_OPERATOR),
    LifecycleRow(_E.JOB_PROGRESS, "Re-drive goes on", author=_OPERATOR),
    LifecycleRow(_E.JOB_CANCELLING, "Re-drive is being cancelled", "wait", author=_OPERATOR),
    LifecycleRow(_E.JOB_FINISHED, "Re-drive finished", "good", author=_OPERATOR),
    LifecycleRow(_E.AUDIT_ALLOWED, "Allowed", author=_OPERATOR),
    LifecycleRow(_E.AUDIT_DENIED, "Denied", "bad", author=_OPERATOR),
    # Arrivals: a copy says by itself where it is, so the history compares generations only.
    LifecycleRow(_E.QUEUED, "Queued", "", _S.WAITING, author=Author.PUBLISHER),
    LifecycleRow(_E.SCHEDULED, "Scheduled", "wait", _S.SCHEDULED, author=Author.PUBLISHER),
    LifecycleRow(_E.BURIED, "Given up", "bad", _S.DEAD),
)

#: By the event's name; names of a newer version are not in it.
LIFECYCLE: Final[Mapping[str, LifecycleRow]] = MappingProxyType({row.event: row for row in _ROWS})

STATES: Final[Mapping[MessageState, StateRow]] = MappingProxyType(
    {
        _S.SCHEDULED: StateRow("scheduled", "wait", _C.WAITING),
        _S.HELD: StateRow("held", "wait", _C.WAITING),
        _S.WAITING: StateRow("waiting", "wait", _C.WAITING),
        _S.SENDING: StateRow("being sent", "good", _C.SENDING),
        # The copy that the retry brought is of the next generation.
        _S.RETRYING: StateRow("waits for another attempt", "wait", _C.WAITING),
        _S.SENT: StateRow("sent", "good", _C.SENT, is_final=True),
        _S.FAILED: StateRow("not delivered", "bad", _C.DEAD, is_final=True),
        _S.DEAD: StateRow("given up", "bad", _C.DEAD, is_final=True),
        _S.EXPIRED: StateRow("expired", "bad", _C.CLOSED, is_final=True),
        _S.OPTED_OUT: StateRow("opted out", "", _C.CLOSED, is_final=True),
        _S.CANCELLED: StateRow("cancelled", "", _C.CLOSED, is_final=True),
        _S.CLEARED: StateRow("cleared", "", _C.CLOSED, is_final=True),
        _S.DUPLICATE: StateRow("duplicate", "", _C.CLOSED, is_final=True),
        _S.PURGED: StateRow("deleted", "", _C.DEAD, is_final=True),
    }
)


# What follows from the table.

#: Events that mark the end of a call to the provider: the pace begins anew with each.
ATTEMPT_ENDS: Final = frozenset(row.event for row in _ROWS if row.attempt is AttemptStep.ENDS)

#: Events that end an attempt without a recorded send.
FAILURES: Final = ATTEMPT_ENDS - {EventName.SENT}

#: Events that only the consumer whose turn it is writes.
ACTIVE_WORK: Final = frozenset(row.event for row in _ROWS if row.attempt is not None)

#: How a message ended, by the event that says so: the word for publishers and in the metrics.
ENDS: Final[Mapping[str, str]] = MappingProxyType(
    {row.event: row.state.value for row in _ROWS if row.end and row.state}
)

#: Ends that an attempt led to.
ENDS_BY_ATTEMPT: Final = frozenset(row.event for row in _ROWS if row.end is End.ATTEMPTED)

#: Events after which a copy waits on the delay ladder for the message's next attempt.
JOINS_LADDER: Final = frozenset(row.event for row in _ROWS if row.copy is CopyState.RETRYING)

#: Events after which a message no longer waits for its next attempt.
LEAVES_LADDER: Final = frozenset(
    row.event for row in _ROWS if row.attempt is AttemptStep.BEGINS or row.end is End.UNATTEMPTED
)

#: States that nothing leads out of but a re-drive or an undo; and those that a message has not come to an end in.
FINAL: Final = frozenset(state for state, row in STATES.items() if row.is_final)
OPEN: Final = frozenset(MessageState) - FINAL

#: States of messages that nobody is sending, and that have their turn or their time before them.
PENDING: Final = OPEN - {MessageState.SENDING}


# Every event of a lane passes here, and a member of an enum is found slowly by its name.
_FAILED, _IS_SENDING, _IS_SENT, _IS_RETRYING = EventName.FAILED, _C.SENDING, _C.SENT, _C.RETRYING
_BY_SEND, _BY_LATER_ATTEMPT, _BY_END = _By.BY_SEND, _By.BY_LATER_ATTEMPT, _By.BY_END_OF_ATTEMPT
_BY_END_OF_COPY = _By.BY_END_OF_COPY
_BY_ATTEMPT = (_BY_LATER_ATTEMPT, _BY_END_OF_COPY)


def word(event: str) -> str:
    """What people read about an event, as it stands within a sentence; its name where the table does not know it."""
    row = LIFECYCLE.get(event)
    return row.word[0].lower() + row.word[1:] if row else event


def copy_after(event: Event) -> CopyState | None:
    """What the copy that an event is about can still do afterwards; None where the consumer learns nothing from it."""
    row = LIFECYCLE.get(event.name)
    if row is None:
        return None
    if row.event is _FAILED and FailureClass.read(event.details.get("failure_class")).keeps_copy:
        return CopyState.HELD
    return row.copy


def ordinal(generation: int, attempt: int) -> int:
    """A number that grows with every attempt of a message."""
    return (generation << 20) + attempt


def is_superseded(event: Event, *, state: CopyState, generation: int, attempt: int, taken_back: int = -1) -> bool:
    """Whether an event says nothing new: a consumer that lost its connection in the middle of a send reports late.

    Args:
        event: any that the table knows.
        state: of the latest copy of its message that is known.
        generation: which copy that is.
        attempt: the latest attempt that is known; 0 for none.
        taken_back: `ordinal` of the latest send that did not arrive; -1 for none.
    """
    rule = LIFECYCLE[event.name].superseded
    if (state is _IS_SENT or rule is _BY_SEND) and rule is not _BY_END_OF_COPY:
        # A connection that broke may have had a send written twice, and it was taken back meanwhile.
        return state is _IS_SENT or (taken_back >= 0 and ordinal(event.generation, event.attempt) <= taken_back)
    if state is _IS_RETRYING:
        # Its successor is on the ladder, and no attempt of that is known.
        return event.generation <= generation
    if generation != event.generation:
        return event.generation < generation
    if rule in _BY_ATTEMPT:
        return state in SPENT or event.attempt < attempt
    if rule is _BY_END:
        is_under_way = state is _IS_SENDING and event.attempt == attempt
        # A gap may have swallowed the beginning of an attempt, but never an attempt that is over.
        return not is_under_way and not (state in _IN_PLACE and event.attempt > attempt)
    return False
