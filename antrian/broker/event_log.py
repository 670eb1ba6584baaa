"""The one way to write an event: to the events exchange, from where it reaches the journal and the other streams.

What the contacts stream and the ledgers need beside what is bound to their streams by name is led there by a second
routing key of the same publish, so that no crash can come between the two.

An event that is written twice is the same event: the readers tell by its name, its time and its author.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from copy import copy
from typing import NamedTuple

import pika
from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.broken_connection import despite_broken_connections
from antrian.broker.connection import open_channel
from antrian.broker.topology import Names
from antrian.domain.contact_event import contact_key
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.receipt import ledger_key


class PublishArguments(NamedTuple):
    """What any channel's `basic_publish` takes, in pika's order."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties
    mandatory: bool = False


def event_arguments(names: Names, event: Event) -> PublishArguments:
    """How an event is published, for those who do not wait for each confirm."""
    return PublishArguments(names.events, event.routing_key, event.encode(), _properties(event))


def _properties(event: Event) -> pika.BasicProperties:
    key = contact_key(event) or ledger_key(event)
    if key is None:
        return EVENT_PROPERTIES
    properties = copy(EVENT_PROPERTIES)
    properties.headers = {"CC": [key]}
    return properties


def write_event(channel: BlockingChannel, names: Names, event: Event, *, must_be_kept: bool = False) -> None:
    """Write an event; returns when the broker has it. For those who keep a connection, and write again when it breaks.

    Args:
        channel: as `open_channel` gives it; in confirm mode.
        names: of the namespace.
        event: what happened.
        must_be_kept: whether it is an error when no queue takes it: the exchange may be there before the journal is.

    Raises:
        UnroutableError: it must be kept, and the exchange leads to no journal.
    """
    channel.basic_publish(*event_arguments(names, event)._replace(mandatory=must_be_kept))


def write_events(urls: Sequence[str], names: Names, events: Iterable[Event], *, name: str) -> None:
    """Write events in order, over a connection of their own; returns when the broker has them all.

    Raises:
        BrokerError: the broker is not there; those before the first that it does not have are written.
    """
    publish_all(urls, [event_arguments(names, event) for event in events], name=name)


def publish_all(urls: Sequence[str], publications: Iterable[PublishArguments], *, name: str) -> None:
    """Publish in order, each confirmed before the next, over a connection of their own.

    When the connection breaks in the middle, the rest follows on another one; the one that was under way may then be
    there twice.

    Args:
        urls: the broker's addresses.
        publications: what to publish where.
        name: what the broker shows as the connection's name.

    Raises:
        BrokerError: the broker is not there, or refuses.
    """
    left = deque(publications)

    def publish() -> None:
        with open_channel(urls, name=name) as channel:
            while left:
                channel.basic_publish(*left[0])
                left.popleft()

    despite_broken_connections(publish)
