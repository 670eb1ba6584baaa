"""The record of who asked for what: events in the journal, written in the background."""

import threading
import time
from collections import deque
from collections.abc import Sequence

import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import UnroutableError

from admin_api.auth.audit_entry import AuditEntry
from admin_api.auth.audit_limit import AuditLimit
from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_event
from antrian.broker.topology import Names
from antrian.domain.errors import BrokerError, BrokerUnreachable
from antrian.domain.events import Event
from antrian.domain.settings import Settings

#: Entries kept while the broker is away.
MOST_WAITING = 10_000
#: Seconds: between two looks when nothing happens (heartbeats need them), and after a failure.
_IDLE, _AFTER_FAILURE = 1.0, 2.0

_log = structlog.get_logger("antrian.audit")


class AuditTrail:
    """Takes entries from any thread without waiting, and publishes them from a thread of its own.

    Args:
        settings: the namespace is used.
        urls: the broker's addresses.
        most_waiting: how many are kept while the broker is away; newer ones are dropped then, and counted in the log.
    """

    def __init__(self, settings: Settings, urls: Sequence[str], *, most_waiting: int = MOST_WAITING) -> None:
        self._names = Names(settings.whatsapp_queue_namespace)
        self._urls = urls
        self._most_waiting = most_waiting
        self._waiting: deque[AuditEntry] = deque()
        self._limit = AuditLimit()
        self._dropped = 0
        self._trouble = ""
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Begin to publish; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Publish what waits, for at most `timeout` seconds, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)
        if lost := len(self._waiting) + self._dropped:
            _log.error("audit.lost", count=lost)

    @property
    def waiting(self) -> int:
        """How many entries the broker does not have yet."""
        return len(self._waiting)

    def record(self, entry: AuditEntry) -> None:
        """Record an entry; of the refusals of anonymous clients one a second, with the count of the others."""
        with self._changed:
            for one in self._limit.passing(entry, time.monotonic()):
                self._keep(one)

    def _keep(self, entry: AuditEntry) -> None:
        if len(self._waiting) >= self._most_waiting:
            self._dropped += 1
            return
        self._waiting.append(entry)
        self._changed.notify()

    def _run(self) -> None:
        while not self._is_done():
            try:
                with open_channel(self._urls, name="antrian audit") as channel:
                    self._publish_all(channel)
            except Exception as error:  # noqa: BLE001 (whatever pika raises, this thread must not die silently)
                self._say_why_it_waits(str(error) if isinstance(error, BrokerError) else type(error).__name__)
                self._wait(_AFTER_FAILURE, for_work=False)
                if self._stopping:
                    return

    def _publish_all(self, channel: BlockingChannel) -> None:
        while not self._is_done():
            while self._waiting:
                self._publish(channel, self._waiting[0].event())
                # Only now: what breaks on the way is published again, and then the journal has it twice at worst.
                self._waiting.popleft()
            self._trouble = ""
            self._say_what_was_dropped()
            channel.connection.process_data_events(0)
            self._wait(_IDLE, for_work=True)

    def _publish(self, channel: BlockingChannel, event: Event) -> None:
        try:
            write_event(channel, self._names, event, must_be_kept=True)
        except UnroutableError as error:
            # While the topology is being made, the exchange may be there without the journal behind it.
            raise BrokerUnreachable(
                f"{self._names.events} does not lead to a journal yet: run `antrian topology apply`"
            ) from error

    def _wait(self, seconds: float, *, for_work: bool) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or (for_work and bool(self._waiting)), seconds)
            for late in self._limit.overdue(time.monotonic(), is_last=self._stopping):
                self._keep(late)

    def _is_done(self) -> bool:
        return self._stopping and not self._waiting

    def _say_why_it_waits(self, reason: str) -> None:
        if reason != self._trouble:
            self._trouble = reason
            _log.warning("audit.waits", reason=reason, waiting=self.waiting)

    def _say_what_was_dropped(self) -> None:
        with self._changed:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            _log.error("audit.dropped", count=dropped)
