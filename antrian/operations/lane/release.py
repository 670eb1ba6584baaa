"""Releasing held messages: from the delay ladder back into their lanes, where they are judged anew.

For each message first the event (`outcome.released`), then the copy into the lane, each confirmed by the broker, and
only then the original is taken off the ladder. The event comes first because it gives the message's slot back: a
consumer that meets the copy must not find the old plan. So a process that dies in the middle, even by `kill -9`, loses
nothing. It may leave a message in its lane *and* on the ladder: both are the same copy (generation and attempt stay),
and the consumer sends one copy once, as long as it remembers it. So an interrupted release is to be done again within a
day; the admin side does that by itself (`release_job.HeldReleases.go_on`). A message that was left on the ladder alone
comes when its hold ends, or with the next release.

A consumer may hold a message again while the release is still under way: it is not released a second time. And quorum
queues may lose the last acks of a connection that ends, without any crash; so they are looked through again for
messages that came back.

The ladder is shared by all lanes: what is left keeps its place and its time, but is held by the scan for as long as it
looks through one of the ladder's queues.
"""

import time
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.event_log import write_events
from antrian.broker.queue_scan.publication import Found, Publication, Tally, event_publication
from antrian.broker.queue_scan.scan import Decide, QueueScan, scan_despite_broken_connections
from antrian.broker.topology import Names
from antrian.domain.delay_ladder import LADDER_LEVELS
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.headers import ATTEMPT, HOLD
from antrian.domain.settings import Settings
from antrian.operations.lane.lane_reader import require_lane
from antrian.operations.lane.release_filter import ReleaseFilter

#: Seconds to wait for our turn at the ladder: a clearing of many messages may take a while.
PATIENCE = 60.0

#: Passes through quorum queues after the first, at most; the second finds next to nothing.
_MOST_PASSES = 5

#: What the broker wrote about the way over the ladder: of no use in the lane, and longer with each release.
_OF_THE_BROKER = ("x-death", "x-first-death-", "x-last-death-")

_PERSISTENT = 2


class Release:
    """Releases held messages, once.

    Args:
        settings: of the process.
        wanted: which of them.
        actor: who does it, for the journal.
        job_id: names this release in the journal.

    Attributes:
        found: how many messages fitted, so far.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
    """

    def __init__(self, settings: Settings, wanted: ReleaseFilter, actor: str, job_id: str) -> None:
        self.found = 0
        self._settings = settings
        self._urls = broker_urls(settings)
        self._names = Names(settings.whatsapp_queue_namespace)
        self._wanted = wanted
        self._actor = actor
        self._job_id = job_id
        # Hashes of the copies that were released, and how many of them were there again in this pass.
        self._released: set[int] = set()
        self._came_back = 0

    def on_ladder(self) -> int:
        """How many messages wait on the delay ladder now, of all lanes and for whatever.

        Raises:
            BrokerError: the broker lacks a lane that is meant, or is not there.
        """
        with open_channel(self._urls, name="antrian release") as channel:
            for lane in self._wanted.lanes:
                require_lane(channel, self._names, lane)
            queues = (channel.queue_declare(queue, passive=True) for queue in self._ladder())
            return sum(queue.method.message_count for queue in queues)

    def run(
        self,
        *,
        per_second: float | None = None,
        is_enough: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
    ) -> Tally:
        """Release what is there now.

        Args:
            per_second: at most so many per second.
            is_enough: asked before each message; True ends it soon.
            on_progress: called after each message that was looked at.

        Raises:
            BrokerError: it was interrupted; doing it again goes on where it ended.
        """
        if self._wanted.ends_refusal:
            self._end_refusals()

        def scan(decide: Decide, **more: Any) -> Tally:
            def start(before: QueueScan | None) -> QueueScan:
                lock = self._names.ladder_lock
                return QueueScan(self._urls, self._ladder(), decide, lock=lock, patience=PATIENCE, after=before, **more)

            return scan_despite_broken_connections(start)

        tally = scan(self._replace, is_enough=is_enough, per_second=per_second, on_progress=on_progress)
        passes = _MOST_PASSES if self._settings.whatsapp_queue_type == "quorum" else 0
        while passes and self._released:
            self._came_back, passes = 0, passes - 1
            scan(self._replace_what_came_back)
            passes = passes if self._came_back else 0
        return tally

    def _ladder(self) -> Iterable[str]:
        # From the top down: messages only ever move in this direction, so none is missed.
        return [self._names.delay(level) for level in reversed(range(LADDER_LEVELS))]

    def _end_refusals(self) -> None:
        """Let the senders write to new contacts again, before a message comes that must not find them refused."""
        senders = {self._settings.lanes.known(lane).sender_key: None for lane in self._wanted.lanes}
        about = [{"sender": sender, "job_id": self._job_id} for sender in senders]
        events = [
            Event(EventName.COLD_RELEASED, time.time(), "", source=self._actor, details=details) for details in about
        ]
        write_events(self._urls, self._names, events, name="antrian release")

    def _replace(self, found: Found) -> list[Publication] | None:
        reason = self._wanted.reason_of(found.lane, found.properties.headers)
        if reason is None or not self._wanted.has(found.message_id, found.properties.app_id):
            return None
        name = hash((found.message_id, found.generation))
        if name in self._released and not found.redelivered:
            # A consumer holds it again: that is decided anew, and no business of this release.
            return None
        self.found += name not in self._released
        self._released.add(name)
        event = Event(
            name=EventName.RELEASED,
            at=time.time(),
            lane=found.lane,
            message_id=found.message_id,
            generation=found.generation,
            attempt=_attempt(found),
            source=self._actor,
            details={"reason": reason, "job_id": self._job_id},
        )
        return [event_publication(self._names, event), into_lane(self._names, found)]

    def _replace_what_came_back(self, found: Found) -> list[Publication] | None:
        """Again, and not only taken off the ladder: nobody can tell for sure that it is not a new copy."""
        if not found.redelivered or hash((found.message_id, found.generation)) not in self._released:
            return None
        self._came_back += 1
        return self._replace(found)


def into_lane(names: Names, found: Found) -> Publication:
    """The copy of a held message that goes straight into its lane, and not into the journal: it is there already."""
    properties = copy(found.properties)
    properties.headers = {name: value for name, value in (properties.headers or {}).items() if _is_kept(name)}
    properties.message_id = found.message_id
    properties.delivery_mode = _PERSISTENT
    # The key is none of the ladder's: its publisher did not ask for the time that it has waited.
    return Publication(names.due, f"released.{found.lane}", found.body, properties, mandatory=True)


def _is_kept(name: str) -> bool:
    return name != HOLD and not name.startswith(_OF_THE_BROKER)


def _attempt(found: Found) -> int:
    attempt: Any = (found.properties.headers or {}).get(ATTEMPT, 0)
    return attempt if isinstance(attempt, int) else 0
