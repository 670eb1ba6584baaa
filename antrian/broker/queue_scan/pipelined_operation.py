"""One connection for one operation that keeps many publishes under way.

A publish of several steps waits for the confirm of each step before the next. Any error ends the operation, closes
the connection, and is raised by `_perform` as one of our errors.

An operation may ask for a lock: an exclusive queue, which the broker gives to one connection at a time and takes away
the moment that connection ends, however it ends. What is published on the same connection is therefore never
published without the lock.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.exceptions import ChannelClosedByBroker

from antrian.broker.confirms import Confirmation, ConfirmChannel
from antrian.broker.connection import address, connection_parameters, translate, translate_broken
from antrian.broker.queue_scan.batched_connection import BatchedConnection
from antrian.broker.queue_scan.publication import Publication
from antrian.domain.errors import AntrianError, BrokerError, BrokerUnreachable

#: Messages under way at once: enough to hide the round trip of a confirm, few enough to hold in memory.
WINDOW = 500

#: Seconds between two tries to get a lock.
_LOCK_PERIOD = 0.1

_RESOURCE_LOCKED = 405


class Busy(BrokerError):
    """Another process holds the lock of this operation; trying again later helps."""


class PipelinedOperation:
    """The base of all pipelined operations; an instance runs once.

    Args:
        urls: the broker's addresses.
        name: what the broker shows as the connection's name.
        lock: name of the exclusive queue to hold; empty for none.
        patience: seconds to wait for the lock.
    """

    def __init__(
        self, urls: Sequence[str], *, name: str = "antrian admin", lock: str = "", patience: float = 0
    ) -> None:
        self._parameters = connection_parameters(urls, name=name, heartbeat=30)
        self._lock = lock
        self._patience = patience
        self._loop = IOLoop()
        self._connection: BatchedConnection | None = None
        self._error: BaseException | None = None
        self._mistake: Exception | None = None
        self._ending = False

    def _begin(self) -> None:
        """The connection is open, the lock is ours, `_putting` is ready."""
        raise NotImplementedError

    def _perform(self) -> None:
        """Run the operation to its end.

        Raises:
            BrokerUnreachable: no address answers, or the broker is not accepting messages now.
            ConnectionBroke: the connection broke.
            BrokerRefused: this user may not.
            Busy: another process kept the lock for too long.
            Exception: whatever a callback of the caller raised.
        """
        BatchedConnection.create_connection(self._parameters, self._connected, custom_ioloop=self._loop)
        try:
            self._loop.start()
        finally:
            self._let_go()
        if self._mistake is not None:
            raise self._mistake
        if isinstance(self._error, AntrianError):
            raise self._error
        if self._error is not None:
            where = ", ".join(address(one) for one in self._parameters)
            was_open = self._connection is not None
            raise (translate_broken if was_open else translate)(self._error, where) from self._error

    def _let_go(self) -> None:
        # An interrupt comes out of the loop while the connection is still open.
        if self._connection is not None and not self._connection.is_closed:
            self._end()
            self._loop.start()
        self._loop.close()

    def _connected(self, result: Any) -> None:
        if isinstance(result, BaseException):
            self._error = result
            self._loop.stop()
            return
        self._connection = result
        result.add_on_close_callback(self._closed)
        result.add_on_connection_blocked_callback(self._blocked)
        self._patient_until = time.monotonic() + self._patience
        self._open(self._lock_open if self._lock else self._putting_open)

    def _open(self, then: Callable[[Channel], None]) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.channel(on_open_callback=then)

    def _lock_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._lock_refused)
        channel.queue_declare(self._lock, exclusive=True, callback=lambda _frame: self._open(self._putting_open))

    def _lock_refused(self, _channel: Channel, reason: BaseException) -> None:
        if self._ending:
            return
        if not isinstance(reason, ChannelClosedByBroker) or reason.reply_code != _RESOURCE_LOCKED:
            self._fail(reason)
        elif time.monotonic() < self._patient_until:
            self._loop.call_later(_LOCK_PERIOD, lambda: self._open(self._lock_open))
        else:
            self._fail(Busy("the same action is already running; try again in a moment"))

    def _putting_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._putting_closed)
        self._putting = ConfirmChannel(channel)
        self._begin()

    def _putting_closed(self, _channel: Channel, reason: BaseException) -> None:
        if not self._ending:
            self._fail(reason)

    def _publish(self, steps: deque[Publication], done: Callable[[Confirmation], None]) -> None:
        """Publish the steps one after the other; `done` gets the result of the last, or of the first that failed."""
        if not steps:
            done(Confirmation.CONFIRMED)
            return
        step = steps.popleft()

        def confirmed(confirmation: Confirmation) -> None:
            if confirmation is Confirmation.CONFIRMED:
                self._publish(steps, done)
            elif confirmation is not Confirmation.LOST:
                done(confirmation)

        self._putting.publish(
            step.exchange, step.routing_key, step.body, step.properties, confirmed, mandatory=step.mandatory
        )

    def _end(self) -> None:
        self._ending = True
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def _give_up(self, mistake: Exception) -> None:
        """End because a callback of the caller raised."""
        self._mistake = mistake
        self._end()

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._end()

    def _blocked(self, _connection: Any, frame: Any) -> None:
        self._fail(BrokerUnreachable(f"the broker is not accepting messages now: {frame.method.reason}"))

    def _closed(self, _connection: Any, reason: BaseException) -> None:
        if not self._ending:
            self._error = self._error or reason
        self._loop.stop()
