"""What can reach a worker while it waits: one inbox, in the order in which things happened."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pika

from broker.confirms import Confirmation
from broker.control import Control
from broker.errors import BrokerError
from broker.events import Event
from consumer.providers.contract import SendResult

if TYPE_CHECKING:
    from consumer.connection import Session


@dataclass(frozen=True, slots=True)
class Up:
    """A connection is open, with all its channels."""

    session: "Session"


@dataclass(frozen=True, slots=True)
class Down:
    """The connection broke, or could not be made; another is on its way."""

    error: BrokerError


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of the lane, to be acked or given back by its tag."""

    tag: int
    redelivered: bool
    routing_key: str
    body: bytes
    properties: pika.BasicProperties


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of the outcomes stream, with its offset."""

    event: Event
    offset: int


@dataclass(frozen=True, slots=True)
class Listening:
    """No command is missed from now on."""


@dataclass(frozen=True, slots=True)
class Told:
    """A command came over the control exchange."""

    control: Control


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The broker's answer to the publish with this token."""

    token: int
    confirmation: Confirmation


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """The lane will deliver nothing more."""


@dataclass(frozen=True, slots=True)
class Counted:
    """So many consumers are subscribed to the lane, this one included."""

    subscribers: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The broker ended a subscription by itself: the queue or stream is gone."""

    queue: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The broker accepts nothing for the moment (memory or disk alarm); None: it does again."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The provider's answer to the call with this number."""

    call: int
    result: SendResult


@dataclass(frozen=True, slots=True)
class Stop:
    """The process is asked to end."""


Signal = (
    Up
    | Down
    | Delivery
    | Recorded
    | Listening
    | Told
    | Confirmed
    | Unsubscribed
    | Counted
    | Cancelled
    | Blocked
    | Answered
    | Stop
)
