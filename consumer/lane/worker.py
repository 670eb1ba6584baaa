"""One lane's life: connect, learn what was attempted, run the tick, and again, until it is told to stop.

The worker is the tick's port: it lends the tick the lane's link, its outcome writer and its provider.
"""

import math
import os
import socket
import time
from collections.abc import Callable, Sequence

import pika
import structlog

from antrian.broker.event_log import PublishArguments
from antrian.broker.io_thread import backoff
from antrian.broker.topology import Names
from antrian.contacts.book import ContactsLost
from antrian.domain.control import Control
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import lane_hold
from antrian.domain.lane import Lane
from antrian.domain.lane_timing import LaneTimes
from antrian.domain.message import Message, Priority
from antrian.domain.provider_catalog import PROVIDERS
from antrian.domain.settings import Settings
from antrian.providers.contract import Failed, Outgoing, Provider, SendResult
from consumer.event_loop import EventLoop
from consumer.inbox import Delivery, Stop
from consumer.lane.holds import LaneHolds
from consumer.lane.link import LaneLink, Stopped
from consumer.lane.pace import Pace
from consumer.lane.port import LaneRules, Phase
from consumer.lane.retry import RetryPolicy
from consumer.lane.snapshot import LaneSnapshot
from consumer.lane.tick import Tick
from consumer.observers import Observer, Observers, ProviderCall
from consumer.outcomes.reader import LaneOutcomes
from consumer.outcomes.writer import Disconnected, EventSource, OutcomeWriter
from consumer.provider_call import ProviderCalls, Reservation
from consumer.set_up import SetUp

#: Seconds after which a provider that does not answer is given up; its own time-outs are shorter.
PROVIDER_DEADLINE = 120.0

#: Seconds between two beginnings of a lane whose code fails, at most.
LONGEST_REST = 60.0

_log = structlog.get_logger()


def this_consumer() -> str:
    """This process as people know it; what its events are known by is their `source`."""
    return f"{socket.gethostname()} ({os.getpid()})"


class LaneWorker:
    """Sends the messages of one lane.

    Args:
        lane: how it is sent.
        settings: of the process.
        provider: what sends; closed at the end.
        observers: told what happens.
        loop: where the lane's coroutine runs.
        set_up: makes each connection ready.
        calls: makes the calls to the providers.
        outcomes: what the lane has learnt from the stream; new when None.
        first_after: seconds between being ready for the first time and the first send.

    Attributes:
        lane: see above.
        link: to the broker.
        outcomes: see above.
    """

    def __init__(
        self,
        lane: Lane,
        settings: Settings,
        provider: Provider,
        observers: Sequence[Observer],
        *,
        loop: EventLoop,
        set_up: SetUp,
        calls: ProviderCalls,
        outcomes: LaneOutcomes | None = None,
        first_after: float = 0.0,
    ) -> None:
        self.lane = lane
        self._provider = provider
        self._endpoint = f"{lane.provider} {lane.url or ''}"
        self._observers = Observers(observers)
        self._calls = calls
        self._set_up = set_up
        self._reservation: Reservation | None = None
        self._failures = 0
        self._first_after = first_after
        names = Names(settings.whatsapp_queue_namespace)
        window = settings.whatsapp_queue_dedupe_hours * 3600
        self.outcomes = outcomes or LaneOutcomes(lane.name, window, self._observers, set_up.contacts.book)
        self.outcomes.tell(self._observers)
        self._pace = Pace(delay=lane.delay, jitter=lane.jitter)
        self.link = LaneLink(lane.name, loop, set_up, self.outcomes)
        events = EventSource(lane.name, self.outcomes.identity)
        rules = _rules(lane, names, settings, provider)
        about = {
            **rules.rhythm,
            "max_attempts": lane.max_attempts,
            "retry_delays": list(settings.whatsapp_queue_retry_delays),
        }
        book = set_up.contacts.book
        self._holds = LaneHolds(lane.name, lane.sender_key, lane.limits, self.outcomes.ledger, book)
        self._writer = OutcomeWriter(
            events,
            names,
            self.link,
            self.outcomes,
            reader=set_up.reader,
            contacts=set_up.contacts,
            pace=self._pace,
            about=lambda: {**about, **self._holds.standing(self.wall())},
        )
        self._tick = Tick(rules, self.outcomes.ledger, self._pace, events, self, holds=self._holds)

    def stop(self) -> None:
        """Ask the lane to end: a send in progress is finished first, a pause is not waited for."""
        self.link.receive(Stop())

    def command(self, control: Control) -> None:
        """Carry out an admin's command for this lane, or take note of an urgent message."""
        _log.info("control.received", lane=self.lane.name, command=control.command.value, actor=control.actor)
        self._pace.apply(control, self.outcomes.ledger.has_attempted, wall=self.wall(), now=self.now())
        self.link.wake()

    def snapshot(self) -> LaneSnapshot:
        """The lane's state now; from any thread."""
        pace, ledger, active, wall = self._pace, self.outcomes.ledger, self.outcomes.active, self.wall()
        used, caps = self._holds.last_count(wall)
        session, session_over_at = _session_of(ledger.times, wall=wall, now=self.now())
        cap = lane_hold(used, caps, self.lane.limits.timezone, wall)
        if not active.is_ours:
            # The one at work may be gone without a word; the answer is there for the next snapshot.
            self.link.count_subscribers()
        return LaneSnapshot(
            lane=self.lane.name,
            connected=self.link.is_connected,
            phase=self._tick.state.phase,
            paused=pace.paused,
            active=active.is_ours,
            pause_over_at=pace.pause_over_at,
            hold_over_at=max(pace.hold_over_at, session_over_at),
            hold_reason=session or pace.hold_reason,
            breaker_open=ledger.times.held_because == FailureClass.UNAVAILABLE,
            remembered=len(ledger),
            used=used,
            budget=caps,
            cap=cap.reason.value if cap else "",
            cold_held=self._holds.is_cold_held(wall),
        )

    # The lane's life.

    async def run(self) -> None:
        """Send until stopped; the coroutine of the lane's task."""
        self._calls.join(self._endpoint)
        try:
            while not self.link.is_done:
                await self._run_on_one_channel()
        except Stopped:
            pass
        finally:
            self.link.leave()
            self._calls.leave(self._endpoint)
            self._provider.close()
            _log.info("lane.left", lane=self.lane.name)

    async def _run_on_one_channel(self) -> None:
        try:
            self._tick.enter(Phase.CONNECTING)
            await self.link.connect()
            self._tick.enter(Phase.LEARNING)
            await self._learn()
            self._failures = 0
            await self._tick.run()
        except (Disconnected, Stopped) as reason:
            if isinstance(reason, Stopped):
                raise
            _log.info("broker.reconnecting", lane=self.lane.name)
        except ContactsLost:
            _log.warning("contacts.lost", lane=self.lane.name)
            self._set_up.contacts.lose_position()
            self._set_up.start_over()
            self.link.leave()
        except Exception:  # noqa: BLE001 (logged, counted, and only this lane begins again)
            # A bug, or a message that shows one. What the lane knows and owes is kept; the others go on.
            _log.exception("lane.broken", lane=self.lane.name)
            self._observers.broken()
            self._failures += 1
            self.link.leave()
            until = self.now() + min(LONGEST_REST, backoff(1) * 2.0 ** min(self._failures, 10))
            await self.link.wait(lambda: self.link.stopping, until=until, despite_disconnection=True)

    async def _learn(self) -> None:
        """Record what the last connection took along, and know what was attempted and whether the lane is paused."""
        await self._writer.make_up_for_lost_records()
        await self.link.prepared()
        await self.link.learn_of_the_stream()
        await self._writer.learn()
        # After commands are heard: a pause is either in the state or heard.
        is_paused = await self.link.is_paused()
        if is_paused != self._pace.paused:
            (self._pace.pause if is_paused else self._pace.resume)()
        if self._first_after:
            self._pace.send_ended(self.now(), self._first_after)
            self._first_after = 0.0
        _log.info("lane.ready", lane=self.lane.name, remembered=len(self.outcomes.ledger), paused=self._pace.paused)

    # The tick's port; see `consumer.lane.port.Port`.

    @property
    def stopping(self) -> bool:
        """Whether the lane was asked to end."""
        return self.link.stopping

    @property
    def subscribed(self) -> bool:
        """Whether the lane's messages are being delivered here."""
        return self.link.subscribed

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds."""
        return time.time()

    async def subscribe(self, prefetch: int = 1) -> None:
        """Have messages delivered."""
        self.link.subscribe(prefetch)

    async def unsubscribe(self) -> None:
        """Have nothing more delivered."""
        await self.link.unsubscribe()

    async def next_delivery(self, until: float | None, cut_short: Callable[[], bool]) -> Delivery | None:
        """The next message."""
        deliveries = self.link.deliveries
        await self.link.wait(lambda: bool(deliveries) or cut_short(), until=until)
        return None if not deliveries or cut_short() else deliveries.popleft()

    async def arrived(self, most: int, until: float) -> Sequence[Delivery]:
        """The next messages."""
        deliveries = self.link.deliveries
        await self.link.wait(lambda: bool(deliveries) or self.stopping, until=until)
        return [deliveries.popleft() for _ in range(min(most, len(deliveries)))]

    async def wait_until(self, when: float | None, cut_short: Callable[[], bool]) -> None:
        """Wait for a moment."""
        await self.link.wait(cut_short, until=when)

    async def take_in(self) -> None:
        """Know all that has arrived."""
        await self.link.take_in()

    async def catch_up(self) -> None:
        """Know what others have sent."""
        await self._writer.catch_up()

    async def barrier(self) -> None:
        """Know everything that was recorded."""
        await self._writer.barrier()

    async def record(self, event: Event, *, surely: bool = False) -> None:
        """Have an event confirmed."""
        await self._writer.record(event, surely=surely)

    async def record_with_copies(self, copies: Sequence[tuple[PublishArguments, Event]]) -> None:
        """Have copies and their events confirmed."""
        await self._writer.record_with_copies(copies)

    def owe(self, event: Event) -> None:
        """Record an event on the next connection."""
        self._writer.owe(event)

    async def publish(self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties) -> None:
        """Have a message confirmed."""
        await self.link.publish(exchange, routing_key, body, properties)

    async def reserve_call(self) -> bool:
        """Wait for a free call."""
        reservation = self._reservation = self._calls.reserve(self._endpoint, self.link)
        await self.link.wait(lambda: reservation.is_granted or self.stopping)
        return reservation.is_granted

    def release_call(self) -> None:
        """Give back a call that was not made."""
        if self._reservation is not None:
            self._calls.release(self._reservation)
            self._reservation = None

    async def call_provider(self, message: Message, outgoing: Outgoing, deadline: float) -> SendResult:
        """Make the call, whatever happens to the connection meanwhile."""
        assert self._reservation is not None  # noqa: S101 (the tick reserves it first)
        excused = message.priority >= Priority.URGENT or self._pace.forced
        began = self.now()
        call = self._calls.begin(self._reservation, self._provider, outgoing)
        await self.link.wait(lambda: self.link.answer_to(call) is not None, until=deadline, despite_disconnection=True)
        no_answer = Failed(FailureClass.UNCERTAIN, "no-answer", "the provider never answered")
        result = self.link.answer_to(call) or no_answer
        ended, at = self.now(), self.wall()
        self._observers.called(ProviderCall(message, self._provider.name, began, ended, at, result, excused=excused))
        return result

    async def ack(self, delivery: Delivery) -> None:
        """The message is done with."""
        self.link.channel.ack(delivery.tag)

    async def ack_up_to(self, delivery: Delivery) -> None:
        """The messages up to this one are done with."""
        self.link.channel.ack_up_to(delivery.tag)

    async def give_back(self, delivery: Delivery) -> None:
        """The message returns to its place."""
        self.link.channel.give_back(delivery.tag)


def _rules(lane: Lane, names: Names, settings: Settings, provider: Provider) -> LaneRules:
    echo = _echo(lane, provider)
    # No longer than the ledger surely remembers the attempt.
    wait = min(settings.whatsapp_queue_receipt_wait, settings.whatsapp_queue_dedupe_hours * 1800)
    patience = min(PROVIDER_DEADLINE, settings.whatsapp_queue_timeout_minutes * 60)
    return LaneRules(
        lane=lane.name,
        names=names,
        policy=RetryPolicy.from_settings(settings, lane),
        patience=patience,
        answers_within=getattr(provider, "patience", PROVIDER_DEADLINE),
        consumer=this_consumer(),
        rhythm={"delay": lane.delay, "jitter": lane.jitter},
        cold_failures=lane.limits.cold_failures,
        provider=lane.provider,
        echo=echo,
        receipt_wait=wait if echo else 0.0,
        has_window=lane.provider in PROVIDERS and PROVIDERS[lane.provider].has_window,
    )


def _session_of(times: LaneTimes, *, wall: float, now: float) -> tuple[str, float]:
    """What keeps the sender from sending, and until when the lane keeps to that; a lane at rest has not looked yet."""
    left = min(times.held_until - wall, times.held_for) if times.session else 0.0
    return (times.session, now + left) if left > 0 else ("", -math.inf)


def _echo(lane: Lane, provider: Provider) -> Callable[[str], str] | None:
    """What the lane's receipts name an attempt by; None where they name none of ours, or nobody could prove them."""
    echoes = lane.provider in PROVIDERS and PROVIDERS[lane.provider].echoes_id
    return provider.echoed_id if echoes and lane.webhook_secrets else None
