"""What happened, as the journal and the outcomes stream keep it: JSON events on the `events` exchange.

What an event can be called is in `antrian.domain.event_name`, what it means for its message in
`antrian.domain.lifecycle`. The routing key is `name.lane.message_id`, so that one message's outcome can be waited for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import pika

from antrian.domain.lenient_headers import readable_key

#: AMQP allows 255 bytes of routing key; a foreign message_id may be longer than what is left.
_KEY_ID_LENGTH = 100
_PERSISTENT = 2
#: The end of the year 9999, unix seconds; JSON may hold numbers that no clock and no float can.
_LATEST = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        name: an `EventName`, or one that only a newer version knows.
        at: wall clock, unix seconds.
        lane: the lane it happened in.
        message_id: the message it is about; empty for a lane's own events.
        generation: which copy of the message (see `antrian.domain.message`).
        attempt: which attempt, first = 1; 0 where there is none.
        source: who wrote it: a consumer process's own id, or who acted.
        details: whatever else the history wants to show; JSON values.
    """

    name: str
    at: float
    lane: str
    message_id: str = ""
    generation: int = 0
    attempt: int = 0
    source: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def routing_key(self) -> str:
        """The key to publish with."""
        return outcome_key(self.name, self.lane, self.message_id)

    def encode(self) -> bytes:
        """The event as JSON."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return _to_json(values).encode()

    @classmethod
    def decode(cls, body: bytes) -> Self | None:
        """The event in a stream entry, or None where the entry is not one of ours."""
        try:
            values = json.loads(body)
            event = cls(**{name: values[name] for name in cls.__slots__ if name in values})
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return event if event._is_sound() else None

    @classmethod
    def of_delivery(cls, body: bytes, routing_key: str | bytes) -> Self | None:
        """The event in a delivery from the events exchange, or None where it is not one of ours, or not what it claims.

        The broker asks the routing key alone who may write what: an event of another name would be a forgery.
        """
        event = cls.decode(body)
        return event if event is not None and is_keyed(event.name, readable_key(routing_key)) else None

    def _is_sound(self) -> bool:
        """Whether every field has its type; a program that may write into the exchange may write anything."""
        texts = (self.name, self.lane, self.message_id, self.source)
        numbers = (self.generation, self.attempt)
        return (
            all(type(text) is str for text in texts)
            and all(type(number) is int for number in numbers)
            and type(self.at) in {int, float}
            and abs(self.at) <= _LATEST
            and type(self.details) is dict
        )


def outcome_key(name: str, lane: str, message_id: str) -> str:
    """The routing key of one message's event; `*` as the last word of `name` makes it a pattern for all of them."""
    return f"{name}.{lane}.{message_id[:_KEY_ID_LENGTH]}"


def is_keyed(name: str, routing_key: str) -> bool:
    """Whether an event of this name may have come with this routing key; its second keys are never shown."""
    return routing_key.startswith(f"{name}.")


#: `json.dumps` would make an encoder for each event.
_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

#: Events are small, many and alike: one set of properties serves all.
EVENT_PROPERTIES = pika.BasicProperties(content_type="application/json", delivery_mode=_PERSISTENT, type="event")
