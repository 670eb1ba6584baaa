"""What the broker counts in queues: one by one for a lane, and shared where all lanes have the same ones."""

import math
import time
from typing import NamedTuple

from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, UnroutableError

from antrian.broker.topology import Names
from antrian.domain.delay_ladder import LADDER_LEVELS

#: Seconds for which the ladder's counts are believed; an event about a retry has them counted again at once.
_LADDER_PERIOD = 1.0

_NOT_FOUND = 404


class QueueCount(NamedTuple):
    """A queue at one moment.

    Attributes:
        ready: messages that no consumer holds.
        consumers: subscribed to it.
    """

    ready: int
    consumers: int


class QueueCounts:
    """Counts queues over a channel of its own, because asking for a queue that is not there closes the channel.

    Args:
        channel: open; another channel of its connection is used.
    """

    def __init__(self, channel: BlockingChannel) -> None:
        self._connection = channel.connection
        self._probe: BlockingChannel | None = None

    def of(self, queue: str) -> QueueCount | None:
        """The counts of a queue, after one round trip; None when there is no such queue.

        Raises:
            ChannelClosedByBroker: this user may not ask.
        """
        if self._probe is None or not self._probe.is_open:
            self._probe = self._connection.channel()
        try:
            answer = self._probe.queue_declare(queue, passive=True).method
        except ChannelClosedByBroker as error:
            if error.reply_code != _NOT_FOUND:
                raise
            return None
        return QueueCount(answer.message_count, answer.consumer_count)


class SharedCounts:
    """What all lanes share, counted once for all of them: the delay ladder, dead letters, and who listens.

    Args:
        channel: open, with confirms.
        counts: of single queues.
        names: of the namespace.
    """

    def __init__(self, channel: BlockingChannel, counts: QueueCounts, names: Names) -> None:
        self._channel = channel
        self._counts = counts
        self._names = names
        self._delayed: int | None = None
        self._dead: int | None = None
        self._dead_callbacks: int | None = None
        self._listening: bool | None = None
        self._delayed_at = -math.inf

    def delayed(self, changed_at: float, *, at_once: bool) -> int:
        """Messages on the delay ladder. Its 24 counts are 24 round trips, and few of them change within a second.

        Args:
            changed_at: when an event told of a change, monotonic seconds; a count that is not later is not believed.
            at_once: count again when the last count is not later than that, or is old; otherwise any count will do.
        """
        is_old = self._delayed_at <= changed_at or time.monotonic() - self._delayed_at > _LADDER_PERIOD
        if self._delayed is None or (at_once and is_old):
            counted_at = time.monotonic()
            self._delayed = sum(self._ready(self._names.delay(level)) for level in range(LADDER_LEVELS))
            self._delayed_at = counted_at
        return self._delayed

    def dead(self, *, at_once: bool) -> int:
        """Dead letters; counted again when `at_once`, otherwise any count will do."""
        if self._dead is None or at_once:
            self._dead = self._ready(self._names.dead)
        return self._dead

    def dead_callbacks(self, *, at_once: bool) -> int:
        """Callbacks that were given up; counted again when `at_once`, otherwise any count will do."""
        if self._dead_callbacks is None or at_once:
            self._dead_callbacks = self._ready(self._names.dead_callbacks)
        return self._dead_callbacks

    def is_anybody_listening(self, *, at_once: bool) -> bool:
        """Whether any consumer process is there; asked again when `at_once`, otherwise any answer will do."""
        if self._listening is None or at_once:
            self._listening = is_anybody_listening(self._channel, self._names)
        return self._listening

    def _ready(self, queue: str) -> int:
        count = self._counts.of(queue)
        return count.ready if count else 0


def is_anybody_listening(channel: BlockingChannel, names: Names) -> bool:
    """Whether any consumer process is there, even one that holds its lane and so is not subscribed to it.

    Each has a queue at the control exchange; a word that is no command reaches them all and is ignored.
    """
    try:
        channel.basic_publish(names.control, "", b'{"command": "ping"}', mandatory=True)
    except UnroutableError:
        return False
    return True
