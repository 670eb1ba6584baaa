"""What can happen to a consumer: one inbox for the whole process, in the order in which things happened.

Each signal is put in together with the one that receives it (see `consumer.event_loop`): a lane, or the process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pika

from antrian.broker.confirms import Confirmation
from antrian.broker.lane_state import PauseState
from antrian.domain.control import Control
from antrian.domain.errors import BrokerError
from antrian.domain.events import Event
from antrian.providers.contract import SendResult

if TYPE_CHECKING:
    from antrian.domain.lane import Lane
    from antrian.domain.settings import Settings
    from consumer.connection import BrokerConnection
    from consumer.lane.channel import LaneChannel

# For the process.


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection is open, with the channels that all lanes share."""

    connection: "BrokerConnection"


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection broke, or could not be made; another is on its way."""

    error: BrokerError


@dataclass(frozen=True, slots=True)
class TopologyChecked:
    """The topology of these lanes is there; or what was in the way."""

    lanes: frozenset[str]
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """No command is missed from now on."""


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A command came over the control exchange."""

    control: Control


@dataclass(frozen=True, slots=True)
class OutcomeRecorded:
    """An event of the outcomes stream, with its offset."""

    event: Event
    offset: int


@dataclass(frozen=True, slots=True)
class ContactRecorded:
    """An entry of the contacts stream, with its offset; None for one that is no event."""

    event: Event | None
    offset: int


@dataclass(frozen=True, slots=True)
class StreamCancelled:
    """The broker ended a subscription that all lanes share: the stream or the control queue is gone."""

    subscription: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The broker accepts nothing for the moment (memory or disk alarm); None: it does again."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class LanesChanged:
    """These lanes are to be served from now on, and no others; `when_done` is called when that is so."""

    settings: "Settings"
    lanes: "Mapping[str, Lane]"
    when_done: Callable[[], None]


# For one lane.


@dataclass(frozen=True, slots=True)
class ChannelOpened:
    """The lane's channel can be used."""

    channel: "LaneChannel"


@dataclass(frozen=True, slots=True)
class ChannelLost:
    """The broker closed the lane's channel, or ended its subscription; the connection goes on."""

    channel: "LaneChannel"
    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of the lane, to be acked or given back by its tag, on its own channel only."""

    tag: int
    redelivered: bool
    routing_key: str
    body: bytes
    properties: pika.BasicProperties
    channel: "LaneChannel | None" = None


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """The lane will deliver nothing more."""

    channel: "LaneChannel"


@dataclass(frozen=True, slots=True)
class SubscribersCounted:
    """So many consumers are subscribed to the lane, this one included."""

    subscribers: int


@dataclass(frozen=True, slots=True)
class PausedStateRead:
    """What the lane's state queue holds; None when it is empty, or another reader has its value for a moment."""

    channel: "LaneChannel"
    state: PauseState | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The broker's answer to the publish with this token."""

    token: int
    confirmation: Confirmation


@dataclass(frozen=True, slots=True)
class ProviderAnswered:
    """The provider's answer to the call with this number."""

    call: int
    result: SendResult


@dataclass(frozen=True, slots=True)
class CallGranted:
    """The provider can be called at once."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The lane is asked to end; put in for the process: all of them."""


Signal = (
    Connected
    | ConnectionLost
    | TopologyChecked
    | Listening
    | CommandReceived
    | OutcomeRecorded
    | ContactRecorded
    | StreamCancelled
    | Blocked
    | LanesChanged
    | ChannelOpened
    | ChannelLost
    | Delivery
    | Unsubscribed
    | SubscribersCounted
    | PausedStateRead
    | Confirmed
    | ProviderAnswered
    | CallGranted
    | Stop
)
