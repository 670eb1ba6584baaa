"""The idempotency key of a row that has none, made from what the row says; pure.

Two rows that say the same are two messages, so the how-manieth such row it is counts as well. Then the same file, or
one that has grown, gives the same keys whenever it is read.
"""

import hashlib
import json
from datetime import UTC, datetime

from publisher.request import MessageRequest
from publisher.time_expression import parse_moment

#: What relative moments count from here, so that `+5m` is the same whenever it is read.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Bytes of a digest: two of a billion different rows meet with a chance of 1 : 10**20.
_DIGEST_SIZE = 16


def content_of(request: MessageRequest, deliver_at: str | None, batch: str) -> bytes:
    """A digest of what makes a message this one: to whom, what, when, in which lane, for whom, and its notes.

    How urgent it is and when it expires do not count: a row that differs only there means the same message.

    Args:
        request: checked, the number in its one spelling, lane and source filled in.
        deliver_at: as it is written in the row.
        batch: rows of another batch are other messages.
    """
    moment = parse_moment(deliver_at, _EPOCH).timestamp() if deliver_at else None
    notes = sorted((request.metadata or {}).items())
    said = [request.phone_number, request.message, moment, request.lane, request.source, notes, batch]
    return _digest(json.dumps(said))


def key_content(request: MessageRequest) -> bytes:
    """A digest of what a row's own key belongs to: keys of other lanes and sources are other keys."""
    return _digest(json.dumps([request.lane, request.source, request.idempotency_key]))


def derived_key(content: bytes, number: int) -> str:
    """The key of the row with this content that is the `number`th of its kind, from 1."""
    return f"import:{content.hex()}:{number}"


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_SIZE).digest()
