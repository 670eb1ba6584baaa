"""Clearing a lane: what waits is taken out without being sent, and each message gets the final state `cleared`.

The event comes first and the removal second, so a message that an interrupted clearing left in its place is not sent
either: the consumer reads the same event. A message that is being sent is not touched.

With a filter, only a part is taken out, and the rest keeps its place. A message that fits, but was out of reach
because a consumer held it, is cancelled by an event instead, so that it is not tried again.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.event_log import write_events
from antrian.broker.queue_scan.publication import Found, Publication, event_publication
from antrian.broker.queue_scan.scan import QueueScan, Tally, scan_despite_broken_connections
from antrian.broker.topology import Names
from antrian.domain.delay_ladder import LADDER_LEVELS
from antrian.domain.errors import MalformedMessage
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.message import Message, decode
from antrian.domain.settings import Settings
from antrian.history.header_json import pack_letter
from antrian.history.records import DeadFilter
from antrian.operations.dead_letters.dead_letters import PATIENCE, DeadLetterReport, DeadLetters
from antrian.operations.lane.clear_filter import ClearFilter, PartlyUnclearable
from antrian.operations.lane.lane_reader import LaneReader, require_lane
from antrian.operations.lane.status import Status

_EVERYTHING = ClearFilter()

#: Finds what fits, was there when the clearing began, and was out of reach.
Stragglers = Callable[[], Sequence[str]]


class Scope(StrEnum):
    """What is cleared."""

    #: What waits in the lane, for another attempt, or for a later time.
    QUEUED = "queued"
    #: The lane's dead letters.
    FAILED = "failed"
    #: Both.
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was taken out.

    Attributes:
        cleared_queued: messages that waited, for whatever.
        cleared_failed: dead letters.
        in_flight: messages being sent at that moment, 0 or 1; they were not touched.
        undo_id: names this clearing in the journal, where each of its messages is listed.
        refused: messages that stay, because the broker did not accept the event about them.
        cancelling: messages that a consumer held, and that it was asked not to send.
    """

    cleared_queued: int
    cleared_failed: int
    in_flight: int
    undo_id: str
    refused: int
    cancelling: int = 0


class Clearing:
    """Clears one lane, once.

    Args:
        settings: of the process.
        lane: which lane.
        actor: who does it, for the journal.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
    """

    def __init__(self, settings: Settings, lane: str, actor: str) -> None:
        self._settings = settings
        self._urls = broker_urls(settings)
        self._names = Names(settings.whatsapp_queue_namespace)
        self._lane = lane
        self._actor = actor
        self._undo_id = str(uuid.uuid4())
        self._wanted = _EVERYTHING

    def look(self) -> Status:
        """The lane as it is now.

        Raises:
            BrokerError: the broker has no such lane, or is not there.
        """
        with open_channel(self._urls, name="antrian clear") as channel:
            reader = LaneReader(channel, self._settings, self._lane)
            reader.catch_up()
            return reader.status()

    def run(
        self,
        scope: Scope,
        wanted: ClearFilter = _EVERYTHING,
        *,
        stragglers: Stragglers = lambda: (),
        on_progress: Callable[[Tally], None] = lambda _tally: None,
    ) -> Cleared:
        """Take out what is there now.

        Args:
            scope: what is cleared; a filter goes with what waits only.
            wanted: which of the messages that wait.
            stragglers: finds those that were out of reach; they are cancelled.
            on_progress: called after each message.

        Raises:
            PartlyUnclearable: the lane can only be cleared as a whole; nothing was taken out.
            BrokerError: it was interrupted; doing it again goes on where it ended.
        """
        began_at = time.time()
        self._wanted = wanted
        self._check(scope)
        queued, failed, unlisted = Tally(), 0, 0
        if scope is not Scope.FAILED:
            queued = self._scan(on_progress)
            unlisted = self._purge_quorum_lane()
        if scope is not Scope.QUEUED:
            report = self._purge_dead(on_progress)
            failed, queued.refused = report.done, queued.refused + report.refused
        cancelling = stragglers()
        in_flight = self.look().in_flight
        taken = queued.taken + unlisted
        cleared = Cleared(taken, failed, in_flight, self._undo_id, queued.refused, len(cancelling))
        self._record(scope, cleared, began_at=began_at, unlisted=unlisted, cancelling=cancelling)
        return cleared

    def _check(self, scope: Scope) -> None:
        if not self._wanted.is_empty:
            assert scope is Scope.QUEUED, "a filter is for what waits"  # noqa: S101 (callers refuse it)
            if self._is_quorum:
                raise PartlyUnclearable(self._lane)
        with open_channel(self._urls, name="antrian clear") as channel:
            require_lane(channel, self._names, self._lane)

    def _purge_dead(self, on_progress: Callable[[Tally], None]) -> DeadLetterReport:
        letters = DeadLetters(self._settings)
        return letters.purge(DeadFilter(lane=self._lane), self._actor, undo_id=self._undo_id, on_progress=on_progress)

    def _scan(self, on_progress: Callable[[Tally], None]) -> Tally:
        # The ladder from the top down, and the lane last: messages only ever move in this direction, so none is missed.
        queues = [self._names.delay(level) for level in reversed(range(LADDER_LEVELS))]
        if not self._is_quorum:
            queues.append(self._names.lane(self._lane))
        # The ladder is shared: a scan holds other lanes' messages, which no one else sees meanwhile.
        lock = self._names.ladder_lock

        def start(before: QueueScan | None) -> QueueScan:
            return QueueScan(
                self._urls, queues, self._clear, on_progress=on_progress, lock=lock, patience=PATIENCE, after=before
            )

        return scan_despite_broken_connections(start)

    def _clear(self, found: Found) -> list[Publication] | None:
        in_lane = found.queue == self._names.lane(self._lane)
        if not in_lane and found.lane != self._lane:
            return None
        if not self._wanted.has(found.message_id, found.properties.priority or 0):
            return None
        message = _read(found, self._lane)
        if self._wanted.reads_contents and (message is None or not self._wanted.says(message)):
            return None
        # When it would have come back is not told: the key says only how long it was to wait. The history knows more.
        event = Event(
            name=EventName.CLEARED,
            at=time.time(),
            lane=self._lane,
            message_id=found.message_id,
            generation=found.generation,
            source=self._actor,
            details=self._details(found, message),
        )
        return [event_publication(self._names, event)]

    def _details(self, found: Found, message: Message | None) -> dict[str, object]:
        details = {"undo_id": self._undo_id, "queue": found.queue, "priority": found.properties.priority or 0}
        if message is None:
            # The history knows what a message says, and nothing of what it could not read; an undo needs it all.
            return details | {"letter": pack_letter(found.body, found.properties.headers or {})}
        return details

    @property
    def _is_quorum(self) -> bool:
        return self._settings.whatsapp_queue_type == "quorum"

    def _purge_quorum_lane(self) -> int:
        """Quorum queues with a single active consumer refuse to be looked through: all or nothing, and no list."""
        if not self._is_quorum:
            return 0
        lane = self._names.lane(self._lane)
        with open_channel(self._urls, name="antrian clear") as channel:
            waiting = channel.queue_declare(lane, passive=True).method.message_count
            # Told before it is done, and again when it is: a crash in between must not lose messages without a trace.
            self._write([self._cleared_event(self._details_of(Scope.QUEUED, queued=waiting, unlisted=waiting))])
            return int(channel.queue_purge(lane).method.message_count)

    def _record(
        self, scope: Scope, cleared: Cleared, *, began_at: float, unlisted: int, cancelling: Sequence[str]
    ) -> None:
        details = self._details_of(scope, queued=cleared.cleared_queued, unlisted=unlisted)
        details |= {"began_at": began_at, "failed": cleared.cleared_failed, "in_flight": cleared.in_flight}
        if not self._wanted.is_empty:
            details |= {"filter": self._wanted.as_details(), "cancelling": list(cancelling)}
        # The list first: an undo takes the cancellations back that it finds listed.
        self._write([self._cleared_event(details), *map(self._cancellation, cancelling)])

    def _cancellation(self, message_id: str) -> Event:
        about = {"undo_id": self._undo_id}
        return Event(EventName.CANCELLING, time.time(), self._lane, message_id, source=self._actor, details=about)

    def _details_of(self, scope: Scope, *, queued: int, unlisted: int) -> dict[str, object]:
        return {"undo_id": self._undo_id, "scope": scope.value, "queued": queued, "unlisted": unlisted}

    def _cleared_event(self, details: dict[str, object]) -> Event:
        return Event(EventName.LANE_CLEARED, time.time(), self._lane, source=self._actor, details=details)

    def _write(self, events: Sequence[Event]) -> None:
        write_events(self._urls, self._names, events, name="antrian clear")


def _read(found: Found, lane: str) -> Message | None:
    """The message; None when it cannot be read."""
    try:
        return decode(found.body, found.properties, lane, now=0)
    except MalformedMessage:
        return None
