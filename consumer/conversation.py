"""One worker's side of the talk with the broker: wait, take in what comes, and record what happened.

Everything here runs in the worker's own thread. All waiting goes through `wait`, which takes in every signal that
arrives meanwhile; nothing else reads the inbox.
"""

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import TYPE_CHECKING

import structlog

from broker.confirms import Confirmation
from broker.control import Command, Control
from broker.errors import BrokerRefused
from broker.events import EVENT_PROPERTIES, Event
from broker.message import Message
from consumer import signals
from consumer.ledger import Ledger
from consumer.pace import Pace, since
from consumer.providers.contract import Failed, FailureClass, Outgoing, Provider, SendResult
from consumer.session import Inbox, Session

if TYPE_CHECKING:
    import pika

    from broker.settings import Settings
    from broker.topology import Names

#: Seconds that a stopping worker may still take: a send in progress ends first (its own time-out is shorter).
STOP_GRACE = 45.0

#: Seconds after which a stream that does not show us our own barrier is given up, and the connection with it.
BARRIER_TIMEOUT = 30.0

_log = structlog.get_logger()


class Disconnected(Exception):
    """The connection that the present work began on is gone; begin again from synchronising."""


class Stopped(Exception):
    """The worker is to end, and has nothing left to finish (or no time for it)."""


class Conversation:
    """What a worker knows, hears and says.

    Args:
        lane: the worker's lane.
        settings: of the process.
        names: of the namespace.
        inbox: where the link, the provider's thread and the signal handlers put what happens.
    """

    def __init__(self, lane: str, settings: "Settings", names: "Names", inbox: Inbox) -> None:
        self.identity = str(uuid.uuid4())
        self.ledger = Ledger(lane, settings.whatsapp_queue_dedupe_hours * 3600)
        self.pace = Pace()
        self.delivery: signals.Delivery | None = None
        self._calls = 0
        self._answer: SendResult | None = None
        self._lane = lane
        self._settings = settings
        self._names = names
        self._inbox = inbox
        self._session: Session | None = None
        self._arrived: Session | None = None
        self._refusal: BrokerRefused | None = None
        self._ever_connected = False
        self._subscribed = False
        self._caught_up = False
        self._confirmations: dict[int, Confirmation] = {}
        self._unrecorded: deque[Event] = deque()
        self._accounted: set[str] = set()
        self._adopted = self.ledger.times
        self._barrier = ""
        self._next_offset: int | None = None
        self._stop_at: float | None = None

    @property
    def stopping(self) -> bool:
        """Whether the process was asked to end."""
        return self._stop_at is not None

    @property
    def is_done(self) -> bool:
        """Whether the worker may end: it was asked to, and every outcome it knows of is on record."""
        return self.stopping and not self._unrecorded

    @property
    def subscribed(self) -> bool:
        """Whether the lane's messages are being delivered to us."""
        return self._subscribed

    @property
    def session(self) -> Session:
        """The present session.

        Raises:
            Disconnected: it is gone.
        """
        if self._session is None or self._session is not self._arrived:
            raise Disconnected
        return self._session

    def wait(
        self, condition: Callable[[], bool], *, until: float | None = None, whatever_happens: bool = False
    ) -> bool:
        """Take in signals until the condition holds.

        Args:
            condition: checked before each wait.
            until: monotonic seconds at which to give up; None for never.
            whatever_happens: go on waiting when the connection breaks.

        Returns:
            Whether the condition holds.

        Raises:
            Disconnected: the session is gone, unless `whatever_happens`.
            Stopped: a stopping process has used up its grace.
        """
        while not condition():
            deadline = min((at for at in (until, self._stop_at) if at is not None), default=None)
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                if deadline == self._stop_at:
                    raise Stopped
                return False
            try:
                self._take(self._inbox.get(timeout=remaining))
            except Empty:
                continue
            if not whatever_happens and self._session is not None:
                _ = self.session
        return True

    def connect(self) -> None:
        """Wait for a connection.

        Raises:
            BrokerRefused: the broker never let us in.
            Stopped: the process is to end, and no outcome waits to be recorded.
        """
        self._session = None
        self.wait(lambda: self._arrived is not None or self.is_done or self._is_refused(), whatever_happens=True)
        if self._is_refused() and self._refusal:
            raise self._refusal
        if self._arrived is None:
            raise Stopped
        self._session = self._arrived
        self._ever_connected = True
        self._subscribed = self._caught_up = False
        self.delivery = None
        self._confirmations.clear()

    def start_over(self) -> None:
        """Give up the present connection: what was begun on it must not be begun a second time."""
        if self._arrived is not None:
            self._arrived.drop()
            self._arrived = None

    def learn(self) -> None:
        """Bring the ledger up to date: read the outcomes stream from where we were, up to this moment."""
        self.session.listen()
        # All that the broker has kept: the consumer may have been away for longer than the dedupe window.
        self.session.read_outcomes("first" if self._next_offset is None else self._next_offset)
        while self._unrecorded:
            self.record(self._unrecorded[0])
            self._unrecorded.popleft()
        self.pass_barrier()

    def catch_up(self) -> None:
        """Once for each subscription: another consumer may have sent until the moment when our turn came."""
        if not self._caught_up:
            self.pass_barrier()
            self._caught_up = True

    def pass_barrier(self) -> None:
        """Publish a mark and wait until the stream shows it: then the ledger holds all that came before."""
        mark = str(uuid.uuid4())
        self.record(self.event("outcome.barrier", message_id=mark))
        if not self.wait(lambda: self._barrier == mark, until=time.monotonic() + BARRIER_TIMEOUT):
            _log.warning("stream.silent", lane=self._lane, waited=BARRIER_TIMEOUT)
            self._next_offset = None
            self.session.drop()
            raise Disconnected
        self._adopt_pace()

    def event(
        self, name: str, *, message_id: str = "", generation: int = 0, attempt: int = 0, **details: object
    ) -> Event:
        """An event of this worker and lane, that happens now."""
        return Event(
            name=name,
            at=time.time(),
            lane=self._lane,
            message_id=message_id,
            generation=generation,
            attempt=attempt,
            source=self.identity,
            details={key: value for key, value in details.items() if value is not None},
        )

    def record(self, event: Event) -> None:
        """Write an event into the broker's streams and, once it is confirmed there, into the ledger."""
        self.publish(self._names.events, event.routing_key, event.encode(), EVENT_PROPERTIES, mandatory=False)
        was_adopted = self.ledger.times == self._adopted
        self.ledger.apply(event)
        if was_adopted:
            # Our own sends are paced by the monotonic clock already.
            self._adopted = self.ledger.times

    def record_surely(self, event: Event) -> None:
        """Record an outcome that must not get lost: if the connection breaks, it is recorded on the next one."""
        try:
            self.record(event)
        except Disconnected:
            self._unrecorded.append(event)
            raise

    def publish(
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
            Disconnected: the broker refused it, kept it nowhere, or is gone; so the original must not be acked.
        """
        session = self.session
        token = session.publish(exchange, routing_key, body, properties, mandatory=mandatory)
        self.wait(lambda: token in self._confirmations)
        confirmation = self._confirmations.pop(token)
        if confirmation is not Confirmation.CONFIRMED:
            _log.warning("publish.refused", lane=self._lane, exchange=exchange, result=confirmation.name.lower())
            session.drop()
            raise Disconnected

    def ask(self, provider: Provider, message: Message, *, deadline: float) -> SendResult:
        """Have the provider send a message in a thread of its own, whatever happens to the connection meanwhile.

        Args:
            provider: what sends.
            message: what to send.
            deadline: monotonic seconds at which an answer no longer counts.
        """
        self._calls += 1
        self._answer = None
        outgoing = Outgoing(message.message_id, message.body.phone_number, message.body.message)
        arguments = (provider, outgoing, self._calls, self._inbox)
        threading.Thread(target=_call, args=arguments, daemon=True, name="antrian-send").start()
        self.wait(lambda: self._answer is not None, until=deadline, whatever_happens=True)
        return self._answer or Failed(FailureClass.UNCERTAIN, "no-answer", "the provider never answered")

    def subscribe(self) -> None:
        """Have the lane's next message delivered."""
        if not self._subscribed:
            self.session.subscribe(self._names.lane(self._lane))
            self._subscribed = True
            self._caught_up = False

    def unsubscribe(self) -> None:
        """Have nothing more delivered; a delivery that nobody has taken up goes back to its place."""
        if not self._subscribed:
            return
        self.session.unsubscribe()
        self.wait(lambda: not self._subscribed)
        if self.delivery is not None:
            self.session.give_back(self.delivery.tag)
            self.delivery = None

    def _is_refused(self) -> bool:
        return self._refusal is not None and not self._ever_connected

    def _adopt_pace(self) -> None:
        """Take over what other processes (or our own earlier life) did, from wall clock to monotonic time."""
        wall, now = time.time(), time.monotonic()
        times = self.ledger.times
        # Each time is taken over once: read again after the clock was set back, it would count as now for ever.
        is_news, self._adopted = times != self._adopted, times
        if is_news and times.send_ended_at:
            pause = max(times.pause, self._settings.whatsapp_queue_delay)
            self.pace.send_ended(since(times.send_ended_at, wall, now), pause)
        if is_news and times.held_because is not None:
            left = min(times.held_until - wall, times.held_for)
            self.pace.hold(now + left, times.held_because)
        unfinished = set(self.ledger.sending())
        if unfinished - self._accounted:
            # A send without an outcome may have ended this very moment.
            self.pace.send_ended(now, self._settings.pause())
        self._accounted = unfinished

    def _take(self, signal: signals.Signal) -> None:
        match signal:
            case signals.Delivery():
                self.delivery = signal
            case signals.Confirmed(token, confirmation):
                self._confirmations[token] = confirmation
            case signals.Recorded(event, offset):
                self._learn_of(event, offset)
            case signals.Answered(call, result):
                # An answer that comes after its deadline belongs to nobody any more.
                self._answer = result if call == self._calls else self._answer
            case signals.Told(control):
                self._obey(control)
            case signals.Stop():
                self._stop_at = self._stop_at or time.monotonic() + STOP_GRACE
            case _:
                self._take_news_of_the_link(signal)

    def _take_news_of_the_link(self, signal: signals.Signal) -> None:
        match signal:
            case signals.Up(session):
                self._arrived = session
                self._refusal = None
            case signals.Down(error):
                self._arrived = None
                self._refusal = error if isinstance(error, BrokerRefused) else None
                _log.warning("broker.gone", lane=self._lane, reason=str(error))
            case signals.Unsubscribed():
                self._subscribed = False
            case signals.Cancelled(queue):
                _log.warning("subscription.cancelled", lane=self._lane, subscription=queue)
                # A stream that is made again begins at offset 0, and would keep silent up to the old one.
                self._next_offset = None
                if self._session is not None:
                    self._session.drop()
            case signals.Blocked(reason):
                _log.warning("broker.blocked" if reason else "broker.unblocked", lane=self._lane, reason=reason)

    def _learn_of(self, event: Event, offset: int) -> None:
        self._next_offset = offset + 1
        if event.source != self.identity:
            self.ledger.apply(event)
        elif event.name == "outcome.barrier":
            self._barrier = event.message_id

    def _obey(self, control: Control) -> None:
        if not control.concerns(self._lane):
            return
        _log.info("control.received", lane=self._lane, command=control.command.value, actor=control.actor)
        match control.command:
            case Command.PAUSE:
                self.pace.paused = True
            case Command.RESUME:
                self.pace.paused = False
            case Command.FORCE:
                self.pace.force(time.monotonic())
            case Command.URGENT:
                if self.ledger.entry(control.message_id) is None:
                    self.pace.ringing.add(control.message_id)


def _call(provider: Provider, outgoing: Outgoing, call: int, inbox: Inbox) -> None:
    result: SendResult
    try:
        result = provider.send(outgoing)
    except Exception as error:  # noqa: BLE001 (a broken adapter must not stop the lane; the message may have gone out)
        result = Failed(FailureClass.UNCERTAIN, "adapter-error", type(error).__name__)
    inbox.put(signals.Answered(call, result))
