"""A lane on a virtual clock: the product's own tick over lists, without faults; days of sending pass in seconds."""

import heapq
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import count
from typing import Any

import pika
from factories import LANE

from antrian.broker.event_log import PublishArguments
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.domain.delay_ladder import ladder_delay
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.lane_limits import Limits
from antrian.domain.message import Message, encode
from antrian.providers.contract import Outgoing, SendResult, Sent
from consumer.inbox import Delivery
from consumer.lane.holds import LaneHolds
from consumer.lane.ledger import Ledger
from consumer.lane.pace import Pace
from consumer.lane.port import LaneRules
from consumer.lane.retry import RetryPolicy
from consumer.lane.tick import Tick
from consumer.outcomes.writer import EventSource

SENDER = "628114040707"

#: Monotonic seconds when the wall clock says when the lane began.
START = 5_000.0

_DAY = 86_400.0


class VirtualLane:
    """One lane, its broker and its provider; the port of the tick.

    Args:
        limits: the lane's.
        delay: seconds between two sends.
        jitter: up to so many seconds more.
        began_at: unix seconds.
        attempt: gives how long the next attempt takes, seconds.
        known: recipients whom the sender knows.

    Attributes:
        sent: when each message was sent, unix seconds.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        delay: float,
        jitter: float,
        began_at: float,
        attempt: Callable[[], float],
        known: Iterable[str] = (),
    ) -> None:
        self.sent: list[float] = []
        self.stopping = self.subscribed = False
        self._began_at, self._now, self._attempt = began_at, START, attempt
        self._book = ContactBook()
        self._ledger = Ledger(LANE, _DAY, clock=self.wall)
        for recipient in known:
            details = {"sender": SENDER, "how": "import", "recipients": [recipient]}
            self._book.apply(Event(EventName.CONTACT_KNOWN, began_at, "", details=details))
        self._order = count()
        self._queue: list[tuple[int, int, bytes, pika.BasicProperties]] = []
        self._ladder: list[tuple[float, int, bytes, pika.BasicProperties]] = []
        self._delivered: dict[int, tuple[int, int, bytes, pika.BasicProperties]] = {}
        rules = LaneRules(LANE, Names(), RetryPolicy(), 120.0, 120.0, "a consumer", {})
        holds = LaneHolds(LANE, SENDER, limits, self._ledger, self._book)
        events = EventSource(LANE, "one", self.wall)
        self._tick = Tick(rules, self._ledger, Pace(delay=delay, jitter=jitter), events, self, holds=holds)

    def publish_and_send(self, messages: Iterable[Message]) -> None:
        """Have these messages sent, to the last."""
        for message in messages:
            self._put(*encode(message))
        run(self._tick.run())

    def _put(self, body: bytes, properties: pika.BasicProperties) -> None:
        heapq.heappush(self._queue, (-(properties.priority or 0), next(self._order), body, properties))

    def _let_down(self) -> None:
        while self._ladder and self._ladder[0][0] <= self._now:
            _, _, body, properties = heapq.heappop(self._ladder)
            self._put(body, properties)

    def _deliver(self) -> Delivery:
        copy = heapq.heappop(self._queue)
        tag = next(self._order)
        self._delivered[tag] = copy
        return Delivery(tag, False, LANE, copy[2], copy[3])  # noqa: FBT003

    # The tick's port.

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._now - START + self._began_at

    async def subscribe(self, prefetch: int = 1) -> None:
        assert prefetch
        self.subscribed = True

    async def unsubscribe(self) -> None:
        self.subscribed = False

    async def next_delivery(self, until: float | None, cut_short: Callable[[], bool]) -> Delivery | None:
        assert not cut_short()
        self._let_down()
        while not self._queue:
            if not self._ladder:
                self.stopping = True
                return None
            due_at = self._ladder[0][0]
            self._now = max(self._now, due_at if until is None else min(due_at, until))
            self._let_down()
            if until is not None and not self._queue:
                return None
        return self._deliver()

    async def arrived(self, most: int, until: float) -> Sequence[Delivery]:
        assert until > self._now
        return [self._deliver() for _ in range(min(most, len(self._queue)))]

    async def wait_until(self, when: float | None, cut_short: Callable[[], bool]) -> None:
        assert when is not None
        if not cut_short():
            self._now = max(self._now, when)

    async def take_in(self) -> None:
        """Everything is known at once, here and below."""

    async def catch_up(self) -> None:
        pass

    async def barrier(self) -> None:
        pass

    async def record(self, event: Event, *, surely: bool = False) -> None:
        del surely
        self._ledger.apply(event)
        self._book.apply(event)
        if event.name == EventName.SENT:
            self.sent.append(event.at)

    async def record_with_copies(self, copies: Sequence[tuple[PublishArguments, Event]]) -> None:
        for copy, event in copies:
            await self.publish(copy.exchange, copy.routing_key, copy.body, copy.properties)
            await self.record(event)

    def owe(self, event: Event) -> None:
        raise AssertionError(f"no connection breaks here: {event.name}")

    async def publish(self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties) -> None:
        del exchange
        due_at = self._now + ladder_delay(routing_key)
        heapq.heappush(self._ladder, (due_at, next(self._order), body, properties))

    async def reserve_call(self) -> bool:
        return True

    def release_call(self) -> None:
        pass

    async def call_provider(self, message: Message, outgoing: Outgoing, deadline: float) -> SendResult:
        assert message.message_id == outgoing.message_id
        self._now += self._attempt()
        assert self._now < deadline
        return Sent()

    async def ack(self, delivery: Delivery) -> None:
        del self._delivered[delivery.tag]

    async def ack_up_to(self, delivery: Delivery) -> None:
        for tag in [tag for tag in self._delivered if tag <= delivery.tag]:
            del self._delivered[tag]

    async def give_back(self, delivery: Delivery) -> None:
        heapq.heappush(self._queue, self._delivered.pop(delivery.tag))


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits: all waiting is done by the virtual clock."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("a tick waits for nothing but its port")
