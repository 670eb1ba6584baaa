"""Reading any number of lanes over one connection: counts, events, states. It takes nothing and writes nothing."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.connection import bind_own_queue
from antrian.broker.lane_state import QUICK, PauseState, read_states
from antrian.broker.topology import Names
from antrian.domain.errors import BrokerError
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.operations.lane.activity import CHANGES_THE_LADDER, Activity
from antrian.operations.lane.outcome_tail import OutcomeTail
from antrian.operations.lane.queue_counts import QueueCounts, SharedCounts
from antrian.operations.lane.status import Counts, Status, status_of
from antrian.operations.lane.waits import Waits, waits_of

#: How far back the events are read, in seconds; a provider's silence and a retry are usually over by then.
LOOKING_BACK = 3_600.0

#: Events of lanes themselves that may wait for us; older ones are dropped.
_MOST_EVENTS = 1_000


class LaneNotDeclared(BrokerError):
    """The broker does not have the queues of a lane; the text says what to do."""

    def __init__(self, names: Names, lane: str) -> None:
        super().__init__(f"the broker has no lane {lane} in namespace {names.namespace}: run `antrian topology apply`")


class _Lanes(defaultdict[str, Activity]):
    """What each lane is doing, by its events."""

    def __missing__(self, lane: str) -> Activity:
        self[lane] = Activity(lane)
        return self[lane]


class LanesReader:
    """Reads lanes over one channel and the further channels of its connection.

    Args:
        channel: open, with confirms, and used by nobody else.
        settings: of the process.
        on_event: called for each event of a lane as it is read.
        only: events of other lanes are ignored; all lanes when None.

    Attributes:
        settings: of the process, which may change while it runs.
    """

    def __init__(
        self,
        channel: BlockingChannel,
        settings: Settings,
        on_event: Callable[[Event], None] = lambda _event: None,
        only: Container[str] | None = None,
    ) -> None:
        self._channel = channel
        self.settings = settings
        self._names = Names(settings.whatsapp_queue_namespace)
        self._on_event = on_event
        self._only = only
        self._activities = _Lanes()
        self._states: dict[str, PauseState] = {}
        self._ladder_changed_at: dict[str, float] = {}
        self._counts = QueueCounts(channel)
        self._shared = SharedCounts(channel, self._counts, self._names)

    def catch_up(self, lanes: Iterable[str]) -> None:
        """Read what happened up to now; from then on `listen` goes on.

        Args:
            lanes: whose states are read now; that of any other lane is read when its status is asked for.
        """
        self._hear_of_lanes()
        counted_at = time.monotonic()
        counts = {lane: self._counts.of(self._names.state(lane)) for lane in lanes}
        written = [lane for lane, count in counts.items() if count and count.ready]
        self._keep_states(read_states(self._channel, self._names, written, QUICK))
        tail = OutcomeTail(self._channel.connection, self._names.outcomes, self._take)
        tail.catch_up(time.time() - LOOKING_BACK)
        # Most lanes were never paused. Reading the events is the time between two looks at an empty state.
        empty = [lane for lane, count in counts.items() if count and not count.ready]
        passed = time.monotonic() - counted_at
        self._keep_states(read_states(self._channel, self._names, empty, () if passed >= sum(QUICK) else QUICK))

    def listen(self, seconds: float) -> None:
        """Take in, for so long, what happens."""
        self._channel.connection.process_data_events(seconds)

    def status(self, lane: str, *, at_once: bool = True) -> Status:
        """The lane as it is now.

        Args:
            lane: which lane.
            at_once: count again what all lanes share; otherwise any count since `count_anew` will do.

        Raises:
            LaneNotDeclared: the broker does not have it.
        """
        state = self._state(lane)
        counts = self._count(lane, at_once=at_once)
        return status_of(lane, counts, self._activities[lane], state, settings=self.settings, now=time.time())

    def count_anew(self) -> None:
        """Have what all lanes share counted again by the next status of any lane."""
        self._shared = SharedCounts(self._channel, self._counts, self._names)

    def waits(self, lane: str) -> Waits:
        """What keeps the lane from sending at this moment, an admin's pause aside."""
        return waits_of(self._activities[lane], delay=self.settings.lanes.known(lane).delay, now=time.time())

    def sending(self, lane: str) -> Event | None:
        """The attempt that has no outcome yet; None when there is none."""
        return self._activities[lane].sending

    def _state(self, lane: str) -> PauseState:
        if lane not in self._states:
            if self._counts.of(self._names.state(lane)) is None:
                raise LaneNotDeclared(self._names, lane)
            self._keep_states(read_states(self._channel, self._names, [lane], QUICK))
        return self._states[lane]

    def _keep_states(self, states: Mapping[str, PauseState]) -> None:
        # What an event has told meanwhile is newer.
        self._states = {**states, **self._states}

    def _count(self, lane: str, *, at_once: bool) -> Counts:
        queue = self._counts.of(self._names.lane(lane))
        if queue is None:
            # It may come back with another state.
            self._states.pop(lane, None)
            raise LaneNotDeclared(self._names, lane)
        changed_at = self._ladder_changed_at.get(lane, -math.inf)
        return Counts(
            ready=queue.ready,
            consumers=queue.consumers,
            listening=queue.consumers > 0 or self._shared.is_anybody_listening(at_once=at_once),
            delayed=self._shared.delayed(changed_at, at_once=at_once),
            dead=self._shared.dead(at_once=at_once),
            dead_callbacks=self._shared.dead_callbacks(at_once=at_once),
        )

    def _hear_of_lanes(self) -> None:
        """Have the lanes' own events (paused, resumed, forced, cleared) delivered: they are in no small stream."""
        queue = bind_own_queue(self._channel, self._names.events, "lane.#", {"x-max-length": _MOST_EVENTS})
        self._channel.basic_consume(queue, self._heard, auto_ack=True)

    def _heard(self, _channel: BlockingChannel, method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
        event = Event.of_delivery(body, method.routing_key)
        if event is None or not self._is_ours(event):
            return
        if event.name in {EventName.LANE_PAUSED, EventName.LANE_RESUMED}:
            self._states[event.lane] = PauseState(event.name == EventName.LANE_PAUSED, event.source, event.at)
        self._take(event)

    def _take(self, event: Event) -> None:
        if self._is_ours(event):
            self._activities[event.lane].apply(event)
            if event.name in CHANGES_THE_LADDER:
                self._ladder_changed_at[event.lane] = time.monotonic()
            self._on_event(event)

    def _is_ours(self, event: Event) -> bool:
        return bool(event.lane) and (self._only is None or event.lane in self._only)
