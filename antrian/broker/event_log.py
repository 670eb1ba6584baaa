"""The one way to write an event: to the events exchange, from where it reaches the journal and the other streams.

What the contacts stream needs beside what is bound to it by name is led there by a second routing key of the same
publish, so that no crash can come between the two.
"""

from copy import copy
from typing import NamedTuple

import pika
from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.topology import Names
from antrian.domain.contact_event import contact_key
from antrian.domain.events import EVENT_PROPERTIES, Event


class EventArguments(NamedTuple):
    """What any channel's `publish` takes for one event, in pika's order."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties


def event_arguments(names: Names, event: Event) -> EventArguments:
    """How an event is published, for those who do not wait for each confirm."""
    return EventArguments(names.events, event.routing_key, event.encode(), _properties(event))


def _properties(event: Event) -> pika.BasicProperties:
    key = contact_key(event)
    if key is None:
        return EVENT_PROPERTIES
    properties = copy(EVENT_PROPERTIES)
    properties.headers = {"CC": [key]}
    return properties


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
