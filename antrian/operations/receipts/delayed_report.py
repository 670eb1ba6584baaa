"""A report that comes again later, by the delay ladder; no I/O."""

from collections.abc import Mapping
from typing import Final

import pika

from antrian.broker.queue_scan.publication import Publication
from antrian.broker.topology import Names
from antrian.domain.delay_ladder import ladder_key

#: How often it came back before, in a header.
TRIES: Final = "antrian-tries"

_PERSISTENT = 2


def tries_of(properties: pika.BasicProperties) -> int:
    """How often a delivery came back before; 0 where nothing sensible says so."""
    headers = properties.headers
    tries = headers.get(TRIES) if isinstance(headers, Mapping) else None
    return tries if isinstance(tries, int) and not isinstance(tries, bool) and tries > 0 else 0


def later(names: Names, word: str, body: bytes, *, seconds: float, tries: int) -> Publication:
    """What puts a body on the delay ladder, from where it comes into another queue than a lane's.

    Args:
        names: of the namespace.
        word: the last word of the routing key, as the topology binds that queue.
        body: of the delivery.
        seconds: until it comes.
        tries: how often it will have come back then.
    """
    properties = pika.BasicProperties(
        content_type="application/json", delivery_mode=_PERSISTENT, headers={TRIES: tries} if tries else None
    )
    return Publication(names.ladder_entrance(seconds), ladder_key(seconds, word), body, properties, mandatory=True)
