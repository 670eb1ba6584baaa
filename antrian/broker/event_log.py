"""The one way to write an event: to the events exchange, from where it reaches the journal and the outcomes stream."""

from typing import NamedTuple

import pika
from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.topology import Names
from antrian.domain.event_name import EventName
from antrian.domain.events import EVENT_PROPERTIES, Event, outcome_key
from antrian.domain.failure_class import FailureClass


class EventArguments(NamedTuple):
    """What any channel's `publish` takes for one event, in pika's order."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties


def event_arguments(names: Names, event: Event) -> EventArguments:
    """How an event is published, for those who do not wait for each confirm."""
    key = contacts_key(event)
    properties = EVENT_PROPERTIES if key is None else _with_second_key(key)
    return EventArguments(names.events, event.routing_key, event.encode(), properties)


def contacts_key(event: Event) -> str | None:
    """The second routing key, which leads an event into the contacts stream as well; None for one without."""
    what = _contacts_word(event)
    return None if what is None else outcome_key(f"contact.{what}", event.lane, event.message_id)


def _contacts_word(event: Event) -> str | None:
    details = event.details
    match event.name:
        case EventName.BARRIER:
            return "barrier"
        case EventName.SENDING if details.get("slot"):
            return "slot"
        case EventName.SENT if details.get("cold") is True:
            return "sent"
        case EventName.FAILED if details.get("failure_class") == FailureClass.COLD_REFUSED:
            return "refused"
    return None


def _with_second_key(key: str) -> pika.BasicProperties:
    first = EVENT_PROPERTIES
    # The broker sends it on with both keys, and keeps it once in a queue that both lead to.
    return pika.BasicProperties(
        content_type=first.content_type, delivery_mode=first.delivery_mode, type=first.type, headers={"CC": [key]}
    )


def write_event(channel: BlockingChannel, names: Names, event: Event, *, must_be_kept: bool = False) -> None:
    """Write an event; returns when the broker has it. The channel must be in confirm mode.

    Args:
        channel: as `open_channel` gives it.
        names: of the namespace.
        event: what happened.
        must_be_kept: whether it is an error when no queue takes it: the exchange may be there before the journal is.

    Raises:
        UnroutableError: it must be kept, and the exchange leads to no journal.
    """
    channel.basic_publish(*event_arguments(names, event), mandatory=must_be_kept)
