"""One entry of a stream as a reader gets it, and what a subscription says to the broker; pure.

What every reader of a stream keeps to:

- It says where it begins (an offset, `first`, `last`, a time or an age), limits what is under way, and acks. An ack
  only allows the broker to send more: where to go on after a crash is for the reader to know.
- The broker tells an entry's offset in a header. Where a publisher's headers are such that nothing in their table can
  be read, the entry is the one after the last.
- It is never cancelled: pika rejects what is on its way then, and the broker ends the connection for that. A
  subscription without acks dries up, and ends with its channel or connection.
- A stream has no end mark, and silence is none: the broker may be busy. What was there when a question is asked comes
  before its answer, unless the broker waits for an ack (`StreamFeed.look_for_the_end`, `lookup.last_entry`).
- A stream that was deleted and made again says nothing about it, and keeps silent up to the offset that was asked for.
  So a reader begins with the entry that it read last, and looks whether that is the same (`resume`).
"""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

import pika

#: The argument of a subscription, and the header that the broker adds to every delivery of a stream.
OFFSET = "x-stream-offset"

#: Entries under way at once, and how many are acked together. A broker that hears seldom that it may send more waits in
#: between: acks of 2,000 made reading a third slower.
PREFETCH = 1_000
ACK_EVERY = 200

#: An offset, `first`, `last` (chunk), an age such as `10m`, or a time in UTC without a zone.
Start = int | str | datetime


class StreamEntry(NamedTuple):
    """One entry, as the broker delivered it."""

    offset: int
    exchange: str
    routing_key: str
    properties: pika.BasicProperties
    body: bytes


class StreamPlace(NamedTuple):
    """How far a reader has come, and what it read there.

    Attributes:
        offset: of the last entry; -1 for none.
        fingerprint: of that entry.
    """

    offset: int = -1
    fingerprint: str = ""


#: Nothing was read yet.
NOWHERE = StreamPlace()


def subscription_arguments(start: Start) -> dict[str, Any]:
    """The arguments of a subscription that begins there."""
    return {OFFSET: start}


def offset_of(properties: pika.BasicProperties) -> int | None:
    """The offset of a delivery; None where nothing in its headers can be read."""
    offset = (properties.headers or {}).get(OFFSET)
    return offset if isinstance(offset, int) else None


def is_ack_due(delivery_tag: int) -> bool:
    """Whether all entries up to this one are to be acked now, where each is taken as it comes."""
    return delivery_tag % ACK_EVERY == 0


def fingerprint(entry: StreamEntry) -> str:
    """What tells one entry from another at the same place."""
    traits = f"{entry.exchange}\n{entry.routing_key}\n"
    return hashlib.blake2b(traits.encode(errors="replace") + entry.body, digest_size=16).hexdigest()


def place_of(entry: StreamEntry) -> StreamPlace:
    """Where a reader stands that has read this entry last."""
    return StreamPlace(entry.offset, fingerprint(entry))
