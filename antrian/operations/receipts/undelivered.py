"""What follows from a receipt that says that a message did not arrive; no I/O.

    outcome.undelivered   takes the send back: the copy is spent, and its idempotency key is free
    the copy              of the next generation: on the delay ladder for another try, or among the dead letters
    its event             outcome.retrying or outcome.dead

Each is in the broker before the next is published. After a crash in between, the receipt comes again, and what is on
record says which of them are left. A copy on the ladder is on record by its event alone: a crash between the two may
leave two copies of the same generation, of which the consumer's ledger lets one be sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from antrian.broker.queue_scan.publication import Publication, event_publication
from antrian.broker.topology import Names
from antrian.broker.urgent_bell import ring
from antrian.domain.body import build
from antrian.domain.delay_ladder import ladder_key, whole_seconds
from antrian.domain.errors import MalformedMessage
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.message import AttemptFailure, Message, encode, retry_of
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, correlation_of
from antrian.history.projection.columns import body_fields
from antrian.history.records import LifeEntry, MessageRecord
from antrian.operations.dead_letters.undo_steps import scheduled_for, way_behind

#: The reason of a dead letter that a receipt led to.
REASON = "undelivered"

#: What is written about a dead letter, or another try, whose message arrived after all.
ARRIVED_AFTER_ALL = "the provider first said that it did not arrive, and then that it did"

#: As receipts and the history call it.
_ARRIVED = frozenset({ReceiptStatus.DELIVERED.value, ReceiptStatus.READ.value})


class UndeliveredStep(Enum):
    """One thing to publish, in this order."""

    OUTCOME = auto()
    COPY = auto()
    EVENT = auto()


@dataclass(frozen=True, slots=True)
class FailedSend:
    """A send that did not lead to the person.

    Attributes:
        record: the message as it is now.
        life: what happened to it, oldest first.
        send: the `outcome.sent` that the receipt is about.
        receipt: what the provider says.
        at: when we heard of it, unix seconds.
    """

    record: MessageRecord
    life: Sequence[LifeEntry]
    send: LifeEntry
    receipt: DeliveryReceipt
    at: float

    @property
    def failure(self) -> AttemptFailure:
        """The failure as the next copy carries it."""
        kind, receipt = self.failure_class.value, self.receipt
        return AttemptFailure(self.send.attempt, self.at, kind, receipt.code, receipt.detail)

    @property
    def failure_class(self) -> FailureClass:
        """What may be done about it; nothing, where the provider does not say."""
        return self.receipt.failure_class or FailureClass.REJECTED


def reported_send(receipt: DeliveryReceipt, life: Sequence[LifeEntry]) -> LifeEntry | None:
    """The send that a receipt is about; None where no such send is on record."""
    sends = (entry for entry in reversed(life) if entry.name == EventName.SENT)
    return next((entry for entry in sends if _is_of(receipt, entry, life)), None)


def _is_of(receipt: DeliveryReceipt, send: LifeEntry, life: Sequence[LifeEntry]) -> bool:
    if receipt.provider_id and receipt.provider_id in _their_names(send, life):
        return True
    return bool(receipt.correlation_id) and receipt.correlation_id in _our_names(send, life)


def _their_names(send: LifeEntry, life: Sequence[LifeEntry]) -> set[object]:
    """What the provider calls a send: as it answered, and as a receipt said that it will from then on."""
    given = send.details.get("provider_id")
    if not given:
        return set()
    receipts = (entry.details for entry in life if entry.name == EventName.RECEIPT_STATUS)
    return {given, *(told["alias"] for told in receipts if told.get("provider_id") == given and told.get("alias"))}


def _our_names(send: LifeEntry, life: Sequence[LifeEntry]) -> set[object]:
    """Our names for an attempt: as it is, and as its provider was given it."""
    attempt = send.generation, send.attempt
    begun = (entry for entry in life if entry.name == EventName.SENDING)
    given = {entry.details.get("echoed_id") for entry in begun if (entry.generation, entry.attempt) == attempt}
    return given | {correlation_of(send.message_id, *attempt)}


def _without_an_answer(life: Sequence[LifeEntry]) -> list[LifeEntry]:
    """The ends of attempts that may have been sends all the same; none before a person had the message sent again."""
    ends: list[LifeEntry] = []
    for entry in life:
        is_uncertain = entry.details.get("failure_class") == FailureClass.UNCERTAIN.value
        if entry.name == EventName.REDRIVEN:
            ends.clear()
        elif entry.name == EventName.UNCERTAIN or (entry.name == EventName.FAILED and is_uncertain):
            ends.append(entry)
    return ends


def has_arrived(record: MessageRecord, life: Sequence[LifeEntry], send: LifeEntry) -> bool:
    """Whether a receipt says that this send reached the person, or an attempt before it that got no answer."""
    provider_id, theirs = send.details.get("provider_id"), _their_names(send, life)
    is_latest = bool(provider_id) and record.provider_id == provider_id
    if is_latest and record.delivery in _ARRIVED:
        return True
    ours = set().union(*(_our_names(one, life) for one in (send, *_without_an_answer(life)))) - {None}
    return any(
        entry.name == EventName.RECEIPT_STATUS
        and entry.details.get("status") in _ARRIVED
        and (entry.details.get("provider_id") in theirs or entry.details.get("correlation_id") in ours)
        for entry in life
    )


def steps_left(life: Sequence[LifeEntry], send: LifeEntry, *, arrived: bool) -> tuple[UndeliveredStep, ...]:
    """What is still to be published about a send that failed; nothing where it is not the message's latest.

    Args:
        life: what happened to the message, oldest first; all that the journal holds.
        send: the `outcome.sent` that the receipt is about.
        arrived: whether another receipt says that it reached the person.
    """
    generation = send.generation
    latest = next(entry for entry in reversed(life) if entry.name == EventName.SENT)
    told = {entry.name for entry in life if entry.generation == generation}
    later = [entry for entry in life if entry.generation > generation and entry.name != EventName.NOTED]
    if EventName.UNDELIVERED not in told:
        # A later copy: it was put back into its lane by other means, or this receipt is of an earlier send.
        is_over = later or arrived or latest.offset != send.offset
        return () if is_over else (UndeliveredStep.OUTCOME, UndeliveredStep.COPY, UndeliveredStep.EVENT)
    if told & {EventName.DEAD, EventName.RETRYING}:
        return ()
    if later:
        # A letter that is there, and of which nothing has become yet, lacks its event. What moves on needs none.
        is_letter_alone = {entry.name for entry in later} == {EventName.BURIED}
        return (UndeliveredStep.EVENT,) if is_letter_alone else ()
    return () if arrived else (UndeliveredStep.COPY, UndeliveredStep.EVENT)


def pause_before_retry(failed: FailedSend, max_attempts: int, delays: Sequence[float]) -> float | None:
    """Seconds until another try; None where the message is given up.

    Args:
        failed: it.
        max_attempts: of the message's lane.
        delays: seconds before attempt 2, 3, …; the last one repeats.
    """
    attempt = failed.send.attempt
    if failed.failure_class is not FailureClass.TRANSIENT or attempt >= max_attempts:
        return None
    return delays[min(max(attempt, 1), len(delays)) - 1]


def next_copy(failed: FailedSend, *, attempt: int) -> Message | None:
    """The message of the next generation, made anew from what is on record; None when that is no message."""
    record, send = failed.record, failed.send
    try:
        body = build(**body_fields(record))
    except MalformedMessage:
        return None
    _, failures = way_behind(failed.life, send.generation)
    sent = Message(
        record.message_id,
        record.lane,
        record.priority,
        body,
        record.queued_at or 0.0,
        attempt=send.attempt,
        generation=send.generation,
        failures=failures,
        due_at=scheduled_for(failed.life),
    )
    return retry_of(sent, failed.failure, attempt=attempt)


class UndeliveredSteps:
    """Makes what is published, step by step.

    Args:
        names: of the namespace.
        source: which process writes it.
    """

    def __init__(self, names: Names, source: str) -> None:
        self._names = names
        self._source = source

    def outcome(self, failed: FailedSend, now: float) -> Publication:
        """The send is taken back."""
        record = failed.record
        key = f"{record.source}:{record.idempotency_key}" if record.idempotency_key else None
        provider_id = failed.send.details.get("provider_id")
        return self._event(EventName.UNDELIVERED, failed, now, **_why(failed), provider_id=provider_id, key=key)

    def retry(self, failed: FailedSend, pause: float) -> Publication | None:
        """The copy for another try; None when what is on record is no message."""
        copy = next_copy(failed, attempt=failed.send.attempt + 1)
        if copy is None:
            return None
        body, properties = encode(copy)
        ring(properties, copy.lane, later=True)
        entrance, key = self._names.ladder_entrance(pause), ladder_key(pause, copy.lane)
        return Publication(entrance, key, body, properties, mandatory=True)

    def retrying(self, failed: FailedSend, pause: float, now: float) -> Publication:
        """The copy for another try is on the ladder."""
        due_at = round(now + whole_seconds(pause), 3)
        return self._event(EventName.RETRYING, failed, now, due_at=due_at, next_attempt=failed.send.attempt + 1)

    def letter(self, failed: FailedSend) -> Publication | None:
        """The dead letter; None when what is on record is no message."""
        copy = next_copy(failed, attempt=failed.send.attempt)
        if copy is None:
            return None
        body, properties = encode(copy)
        return Publication(self._names.dead, copy.lane, body, properties, mandatory=True)

    def dead(self, failed: FailedSend, now: float) -> Publication:
        """The dead letter is in its queue."""
        return self._event(EventName.DEAD, failed, now, reason=REASON, **_why(failed))

    def note(self, record: MessageRecord, send: LifeEntry, now: float) -> Publication:
        """It arrived after all; for people, and for nothing else."""
        # A note belongs to the copy that followed: the dead letter, where there is one.
        about = {"note": ARRIVED_AFTER_ALL}
        event = Event(
            str(EventName.NOTED),
            now,
            record.lane,
            record.message_id,
            send.generation + 1,
            source=self._source,
            details=about,
        )
        return event_publication(self._names, event)

    def _event(self, name: EventName, failed: FailedSend, now: float, **details: object) -> Publication:
        record, send = failed.record, failed.send
        known = {"trace_id": send.details.get("trace_id"), "correlation_id": record.correlation_id, **details}
        told = {key: value for key, value in known.items() if value is not None}
        event = Event(
            str(name),
            now,
            record.lane,
            record.message_id,
            send.generation,
            send.attempt,
            source=self._source,
            details=told,
        )
        return event_publication(self._names, event)


def _why(failed: FailedSend) -> dict[str, object]:
    receipt = failed.receipt
    return {"failure_class": failed.failure_class.value, "code": receipt.code, "detail": receipt.detail}


def is_noted(life: Sequence[LifeEntry], send: LifeEntry) -> bool:
    """Whether a late arrival of this send needs no note: the send was not taken back, or has its note."""
    told = [entry for entry in life if entry.name == EventName.UNDELIVERED and entry.generation == send.generation]
    noted = any(
        entry.name == EventName.NOTED
        and entry.generation == send.generation + 1
        and entry.details.get("note") == ARRIVED_AFTER_ALL
        for entry in life
    )
    return not told or noted
