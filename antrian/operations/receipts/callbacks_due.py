"""Which callbacks are due for what is reported: messages of people, and how a publishing service's messages fare.

Reads the history for a message's publishing service. What was told is told again after a crash, under the same id.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.queue_scan.publication import Publication
from antrian.broker.topology import Names
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.lifecycle import ENDS
from antrian.domain.receipt import DeliveryReceipt
from antrian.history.records import MessageRecord
from antrian.operations.callbacks.callback_target import OWNER, CallbackTargets
from antrian.operations.callbacks.callback_task import CallbackTask
from antrian.operations.receipts.inbound import Answers, payload_of, read_inbound
from antrian.operations.receipts.recently_seen import RecentlySeen
from antrian.operations.receipts.status_work import HistoryNotCaughtUp

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: How a publishing service calls what became of its message, by the event. What it published is accepted when its
#: publish returned.
STATES_TOLD: Final = {
    **{event: "handed_over" if event == EventName.SENT else state for event, state in ENDS.items()},
    str(EventName.UNDELIVERED): "failed",
}

#: What a person's message is called.
RECEIVED: Final = "message.received"

#: What is told of a message, by its state.
_KIND: Final = "message.{}"


class CallbacksDue:
    """Makes callbacks of reports.

    Args:
        targets: whom they go to.
        names: of the namespace.
        history: of the process.
        catch_up: brings the history up to date; whether it is.
        answers: to words such as STOP; None where nobody answers.
    """

    def __init__(
        self,
        targets: CallbackTargets,
        names: Names,
        history: "History",
        catch_up: Callable[[], bool],
        answers: Answers | None,
    ) -> None:
        self._targets = targets
        self._names = names
        self._history = history
        self._catch_up = catch_up
        self._answers = answers
        self._told = RecentlySeen()

    def bind(self, channel: BlockingChannel) -> None:
        """Have the queue of receipts take the outcomes of messages too, as long as any publishing service is told."""
        change = channel.queue_bind if self._targets.sources else channel.queue_unbind
        for event in STATES_TOLD:
            change(self._names.receipts, self._names.events, f"{event}.#")

    def of_inbound(self, event: Event) -> Iterator[Publication]:
        """What a person wrote: answered where it is a wish, and passed on where it is not.

        Raises:
            PublisherError: the answer is not queued, or it is not known.
        """
        message = read_inbound(event)
        if message is None or (self._answers is not None and self._answers.is_wish(event, message)):
            return
        if OWNER in self._targets.urls:
            at = event.at if message.at is None else message.at
            # Two equal texts are two messages, where nothing but when we heard of them tells them apart.
            names = message.provider_id or f"{message.recipient}\n{at}\n{message.text}"
            data = payload_of(event, message)
            yield from self._due(CallbackTask.of(RECEIVED, OWNER, data, at=at, names=f"{event.lane}\n{names}"))

    def of_receipt(self, event: Event, receipt: DeliveryReceipt, record: MessageRecord) -> Iterable[Publication]:
        """A message was delivered, or read."""
        send = receipt.provider_id or receipt.correlation_id
        at = event.at if receipt.at is None else receipt.at
        return self._state(record, receipt.status.value, at=at, attempt=record.attempt, which=send)

    def of_outcome(self, event: Event) -> Iterator[Publication]:
        """Something became of a message.

        Raises:
            HistoryNotCaughtUp: it is not known whose message it is.
        """
        state = STATES_TOLD.get(event.name)
        if state is None or not self._targets.sources or not event.message_id:
            return
        record = self._history.message(event.message_id)
        if record is None or not record.source:
            if not self._catch_up():
                raise HistoryNotCaughtUp
            record = self._history.message(event.message_id)
        if record is not None:
            code = event.details.get("code")
            yield from self._state(
                record,
                state,
                at=event.at,
                attempt=event.attempt,
                which=f"{event.generation}:{event.attempt}",
                code=code if isinstance(code, str) else "",
            )

    def _state(
        self, record: MessageRecord, state: str, *, at: float, attempt: int, which: str, code: str = ""
    ) -> Iterator[Publication]:
        if record.source not in self._targets.sources:
            return
        data = {
            "message_id": record.message_id,
            "correlation_id": record.correlation_id,
            "source": record.source,
            "lane": record.lane,
            "state": state,
            "attempt": attempt,
        } | ({"code": code} if code else {})
        names = f"{record.message_id}\n{which}"
        yield from self._due(CallbackTask.of(_KIND.format(state), record.source, data, at=at, names=names))

    def _due(self, task: CallbackTask) -> Iterator[Publication]:
        if task.webhook_id in self._told:
            return
        yield task.at_once(self._names)
        # Only now it is in the broker.
        self._told.add(task.webhook_id)
