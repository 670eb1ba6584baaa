"""What the history tells, as values. Times are unix seconds; `None` stands for what is not known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from antrian.domain import lifecycle

T = TypeVar("T")


#: Where a message is, and where it can stay; the table of a message's life says it.
MessageState = lifecycle.MessageState
FINAL = lifecycle.FINAL
PENDING = lifecycle.PENDING


class DeliveryState(StrEnum):
    """What became of a message that a provider took."""

    #: The provider took it; nothing more is known.
    HANDED_OVER = "handed_over"
    #: It is on the person's telephone.
    DELIVERED = "delivered"
    #: They opened it.
    READ = "read"
    #: The provider says that it did not arrive.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What people read about a delivery (English; the dashboard's message id), and how it looks to them."""

    word: str
    tone: lifecycle.Tone


DELIVERIES: Mapping[DeliveryState, DeliveryRow] = {
    DeliveryState.HANDED_OVER: DeliveryRow("handed over", ""),
    DeliveryState.DELIVERED: DeliveryRow("delivered", "good"),
    DeliveryState.READ: DeliveryRow("read", "good"),
    DeliveryState.FAILED: DeliveryRow("not delivered", "bad"),
}


class SearchState(StrEnum):
    """What messages can be looked for by: their states, and what became of them after a provider took them."""

    SCHEDULED = "scheduled"
    HELD = "held"
    WAITING = "waiting"
    SENDING = "sending"
    RETRYING = "retrying"
    #: Whatever became of it.
    SENT = "sent"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    READ = "read"
    #: Not delivered.
    FAILED = "failed"
    DEAD = "dead"
    EXPIRED = "expired"
    OPTED_OUT = "opted_out"
    CANCELLED = "cancelled"
    CLEARED = "cleared"
    DUPLICATE = "duplicate"
    PURGED = "purged"


def told_apart(wanted: Iterable[SearchState]) -> tuple[frozenset[MessageState], frozenset[DeliveryState]]:
    """The states and the deliveries that are meant; `failed` is both."""
    names = {one.value for one in wanted}
    return (
        frozenset(state for state in MessageState if state.value in names),
        frozenset(delivery for delivery in DeliveryState if delivery.value in names),
    )


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message as it is now.

    Attributes:
        message_id: its own.
        lane: the sender's queue.
        state: where it is.
        priority: the broker's number.
        phone_number: E.164; empty when the message cannot be read.
        text: what is sent; empty when the message cannot be read.
        source: the publishing service.
        idempotency_key: of the publisher; None without one.
        metadata: the publisher's own notes.
        purpose: what kind of message it is, in the publisher's word.
        correlation_id: the publisher's name for the matter.
        queued_at: when the publisher made it.
        expires_at: not sent after this.
        deliver_at: not sent before this, as its body says; None where only its publisher knew.
        due_at: when it comes back from the delay ladder; only while scheduled, held or retrying.
        hold_reason: why it is held, a `HoldReason`'s value or a later version's; only while it is held.
        hold_until: when what holds it ends; None when that is not known. It may come back from the ladder before.
        hold_rule: what set that, as a person who may change it knows it.
        generation: which copy of it is the latest.
        attempt: the latest attempt; 0 before the first.
        provider_id: the provider's name for it.
        failure_class: of the last failure.
        code: of the last failure.
        detail: of the last failure, or why it was not sent.
        sent_at: when the provider accepted it.
        changed_at: when its state changed last.
        copy_of: the message that this one is an edited copy of.
        copied_to: the edited copy of this one.
        undo_id: of the clearing or purge that took it out.
        cancelling: whether its cancellation was requested, and it has not come to its end yet.
        delivery: what became of it after a provider took it; None where none did, or another copy is on its way.
        delivered_at: when it came to the person's telephone, as far as the provider tells.
        read_at: when they opened it.
        undelivered_at: when it turned out that it did not arrive.
        delivery_class: failure class of that; None once it arrived after all.
        delivery_code: code of that.
        delivery_detail: the provider's words for that.
        provider: who took it; None where that is not on record.
    """

    message_id: str
    lane: str
    state: MessageState
    priority: int = 0
    phone_number: str = ""
    text: str = ""
    source: str = ""
    idempotency_key: str | None = None
    metadata: Mapping[str, Any] | None = None
    purpose: str | None = None
    correlation_id: str | None = None
    queued_at: float | None = None
    expires_at: float | None = None
    deliver_at: float | None = None
    due_at: float | None = None
    hold_reason: str | None = None
    hold_until: float | None = None
    hold_rule: str | None = None
    generation: int = 0
    attempt: int = 0
    provider_id: str | None = None
    failure_class: str | None = None
    code: str | None = None
    detail: str | None = None
    sent_at: float | None = None
    changed_at: float | None = None
    copy_of: str | None = None
    copied_to: str | None = None
    undo_id: str | None = None
    cancelling: bool = False
    delivery: DeliveryState | None = None
    delivered_at: float | None = None
    read_at: float | None = None
    undelivered_at: float | None = None
    delivery_class: str | None = None
    delivery_code: str | None = None
    delivery_detail: str | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A message that has an idempotency key.

    Attributes:
        lane: the sender's queue.
        source: the publishing service.
        key: the key; it belongs to lane and source.
        state: where the message is.
        changed_at: since when.
        is_current: whether it came into its queue since the journal was made: what an older one told of queues may
            be gone with it.
    """

    lane: str
    source: str
    key: str
    state: MessageState
    changed_at: float
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class SenderSession:
    """How a lane's sender is connected, as its provider told it last.

    Attributes:
        lane: which.
        state: a `SessionState`'s value, or a later version's.
        at: when that was heard, unix seconds.
        detail: the provider's words.
        provider: who told it.
    """

    lane: str
    state: str
    at: float
    detail: str
    provider: str


@dataclass(frozen=True, slots=True)
class LifeEntry:
    """One thing that happened: an event of the journal, or the arrival of a copy of a message.

    Arrivals are named `message.queued`, `message.scheduled` and `message.buried`.

    Attributes:
        journal: which journal (0, or more after the journal was made again).
        offset: its place there.
        at: when.
        name: as in `antrian.domain.events`.
        lane: where; empty where that makes no sense.
        message_id: about which message; empty for none.
        generation: which copy of the message.
        attempt: which attempt; 0 for none.
        source: who wrote it: a consumer's id, a publishing service, or who acted.
        details: whatever else is on record.
    """

    journal: int
    offset: int
    at: float
    name: str
    lane: str = ""
    message_id: str = ""
    generation: int = 0
    attempt: int = 0
    source: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeadRecord:
    """A dead letter as the journal shows it: buried, and neither re-driven nor purged since.

    Attributes:
        message_id: the message's, or the one that it is known by.
        generation: which copy of the message it is.
        lane: where it was to be sent from.
        priority: the broker's number.
        source: the publishing service; empty when it does not say.
        died_at: when it was given up.
        failure_class: of the last failure; `unknown` when none is on record.
        code: of the last failure; `unknown` when none is on record.
        detail: of the last failure: the provider's message.
        attempts: how many were made.
        phone_number: E.164; empty when it cannot be read.
        text: empty when it cannot be read.
        problem: why it cannot be read; empty when it can.
        note: what an operator wrote about it; empty for nothing.
        body: as it arrived.
        headers: the AMQP headers as they arrived.
        was_uncertain: whether any attempt of the message, not only the last, ended without a known outcome.
    """

    message_id: str
    generation: int
    lane: str
    priority: int
    source: str
    died_at: float
    failure_class: str
    code: str
    detail: str
    attempts: int
    phone_number: str
    text: str
    problem: str
    note: str
    body: bytes
    headers: Mapping[str, Any]
    was_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class DeadCause:
    """A dead letter by its name, and what is known of why it was given up; for going through many of them.

    Attributes:
        message_id: the message's, or the one that it is known by.
        generation: which copy of the message it is.
        failure_class: of the last failure.
        code: of the last failure.
        was_uncertain: whether any attempt of the message ended without a known outcome.
    """

    message_id: str
    generation: int
    failure_class: str
    code: str
    was_uncertain: bool


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Dead letters with one cause: failure class, code and the provider's message."""

    failure_class: str
    code: str
    detail: str
    count: int
    oldest: float
    newest: float


@dataclass(frozen=True, slots=True)
class DeadFilter:
    """Which dead letters are meant: those that fit everything that is given.

    Attributes:
        ids: any of these; None for all.
        failure_class: exactly.
        code: exactly.
        detail: the provider's message, exactly.
        source: exactly.
        lane: exactly.
        phone_number: any usual spelling, or a part of the digits.
        text: words of the message's text.
        since: died at or after.
        until: died before.
    """

    ids: frozenset[str] | None = None
    failure_class: str | None = None
    code: str | None = None
    detail: str | None = None
    source: str | None = None
    lane: str | None = None
    phone_number: str | None = None
    text: str | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages are meant: those that fit everything that is given.

    Attributes:
        phone_number: any usual spelling, or a part of the digits.
        key: an idempotency key, a message id or a provider id, exactly.
        text: words of the text, the last one may be incomplete.
        states: any of these, or any of `deliveries`; None for all.
        source: exactly.
        lane: exactly.
        since: queued at or after.
        until: queued before.
        key_prefix: how the idempotency key begins.
        priority: low, normal, high or urgent.
        ids: message ids.
        arrived_by: their latest copy came up to this place in the journal, whatever its publisher's clock said.
        deliveries: what became of them after a provider took them; looked at beside `states`.
    """

    phone_number: str | None = None
    key: str | None = None
    text: str | None = None
    states: frozenset[MessageState] | None = None
    source: str | None = None
    lane: str | None = None
    since: float | None = None
    until: float | None = None
    key_prefix: str | None = None
    priority: str | None = None
    ids: frozenset[str] | None = None
    arrived_by: int | None = None
    deliveries: frozenset[DeliveryState] = frozenset()


@dataclass(frozen=True, slots=True)
class HeldCount:
    """The held messages of one lane and reason.

    Attributes:
        reason: why they are held, a `HoldReason`'s value or a later version's.
        rule: what set that; of several rules the last in the alphabet.
        count: how many.
        first_due_at: when the ladder gives the first of them back, unix seconds.
        last_due_at: when it gives the last of them back.
        until: the earliest end that any of them was told; None when none was.
        oldest_at: when the oldest of them was published.
    """

    reason: str
    rule: str
    count: int
    first_due_at: float
    last_due_at: float
    until: float | None
    oldest_at: float


@dataclass(frozen=True, slots=True)
class DelayedCount:
    """The messages of one lane that come back at a time of their own, for no rule of the lane.

    Attributes:
        state: scheduled or retrying.
        count: how many.
        first_due_at: when the first of them comes back, unix seconds.
        last_due_at: when the last one does.
    """

    state: MessageState
    count: int
    first_due_at: float
    last_due_at: float


@dataclass(frozen=True, slots=True)
class SourceCount:
    """How many messages of one source wait.

    Attributes:
        source: the publishing service; empty where it could not be read.
        count: how many.
    """

    source: str
    count: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many, newest first.

    Attributes:
        items: these.
        next_cursor: asks for those that follow; None when there are none.
    """

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How far the history has read.

    Attributes:
        journal: which journal; grows when the journal was made again.
        offset: the last entry that is in the history; -1 for none.
        at: when that entry was written; None for none.
        checked_at: when the follower last knew that it had read everything there was; None before it ever did.
        entries: how many entries are in the history.
        gaps: what the history never saw, because the journal did not have it any more: one sentence each.
        fingerprint: of the last entry.
    """

    journal: int
    offset: int
    at: float | None
    checked_at: float | None
    entries: int
    gaps: tuple[str, ...]
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A re-drive of many dead letters, as its events tell.

    Attributes:
        job_id: its name.
        state: `running`, `done`, `cancelled`, `stopped` (by its canary), `failed`, or `interrupted` (its process is
            gone).
        actor: who began it.
        started_at: when.
        changed_at: its last sign of life.
        selected: letters in the frozen selection.
        done: put back into their lanes.
        refused: the broker has no such lane; they stay.
        unreadable: they cannot be read, and stay.
        failed_again: of the canary's letters.
        detail: one sentence about how it ended; empty while it runs.
        cancelling: whether its cancellation was requested.
        options: rate, canary, limit, filter: as it was asked for.
    """

    job_id: str
    state: str
    actor: str
    started_at: float
    changed_at: float
    selected: int
    done: int
    refused: int
    unreadable: int
    failed_again: int
    detail: str
    cancelling: bool
    options: Mapping[str, Any]
