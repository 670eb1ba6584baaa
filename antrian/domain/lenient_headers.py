"""Headers and routing keys that pika cannot decode must not break the connection, or the code that reads them.

Any publisher can set any header, and pika raises while it reads the frame: a header of type timestamp that counts
milliseconds, as Java services write it, would end the consumer's connection at every redelivery, for ever. So a
timestamp out of range becomes None, and a table that makes no sense at all becomes a marked one; `headers`
turns the mark into a dead letter.
"""

import struct
from collections.abc import Mapping
from typing import Any

from pika import data

#: The only key of a header table that could not be decoded.
UNDECODABLE = "antrian-undecodable"

_strict_value = data.decode_value
_strict_table = data.decode_table
_TIMESTAMP = b"T"


def is_undecodable(headers: object) -> bool:
    """Whether a message's headers could not be read."""
    return isinstance(headers, Mapping) and UNDECODABLE in headers


def make_pika_lenient() -> None:
    """Replace pika's decoders in this process; calling it again changes nothing."""
    data.decode_value = _decode_value
    data.decode_table = _decode_table


def readable_key(routing_key: str | bytes) -> str:
    """A delivery's routing key, which pika leaves as bytes when they are no UTF-8."""
    return routing_key if isinstance(routing_key, str) else routing_key.decode(errors="replace")


def _decode_value(encoded: bytes, offset: int) -> tuple[Any, int]:
    try:
        return _strict_value(encoded, offset)
    except (ValueError, OverflowError, OSError):
        if encoded[offset : offset + 1] == _TIMESTAMP:
            return None, offset + 9
        raise


def _decode_table(encoded: bytes, offset: int) -> tuple[dict[str | bytes, Any], int]:
    try:
        return _strict_table(encoded, offset)
    except Exception:  # noqa: BLE001 (pika raises a dozen types here; each would repeat at every redelivery)
        (size,) = struct.unpack_from(">I", encoded, offset)
        return {UNDECODABLE: True}, offset + 4 + size
