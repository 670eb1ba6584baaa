"""One worker's side of the talk with the broker: wait, take in what comes, and say what is to be said.

Everything here runs in the worker's own thread. All waiting goes through `wait`, which takes in every signal that
arrives meanwhile; nothing else reads the inbox.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import TYPE_CHECKING

import structlog

from broker.confirms import Confirmation
from broker.errors import BrokerRefused
from consumer import inbox
from consumer.orders import Orders
from consumer.outcomes.reader import OutcomeFeed
from consumer.providers.contract import SendResult
from consumer.connection import Inbox, Session

if TYPE_CHECKING:
    import pika

    from broker.topology import Names

#: Seconds that a stopping worker may still take: a send in progress ends first (its own time-out is shorter).
STOP_GRACE = 45.0

_log = structlog.get_logger()


class Disconnected(Exception):
    """The connection that the present work began on is gone; begin again from synchronising."""


class Stopped(Exception):
    """The worker is to end, and has nothing left to finish (or no time for it)."""


class Conversation:
    """What a worker hears and says.

    Args:
        lane: the worker's lane.
        names: of the namespace.
        inbox: where the link, the provider's thread and the signal handlers put what happens.
        feed: given what the outcomes stream shows.
        orders: given what an admin commands.

    Attributes:
        delivery: what was delivered and nobody has taken up.
        subscribed: whether the lane's messages are being delivered to us.
        subscriptions: how many there have been, the present one included.
    """

    def __init__(self, lane: str, names: "Names", inbox: Inbox, feed: OutcomeFeed, orders: Orders) -> None:
        self.delivery: signals.Delivery | None = None
        self.subscribed = False
        self.subscriptions = 0
        self._lane = lane
        self._queue = names.lane(lane)
        self._inbox = inbox
        self._feed = feed
        self._orders = orders
        self._session: Session | None = None
        self._arrived: Session | None = None
        self._refusal: BrokerRefused | None = None
        self._ever_connected = False
        self._listening = False
        self._confirmations: dict[int, Confirmation] = {}
        self._answered: signals.Answered | None = None
        self._stop_at: float | None = None

    @property
    def stopping(self) -> bool:
        """Whether the process was asked to end."""
        return self._stop_at is not None

    @property
    def is_done(self) -> bool:
        """Whether the worker may end: it was asked to, and every outcome it knows of is on record."""
        return self.stopping and self._feed.outstanding.is_empty

    @property
    def session(self) -> Session:
        """The present session.

        Raises:
            Disconnected: it is gone.
        """
        if self._session is None or self._session is not self._arrived:
            raise Disconnected
        return self._session

    @property
    def is_connected(self) -> bool:
        """Whether the broker can be reached; from any thread."""
        session = self._session
        return session is not None and session is self._arrived

    def answer_to(self, call: int) -> SendResult | None:
        """The provider's answer to the call with this number, if it is the latest to have come."""
        return self._answered.result if self._answered and self._answered.call == call else None

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

    def catch_up(self) -> None:
        """Take in what has arrived already.

        Raises:
            Disconnected: the session is gone.
        """
        with suppress(Empty):
            while True:
                self._take(self._inbox.get_nowait())
        _ = self.session

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
        self.subscribed = self._listening = False
        self._feed.turn.forget()
        self.delivery = None
        self._confirmations.clear()

    def start_over(self) -> None:
        """Give up the present connection: what was begun on it must not be begun a second time."""
        if self._arrived is not None:
            self._arrived.drop()
            self._arrived = None

    def listen(self) -> None:
        """Begin to hear commands; from its return on, none is missed.

        Raises:
            Disconnected: the session is gone.
        """
        self.session.listen()
        self.wait(lambda: self._listening)

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
            self.start_over()
            raise Disconnected

    def subscribe(self) -> None:
        """Have the lane's next message delivered."""
        if not self.subscribed:
            self.session.subscribe(self._queue)
            self.subscribed = True
            self.subscriptions += 1

    def count_subscribers(self) -> None:
        """Have the subscribers of the lane counted, if we are one of them; from any thread."""
        session = self._session
        if session is not None and self.subscribed:
            session.count_subscribers(self._queue)

    def unsubscribe(self) -> None:
        """Have nothing more delivered; a delivery that nobody has taken up goes back to its place."""
        if not self.subscribed:
            return
        self.session.unsubscribe()
        self.wait(lambda: not self.subscribed)
        if self.delivery is not None:
            self.session.give_back(self.delivery.tag)
            self.delivery = None

    def _is_refused(self) -> bool:
        return self._refusal is not None and not self._ever_connected

    def _take(self, signal: signals.Signal) -> None:
        match signal:
            case signals.Delivery():
                self.delivery = signal
            case signals.Confirmed(token, confirmation):
                self._confirmations[token] = confirmation
            case signals.Recorded(event, offset):
                self._feed.take(event, offset)
            case signals.Answered():
                self._answered = signal
            case signals.Told(control):
                self._orders.obey(control)
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
                self.subscribed = False
            case signals.Listening():
                self._listening = True
            case signals.Counted(subscribers):
                self._feed.turn.count_others(subscribers - 1)
            case signals.Cancelled(queue):
                _log.warning("subscription.cancelled", lane=self._lane, subscription=queue)
                self._feed.lose_position()
                if self._session is not None:
                    self._session.drop()
            case signals.Blocked(reason):
                _log.warning("broker.blocked" if reason else "broker.unblocked", lane=self._lane, reason=reason)
