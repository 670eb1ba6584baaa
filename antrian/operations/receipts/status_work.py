"""What follows from one receipt of a message, as things to publish; it reads the history and the contact book only."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import structlog

from antrian.broker.queue_scan.publication import Publication
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook, ContactsLost
from antrian.domain import contact_event
from antrian.domain.contact import Standing
from antrian.domain.errors import AntrianError
from antrian.domain.events import Event
from antrian.domain.lifecycle import MessageState
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus
from antrian.domain.settings import Settings
from antrian.history.queries.provider_lookup import ProviderLookup
from antrian.history.records import LifeEntry, MessageRecord
from antrian.operations.receipts.recently_seen import RecentlySeen
from antrian.operations.receipts.undelivered import (
    FailedSend,
    UndeliveredStep,
    UndeliveredSteps,
    has_arrived,
    is_noted,
    next_copy,
    pause_before_retry,
    reported_send,
    steps_left,
)

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: Statuses by which a person becomes known.
REACHED = frozenset({ReceiptStatus.DELIVERED, ReceiptStatus.READ})

_log = structlog.get_logger("antrian.receipts")


class NotKnownYet(AntrianError):
    """The history knows no message that a report is about: it may be behind, or the message is not ours."""


class HistoryNotCaughtUp(AntrianError):
    """The history cannot be brought up to date: nothing may be decided by it."""


class StatusWork:
    """Decides what follows from receipts.

    Args:
        settings: the lanes' rules are asked for at each failure, so that they may change.
        names: of the namespace.
        history: of the process.
        catch_up: brings the history up to date; whether it is.
        book: who is known; None where nobody knows.
        source: which process writes the events.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        names: Names,
        history: "History",
        catch_up: Callable[[], bool],
        book: ContactBook | None,
        *,
        source: str,
    ) -> None:
        self._settings = settings
        self._history = history
        self._by_provider = ProviderLookup(history.path)
        self._catch_up = catch_up
        self._book = book
        self._source = source
        self._steps = UndeliveredSteps(names, source)
        self._taken_back = RecentlySeen()

    def close(self) -> None:
        """Close this thread's connections to the history."""
        self._by_provider.close()
        self._history.close()

    def find(self, event: Event, receipt: DeliveryReceipt) -> MessageRecord:
        """The message that a receipt is about.

        Raises:
            NotKnownYet: the history knows none.
        """
        ids = [event.message_id] if event.message_id else []
        ids += self._by_provider.message_ids(event.lane, receipt.provider_id, receipt.correlation_id)
        for message_id in ids:
            record = self._history.message(message_id)
            if record is not None and record.lane == event.lane:
                return record
        raise NotKnownYet

    def acquaintance(self, event: Event, receipt: DeliveryReceipt) -> Event | None:
        """The event that makes the person known whom a message reached; None where they are known, or not named.

        The caller has the book learn it, once it is written.
        """
        sender = event.details.get("sender")
        if receipt.status not in REACHED or not receipt.recipient or not isinstance(sender, str) or not sender:
            return None
        if self._is_known(sender, receipt.recipient):
            return None
        return contact_event.known(sender, [receipt.recipient], "receipt", at=event.at, source=self._source)

    def _is_known(self, sender: str, recipient: str) -> bool:
        try:
            return self._book is not None and self._book.standing(sender, recipient) is Standing.KNOWN
        except ContactsLost:
            # To say it again changes nothing.
            return False

    def learn(self, event: Event) -> None:
        """The book learns of an event that was written."""
        if self._book is not None:
            self._book.apply(event)

    def after_failure(self, event: Event, receipt: DeliveryReceipt) -> Iterator[Publication]:
        """What is left to be published about a message that did not arrive; each must be confirmed before the next.

        Raises:
            HistoryNotCaughtUp: what is on record is not known.
            NotKnownYet: the message, or this send of it, is not on record.
        """
        if not self._catch_up():
            raise HistoryNotCaughtUp
        record, life, send = self._send_of(event, receipt)
        failed = FailedSend(record, life, send, receipt, event.at)
        steps = steps_left(life, send, arrived=has_arrived(record, life, send))
        if steps and next_copy(failed, attempt=send.attempt) is None:
            _log.error("receipt.no_message", lane=record.lane, message_id=record.message_id)
            return
        yield from self._publications(failed, steps)

    def _publications(self, failed: FailedSend, steps: tuple[UndeliveredStep, ...]) -> Iterator[Publication]:
        pause = None if steps == (UndeliveredStep.EVENT,) else self._pause(failed)
        for step in steps:
            match step:
                case UndeliveredStep.OUTCOME:
                    yield self._steps.outcome(failed, time.time())
                    self._taken_back.add(failed.record.message_id)
                    self._tell(failed, pause)
                case UndeliveredStep.COPY:
                    copy = self._steps.letter(failed) if pause is None else self._steps.retry(failed, pause)
                    assert copy is not None, "looked at before"  # noqa: S101 (`after_failure` has made one)
                    yield copy
                case UndeliveredStep.EVENT if pause is None:
                    yield self._steps.dead(failed, time.time())
                case UndeliveredStep.EVENT:
                    yield self._steps.retrying(failed, pause, time.time())

    def _pause(self, failed: FailedSend) -> float | None:
        settings = self._settings()
        lane = settings.lanes.get(failed.record.lane)
        # Where the lane is no more, a copy that comes off the ladder would come to nothing.
        if lane is None:
            return None
        return pause_before_retry(failed, lane.max_attempts, settings.whatsapp_queue_retry_delays)

    def late_arrival(self, event: Event, receipt: DeliveryReceipt, record: MessageRecord) -> Iterator[Publication]:
        """The note that a message arrived of which the provider said before that it did not; nothing for any other.

        Raises:
            HistoryNotCaughtUp: what is on record is not known.
        """
        # What was handed over and is so still was never said not to have arrived; but the history may be behind.
        is_taken_back = record.message_id in self._taken_back
        if receipt.status not in REACHED or (record.state is MessageState.SENT and not is_taken_back):
            return
        if is_taken_back and not self._catch_up():
            raise HistoryNotCaughtUp
        life = self._history.life(record.message_id)
        send = reported_send(receipt, life)
        if send is not None and not is_noted(life, send):
            yield self._steps.note(record, send, event.at)

    def _send_of(self, event: Event, receipt: DeliveryReceipt) -> tuple[MessageRecord, list[LifeEntry], LifeEntry]:
        record = self.find(event, receipt)
        life = self._history.life(record.message_id)
        send = reported_send(receipt, life)
        if send is None:
            raise NotKnownYet
        return record, life, send

    def _tell(self, failed: FailedSend, pause: float | None) -> None:
        _log.warning(
            "message.undelivered",
            lane=failed.record.lane,
            message_id=failed.record.message_id,
            attempt=failed.send.attempt,
            failure_class=failed.failure_class.value,
            code=failed.receipt.code,
            retry_after=pause,
        )
