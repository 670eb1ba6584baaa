"""The second pass: orders go to the broker until all are queued, the broker goes away, or the import is stopped."""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pika.exceptions import ChannelClosedByBroker

from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.topology import Names
from antrian.domain.errors import BrokerError
from antrian.domain.settings import Settings
from antrian.operations.bulk_import.bounded_list import Listing
from antrian.operations.bulk_import.spool import Order
from publisher import BrokerUnavailable, ConfirmTimeout, MessageRequest, Publisher, PublisherError, Receipt

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that is not in the queue, as far as anybody knows.

    Attributes:
        line: where it begins in its file.
        reason: one sentence.
    """

    line: int
    reason: str


@dataclass(slots=True)
class RowResult:
    """What became of the orders.

    Attributes:
        queued: that the broker has on disk.
        refused: rows that the broker does not take: no such lane.
        unanswered: rows that were on their way when the broker went away.
        unknown: how many of these may be in the queue.
        trouble: why the broker went away; empty when it did not.
        interrupted: whether it was stopped.
    """

    queued: int = 0
    refused: Listing[Failure] = field(default_factory=Listing)
    unanswered: Listing[Failure] = field(default_factory=Listing)
    unknown: int = 0
    trouble: str = ""
    interrupted: bool = False


class ImportPublisher:
    """Hands orders over; used once.

    Args:
        publisher: to whom.
        timeout: seconds that a broker may be away.
    """

    def __init__(self, publisher: Publisher, timeout: float) -> None:
        self.outcome = RowResult()
        self._publisher = publisher
        self._timeout = timeout
        self._lines: deque[int] = deque()
        self._stopped = False

    def stop(self) -> None:
        """Hand over nothing more; what is on its way is waited for."""
        self._stopped = True

    def run(self, orders: Iterable[Order]) -> RowResult:
        """Hand over everything.

        Args:
            orders: read as the broker confirms them, some 2,000 ahead.
        """
        for result in self._publisher.queue_messages(self._requests(orders), timeout=self._timeout):
            self._note(self._lines.popleft(), result)
        return self.outcome

    def _requests(self, orders: Iterable[Order]) -> Iterator[MessageRequest]:
        for order in orders:
            if self._stopped:
                # Only now: who asks when everything is handed over has stopped nothing.
                self.outcome.interrupted = not self.outcome.trouble
                return
            self._lines.append(order.line)
            yield order.request

    def _note(self, line: int, result: Receipt | PublisherError) -> None:
        outcome = self.outcome
        if isinstance(result, Receipt):
            outcome.queued += 1
        elif isinstance(result, BrokerUnavailable | ConfirmTimeout):
            outcome.trouble = outcome.trouble or self._publisher.trouble
            outcome.unknown += isinstance(result, ConfirmTimeout)
            outcome.unanswered.add(Failure(line, str(result)))
            self.stop()
        else:
            outcome.refused.add(Failure(line, str(result)))


def require_broker(settings: Settings) -> None:
    """Make sure that a broker is there and takes messages, before the first is handed over.

    Raises:
        AntrianError: it is not; the text says what to do.
    """
    names = Names(settings.whatsapp_queue_namespace)
    with open_channel(broker_urls(settings), name="antrian import") as channel:
        try:
            channel.exchange_declare(names.messages, passive=True)
        except ChannelClosedByBroker as error:
            if error.reply_code != _NOT_FOUND:
                raise
            raise BrokerError(f"exchange {names.messages} does not exist: run `antrian topology apply`") from error


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM stop the work in good order; the second ends the process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop_once(_number: int, _frame: object) -> None:
        restore()
        stop()

    for number in numbers:
        signal.signal(number, stop_once)
    try:
        yield
    finally:
        restore()
