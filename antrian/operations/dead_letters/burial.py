"""Putting a letter into the dead-letter queue again, as it was there before."""

from collections.abc import Mapping
from typing import Any

import pika

from antrian.broker.queue_scan.publication import Publication
from antrian.broker.topology import Names
from antrian.domain.message import CONTENT_ENCODING, CONTENT_TYPE
from antrian.operations.dead_letters.selection import Copy

_PERSISTENT = 2
#: The most that an AMQP short string holds, in bytes.
_SHORT_STRING = 255


def burial(
    names: Names, copy: Copy, *, lane: str, priority: int, source: str, body: bytes, headers: Mapping[str, Any]
) -> Publication:
    """What to publish.

    Args:
        names: of the namespace.
        copy: the letter's id; its generation is among the headers.
        lane: where it was to be sent from.
        priority: the broker's number.
        source: the publishing service; empty when the letter does not say.
        body: as it arrived.
        headers: as they arrived.
    """
    properties = pika.BasicProperties(
        message_id=copy[0],
        priority=min(max(priority, 0), 255),
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        app_id=source.encode()[:_SHORT_STRING].decode(errors="ignore") or None,
        delivery_mode=_PERSISTENT,
        headers=dict(headers),
    )
    return Publication(names.dead, lane, body, properties, mandatory=True)
