"""Going once through queues from the front: some messages are taken out for good, all others keep their place.

A message that is taken is first replaced by what shall become of it (a copy, an event), each confirmed by the broker
before the next is published; only then is it acked. So a process that dies in the middle, even by `kill -9`, loses
nothing: what was not acked is back in its place at once. Up to `WINDOW` messages are under way at a time, whatever
the queue's length, and messages that are left are not kept in memory.

Only what was there at the start is looked at: as many messages as the queue held then.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika
from pika import spec
from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.channel import Channel
from pika.exceptions import ChannelClosedByClient

from admin_api.parcel import Found, Publication
from broker.confirms import Confirmation, ConfirmChannel
from broker.connection import address, connection_parameters, translate
from broker.errors import AntrianError, BrokerUnavailable

#: Messages under way at once: enough to hide the confirms' round trip, few enough to hold in memory.
WINDOW = 500

#: Messages left on one channel before the next channel is opened: the broker searches all of a channel's un-acked
#: messages at each ack, so that on a single channel the time would grow with the square of their number.
LEFT_PER_CHANNEL = 1_000


@dataclass(slots=True)
class Tally:
    """How far the sieve has come.

    Attributes:
        seen: messages looked at.
        taken: messages replaced and removed.
        refused: messages that were to be taken, but the broker did not accept what replaces them; they stay.
    """

    seen: int = 0
    taken: int = 0
    refused: int = 0


#: What to publish before a message is removed, in order; None leaves the message where it is.
Decide = Callable[[Found], Sequence[Publication] | None]


class Sieve:
    """One pass through some queues; use it once.

    Args:
        urls: the broker's addresses.
        queues: names of queues without a single active consumer, or classic ones; one after the other.
        decide: called for each message, in the queue's order.
        is_enough: asked before each message; True ends the pass.
        per_second: takes at most so many messages per second.
        on_progress: called after each message that is settled.
    """

    def __init__(
        self,
        urls: Sequence[str],
        queues: Iterable[str],
        decide: Decide,
        *,
        is_enough: Callable[[], bool] = lambda: False,
        per_second: float | None = None,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
    ) -> None:
        self.tally = Tally()
        self._parameters = connection_parameters(urls, name="antrian admin", heartbeat=30)
        self._queues = deque(queues)
        self._decide = decide
        self._is_enough = is_enough
        self._between = 1 / per_second if per_second else 0.0
        self._on_progress = on_progress
        self._loop = IOLoop()
        self._connection: SelectConnection | None = None
        self._error: BaseException | None = None
        self._mistake: Exception | None = None
        self._queue = ""
        self._unseen = 0
        self._under_way = 0
        self._left_here = 0
        self._holding: list[Channel] = []
        self._closing: deque[Channel] = deque()
        self._asking = False
        self._next_at = 0.0
        self._ending = False

    def run(self) -> Tally:
        """Go through the queues.

        Raises:
            BrokerUnavailable: the connection broke, a queue is missing, or the broker accepts nothing now; what was
                taken until then is counted in `tally`, everything else is in its place.
            BrokerRefused: this user may not.
            Exception: whatever `decide` raised; everything that was not taken is in its place.
        """
        SelectConnection.create_connection(self._parameters, self._connected, custom_ioloop=self._loop)
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
            raise translate(self._error, where) from self._error
        return self.tally

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
        result.channel(on_open_callback=self._putting_open)

    def _putting_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        self._putting = ConfirmChannel(channel)
        self._open_taking()

    def _open_taking(self) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.channel(on_open_callback=self._taking_open)

    def _taking_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        channel.add_callback(self._nothing_there, [spec.Basic.GetEmpty], one_shot=False)
        self._taking = channel
        self._left_here = 0
        if self._holding:
            self._asking = False
            self._look()
        else:
            self._next_queue()

    def _next_queue(self) -> None:
        if not self._queues or self._is_enough():
            self._end()
            return
        self._queue = self._queues.popleft()
        self._taking.queue_declare(self._queue, passive=True, callback=self._counted)

    def _counted(self, frame: Any) -> None:
        self._unseen = frame.method.message_count
        self._look()

    def _look(self) -> None:
        """Ask for the next message, unless one is being asked for or enough are under way."""
        if self._asking or self._ending or self._under_way >= WINDOW:
            return
        if self._unseen <= 0 or self._is_enough():
            if not self._under_way:
                self._end_queue()
            return
        self._asking = True
        if self._left_here >= LEFT_PER_CHANNEL:
            self._holding.append(self._taking)
            self._open_taking()
            return
        wait = self._next_at - time.monotonic()
        if wait > 0:
            self._loop.call_later(wait, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        if not self._ending:
            self._taking.basic_get(self._queue, self._got)

    def _got(self, channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._asking = False
        self._unseen -= 1
        self.tally.seen += 1
        try:
            steps = self._decide(Found(self._queue, method.routing_key, properties, body))
        except Exception as error:  # noqa: BLE001 (whatever it is, pika would take it for a broken connection)
            self._mistake = error
            self._end()
            return
        if steps is None:
            self._leave()
        else:
            self._next_at = time.monotonic() + self._between
            self._under_way += 1
            self._replace(partial(channel.basic_ack, method.delivery_tag), deque(steps))
        self._look()

    def _nothing_there(self, _frame: Any) -> None:
        # Somebody else was faster; there is nothing left of what was there at the start.
        self._asking = False
        self._unseen = 0
        self._look()

    def _replace(self, ack: Callable[[], None], steps: deque[Publication]) -> None:
        """Publish the next of the steps, or ack after the last."""
        if not steps:
            ack()
            self.tally.taken += 1
            self._settled()
            return
        step = steps.popleft()
        self._putting.publish(
            step.exchange,
            step.routing_key,
            step.body,
            step.properties,
            lambda confirmation: self._confirmed(ack, steps, confirmation),
            mandatory=step.mandatory,
        )

    def _confirmed(self, ack: Callable[[], None], steps: deque[Publication], confirmation: Confirmation) -> None:
        if confirmation is Confirmation.CONFIRMED:
            self._replace(ack, steps)
        elif confirmation is not Confirmation.LOST:
            self.tally.refused += 1
            self._left_here += 1
            self._settled()

    def _leave(self) -> None:
        self._left_here += 1
        self._on_progress(self.tally)

    def _settled(self) -> None:
        self._under_way -= 1
        self._on_progress(self.tally)
        self._look()

    def _end_queue(self) -> None:
        """Let what was left go back to its place, in order."""
        if not self._left_here and not self._holding:
            self._next_queue()
            return
        # Closing a channel does so in milliseconds; a nack of thousands takes classic queues minutes. The broker
        # confirms it when everything is back. One after the other: quorum queues keep the order of the returning.
        self._closing = deque([*self._holding, self._taking])
        self._closing[0].close()

    def _end(self) -> None:
        self._ending = True
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def _blocked(self, _connection: Any, frame: Any) -> None:
        self._fail(BrokerUnavailable(f"the broker accepts nothing now: {frame.method.reason}"))

    def _channel_closed(self, _channel: Channel, reason: BaseException) -> None:
        if self._ending:
            return
        if not isinstance(reason, ChannelClosedByClient):
            self._fail(reason)
            return
        self._closing.popleft()
        if self._closing:
            self._closing[0].close()
        else:
            self._holding = []
            self._open_taking()

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._end()

    def _closed(self, _connection: Any, reason: BaseException) -> None:
        if not self._ending:
            self._error = self._error or reason
        self._loop.stop()
