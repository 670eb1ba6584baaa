"""What a tick asks of the outside, what is set for its lane, and what the lane can be doing."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import pika

from antrian.broker.event_log import PublishArguments
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.message import Message
from antrian.providers.contract import Outgoing, SendResult
from consumer.inbox import Delivery
from consumer.lane.retry import RetryPolicy


class Phase(StrEnum):
    """The steps of a lane's life; see `LaneState`."""

    #: There is no connection to the broker.
    CONNECTING = "connecting"
    #: Reads what was attempted before, and whether the lane is paused.
    LEARNING = "learning"
    #: The lane may not send now; it is not subscribed.
    SHUT = "shut"
    #: Subscribed; no message is there, or another consumer of the lane gets them.
    WAITING = "waiting"
    #: A message is here; it is decided what to do with it, up to the moment of the call.
    DECIDING = "deciding"
    #: The provider is being called.
    SENDING = "sending"
    #: The message is kept un-acked for the pause after its send.
    HOLDING = "holding"


@dataclass(frozen=True, slots=True)
class LaneState:
    """What a lane is doing.

    Attributes:
        phase: the step.
        reason: while it is shut, why: the reason of the gate.
        until: while it is shut, the monotonic second at which it opens; infinite when only an admin can open it.
    """

    phase: Phase
    reason: str = ""
    until: float = math.inf


class Port(Protocol):
    """What a tick asks of the outside. Every coroutine may raise `Disconnected`: begin again from learning."""

    @property
    def stopping(self) -> bool:
        """Whether the lane was asked to end."""

    @property
    def subscribed(self) -> bool:
        """Whether the lane's messages are being delivered here."""

    def now(self) -> float:
        """Monotonic seconds."""

    def wall(self) -> float:
        """Unix seconds."""

    async def subscribe(self, prefetch: int = 1) -> None:
        """Have messages delivered, so many at a time; more than one only to move them out of the way."""

    async def unsubscribe(self) -> None:
        """Have nothing more delivered; a delivery that was not taken up goes back to its place in the queue."""

    async def next_delivery(self, until: float | None, cut_short: Callable[[], bool]) -> Delivery | None:
        """The next message; None when `cut_short` holds first, or at `until` (monotonic seconds)."""

    async def arrived(self, most: int, until: float) -> Sequence[Delivery]:
        """The next messages, as many as there are but at most so many; none at `until` (monotonic seconds)."""

    async def wait_until(self, when: float | None, cut_short: Callable[[], bool]) -> None:
        """Wait for a monotonic second (None: for ever), or until `cut_short` holds."""

    async def take_in(self) -> None:
        """Know all that has arrived so far."""

    async def catch_up(self) -> None:
        """Know what others have sent: before the first send of a subscription, and whenever one of them has sent."""

    async def barrier(self) -> None:
        """Know everything that was recorded before this moment."""

    async def record(self, event: Event, *, surely: bool = False) -> None:
        """Have an event confirmed by the broker, then put it into the ledger.

        Args:
            event: of this lane.
            surely: if the connection breaks, it is recorded on the next one; otherwise it may be there or not.
        """

    async def record_with_copies(self, copies: Sequence[tuple[PublishArguments, Event]]) -> None:
        """Have copies confirmed by the broker, in at least one queue each, and then the event that tells of each."""

    def owe(self, event: Event) -> None:
        """Record an event on the next connection."""

    async def publish(self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties) -> None:
        """Have a message confirmed by the broker, in at least one queue."""

    async def reserve_call(self) -> bool:
        """Wait until a call to the provider can begin at once; False when the lane is to end first."""

    def release_call(self) -> None:
        """Give the reserved call back, if it was not made."""

    async def call_provider(self, message: Message, outgoing: Outgoing, deadline: float) -> SendResult:
        """Make the call. The connection may break meanwhile: that is told by the next call on the port.

        Args:
            message: whose attempt it is.
            outgoing: what to send.
            deadline: the monotonic second from which an answer no longer counts.
        """

    async def ack(self, delivery: Delivery) -> None:
        """The message of this delivery is done with."""

    async def ack_up_to(self, delivery: Delivery) -> None:
        """The messages of this delivery and of all before it are done with."""

    async def give_back(self, delivery: Delivery) -> None:
        """The message returns to its place in the queue."""


@dataclass(frozen=True, slots=True)
class LaneRules:
    """What is set for a lane.

    Attributes:
        lane: its name.
        names: of the namespace.
        policy: what follows a failure.
        patience: seconds after which a call to the provider is given up.
        answers_within: seconds within which the provider answers, or gives up by itself.
        consumer: this process, as people know it.
        rhythm: told with each send, so that forecasts use our settings and not their reader's.
        cold_failures: so many cold contacts in a row whose messages fail are taken for a refusal; 0: never.
        provider: the lane's, as the history names it; told with each outcome.
        echo: what the provider's receipts name an attempt by (`Provider.echoed_id`); None where they name none of ours,
            or nobody could prove them: then nobody waits for one.
        receipt_wait: seconds for which an attempt without an answer waits for its receipt; 0 without `echo`.
        has_window: whether the provider is told how the recipient may be reached (`LaneHolds.reach`).
    """

    lane: str
    names: Names
    policy: RetryPolicy
    patience: float
    answers_within: float
    consumer: str
    rhythm: Mapping[str, object]
    cold_failures: int = 0
    provider: str = ""
    echo: Callable[[str], str] | None = None
    receipt_wait: float = 0.0
    has_window: bool = False
