"""A lane's worker with everything that it is made of, and paper where its socket would be.

What the broker says, and in which order, is the test's own choice: orders that a real one takes once in a thousand
times. Whether messages arrive is no question for these tests; tests/e2e asks it of a real broker.
"""

import time
from collections.abc import Callable
from itertools import count
from typing import Any, cast

import pytest
from factories import LANE, make_settings

from broker.confirms import Confirmation
from broker.control import Command, Control
from broker.errors import BrokerUnavailable
from broker.events import Event
from broker.message import Message, encode
from consumer import inbox
from consumer.conversation import Disconnected
from consumer.providers.contract import Outgoing, SendResult, Sent
from consumer.connection import Inbox, Session
from consumer.lane.worker import LaneWorker

_tokens = count(1)


class PaperSession:
    """One connection: what is published is in the stream at once, and confirmed.

    Attributes:
        before_confirm: what happens before the confirm of an event, or of a publish to an exchange, by its name; once.
        after_confirm: likewise, right behind the confirm.
        said: what was done, in order: events, exchanges, `subscribe`, `unsubscribe`, `ack`, `give_back`.
    """

    def __init__(self, inbox: Inbox, stream: list[Event]) -> None:
        self.before_confirm: dict[str, Callable[[], object]] = {}
        self.after_confirm: dict[str, Callable[[], object]] = {}
        self.said: list[str] = []
        self._inbox = inbox
        self._stream = stream
        self._is_read = self._is_gone = False

    def show(self, event: Event) -> None:
        """Somebody's event comes into the stream."""
        self._stream.append(event)
        if self._is_read and not self._is_gone:
            self._inbox.put(signals.Recorded(event, len(self._stream) - 1))

    def tell(
        self, command: Command, message_id: str = "", *, permit: str = "", expires_at: float = 0.0, generation: int = 0
    ) -> None:
        """An admin commands something, or an urgent message rings."""
        self._inbox.put(signals.Told(Control(command, LANE, "admin", message_id, permit, expires_at, generation)))

    def die(self) -> None:
        """The connection breaks."""
        self._is_gone = True
        self._inbox.put(signals.Down(BrokerUnavailable("cut")))

    # What a worker asks of a session

    def publish(self, exchange: str, _key: str, body: bytes, _properties: Any, *, mandatory: bool = True) -> int:
        token = next(_tokens)
        event = None if mandatory else Event.decode(body)
        name = event.name if event else exchange
        self.said.append(name)
        self.before_confirm.pop(name, lambda: None)()
        if self._is_gone:
            return token
        if event:
            self.show(event)
        self._inbox.put(signals.Confirmed(token, Confirmation.CONFIRMED))
        self.after_confirm.pop(name, lambda: None)()
        return token

    def listen(self) -> None:
        self._inbox.put(signals.Listening())

    def read_outcomes(self, offset: int | str) -> None:
        self._is_read = True
        for number in range(0 if offset == "first" else int(offset), len(self._stream)):
            self._inbox.put(signals.Recorded(self._stream[number], number))

    def subscribe(self, _queue: str) -> None:
        self.said.append("subscribe")

    def unsubscribe(self) -> None:
        self.said.append("unsubscribe")
        self._inbox.put(signals.Unsubscribed())

    def count_subscribers(self, _queue: str) -> None:
        pass

    def ack(self, _tag: int) -> None:
        self.said.append("ack")

    def give_back(self, _tag: int) -> None:
        self.said.append("give_back")

    def drop(self) -> None:
        self.die()


class PaperProvider:
    """Answers what it was told to, or that the message is sent; notes whom it was asked to send."""

    name = "paper"

    def __init__(self) -> None:
        self.answers: list[SendResult] = []
        self.calls: list[str] = []

    def send(self, outgoing: Outgoing) -> SendResult:
        self.calls.append(outgoing.message_id)
        return self.answers.pop(0) if self.answers else Sent("id")

    def close(self) -> None:
        pass


class PaperLane:
    """A worker, connected, and its stream.

    Args:
        stream: what is in the stream from before.
        delay: seconds between sends. A long one is never waited for: what the worker would wait for is looked at.
        variables: more settings.
    """

    def __init__(self, *stream: Event, delay: str = "0", **variables: str) -> None:
        self.stream = list(stream)
        self.provider = PaperProvider()
        settings = make_settings(WHATSAPP_QUEUE_DELAY=delay, **variables)
        self.worker = LaneWorker(LANE, settings, ["amqp://x"], self.provider)
        self.inbox, self.talk, self.pace = self.worker.inbox, self.worker._talk, self.worker._pace
        self.recorder, self.ledger = self.worker._recorder, self.worker._ledger
        self.feed = self.recorder._feed
        self._tags = count(1)
        self.connect()

    def connect(self, session: PaperSession | None = None) -> None:
        """A new connection, and the worker has learnt what it needs to know."""
        self.session = session or PaperSession(self.inbox, self.stream)
        self.inbox.put(signals.Up(cast("Session", self.session)))
        self.talk.connect()
        self.recorder.make_up_for_lost_records()
        self.recorder.learn()

    def reconnect(self, session: PaperSession | None = None) -> None:
        """The connection breaks, and another is made."""
        self.session.die()
        with pytest.raises(Disconnected):
            self.take_in()
        self.connect(session)

    def stand_by(self) -> None:
        """Subscribed, and up to date."""
        self.talk.subscribe()
        self.recorder.catch_up()

    def take_in(self) -> None:
        """Whatever has arrived is known."""
        self.talk.catch_up()

    def deliver(self, message: Message, body: bytes | None = None) -> None:
        """The worker's turn: it is delivered this message, or a body that it cannot read."""
        encoded, properties = encode(message)
        self.talk.subscribe()
        delivery = signals.Delivery(next(self._tags), False, LANE, body or encoded, properties)  # noqa: FBT003
        self.worker._handle(delivery)

    @property
    def wait(self) -> float:
        """Seconds until the gate opens."""
        return self.pace.gate().wait(time.monotonic())

    @property
    def told(self) -> list[str]:
        """Names of what is in the stream, barriers aside."""
        return [event.name for event in self.stream if event.name != "outcome.barrier"]
