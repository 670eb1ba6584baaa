"""Writes what happens into the outcomes stream, and knows by it what was written before and by others.

The ledger never runs ahead of the broker's record: an event is applied when it is confirmed. What a lost connection
took with it is recorded on the next one (see `consumer.outcomes.unconfirmed`).
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import pika
import structlog

from antrian.broker.event_log import PublishArguments, event_arguments
from antrian.broker.topology import Names
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.message import Message
from consumer.lane.pace import Pace
from consumer.outcomes.contacts import ContactsReader
from consumer.outcomes.reader import LaneOutcomes, OutcomeReader

#: Seconds of silence after which a stream that has not shown us our own barrier is given up, with the connection.
BARRIER_TIMEOUT = 30.0

_log = structlog.get_logger()


class Disconnected(Exception):
    """The connection that the present work began on is gone; begin again from learning."""


@dataclass(frozen=True, slots=True)
class EventSource:
    """Makes the events of one lane.

    Attributes:
        lane: its name.
        identity: what tells this consumer's events from another's.
        clock: unix seconds.
    """

    lane: str
    identity: str
    clock: Callable[[], float] = time.time

    def make(
        self, name: str, *, message_id: str = "", generation: int = 0, attempt: int = 0, **details: object
    ) -> Event:
        """An event that happens now; details that are None are left out."""
        return Event(
            name=name,
            at=self.clock(),
            lane=self.lane,
            message_id=message_id,
            generation=generation,
            attempt=attempt,
            source=self.identity,
            details={key: value for key, value in details.items() if value is not None},
        )

    def of(self, name: str, message: Message, **details: object) -> Event:
        """An event about a copy of a message that happens now; details that are None are left out."""
        return self.make(
            name,
            message_id=message.message_id,
            generation=message.generation,
            attempt=message.attempt,
            trace_id=message.trace_id,
            correlation_id=message.body.correlation_id,
            **details,
        )


class Transport(Protocol):
    """The part of a lane's connection that a writer uses."""

    @property
    def subscriptions(self) -> int:
        """How many subscriptions to the lane there have been, the present one included."""

    def now(self) -> float:
        """Monotonic seconds."""

    async def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: pika.BasicProperties,
        *,
        mandatory: bool = True,
    ) -> None:
        """Publish and wait for the confirm, or raise `Disconnected`."""

    async def publish_all(self, publications: Sequence[PublishArguments]) -> None:
        """Publish in this order, and wait for every confirm, or raise `Disconnected`."""

    async def wait(self, condition: Callable[[], bool], *, until: float) -> bool:
        """Take in what the stream shows until the condition holds; False at the monotonic second `until`."""

    def start_over(self) -> None:
        """Give up the connection and make another one."""


class OutcomeWriter:
    """Writes one lane's events, and waits for what the stream shows.

    Args:
        events: makes the lane's events.
        names: of the namespace.
        transport: to the broker.
        outcomes: what the stream has shown of the lane.
        reader: reads the stream for all lanes.
        contacts: reads the contacts stream for all lanes.
        pace: takes over the pauses that the stream tells of.
        about: how the lane is run; told with each barrier, which is the first that others hear of it.
    """

    def __init__(
        self,
        events: EventSource,
        names: Names,
        transport: Transport,
        outcomes: LaneOutcomes,
        *,
        reader: OutcomeReader,
        contacts: ContactsReader,
        pace: Pace,
        about: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        self._events = events
        self._names = names
        self._transport = transport
        self._outcomes = outcomes
        self._reader = reader
        self._contacts = contacts
        self._pace = pace
        self._about = about
        self._unconfirmed = outcomes.unconfirmed
        self._has_failed = False
        self._caught_up_with = 0

    async def record(self, event: Event, *, surely: bool = False) -> None:
        """Write an event into the broker's streams and, once it is confirmed there, into the ledger.

        Args:
            event: of this lane.
            surely: record it on the next connection if this one breaks.

        Raises:
            Disconnected: it may be there or not.
        """
        try:
            await self._write(event)
        except Disconnected:
            if surely:
                self.owe(event)
            raise
        self._apply(event)

    async def record_with_copies(self, copies: Sequence[tuple[PublishArguments, Event]]) -> None:
        """Have each copy and then its event confirmed; all are on their way at once.

        Raises:
            Disconnected: any of them may be there or not.
        """
        publications = []
        for copy, event in copies:
            publications += [copy, event_arguments(self._names, event)]
        await self._transport.publish_all(publications)
        for _, event in copies:
            self._apply(event)

    def owe(self, event: Event) -> None:
        """Record an outcome on the next connection."""
        self._unconfirmed.add(event)

    async def make_up_for_lost_records(self) -> None:
        """Record at once what the last connection took with it: a standby whose turn comes must not miss it.

        It needs the topology, which may be what went missing; so after a failure it is left to `learn`, once.
        """
        if self._unconfirmed.next and not self._has_failed:
            self._has_failed = True
            await self._record_unconfirmed()
        self._has_failed = False

    async def learn(self) -> None:
        """Bring the ledger up to date, while the stream is being read; then every outcome known here is on record."""
        await self._record_unconfirmed()
        await self.barrier()
        while self._unconfirmed.is_doubtful:
            _log.warning("stream.lost", lane=self._events.lane, events=self._unconfirmed.find_missing())
            await self._record_unconfirmed()
            await self.barrier()
        self._outcomes.has_caught_up()

    async def catch_up(self) -> None:
        """Know all that others have sent: up to the moment when our turn came, and whatever they report after it."""
        is_new = self._caught_up_with != self._transport.subscriptions
        if is_new or not self._pace.includes(self._outcomes.ledger.times):
            await self.barrier()
            self._caught_up_with = self._transport.subscriptions

    async def barrier(self) -> None:
        """Publish a mark and wait until both streams show it: then ledger and book hold all that came before.

        Raises:
            Disconnected: the connection broke, or was given up because the stream is silent.
        """
        mark = str(uuid.uuid4())
        await self.record(replace(self._events.make(EventName.BARRIER, message_id=mark), details=dict(self._about())))
        if not await self._is_shown(mark):
            self._give_up_silent_streams(mark)
            self._transport.start_over()
            raise Disconnected
        ledger = self._outcomes.ledger
        wall, now = self._events.clock(), self._transport.now()
        self._pace.adopt(ledger.times, ledger.sending().items(), wall=wall, now=now)

    async def _record_unconfirmed(self) -> None:
        while (event := self._unconfirmed.next) is not None:
            await self._write(event)
            if self._unconfirmed.confirmed():
                self._apply(event)

    def _give_up_silent_streams(self, mark: str) -> None:
        is_contacts = not self._outcomes.has_passed_in_contacts(mark)
        stream = "contacts" if is_contacts else "outcomes"
        _log.warning("stream.silent", lane=self._events.lane, stream=stream, waited=BARRIER_TIMEOUT)
        if is_contacts:
            self._contacts.lose_position()
        if not self._outcomes.has_passed_in_outcomes(mark):
            self._reader.lose_position()

    async def _is_shown(self, mark: str) -> bool:
        """Wait for a barrier for as long as the streams show anything: a long one takes its time."""
        while True:
            before = self._reader.position, self._contacts.position
            until = self._transport.now() + BARRIER_TIMEOUT
            if await self._transport.wait(lambda: self._outcomes.has_passed(mark), until=until):
                return True
            if (self._reader.position, self._contacts.position) == before:
                return False

    async def _write(self, event: Event) -> None:
        exchange, key, body, properties, mandatory = event_arguments(self._names, event)
        await self._transport.publish(exchange, key, body, properties, mandatory=mandatory)

    def _apply(self, event: Event) -> None:
        """Put a confirmed event into the ledger.

        If the pace knew all that the ledger told before, it needs not take over this one: it is our own, and counted by
        the monotonic clock. If it did not, another consumer's times are among them, and the next barrier takes over.
        """
        was_adopted = self._pace.includes(self._outcomes.ledger.times)
        self._outcomes.confirmed(event)
        if was_adopted:
            self._pace.leave_out(self._outcomes.ledger.times)
