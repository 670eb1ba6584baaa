"""Writes what happens into the outcomes stream, and reads there what was written before and by others.

The ledger never runs ahead of the broker's record: an event is applied when it is confirmed. What a lost connection
took with it is recorded on the next one (see `consumer.outcomes.unconfirmed`).
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace

import structlog

from broker.events import EVENT_PROPERTIES, Event
from broker.topology import Names
from consumer.adopted_pace import AdoptedPace
from consumer.conversation import Conversation, Disconnected
from consumer.outcomes.reader import BARRIER, OutcomeFeed

#: Seconds of silence after which a stream that has not shown us our own barrier is given up, with the connection.
BARRIER_TIMEOUT = 30.0

_log = structlog.get_logger()


class Recorder:
    """One worker's pen, and its look into the stream.

    Args:
        lane: the worker's lane.
        names: of the namespace.
        talk: with the broker.
        feed: what the stream has shown.
        adopted: takes over the pauses that the stream tells of.
        about: how this consumer runs; told with each barrier, which is the first that others hear of it.
    """

    def __init__(
        self,
        lane: str,
        names: Names,
        talk: Conversation,
        feed: OutcomeFeed,
        adopted: AdoptedPace,
        *,
        about: Mapping[str, object] | None = None,
    ) -> None:
        self._lane = lane
        self._names = names
        self._talk = talk
        self._feed = feed
        self._adopted = adopted
        self._about = dict(about or {})
        self._outstanding = feed.outstanding
        self._in_vain = False
        self._caught_up_with = 0

    def event(
        self, name: str, *, message_id: str = "", generation: int = 0, attempt: int = 0, **details: object
    ) -> Event:
        """An event of this worker and lane, that happens now; details that are None are left out."""
        return Event(
            name=name,
            at=time.time(),
            lane=self._lane,
            message_id=message_id,
            generation=generation,
            attempt=attempt,
            source=self._feed.identity,
            details={key: value for key, value in details.items() if value is not None},
        )

    def record(self, event: Event) -> None:
        """Write an event into the broker's streams and, once it is confirmed there, into the ledger.

        Raises:
            Disconnected: it may be there or not.
        """
        self._write(event)
        self._apply(event)

    def record_surely(self, event: Event) -> None:
        """Record an outcome that must not get lost: if the connection breaks, it is recorded on the next one.

        Raises:
            Disconnected: the connection broke.
        """
        try:
            self.record(event)
        except Disconnected:
            self.owe(event)
            raise

    def owe(self, event: Event) -> None:
        """Record an outcome on the next connection."""
        self._outstanding.add(event)

    def make_up_for_lost_records(self) -> None:
        """Record at once what the last connection took with it: a standby whose turn comes must not miss it.

        It needs the topology, which may be what went missing; so after a failure it is left to `learn`, once.
        """
        if self._outstanding.next and not self._in_vain:
            self._in_vain = True
            self._record_outstanding()
        self._in_vain = False

    def learn(self) -> None:
        """Bring the ledger up to date: read the outcomes stream from where we were, up to this moment."""
        self._talk.listen()
        self._talk.session.read_outcomes(self._feed.resume())
        self._record_outstanding()
        self.pass_barrier()
        while self._outstanding.is_doubtful:
            _log.warning("stream.lost", lane=self._lane, events=self._outstanding.find_missing())
            self._record_outstanding()
            self.pass_barrier()
        self._feed.has_caught_up()

    def catch_up(self) -> None:
        """Know all that others have sent: up to the moment when our turn came, and whatever they report after it."""
        is_new = self._caught_up_with != self._talk.subscriptions
        if is_new or not self._adopted.includes(self._feed.ledger.times):
            self.pass_barrier()
            self._caught_up_with = self._talk.subscriptions

    def _record_outstanding(self) -> None:
        while (event := self._outstanding.next) is not None:
            self._write(event)
            if self._outstanding.confirmed():
                self._apply(event)

    def pass_barrier(self) -> None:
        """Publish a mark and wait until the stream shows it: then the ledger holds all that came before.

        Raises:
            Disconnected: the connection broke, or was given up because the stream is silent.
        """
        mark = str(uuid.uuid4())
        self.record(replace(self.event(BARRIER, message_id=mark), details=self._about))
        if not self._is_shown(mark):
            _log.warning("stream.silent", lane=self._lane, waited=BARRIER_TIMEOUT)
            self._feed.lose_position()
            self._talk.start_over()
            raise Disconnected
        ledger = self._feed.ledger
        self._adopted.adopt(ledger.times, ledger.sending(), wall=time.time(), now=time.monotonic())

    def _is_shown(self, mark: str) -> bool:
        """Wait for a barrier for as long as the stream shows anything: a long one takes its time."""
        while True:
            before = self._feed.position
            if self._talk.wait(lambda: self._feed.has_passed(mark), until=time.monotonic() + BARRIER_TIMEOUT):
                return True
            if self._feed.position == before:
                return False

    def _write(self, event: Event) -> None:
        self._talk.publish(self._names.events, event.routing_key, event.encode(), EVENT_PROPERTIES, mandatory=False)

    def _apply(self, event: Event) -> None:
        was_adopted = self._adopted.includes(self._feed.ledger.times)
        self._feed.confirmed(event)
        if was_adopted:
            self._adopted.leave_out(self._feed.ledger.times)
