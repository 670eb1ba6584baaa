"""What receipts mean for a message of one lane: whether its attempt is awaited, or proved, and the record of that."""

from dataclasses import replace

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.message import Message
from consumer.lane.admission import (
    Admission,
    AlreadySent,
    Drop,
    HoldBack,
    Proved,
    Send,
    Settle,
    await_receipt,
    dedupe_key,
)
from consumer.lane.holds import LaneHolds
from consumer.lane.ledger import Ledger
from consumer.lane.port import LaneRules
from consumer.lane.receipts import Proof
from consumer.outcomes.writer import EventSource

#: How the record of a send names that its receipt proved it.
SETTLED_BY_RECEIPT = "receipt"


class Settlement:
    """Settles attempts without an answer.

    Args:
        rules: of the lane.
        ledger: what has been attempted.
        holds: of the lane.
        events: makes the lane's events.
    """

    def __init__(self, rules: LaneRules, ledger: Ledger, holds: LaneHolds, events: EventSource) -> None:
        self._rules = rules
        self._ledger = ledger
        self._holds = holds
        self._events = events

    def of(self, message: Message, now: float) -> Proved | HoldBack | None:
        """What follows for a message whose attempt has just failed; None where its receipts say nothing of that.

        Args:
            message: it.
            now: unix seconds.
        """
        return await_receipt(message, self._ledger, self._rules.receipt_wait, now)

    def may_be_out_of_date(self, admission: Admission, message: Message) -> bool:
        """Whether the stream, which may be slower than the lane, could tell better what to do with a message."""
        match admission:
            case Drop("cancelled") | Proved():
                # A re-drive that takes the cancellation back was recorded before this copy came; or that the send,
                # which a receipt proves, did not arrive.
                return True
            case AlreadySent():
                # A later copy than the one that was sent: what was sent may not have arrived.
                entry = self._ledger.entry(message.message_id)
                return entry is not None and entry.generation < message.generation
            case Send() | Settle():
                # A receipt that came in time must not be overlooked.
                known = self._ledger.receipts.of(message.message_id)
                return known is not None and known.is_doubtful
        return False

    def record(self, message: Message, proof: Proof) -> Event:
        """The record that the proved attempt was a send. Its pause began with its end, or with its discovery."""
        attempt = proof.attempt
        copy = replace(message, generation=attempt.generation, attempt=attempt.attempt)
        return self._events.of(
            EventName.SENT,
            copy,
            **self._holds.address(message, is_cold=attempt.is_cold),
            provider=self._rules.provider,
            provider_id=proof.provider_id,
            due_at=message.due_at,
            key=dedupe_key(message),
            settled_by=SETTLED_BY_RECEIPT,
            **self._rules.rhythm,
        )
