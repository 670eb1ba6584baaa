"""Reading one lane: counts, events, state. It takes nothing from the lane and writes nothing that lasts."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, UnroutableError

from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.lane_state import PauseState, read_state
from antrian.broker.topology import Names
from antrian.domain.delay_ladder import LADDER_LEVELS
from antrian.domain.errors import BrokerError
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.operations.lane.activity import CHANGES_THE_LADDER, Activity
from antrian.operations.lane.outcome_tail import OutcomeTail
from antrian.operations.lane.status import Counts, Status, Waits, status_of, waits_of

#: How far back the events are read, in seconds; a provider's silence and a retry are usually over by then.
LOOKING_BACK = 3_600.0

#: Seconds for which the ladder's 24 counts are believed; an event about a retry has them counted again at once.
_LADDER_PERIOD = 1.0

#: Events of the lane itself that may wait for a watcher; older ones are dropped.
_MOST_NEWS = 1_000

_NOT_FOUND = 404


class LaneReader:
    """One lane, over one connection.

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
        self._channel = channel
        self._settings = settings
        self._names = Names(settings.whatsapp_queue_namespace)
        self._lane = lane
        self._on_event = on_event
        self._activity = Activity(lane)
        self._state = PauseState()
        self._delayed = 0
        self._delayed_counted_at = -math.inf
        require_lane(channel, self._names, lane)

    def catch_up(self) -> None:
        """Read what happened up to now; from then on `listen` goes on."""
        self._hear_of_the_lane()
        self._state = read_state(self._channel, self._names, self._lane)
        tail = OutcomeTail(self._channel.connection, self._names.outcomes, self._take)
        tail.catch_up(time.time() - LOOKING_BACK)

    def listen(self, seconds: float) -> None:
        """Take in, for so long, what happens."""
        self._channel.connection.process_data_events(seconds)

    def status(self) -> Status:
        """The lane as it is now."""
        counts = self._counts()
        return status_of(self._lane, counts, self._activity, self._state, settings=self._settings, now=time.time())

    def waits(self) -> Waits:
        """What keeps the lane from sending at this moment, an admin's pause aside."""
        return waits_of(self._activity, delay=self._settings.whatsapp_queue_delay, now=time.time())

    def _counts(self) -> Counts:
        ready, consumers = self._count(self._names.lane(self._lane))
        return Counts(
            ready=ready,
            consumers=consumers,
            listening=consumers > 0 or is_anybody_listening(self._channel, self._names),
            delayed=self._ladder(),
            dead=self._count(self._names.dead)[0],
        )

    @property
    def sending(self) -> Event | None:
        """The attempt that has no outcome yet; None when there is none."""
        return self._activity.sending

    def _ladder(self) -> int:
        """Messages on the delay ladder. Each count is a round trip, and few of them change from one to the next."""
        if time.monotonic() - self._delayed_counted_at > _LADDER_PERIOD:
            self._delayed = sum(self._count(self._names.delay(level))[0] for level in range(LADDER_LEVELS))
            self._delayed_counted_at = time.monotonic()
        return self._delayed

    def _count(self, queue: str) -> tuple[int, int]:
        """Ready messages and consumers of a queue."""
        answer = self._channel.queue_declare(queue, passive=True).method
        return answer.message_count, answer.consumer_count

    def _hear_of_the_lane(self) -> None:
        """Have the lane's own events (paused, resumed, forced, cleared) delivered: they are in no small stream."""
        queue = self._channel.queue_declare("", exclusive=True, arguments={"x-max-length": _MOST_NEWS}).method.queue
        self._channel.queue_bind(queue, self._names.events, "lane.#")
        self._channel.basic_consume(queue, self._heard, auto_ack=True)

    def _heard(self, _channel: BlockingChannel, _method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
        event = Event.decode(body)
        if event is None or event.lane != self._lane:
            return
        if event.name in {"lane.paused", "lane.resumed"}:
            self._state = PauseState(event.name == "lane.paused", event.source, event.at)
        self._take(event)

    def _take(self, event: Event) -> None:
        if event.lane == self._lane:
            self._activity.apply(event)
            if event.name in CHANGES_THE_LADDER:
                self._delayed_counted_at = -math.inf
            self._on_event(event)


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
    try:
        with channel.connection.channel() as probe:
            for queue in (names.lane(lane), names.state(lane)):
                probe.queue_declare(queue, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        raise BrokerError(
            f"the broker has no lane {lane} in namespace {names.namespace}: run `antrian topology apply`",
        ) from error


def is_anybody_listening(channel: BlockingChannel, names: Names) -> bool:
    """Whether any consumer process is there, even one that holds its lane and so is not subscribed to it.

    Each has a queue at the control exchange; a word that is no command reaches them all and is ignored.
    """
    try:
        channel.basic_publish(names.control, "", b'{"command": "ping"}', mandatory=True)
    except UnroutableError:
        return False
    return True
