"""A message found in a queue, what is published to replace it, and counts of both."""

from dataclasses import dataclass

import pika

from antrian.broker.event_log import event_arguments
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.headers import GENERATION
from antrian.domain.message import message_id_of

_LONGEST_LANE = 40


@dataclass(frozen=True, slots=True)
class Found:
    """One message of a queue, as the broker delivered it.

    Attributes:
        queue: where.
        routing_key: with which it was published there.
        properties: of the message.
        body: of the message.
        redelivered: whether it was delivered from this queue before, and came back.
    """

    queue: str
    routing_key: str
    properties: pika.BasicProperties
    body: bytes
    redelivered: bool = False

    @property
    def lane(self) -> str:
        """The lane that it was published to: the last word of its key, on the delay ladder and off it."""
        # A foreign publisher's key may be anything; the event's own routing key must still hold it.
        word = self.routing_key.rpartition(".")[2]
        return word.encode("ascii", "replace").decode()[:_LONGEST_LANE]

    @property
    def message_id(self) -> str:
        """The id that it is known by, even if it cannot be read."""
        return message_id_of(self.body, self.properties)

    @property
    def generation(self) -> int:
        """Which copy of the message it is; 0 where that cannot be read."""
        generation = (self.properties.headers or {}).get(GENERATION, 0)
        return generation if isinstance(generation, int) else 0


@dataclass(slots=True)
class Tally:
    """How far an operation has come.

    Attributes:
        seen: messages looked at.
        taken: messages replaced and removed, or published.
        refused: messages whose replacement the broker did not accept.
    """

    seen: int = 0
    taken: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Publication:
    """One publish before a message may be removed; `mandatory` needs a `message_id` among the properties."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties
    mandatory: bool = False


def event_publication(names: Names, event: Event) -> Publication:
    """How an event gets into the journal."""
    return Publication(*event_arguments(names, event))
