"""Many threads publish, one I/O thread writes: pipelined confirms over a connection that may break at any time.

A publication whose confirm was lost with its connection is written again, with the same message_id, on the next
one: the consumer sends a message_id once, so this can never send twice.
"""

import re
import threading
import time
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

import pika
from pika.connection import Connection
from pika.exceptions import ChannelClosedByClient

from antrian.broker.confirms import Confirmation, ConfirmChannel
from antrian.broker.io_thread import IOThread
from antrian.broker.publishing_connection import PublishingConnection
from antrian.domain.errors import BrokerError, BrokerRefused

if TYPE_CHECKING:
    from publisher.instrumentation import Track

#: Publications in flight at once: enough to hide the round trip, few enough to be written again quickly.
WINDOW = 2_000

#: With so many in flight, what is submitted within so many seconds is written together: each write costs two switches
#: of threads. A publisher that waits for each confirm never has that many.
MANY = 32
GATHERING = 0.001

_NOT_FOUND = 404

#: What the broker says of a stream that has no leader yet.
STREAM_DOWN = "is down or inaccessible"

#: Seconds between two questions whether the journal is up.
_JOURNAL_PERIOD = 0.1

_CULPRIT = re.compile(r"exchange '(?P<name>[^']+)'")


class Result(Enum):
    """How a publication ended."""

    ACCEPTED = auto()
    UNROUTABLE = auto()
    #: The broker surely did not keep it, because it never got it.
    NOT_ACCEPTED = auto()
    #: The broker got it and said no (a full queue, a failing disk).
    REFUSED = auto()
    #: Given up waiting after it was written: the outcome is unknown.
    UNKNOWN = auto()


class PendingPublication:
    """One message on its way to the broker.

    Args:
        track: told of the end, in whichever thread sees it; None for no one.
    """

    __slots__ = ("body", "exchange", "properties", "result", "routing_key", "track", "waiter", "written")

    def __init__(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: pika.BasicProperties,
        track: "Track | None" = None,
    ) -> None:
        self.exchange = exchange
        self.routing_key = routing_key
        self.body = body
        self.properties = properties
        self.track = track
        self.written = False
        self.result: Result | None = None
        #: Held until there is a result, once a thread waits for it.
        self.waiter: threading.Lock | None = None


class Pipeline:
    """The I/O side of a publisher.

    Args:
        parameters: the broker's addresses.
        name: for the thread and the broker's list of connections.
        entrance: the exchange that must exist before anything is written.
        journal: the stream that must be up before anything is written.
    """

    def __init__(self, parameters: Sequence[pika.URLParameters], name: str, entrance: str, journal: str) -> None:
        self._entrance = entrance
        self._journal = journal
        self._waiting: deque[PendingPublication] = deque()
        self._in_flight: dict[int, PendingPublication] = {}
        self._lock = threading.Lock()
        self._wake_scheduled = False
        self._channel: ConfirmChannel | None = None
        self._blocked: str | None = None
        self._trouble = "the broker has not answered yet"
        self._refusal: str | None = None
        self._closed = False
        self._io = IOThread(parameters, name=name, on_up=self._up, on_down=self._down)
        self._io.start()

    @property
    def trouble(self) -> str:
        """Why there is no answer, for an error message; meaningful while something waits for one."""
        return self._blocked or self._trouble

    def submit(self, publication: PendingPublication) -> None:
        """Hand a publication to the I/O thread; safe from any thread."""
        self._waiting.append(publication)
        if self._closed:
            self.abandon(publication)
        elif not self._wake_scheduled:
            self._wake_scheduled = True
            self._io.call(self._write)

    def wait(self, publication: PendingPublication, deadline: float) -> Result:
        """The result, or what can be said at the deadline (monotonic seconds) without one."""
        if publication.result is None:
            waiter = threading.Lock()
            waiter.acquire()
            with self._lock:
                if publication.result is not None:
                    return publication.result
                publication.waiter = waiter
            remaining = min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)
            if not waiter.acquire(timeout=remaining):
                return self.abandon(publication)
        return publication.result or self.abandon(publication)

    def abandon(self, publication: PendingPublication) -> Result:
        """Stop waiting: the result if there is one by now, else what can be said without it."""
        with self._lock:
            if publication.result is None:
                publication.result = _without_an_answer(publication)
            return publication.result

    def close(self, timeout: float) -> None:
        """Close the connection; what has not been written by now never will be, and is told so."""
        self._closed = True
        self._io.stop(timeout)
        self._blocked, self._trouble = None, "the publisher was closed"
        self._settle_all()

    def _settle_all(self) -> None:
        self._waiting.extend(self._in_flight.values())
        self._in_flight = {}
        while self._waiting:
            publication = self._waiting.popleft()
            self._finish(publication, _without_an_answer(publication))

    # Everything below runs in the I/O thread.

    def _write(self) -> None:
        self._wake_scheduled = False
        while self._waiting and self._waiting[0].result is not None:
            self._waiting.popleft()  # given up by its caller; an outage must not fill the memory with these
        channel = self._channel
        if not self._waiting or channel is None:
            return
        with channel.one_write():
            while self._waiting and channel.is_open and channel.in_flight < WINDOW and not self._blocked:
                self._publish(channel, self._waiting.popleft())
        if channel.in_flight >= MANY and not self._waiting:
            # There is a queue before the broker anyway: whatever comes next may wait for company.
            self._wake_scheduled = True
            self._io.call_later(GATHERING, self._write)

    def _publish(self, channel: ConfirmChannel, publication: PendingPublication) -> None:
        with self._lock:
            if publication.result is not None:
                return
            publication.written = True
        self._in_flight[id(publication)] = publication
        channel.publish(
            publication.exchange,
            publication.routing_key,
            publication.body,
            publication.properties,
            partial(self._confirmed, publication),
        )

    def _confirmed(self, publication: PendingPublication, confirmation: Confirmation) -> None:
        if confirmation is Confirmation.LOST:
            return  # `_down` puts it back, in order
        self._in_flight.pop(id(publication), None)
        self._finish(publication, _RESULTS[confirmation])
        if self._waiting and not self._wake_scheduled and len(self._in_flight) <= WINDOW // 2:
            self._write()

    def _finish(self, publication: PendingPublication, result: Result) -> None:
        with self._lock:
            if publication.result is not None:
                return
            publication.result = result
            waiter = publication.waiter
        if publication.track is not None:
            publication.track.end(result)
        if waiter is not None:
            waiter.release()

    def _up(self, connection: Connection) -> None:
        self._blocked = None
        if isinstance(connection, PublishingConnection):
            connection.expect_little()
        connection.add_on_connection_blocked_callback(self._connection_blocked)
        connection.add_on_connection_unblocked_callback(self._connection_unblocked)
        connection.channel(on_open_callback=self._ask_for_the_journal)

    def _ask_for_the_journal(self, channel: pika.channel.Channel) -> None:
        """A broker that has just started confirms messages that its streams, which come up last, never get."""
        channel.add_on_close_callback(self._journal_is_not_up)
        channel.queue_declare(self._journal, passive=True, callback=lambda _frame: self._journal_is_up(channel))

    def _journal_is_up(self, channel: pika.channel.Channel) -> None:
        channel.connection.channel(on_open_callback=self._channel_open)
        channel.close()

    def _journal_is_not_up(self, channel: pika.channel.Channel, reason: BaseException) -> None:
        connection = channel.connection
        if not connection.is_open or isinstance(reason, ChannelClosedByClient):
            return
        if STREAM_DOWN not in str(getattr(reason, "reply_text", "")):
            # There is none, or this user may not ask: a user who may publish finds out by publishing.
            connection.channel(on_open_callback=self._channel_open)
            return
        self._trouble = "the broker is still starting"
        connection.ioloop.call_later(_JOURNAL_PERIOD, lambda: self._ask_again(connection))

    def _ask_again(self, connection: Connection) -> None:
        if connection.is_open:
            connection.channel(on_open_callback=self._ask_for_the_journal)

    def _channel_open(self, channel: pika.channel.Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        # A missing exchange must be noticed before anything is written: afterwards it would be unknown what was kept.
        channel.exchange_declare(self._entrance, passive=True, callback=lambda _frame: self._ready(channel))

    def _ready(self, channel: pika.channel.Channel) -> None:
        self._channel = ConfirmChannel(channel)
        self._trouble = "the broker is connected, but does not confirm it"
        self._write()

    def _channel_closed(self, channel: pika.channel.Channel, reason: BaseException) -> None:
        """A missing exchange or permission: only people can fix it, so say it and try again."""
        if not channel.connection.is_open:
            return  # the connection went first; `_down` follows
        text = str(getattr(reason, "reply_text", reason))
        culprit = match["name"] if (match := _CULPRIT.search(text)) else self._entrance
        self._refusal = self._trouble = f"the broker refuses: {text}"
        if getattr(reason, "reply_code", 0) == _NOT_FOUND:
            self._refusal = self._trouble = f"exchange {culprit} does not exist: run `antrian topology apply`"
        self._channel = None
        self._give_up_on(culprit)
        self._io.drop()

    def _give_up_on(self, exchange: str) -> None:
        """Written again, these would have the next channel closed as well, and all others written again with them."""
        for key, publication in list(self._in_flight.items()):
            if publication.exchange == exchange:
                del self._in_flight[key]
                # Those before the one that was refused may have been accepted.
                self._finish(publication, Result.UNKNOWN)

    def _down(self, error: BrokerError) -> None:
        self._channel = None
        self._blocked = None
        self._wake_scheduled = False  # the loop that was to wake may be gone
        self._trouble, self._refusal = self._refusal or str(error), None
        unconfirmed, self._in_flight = self._in_flight, {}
        self._waiting.extendleft(reversed(unconfirmed.values()))
        if isinstance(error, BrokerRefused):
            self._reject_unwritten()

    def _reject_unwritten(self) -> None:
        for publication in [waiting for waiting in list(self._waiting) if not waiting.written]:
            self._finish(publication, Result.NOT_ACCEPTED)

    def _connection_blocked(
        self, _connection: Connection, frame: pika.frame.Method[pika.spec.Connection.Blocked]
    ) -> None:
        self._blocked = f"the broker is not accepting messages now: {frame.method.reason}"

    def _connection_unblocked(self, _connection: Connection, _frame: object) -> None:
        self._blocked = None
        self._write()


_RESULTS = {
    Confirmation.CONFIRMED: Result.ACCEPTED,
    Confirmation.RETURNED: Result.UNROUTABLE,
    Confirmation.REFUSED: Result.REFUSED,
}


def _without_an_answer(publication: PendingPublication) -> Result:
    return Result.UNKNOWN if publication.written else Result.NOT_ACCEPTED
