"""Scans queues once from the front: some messages are removed, all others keep their place.

Classic queues keep the order exactly; quorum queues return what was left to the front, but in another order.

A message that is taken is first replaced (by a copy, an event), each publish confirmed by the broker before the next;
only then is it acked. So a process that dies in the middle, even by `kill -9`, loses nothing: what was not acked is
back in its place at once. Up to `WINDOW` messages are under way at a time, whatever
the queue's length, and messages that are left are not kept in memory.

Only what was there at the start is looked at: as many messages as the queue held then. A pass without a rate asks for
`AHEAD` messages before it has seen them; when the pass then ends early, these go back like all others.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import pika
from pika.channel import Channel
from pika.exceptions import ChannelClosedByClient

from antrian.broker.broken_connection import despite_broken_connections
from antrian.broker.confirms import Confirmation
from antrian.broker.queue_scan.pipelined_gets import PipelinedGets
from antrian.broker.queue_scan.pipelined_operation import WINDOW, PipelinedOperation
from antrian.broker.queue_scan.publication import Found, Publication, Tally
from antrian.domain.lenient_headers import readable_key

__all__ = ["WINDOW", "Decide", "QueueScan", "Tally", "scan_despite_broken_connections"]

#: Messages left on one channel before the next channel is opened: the broker searches all of a channel's un-acked
#: messages at each ack, so that on a single channel the time would grow with the square of their number.
LEFT_PER_CHANNEL = 1_000

#: Messages asked for at a time: enough to hide the round trip, few enough to return unseen.
AHEAD = 250

#: How many of the latest acks may not have reached the broker when a connection breaks.
ACKS_IN_DOUBT = 2 * WINDOW

#: Seconds after which a slow pass asks again whether it is enough.
_ASK_AGAIN = 0.25

#: What to publish before a message is removed, in order (it may be nothing); None leaves the message where it is.
Decide = Callable[[Found], Sequence[Publication] | None]


def scan_despite_broken_connections(start: "Callable[[QueueScan | None], QueueScan]") -> Tally:
    """Run a scan; when its connection breaks, what is left is scanned by another one.

    Args:
        start: makes each scan, which goes on with the given one; with none at first.

    Raises:
        ConnectionBroke: the connections broke again and again.
        Exception: as of `QueueScan.run`.
    """
    latest: QueueScan | None = None

    def scan() -> Tally:
        nonlocal latest
        latest = start(latest)
        return latest.run()

    return despite_broken_connections(scan)


class QueueScan(PipelinedOperation):
    """One pass through some queues; an instance runs once.

    Args:
        urls: the broker's addresses.
        queues: names of queues, one after the other. Not quorum queues with a single active consumer: those refuse it.
        decide: called for each message, in the queue's order.
        is_enough: asked before each message; True ends the pass.
        per_second: takes at most so many messages per second, and never holds more than one before its time.
        on_progress: called after each message that is settled.
        lock: name of an exclusive queue to hold meanwhile; empty for none.
        patience: seconds to wait for the lock.
        after: the scan that this one goes on with, after its connection broke.

    Attributes:
        tally: how far it has come.
        latest: the copies (message_id, generation) that were taken last, of which the broker may not have the acks.
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
        lock: str = "",
        patience: float = 0,
        after: "QueueScan | None" = None,
    ) -> None:
        super().__init__(urls, lock=lock, patience=patience)
        # What was left, or refused, is seen again; and of what was taken, that of which the broker did not get the ack.
        taken = after.tally.taken if after else 0
        self.tally: Tally = Tally(seen=taken, taken=taken)
        self._in_doubt = frozenset(after.latest) if after else frozenset()
        self.latest: deque[tuple[str, int]] = deque(self._in_doubt, ACKS_IN_DOUBT)
        self._queues = deque(queues)
        self._decide = decide
        self._is_enough = is_enough
        self._between = 1 / per_second if per_second else 0.0
        self._ahead = 1 if per_second else AHEAD
        self._on_progress = on_progress
        self._queue = ""
        self._unasked = 0
        self._is_over = False
        self._under_way = 0
        self._left_here = 0
        self._holding: list[Channel] = []
        self._closing: deque[Channel] = deque()
        self._waiting = False
        self._next_at = 0.0

    def run(self) -> Tally:
        """Go through the queues.

        Raises:
            BrokerUnreachable: the connection broke (`ConnectionBroke`), a queue is missing, or the broker is not
                accepting messages now; what was taken until then is counted in `tally`, all else is in its place.
            BrokerRefused: this user may not.
            Busy: another process holds the lock.
            Exception: whatever `decide` raised; everything that was not taken is in its place.
        """
        self._perform()
        return self.tally

    def is_counted(self, found: Found) -> bool:
        """Whether the scan that this one goes on with has taken it already; only its ack was lost."""
        return bool(self._in_doubt) and (found.message_id, found.generation) in self._in_doubt

    def _begin(self) -> None:
        self._open(self._taking_open)

    def _taking_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        self._taking = channel
        self._gets = PipelinedGets(channel, self._got, self._nothing_there)
        self._left_here = 0
        self._changing = False
        if self._holding:
            self._look()
        else:
            self._next_queue()

    def _next_queue(self) -> None:
        if not self._queues or self._is_over or self._is_enough():
            self._end()
            return
        self._queue = self._queues.popleft()
        self._taking.queue_declare(self._queue, passive=True, callback=self._counted)

    def _counted(self, frame: Any) -> None:
        self._unasked = frame.method.message_count
        self._is_empty = False
        self._look()

    def _look(self) -> None:
        """Ask for as many messages as there is room for, or end when there is nothing more to wait for."""
        if self._ending or self._changing or self._waiting:
            return
        if not self._is_wanted():
            self._finish()
        elif self._left_here >= LEFT_PER_CHANNEL:
            self._change_channel()
        elif (wait := self._next_at - time.monotonic()) > 0:
            self._waiting = True
            self._loop.call_later(min(wait, _ASK_AGAIN), self._look_again)
        else:
            self._ask()

    def _is_wanted(self) -> bool:
        if not self._gets.unanswered:
            self._is_over = self._is_over or self._is_enough()
        return self._unasked > 0 and not self._is_over

    def _finish(self) -> None:
        if not self._under_way and not self._gets.unanswered:
            self._end_queue()

    def _change_channel(self) -> None:
        # What is on its way must not be overtaken by what the next channel asks for.
        if not self._gets.unanswered:
            self._changing = True
            self._holding.append(self._taking)
            self._open(self._taking_open)

    def _ask(self) -> None:
        gets = self._gets
        while self._unasked > 0 and gets.unanswered < self._ahead and self._under_way + gets.unanswered < WINDOW:
            self._unasked -= 1
            gets.ask(self._queue)

    def _look_again(self) -> None:
        self._waiting = False
        self._look()

    def _got(self, channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        if self._ending:
            return
        self._is_over = self._is_over or self._is_enough()
        if self._is_over or self._is_empty:
            # Asked for too early, or come too late: it goes back unseen.
            self._left_here += 1
            self._look()
            return
        found = Found(self._queue, readable_key(method.routing_key), properties, body, method.redelivered)
        self.tally.seen += not self.is_counted(found)
        try:
            steps = self._decide(found)
        except Exception as error:  # noqa: BLE001 (whatever it is, pika would take it for a broken connection)
            self._give_up(error)
            return
        if steps is None:
            self._leave()
        else:
            self._take(found, steps, partial(channel.basic_ack, method.delivery_tag))

    def _take(self, found: Found, steps: Sequence[Publication], ack: Callable[[], None]) -> None:
        self._next_at = time.monotonic() + self._between
        self._under_way += 1
        # The next ones come while this one is replaced.
        self._look()
        if steps:
            self._publish(deque(steps), partial(self._replaced, found, ack))
        else:
            self._loop.call_later(0, partial(self._replaced, found, ack, Confirmation.CONFIRMED))

    def _nothing_there(self) -> None:
        # Another consumer was faster; nothing is left of what was there at the start.
        self._is_empty = True
        self._unasked = 0
        self._look()

    def _replaced(self, found: Found, ack: Callable[[], None], confirmation: Confirmation) -> None:
        if confirmation is Confirmation.CONFIRMED:
            ack()
            self.tally.taken += not self.is_counted(found)
            self.latest.append((found.message_id, found.generation))
        else:
            self.tally.refused += 1
            self._left_here += 1
        self._settled()

    def _leave(self) -> None:
        self._left_here += 1
        self._on_progress(self.tally)
        self._look()

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
        # confirms it when everything is back. One after the other: quorum queues put what returns behind what has
        # returned before (and mix what was left on one channel: each `basic.get` is a consumer of its own to them).
        self._closing = deque([*self._holding, self._taking])
        self._closing[0].close()

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
            self._open(self._taking_open)
