"""One lane's side of the process's connection: what has arrived for it, and all its waiting.

Everything here runs in the event loop. Signals are taken in as they come; whoever awaits `wait` sees what they changed.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from antrian.broker.confirms import Confirmation
from antrian.broker.event_log import PublishArguments
from antrian.broker.io_thread import LONGEST_BACKOFF, backoff
from antrian.broker.lane_state import PATIENT, PauseState
from antrian.providers.contract import SendResult
from consumer.event_loop import EventLoop, LoopTask, paused
from consumer.inbox import (
    CallGranted,
    ChannelLost,
    ChannelOpened,
    Confirmed,
    Connected,
    ConnectionLost,
    Delivery,
    OutcomeRecorded,
    PausedStateRead,
    ProviderAnswered,
    Signal,
    Stop,
    SubscribersCounted,
    Unsubscribed,
)
from consumer.outcomes.reader import LaneOutcomes
from consumer.outcomes.writer import Disconnected
from consumer.set_up import SetUp

if TYPE_CHECKING:
    import pika

    from consumer.connection import BrokerConnection
    from consumer.lane.channel import LaneChannel

#: Seconds that a stopping lane may still take: a send in progress ends first (its own time-out is shorter).
STOP_GRACE = 45.0

_log = structlog.get_logger()


class Stopped(Exception):
    """The lane is to end, and has nothing left to finish (or no time for it)."""


class LaneLink:
    """What a lane hears and says.

    Args:
        lane: its name.
        loop: where its coroutine waits.
        set_up: makes each connection ready for the lanes.
        outcomes: of the lane.

    Attributes:
        task: the coroutine that runs the lane; woken by what arrives for it.
        deliveries: what was delivered and not taken up yet.
        subscribed: whether the lane's messages are being delivered to us.
        subscriptions: how many there have been, the present one included.
    """

    def __init__(self, lane: str, loop: EventLoop, set_up: SetUp, outcomes: LaneOutcomes) -> None:
        self.task: LoopTask | None = None
        self.deliveries: deque[Delivery] = deque()
        self.subscribed = False
        self.subscriptions = 0
        self._lane = lane
        self._loop = loop
        self._set_up = set_up
        self._outcomes = outcomes
        self._connection: BrokerConnection | None = None
        self._channel: LaneChannel | None = None
        self._connected_at = 0.0
        self._failures = 0
        self._confirmations: dict[int, Confirmation] = {}
        self._answered: ProviderAnswered | None = None
        self._states_read = 0
        self._state: PauseState | None = None
        self._stop_at: float | None = None

    @property
    def stopping(self) -> bool:
        """Whether the lane was asked to end."""
        return self._stop_at is not None

    @property
    def is_done(self) -> bool:
        """Whether the lane may end: it was asked to, and every outcome it knows of is on record."""
        return self.stopping and self._outcomes.unconfirmed.is_empty

    @property
    def is_connected(self) -> bool:
        """Whether the broker can be reached; from any thread."""
        channel, connection = self._channel, self._connection
        return channel is not None and not channel.is_gone and connection is self._set_up.connection

    @property
    def channel(self) -> "LaneChannel":
        """The lane's present channel.

        Raises:
            Disconnected: it is gone.
        """
        if self._channel is None or not self.is_connected:
            raise Disconnected
        return self._channel

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def answer_to(self, call: int) -> SendResult | None:
        """The provider's answer to the call with this number, if it is the latest to have come."""
        return self._answered.result if self._answered and self._answered.call == call else None

    # What arrives.

    def receive(self, signal: Signal) -> None:
        """Take in a signal, and have the lane look; see `consumer.event_loop.Receiver`."""
        match signal:
            case Delivery() if signal.channel is self._channel:
                self.deliveries.append(signal)
            case Confirmed(token, confirmation):
                self._confirmations[token] = confirmation
            case ProviderAnswered():
                self._answered = signal
            case Stop():
                self._stop_at = self._stop_at or self.now() + STOP_GRACE
            case SubscribersCounted(subscribers):
                self._outcomes.active.count_others(subscribers - 1)
            case OutcomeRecorded(event, offset):
                self._set_up.reader.take_apart(self._outcomes, event, offset)
            case ChannelOpened(channel) | ChannelLost(channel) | Unsubscribed(channel) | PausedStateRead(channel):
                if channel is self._channel:
                    self._receive_of_channel(signal)
            case Connected() | ConnectionLost() | CallGranted():
                pass
        self.wake()

    def wake(self) -> None:
        """Something has changed that the lane may be waiting for."""
        if self.task is not None:
            self.task.wake()

    def _receive_of_channel(self, signal: Signal) -> None:
        match signal:
            case ChannelOpened(channel):
                channel.is_open = True
            case Unsubscribed():
                self.subscribed = False
            case PausedStateRead(_, state):
                self._state = state
                self._states_read += 1
            case ChannelLost(channel, reason):
                if not channel.is_gone:
                    _log.warning("lane.channel_lost", lane=self._lane, reason=reason)
                channel.is_gone = True
                channel.close()

    # Waiting.

    async def wait(
        self, condition: Callable[[], bool], *, until: float | None = None, despite_disconnection: bool = False
    ) -> bool:
        """Wait until the condition holds.

        Args:
            condition: looked at again whenever something has arrived for the lane.
            until: monotonic seconds at which to give up; None for never.
            despite_disconnection: go on waiting when the connection breaks.

        Returns:
            Whether the condition holds.

        Raises:
            Disconnected: the channel is gone, unless `despite_disconnection`.
            Stopped: a stopping lane has used up its grace.
        """
        while not condition():
            if not despite_disconnection:
                _ = self.channel
            deadline = min((at for at in (until, self._stop_at) if at is not None), default=None)
            if deadline is not None and deadline <= self.now():
                if deadline == self._stop_at:
                    raise Stopped
                return False
            await paused(deadline)
        return True

    async def take_in(self) -> None:
        """Know all that has arrived.

        Raises:
            Disconnected: the channel is gone.
        """
        await self._loop.taken_in()
        _ = self.channel

    # The connection.

    async def connect(self) -> None:
        """Wait for a connection, and have a channel opened on it.

        Raises:
            Stopped: the lane is to end, and no outcome waits to be recorded.
        """
        await self._wait_before_the_next_channel()
        await self.wait(lambda: self._set_up.connection is not None or self.is_done, despite_disconnection=True)
        if self._set_up.connection is None:
            raise Stopped
        self._connection = self._set_up.connection
        self._connected_at = self.now()
        self._channel = self._connection.open_lane(self._lane, self)
        self.subscribed = False
        self._outcomes.active.forget()
        self.deliveries.clear()
        self._confirmations.clear()

    async def prepared(self) -> None:
        """Wait until the topology is there, commands are heard, the stream is read and the lane's channel is open.

        Raises:
            Disconnected: the channel is gone.
            Stopped: the process cannot go on.
        """
        channel = self.channel
        self._set_up.ask_for(self._lane)
        await self.wait(lambda: self._set_up.has_failed or self._is_prepared(channel))
        if self._set_up.has_failed:
            # What could be recorded has been recorded before.
            raise Stopped

    def _is_prepared(self, channel: "LaneChannel") -> bool:
        return channel.is_open and self._set_up.is_ready_for(self._lane)

    async def learn_of_the_stream(self) -> None:
        """Read the stream from its beginning, if this lane was added when the others were being read for already."""
        if self._set_up.reader.reads_for(self._outcomes):
            return
        connection = self._connection
        assert connection is not None  # noqa: S101 (the channel is open)
        end = connection.read_outcomes_apart(self)
        try:
            await self.wait(lambda: self._set_up.reader.reads_for(self._outcomes))
        finally:
            end()

    async def is_paused(self) -> bool:
        """Whether an admin paused the lane for good; asked again while another reader may have the value."""
        for pause in (0.0, *PATIENT):
            if pause:
                await self.wait(lambda: self.stopping, until=self.now() + pause)
            state = await self._read_state()
            if state is not None:
                return state.paused
        return False

    async def _read_state(self) -> PauseState | None:
        before = self._states_read
        self.channel.read_paused_state()
        await self.wait(lambda: self._states_read > before)
        return self._state

    def start_over(self) -> None:
        """Give up the whole connection: what was begun on it must not be begun a second time."""
        if self._connection is not None:
            self._connection.drop()
        self.leave()

    def leave(self) -> None:
        """Give up the lane's channel: an unacked delivery goes back to its place in the queue."""
        if self._channel is not None and not self._channel.is_gone:
            self._channel.is_gone = True
            self._channel.close()

    async def _wait_before_the_next_channel(self) -> None:
        """A channel that did not last is not made again at once."""
        if self._connection is None or self._connection is not self._set_up.connection:
            self._failures = 0
            return
        lasted = self.now() - self._connected_at
        self._failures = 1 if lasted > LONGEST_BACKOFF else self._failures + 1
        until = self.now() + backoff(self._failures)
        await self.wait(lambda: self.stopping, until=until, despite_disconnection=True)

    # What the lane says.

    async def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: "pika.BasicProperties",
        *,
        mandatory: bool = True,
    ) -> None:
        """Publish and wait for the confirm.

        Raises:
            Disconnected: the broker refused it, kept it nowhere, or is gone; so the original must not be acked, and the
                channel is given up.
        """
        await self.publish_all([PublishArguments(exchange, routing_key, body, properties, mandatory)])

    async def publish_all(self, publications: "Sequence[PublishArguments]") -> None:
        """Publish in this order, and wait for all confirms; see `publish`.

        Raises:
            Disconnected: as of `publish`, for any of them.
        """
        _ = self.channel
        assert self._connection is not None  # noqa: S101 (there is a channel)
        tokens = self._connection.publish_all(self, publications)
        for token, publication in zip(tokens, publications, strict=True):
            await self._be_confirmed(token, publication.exchange)

    async def _be_confirmed(self, token: int, exchange: str) -> None:
        await self.wait(lambda: token in self._confirmations)
        confirmation = self._confirmations.pop(token)
        if confirmation is not Confirmation.CONFIRMED:
            _log.warning("publish.refused", lane=self._lane, exchange=exchange, result=confirmation.name.lower())
            self.leave()
            raise Disconnected

    def subscribe(self, prefetch: int = 1) -> None:
        """Have the lane's next messages delivered, so many at once."""
        if not self.subscribed:
            self.channel.subscribe(prefetch)
            self.subscribed = True
            self.subscriptions += 1

    def count_subscribers(self) -> None:
        """Have the subscribers of the lane counted, if we are one of them; from any thread."""
        channel = self._channel
        if channel is not None and self.subscribed:
            channel.count_subscribers()

    async def unsubscribe(self) -> None:
        """Have nothing more delivered; a delivery that was not taken up goes back to its place."""
        if not self.subscribed:
            return
        self.channel.unsubscribe()
        await self.wait(lambda: not self.subscribed)
        while self.deliveries:
            self.channel.give_back(self.deliveries.pop().tag)
