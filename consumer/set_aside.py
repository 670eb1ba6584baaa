"""A message of a later version of the contract: kept as it came, and out of the way of those that can be read.

This version cannot tell what it asks for, so it is neither sent nor given up: a consumer that knows its version may be
running already, or will be after the upgrade. Given back to its queue it would be delivered again at once, ahead of
all others. So it waits on the delay ladder, longer each time, without an attempt being counted. Its generation stays:
whatever is on record about this copy, the consumer that can read it must find.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pika

from antrian.domain.errors import NewerVersion
from antrian.domain.headers import GENERATION, LARGEST_COUNT, WAITS
from antrian.domain.lenient_headers import is_undecodable
from antrian.domain.message import message_id_of

#: Seconds of the first wait, and of the longest: each is twice the one before.
FIRST_WAIT, LONGEST_WAIT = 60.0, 900.0

#: Why a message was postponed, as its event says.
NEWER_VERSION = "newer-version"

#: Headers with which the broker would route the copy elsewhere, too.
_MORE_KEYS = frozenset({"CC", "BCC"})


@dataclass(frozen=True, slots=True)
class SetAside:
    """The copy that waits on the ladder.

    Attributes:
        message_id: what it is known by.
        generation: which copy of the message it is.
        seconds: how long it waits.
        body: as it arrived.
        properties: as they arrived, as far as they mean the same to the broker.
        detail: why, in one sentence.
        version: of the contract.
    """

    message_id: str
    generation: int
    seconds: float
    body: bytes
    properties: pika.BasicProperties
    detail: str
    version: int

    @classmethod
    def of(cls, body: bytes, properties: pika.BasicProperties, problem: NewerVersion) -> "SetAside":
        """What to keep of a delivery."""
        headers = _kept(properties.headers)
        waits = _count(headers.get(WAITS))
        message_id = message_id_of(body, properties)
        kept = pika.BasicProperties(
            message_id=message_id,
            priority=properties.priority,
            content_type=properties.content_type,
            content_encoding=properties.content_encoding,
            app_id=properties.app_id,
            correlation_id=properties.correlation_id,
            type=properties.type,
            reply_to=properties.reply_to,
            timestamp=properties.timestamp,
            delivery_mode=2,
            headers=headers | {WAITS: min(waits + 1, LARGEST_COUNT)},
        )
        return cls(
            message_id, _count(headers.get(GENERATION)), wait_after(waits), body, kept, problem.detail, problem.version
        )

    def details(self) -> dict[str, Any]:
        """What its event tells."""
        due_at = time.time() + self.seconds
        return {"reason": NEWER_VERSION, "due_at": round(due_at, 3), "version": self.version, "detail": self.detail}


def wait_after(waits: int) -> float:
    """Seconds that a message waits that has waited so many times before."""
    return float(min(FIRST_WAIT * 2 ** min(waits, 10), LONGEST_WAIT))


def _kept(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    if not headers or is_undecodable(headers):
        return {}
    # What begins with `x-` the broker wrote on the way, and would add to. A name that is no UTF-8 cannot be written.
    names = (name for name in headers if isinstance(name, str) and not name.startswith("x-"))
    return {name: headers[name] for name in names if name not in _MORE_KEYS}


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value <= LARGEST_COUNT else 0
