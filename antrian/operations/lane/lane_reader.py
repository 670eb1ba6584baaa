"""Reading one lane, for a command that looks at it and ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.operations.lane.lanes_reader import LaneNotDeclared, LanesReader
from antrian.operations.lane.queue_counts import QueueCounts
from antrian.operations.lane.status import Status
from antrian.operations.lane.waits import Waits


class LaneReader:
    """One lane, over one connection; see `LanesReader`.

    Args:
        channel: open, with confirms, and used by nobody else.
        settings: of the process.
        lane: which lane.
        on_event: called for each event of the lane as it is read.

    Raises:
        BrokerError: the broker has no such lane.
    """

    def __init__(
        self,
        channel: BlockingChannel,
        settings: Settings,
        lane: str,
        on_event: Callable[[Event], None] = lambda _event: None,
    ) -> None:
        require_lane(channel, Names(settings.whatsapp_queue_namespace), lane)
        self._lane = lane
        self._reader = LanesReader(channel, settings, on_event, only=(lane,))

    def catch_up(self) -> None:
        """Read what happened up to now; from then on `listen` goes on."""
        self._reader.catch_up([self._lane])

    def listen(self, seconds: float) -> None:
        """Take in, for so long, what happens."""
        self._reader.listen(seconds)

    def status(self) -> Status:
        """The lane as it is now."""
        return self._reader.status(self._lane)

    def waits(self) -> Waits:
        """What keeps the lane from sending at this moment, an admin's pause aside."""
        return self._reader.waits(self._lane)


@contextmanager
def lane_channel(settings: Settings, lane: str) -> Iterator[BlockingChannel]:
    """A channel to a broker that has the lane, over a connection of its own.

    Raises:
        BrokerError: the broker has no such lane, or is not there.
    """
    with open_channel(broker_urls(settings), name="antrian admin") as channel:
        require_lane(channel, Names(settings.whatsapp_queue_namespace), lane)
        yield channel


def require_lane(channel: BlockingChannel, names: Names, lane: str) -> None:
    """Make sure that the lane exists.

    Raises:
        BrokerError: it does not; the text says what to do.
    """
    counts = QueueCounts(channel)
    if any(counts.of(queue) is None for queue in (names.lane(lane), names.state(lane))):
        raise LaneNotDeclared(names, lane)
