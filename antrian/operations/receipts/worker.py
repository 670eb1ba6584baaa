"""Works on what providers report, one report after the other, in a thread of the admin side.

All that follows from a report is published on the connection that the report came by, each confirmed before the next,
and only then it is acked: a connection that breaks gives the report to another admin side, and cannot publish after
that. What a crash left undone is told by the history (`antrian.operations.receipts.undelivered`).
"""

import hashlib
import math
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Protocol

import pika
import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from antrian.broker.background_thread import BackgroundThread
from antrian.broker.connection import open_channel
from antrian.broker.queue_scan.publication import Publication, event_publication
from antrian.broker.topology import DELAYED_RECEIPTS, Names
from antrian.contacts.book import ContactBook
from antrian.domain.errors import AntrianError
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, read_receipt
from antrian.domain.settings import Settings
from antrian.history.records import MessageRecord
from antrian.operations.receipts.delayed_report import later, tries_of
from antrian.operations.receipts.recently_seen import RecentlySeen
from antrian.operations.receipts.status_work import REACHED, HistoryNotCaughtUp, NotKnownYet, StatusWork

if TYPE_CHECKING:
    from antrian.history.follower import HistoryFollower
    from antrian.history.queries.history import History

#: Seconds until a report comes again whose message is not known yet; after the last time it is dropped.
PAUSES = (5.0, 60.0, 600.0)

#: Reports that are on their way to this process at once.
_PREFETCH = 100

#: Seconds: to wait for a report before other things are seen to, and after something went wrong.
_TICK, _TURN = 0.5, 1.0

#: Seconds for the history to read all that there is; well within the connection's heartbeat.
_PATIENCE = 10.0

#: Seconds for which the history counts as caught up, for reports that are minutes old.
_LATELY = 5.0
#: Seconds between two lines of the log about reports that are dropped; each says how many.
_LOG_PERIOD = 10.0

#: Of a user without the right to publish somewhere: to a lane that was taken away, for one.
_ACCESS_REFUSED = 403

#: Who writes what follows.
SOURCE = "antrian receipts"

#: What became of a report.
Worked = Literal["done", "undelivered", "delayed", "dropped"]

_log = structlog.get_logger("antrian.receipts")


class FollowsReports(Protocol):
    """What else follows from a report; what is published for it is confirmed before the report is acked."""

    def bind(self, channel: BlockingChannel) -> None:
        """Have the queue take whatever else is to be reported; on each connection."""

    def of_inbound(self, event: Event) -> Iterable[Publication]:
        """A person wrote."""

    def of_receipt(self, event: Event, receipt: DeliveryReceipt, record: MessageRecord) -> Iterable[Publication]:
        """A message came further."""

    def of_outcome(self, event: Event) -> Iterable[Publication]:
        """Something became of a message."""


class ReceiptsWorker:
    """Follows the queue of receipts as long as the process lives; of several admin sides one at a time does.

    Args:
        settings: of the process.
        urls: the broker's addresses.
        history: of the process.
        follower: of that history.
        book: who is known; None where nobody knows.
        more: what else follows.
        count: takes what became of each report.
    """

    def __init__(
        self,
        settings: Settings,
        urls: Sequence[str],
        history: "History",
        follower: "HistoryFollower",
        *,
        book: ContactBook | None = None,
        more: FollowsReports | None = None,
        count: Callable[[Worked], None] = lambda _worked: None,
    ) -> None:
        self._settings = settings
        self._urls = urls
        self._names = Names(settings.whatsapp_queue_namespace)
        self._follower = follower
        self._more = more
        self._count = count
        self._status = StatusWork(lambda: self._settings, self._names, history, self._catch_up, book, source=SOURCE)
        self._refused = RecentlySeen()
        self._caught_up_at = self._told_dropped_at = -math.inf
        self._dropped = 0
        self._trouble = ""
        self._stopping = threading.Event()
        self._thread = BackgroundThread(self._run, name="antrian-receipts", stopping=self._stopping)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 15.0) -> None:
        """End; another process works on what is left."""
        self._stopping.set()
        self._thread.join(timeout)

    @property
    def is_well(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_well

    def serve_lanes(self, settings: Settings) -> None:
        """Other lanes are served from now on."""
        self._settings = settings

    # Everything below runs in the worker's own thread.

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    with open_channel(self._urls, name="antrian receipts work") as channel:
                        self._follow(channel)
                except HistoryNotCaughtUp:
                    self._tell_trouble("the history is behind")
                except (AntrianError, AMQPError) as error:
                    self._tell_trouble(str(error) if isinstance(error, AntrianError) else type(error).__name__)
                self._stopping.wait(_TURN)
        finally:
            self._status.close()

    def _follow(self, channel: BlockingChannel) -> None:
        if self._more is not None:
            self._more.bind(channel)
        channel.basic_qos(prefetch_count=_PREFETCH)
        for method, properties, body in channel.consume(self._names.receipts, inactivity_timeout=_TICK):
            if self._stopping.is_set():
                return
            if method is None or properties is None or body is None:
                self._trouble = ""
                continue
            # What comes back from the ladder has a key of the ladder's, which only an admin side can give it.
            key = method.routing_key if method.exchange == self._names.events else None
            self._count(self._handle(channel, properties, body, key))
            channel.basic_ack(method.delivery_tag)
            self._trouble = ""

    def _handle(
        self, channel: BlockingChannel, properties: pika.BasicProperties, body: bytes, key: str | bytes | None = None
    ) -> Worked:
        """Work on one report; when this returns, all that follows from it is in the broker."""
        event = Event.decode(body) if key is None else Event.of_delivery(body, key)
        if event is None:
            return "dropped"
        name = hashlib.blake2b(body, digest_size=16).hexdigest()
        if name in self._refused:
            self._refused.forget(name)
            return self._delay(channel, event, properties, body, why="the broker refuses what follows from it")
        try:
            return self._work_on(channel, event)
        except NotKnownYet:
            return self._delay(channel, event, properties, body, why="its message is not known")
        except ChannelClosedByBroker as error:
            # The channel is gone with it; when the report comes again, it must not keep those behind it waiting.
            if error.reply_code == _ACCESS_REFUSED:
                self._refused.add(name)
            raise
        except (AntrianError, AMQPError):
            raise
        except Exception as error:  # noqa: BLE001 (what cannot be worked on must not keep those behind it waiting)
            about = {"report": event.name, "lane": event.lane, "message_id": event.message_id}
            # Its text may quote a number, or what a person wrote.
            _log.error("receipt.failed", **about, error=type(error).__name__, where=_place(error))
            return self._delay(channel, event, properties, body, why=f"an unexpected {type(error).__name__}")

    def _work_on(self, channel: BlockingChannel, event: Event) -> Worked:
        receipt = read_receipt(event)
        if receipt is not None:
            return self._work_on_receipt(channel, event, receipt)
        if self._more is not None:
            is_inbound = event.name == EventName.RECEIPT_INBOUND
            self._publish(channel, self._more.of_inbound(event) if is_inbound else self._more.of_outcome(event))
        return "done"

    def _work_on_receipt(self, channel: BlockingChannel, event: Event, receipt: DeliveryReceipt) -> Worked:
        if receipt.status is ReceiptStatus.FAILED:
            return "undelivered" if self._publish(channel, self._status.after_failure(event, receipt)) else "done"
        if receipt.status not in REACHED:
            return "done"
        self._make_known(channel, event, receipt)
        record = self._status.find(event, receipt)
        self._make_known(channel, event, replace(receipt, recipient=receipt.recipient or record.phone_number))
        self._publish(channel, self._status.late_arrival(event, receipt, record))
        if self._more is not None:
            self._publish(channel, self._more.of_receipt(event, receipt, record))
        return "done"

    def _make_known(self, channel: BlockingChannel, event: Event, receipt: DeliveryReceipt) -> None:
        known = self._status.acquaintance(event, receipt)
        if known is not None:
            self._publish(channel, [event_publication(self._names, known)])
            self._status.learn(known)

    def _delay(
        self, channel: BlockingChannel, event: Event, properties: pika.BasicProperties, body: bytes, *, why: str
    ) -> Worked:
        tries = tries_of(properties)
        if tries < len(PAUSES):
            again = later(self._names, DELAYED_RECEIPTS, body, seconds=PAUSES[tries], tries=tries + 1)
            self._publish(channel, [again])
            return "delayed"
        # A history that is behind may only not know the message yet.
        if not self._has_caught_up_lately():
            raise HistoryNotCaughtUp
        self._tell_dropped(event, why)
        return "dropped"

    def _has_caught_up_lately(self) -> bool:
        """Whether the history knows all that was written until a moment ago: what came since is no older report's."""
        now = time.monotonic()
        if now - self._caught_up_at > _LATELY:
            if not self._catch_up():
                return False
            self._caught_up_at = now
        return True

    def _tell_dropped(self, event: Event, why: str) -> None:
        """One line for many: a sender that people use by hand, too, has receipts without end."""
        now = time.monotonic()
        self._dropped += 1
        if now - self._told_dropped_at < _LOG_PERIOD:
            return
        about = {"report": event.name, "lane": event.lane, "message_id": event.message_id, "reason": why}
        _log.warning("receipt.dropped", **about, count=self._dropped)
        self._dropped, self._told_dropped_at = 0, now

    def _publish(self, channel: BlockingChannel, publications: Iterable[Publication]) -> int:
        """Publish in order, each confirmed before the next is made; how many there were."""
        count = 0
        for one in publications:
            channel.basic_publish(one.exchange, one.routing_key, one.body, one.properties, one.mandatory)
            count += 1
        return count

    def _catch_up(self) -> bool:
        return self._follower.catch_up(_PATIENCE)

    def _tell_trouble(self, trouble: str) -> None:
        if trouble != self._trouble and not self._stopping.is_set():
            _log.warning("receipts.trouble", reason=trouble)
        self._trouble = trouble


def _place(error: Exception) -> str:
    """Where an error came up, for those who look for its cause."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""
