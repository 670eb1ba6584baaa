"""A lane with everything that it is made of, and paper where its socket would be.

What the broker says, and in which order, is the test's own choice: orders that a real one takes once in a thousand
times. Whether messages arrive is no question for these tests; tests/e2e asks it of a real broker.
"""

import time
from collections.abc import Callable, Coroutine, Sequence
from itertools import count
from typing import Any, cast

import pytest
from factories import LANE, make_settings

from antrian.broker.confirms import Confirmation
from antrian.broker.event_log import PublishArguments
from antrian.broker.lane_state import PauseState
from antrian.domain.control import Command, Control
from antrian.domain.errors import BrokerUnreachable
from antrian.domain.events import Event
from antrian.domain.message import Message, encode
from antrian.providers.contract import Outgoing, SendResult, Sent
from consumer.connection import BrokerConnection
from consumer.inbox import (
    ChannelOpened,
    CommandReceived,
    Confirmed,
    Connected,
    ConnectionLost,
    ContactRecorded,
    Delivery,
    Listening,
    OutcomeRecorded,
    PausedStateRead,
    Signal,
    TopologyChecked,
    Unsubscribed,
)
from consumer.lane.channel import LaneChannel
from consumer.outcomes.writer import Disconnected
from consumer.served_lanes import ServedLanes

_tokens = count(1)


class PaperSession:
    """One connection and the lane's channel on it: what is published is in the stream at once, and confirmed.

    Attributes:
        before_confirm: what happens before the confirm of an event, or of a publish to an exchange, by its name; once.
        after_confirm: likewise, right behind the confirm.
        said: what was done, in order: events, exchanges, `subscribe`, `unsubscribe`, `ack`, `give_back`.
    """

    def __init__(self, lane: "PaperLane") -> None:
        self.before_confirm: dict[str, Callable[[], object]] = {}
        self.after_confirm: dict[str, Callable[[], object]] = {}
        self.said: list[str] = []
        self.is_open = self.is_gone = False
        self._lane = lane
        self._stream = lane.stream
        self._contacts = lane.contacts
        self._is_read = self._is_cut = False

    def show(self, event: Event) -> None:
        """An event of anybody comes into the stream."""
        self._stream.append(event)
        # What says nothing of contacts teaches nothing.
        self._contacts.append(event)
        if self._is_read and not self._is_cut:
            self._lane.tell(OutcomeRecorded(event, len(self._stream) - 1))
            self._lane.tell(ContactRecorded(event, len(self._contacts) - 1))

    def tell(
        self, command: Command, message_id: str = "", *, permit: str = "", expires_at: float = 0.0, generation: int = 0
    ) -> None:
        """An admin commands something, or an urgent message rings."""
        self._lane.tell(CommandReceived(Control(command, LANE, "admin", message_id, permit, expires_at, generation)))

    def die(self) -> None:
        """The connection breaks."""
        self._is_cut = True
        self._lane.tell(ConnectionLost(BrokerUnreachable("cut")))

    # What is asked of a connection.

    def open_lane(self, _lane: str, _receiver: object) -> "PaperSession":
        self._lane.tell_lane(ChannelOpened(cast("LaneChannel", self)))
        return self

    def publish(
        self, _receiver: object, exchange: str, _key: str, body: bytes, _properties: Any, *, mandatory: bool = True
    ) -> int:
        token = next(_tokens)
        event = None if mandatory else Event.decode(body)
        name = event.name if event else exchange
        self.said.append(name)
        self.before_confirm.pop(name, lambda: None)()
        if self._is_cut:
            return token
        if event:
            self.show(event)
        self._lane.tell_lane(Confirmed(token, Confirmation.CONFIRMED))
        self.after_confirm.pop(name, lambda: None)()
        return token

    def publish_all(self, receiver: object, publications: Sequence[PublishArguments]) -> list[int]:
        return [self.publish(receiver, *one[:4], mandatory=one.mandatory) for one in publications]

    def listen(self) -> None:
        self._lane.tell(Listening())

    def read_outcomes(self, offset: int | str) -> None:
        self._is_read = True
        for number in range(0 if offset == "first" else int(offset), len(self._stream)):
            self._lane.tell(OutcomeRecorded(self._stream[number], number))

    def read_contacts(self, offset: int | str) -> None:
        for number in range(0 if offset == "first" else int(offset), len(self._contacts)):
            self._lane.tell(ContactRecorded(self._contacts[number], number))

    def drop(self) -> None:
        self.die()

    # What is asked of a lane's channel.

    def subscribe(self, _prefetch: int = 1) -> None:
        self.said.append("subscribe")

    def unsubscribe(self) -> None:
        self.said.append("unsubscribe")
        self._lane.tell_lane(Unsubscribed(cast("LaneChannel", self)))

    def count_subscribers(self) -> None:
        pass

    def read_paused_state(self) -> None:
        state = PauseState(paused=self._lane.pace.paused)
        self._lane.tell_lane(PausedStateRead(cast("LaneChannel", self), state))

    def ack(self, _tag: int) -> None:
        self.said.append("ack")

    def give_back(self, _tag: int) -> None:
        self.said.append("give_back")

    def close(self) -> None:
        pass


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
    """A lane in its process, connected, and its stream.

    Args:
        stream: what is in the stream from before.
        delay: seconds between sends. A long one is never waited for: what the lane would wait for is looked at.
        variables: more settings.
    """

    def __init__(self, *stream: Event, delay: str = "0", **variables: str) -> None:
        self.stream = list(stream)
        self.contacts: list[Event] = []
        self.provider = PaperProvider()
        settings = make_settings(WHATSAPP_QUEUE_DELAY=delay, **variables)
        self.lanes = ServedLanes(settings, ["amqp://x"], settings.lanes, equip=lambda *_: (self.provider, []))
        self.worker = self.lanes._workers[LANE]
        self.loop, self.set_up, self.reader = self.lanes._loop, self.lanes._set_up, self.lanes._reader
        self.link, self.pace, self.writer = self.worker.link, self.worker._pace, self.worker._writer
        self.outcomes, self.ledger = self.worker.outcomes, self.worker.outcomes.ledger
        self._tags = count(1)
        self.set_up._apply = lambda lanes: self.tell(TopologyChecked(lanes))  # type: ignore[method-assign]
        self.set_up.task = self.loop.start(self.set_up.run())
        self.connect()

    def tell(self, signal: Signal) -> None:
        """Something happens to the process."""
        self.loop.inbox.put((self.lanes, signal))

    def tell_lane(self, signal: Signal) -> None:
        """Something happens to the lane."""
        self.loop.inbox.put((self.link, signal))

    def drive(self, coroutine: Coroutine[Any, None, None]) -> None:
        """Run a coroutine of the lane to its end."""
        errors: list[BaseException | None] = []
        task = self.link.task = self.loop.start(coroutine, errors.append)
        while not task.is_over:
            self.loop.turn()
        self.link.task = None
        if errors[0] is not None:
            raise errors[0]

    def connect(self, session: PaperSession | None = None) -> None:
        """A new connection, and the lane has learnt what it needs to know."""
        self.session = session or PaperSession(self)
        self.tell(Connected(cast("BrokerConnection", self.session)))
        self.drive(self.link.connect())
        self.drive(self.worker._learn())

    def reconnect(self, session: PaperSession | None = None) -> None:
        """The connection breaks, and another is made."""
        self.session.die()
        with pytest.raises(Disconnected):
            self.take_in()
        self.connect(session)

    def subscribe(self) -> None:
        self.link.subscribe()

    def stand_by(self) -> None:
        """Subscribed, and up to date."""
        self.link.subscribe()
        self.drive(self.writer.catch_up())

    def take_in(self) -> None:
        """Whatever has arrived is known."""
        self.drive(self.link.take_in())

    def deliver(self, message: Message, body: bytes | None = None) -> None:
        """The lane's turn: it is delivered this message, or a body that it cannot read."""
        encoded, properties = encode(message)
        self.link.subscribe()
        channel = cast("LaneChannel", self.session)
        delivery = Delivery(next(self._tags), False, LANE, body or encoded, properties, channel)  # noqa: FBT003
        self.drive(self.worker._tick.handle(delivery))

    @property
    def wait(self) -> float:
        """Seconds until the gate opens."""
        return self.pace.gate().wait(time.monotonic())

    @property
    def told(self) -> list[str]:
        """Names of what is in the stream, barriers aside."""
        return [event.name for event in self.stream if event.name != "outcome.barrier"]
