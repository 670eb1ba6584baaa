"""Writes events for an asyncio loop: one connection in a thread, pipelined confirms, one answer for each batch.

A batch is written when the broker has confirmed every event of it. What a lost connection leaves without a confirm is
not written again here: the request is answered 503, and its provider repeats it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from functools import partial
from typing import Any

import pika
import structlog
from pika.connection import Connection
from pika.exceptions import ChannelClosedByClient

from antrian.broker.confirms import Confirmation, ConfirmChannel
from antrian.broker.event_log import PublishArguments
from antrian.broker.io_thread import IOThread
from antrian.broker.publishing_connection import PublishingConnection
from antrian.broker.topology import Names
from antrian.domain.errors import BrokerError

#: Events that were taken and have no confirm yet; with more, a request is told to come again.
MOST_PENDING = 20_000

#: With so many events in flight, the I/O thread looks only every so many seconds: each time that it wakes it takes the
#: interpreter from the thread that answers requests, which cost more than all that either of them does.
_MANY = 8
_GATHERING = 0.002

#: Seconds between two questions whether the streams are up.
_STREAMS_PERIOD = 0.1
#: What the broker says of a stream that has no leader yet, and its codes for what is not there and not allowed.
_STREAM_DOWN = "is down or inaccessible"
_NOT_FOUND, _REFUSED = 404, 403

_log = structlog.get_logger()


class Written(Enum):
    """What became of a batch."""

    #: The broker has every event of it.
    CONFIRMED = auto()
    #: The broker is not there, or takes nothing now.
    AWAY = auto()
    #: It has not confirmed all of it in time; it may have it all the same.
    LATE = auto()
    #: It gave an event back, or said no.
    REFUSED = auto()


class _Batch:
    """The events of one request on their way."""

    __slots__ = ("future", "is_settled", "left", "publications", "result")

    def __init__(self, publications: Sequence[PublishArguments], future: "asyncio.Future[Written]") -> None:
        self.publications = publications
        self.left = len(publications)
        self.future = future
        self.result = Written.CONFIRMED
        self.is_settled = False


class EventWriter:
    """Used from one asyncio loop.

    Args:
        parameters: the broker's addresses.
        names: of the namespace.
    """

    def __init__(self, parameters: Sequence[pika.URLParameters], names: Names) -> None:
        self._names = names
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[_Batch] = deque()
        self._settled: deque[_Batch] = deque()
        self._deadlines: deque[tuple[float, asyncio.Future[Written]]] = deque()
        self._pending = 0
        self._wake_scheduled = False
        self._told = False
        # Of the I/O thread.
        self._in_flight: set[_Batch] = set()
        self._channel: ConfirmChannel | None = None
        self._blocked = ""
        self._trouble = "the broker has not answered yet"
        self._refusal = ""
        self._io = IOThread(parameters, name="antrian receipts", on_up=self._up, on_down=self._down)

    @property
    def trouble(self) -> str:
        """Why nothing can be written now, in one phrase; empty where it can."""
        return self._blocked or ("" if self._channel is not None else self._trouble)

    @property
    def pending(self) -> int:
        """Events that were taken and have no result yet."""
        return self._pending

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._io.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Close the connection; what has no confirm is not written."""
        self._io.stop(timeout)

    async def write(self, publications: Sequence[PublishArguments], patience: float) -> Written:
        """Write a batch; returns when all of it is confirmed, or it is known that it will not be in time.

        Args:
            publications: at least one; mandatory ones.
            patience: seconds; the same for all batches.
        """
        if self.trouble:
            return Written.AWAY
        if self._pending + len(publications) > MOST_PENDING:
            return Written.LATE
        self._loop = loop = asyncio.get_running_loop()
        batch = _Batch(publications, loop.create_future())
        self._pending += len(publications)
        self._waiting.append(batch)
        if not self._wake_scheduled:
            self._wake_scheduled = True
            self._io.call(self._write)
        deadline = loop.time() + patience
        self._deadlines.append((deadline, batch.future))
        if len(self._deadlines) == 1:
            loop.call_at(deadline, self._give_up_late_ones)
        return await batch.future

    def _give_up_late_ones(self) -> None:
        """One timer for all batches: they are given up in the order in which they came."""
        loop = asyncio.get_running_loop()
        while self._deadlines:
            deadline, future = self._deadlines[0]
            if not future.done():
                if deadline > loop.time():
                    loop.call_at(deadline, self._give_up_late_ones)
                    return
                future.set_result(Written.LATE)
            self._deadlines.popleft()

    def _take_settled(self) -> None:
        """In the asyncio loop: wake those whose batches have a result."""
        self._told = False
        while self._settled:
            batch = self._settled.popleft()
            self._pending -= len(batch.publications)
            if not batch.future.done():
                batch.future.set_result(batch.result)

    # Everything below runs in the I/O thread.

    def _write(self) -> None:
        self._wake_scheduled = False
        channel = self._channel
        if channel is None or self._blocked:
            self._fail_waiting()
            return
        with channel.one_write():
            while self._waiting:
                batch = self._waiting.popleft()
                if batch.future.done():
                    self._settle(batch, Written.LATE)  # nobody waits for it any more
                else:
                    self._publish(channel, batch)
        if channel.in_flight >= _MANY:
            self._wake_scheduled = True
            time.sleep(_GATHERING)  # confirms gather meanwhile, too
            self._io.call_later(0, self._write)

    def _publish(self, channel: ConfirmChannel, batch: _Batch) -> None:
        self._in_flight.add(batch)
        done = partial(self._confirmed, batch)
        for exchange, key, body, properties, mandatory in batch.publications:
            if not channel.is_open:
                self._settle(batch, Written.AWAY)
                return
            channel.publish(exchange, key, body, properties, done, mandatory=mandatory)

    def _confirmed(self, batch: _Batch, confirmation: Confirmation) -> None:
        if confirmation is not Confirmation.CONFIRMED:
            batch.result = Written.AWAY if confirmation is Confirmation.LOST else Written.REFUSED
        batch.left -= 1
        if not batch.left:
            self._settle(batch, batch.result)

    def _settle(self, batch: _Batch, result: Written) -> None:
        if batch.is_settled:
            return
        batch.is_settled, batch.result = True, result
        self._in_flight.discard(batch)
        self._settled.append(batch)
        if not self._told and self._loop is not None and not self._loop.is_closed():
            self._told = True
            self._loop.call_soon_threadsafe(self._take_settled)

    def _fail_waiting(self) -> None:
        while self._waiting:
            self._settle(self._waiting.popleft(), Written.AWAY)

    def _up(self, connection: Connection) -> None:
        if isinstance(connection, PublishingConnection):
            connection.expect_little()
        connection.add_on_connection_blocked_callback(self._connection_blocked)
        connection.add_on_connection_unblocked_callback(self._connection_unblocked)
        names = self._names
        self._ask_for(connection, (names.journal, names.outcomes, names.contacts, names.receipts))

    def _ask_for(self, connection: Connection, queues: tuple[str, ...]) -> None:
        """See that each is up: a broker that has just started confirms events that its streams never get."""
        if not connection.is_open:
            return
        if not queues:
            connection.channel(on_open_callback=self._channel_open)
            return

        def answered(channel: pika.channel.Channel) -> None:
            channel.close()
            self._ask_for(connection, queues[1:])

        def refused(channel: pika.channel.Channel, reason: BaseException) -> None:
            if not connection.is_open or isinstance(reason, ChannelClosedByClient):
                return
            if _STREAM_DOWN in str(getattr(reason, "reply_text", "")):
                self._trouble = "the broker is still starting"
                connection.ioloop.call_later(_STREAMS_PERIOD, lambda: self._ask_for(connection, queues))
            elif getattr(reason, "reply_code", 0) == _REFUSED:
                self._ask_for(connection, queues[1:])
            else:
                self._channel_closed(channel, reason)

        def ask(channel: pika.channel.Channel) -> None:
            channel.add_on_close_callback(refused)
            channel.queue_declare(queues[0], passive=True, callback=lambda _frame: answered(channel))

        connection.channel(on_open_callback=ask)

    def _channel_open(self, channel: pika.channel.Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        # A missing exchange must be noticed before anything is written.
        channel.exchange_declare(self._names.events, passive=True, callback=lambda _frame: self._ready(channel))

    def _ready(self, channel: pika.channel.Channel) -> None:
        self._channel = ConfirmChannel(channel)
        self._refusal = ""
        _log.info("broker.connected")

    def _channel_closed(self, channel: pika.channel.Channel, reason: BaseException) -> None:
        """A missing object or permission: only people can correct it, so it is told and tried again."""
        if not channel.connection.is_open:
            return  # the connection went first; `_down` follows
        text = str(getattr(reason, "reply_text", reason))
        missing = getattr(reason, "reply_code", 0) == _NOT_FOUND
        self._refusal = f"{text}: run `antrian topology apply`" if missing else f"the broker refuses: {text}"
        self._channel = None
        self._settle_all()
        self._io.drop()

    def _down(self, error: BrokerError) -> None:
        told = self._refusal or str(error)
        if self._channel is not None or told != self._trouble:
            _log.warning("broker.trouble", reason=told)
        self._channel, self._blocked = None, ""
        self._trouble, self._refusal = told, ""
        self._wake_scheduled = False  # the loop that was to wake may be gone
        self._settle_all()

    def _settle_all(self) -> None:
        for batch in list(self._in_flight):
            self._settle(batch, Written.AWAY)
        self._fail_waiting()

    def _connection_blocked(self, _connection: Connection, frame: Any) -> None:
        self._blocked = f"the broker takes nothing now: {frame.method.reason}"
        _log.warning("broker.trouble", reason=self._blocked)

    def _connection_unblocked(self, _connection: Connection, _frame: object) -> None:
        self._blocked = ""
        _log.info("broker.connected")
