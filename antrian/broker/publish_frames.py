"""The bytes of one publish, exactly as pika would write them, made in a third of the time.

Marshalling was the larger part of what a publish costs a client: pika makes an object for each frame and asks each
value for its type. Properties other than those of our messages, and headers that are neither text nor whole numbers,
are left to pika's own code, so that there is no value which only one of the two can write.
`tests/unit/broker/test_publish_frames.py` compares the two, byte by byte.
"""

from functools import lru_cache
from struct import Struct
from typing import Any

import pika
from pika import data, spec
from pika.exceptions import ShortStringTooLong

_BASIC_CLASS = spec.BasicProperties.INDEX
_HEADER_START = Struct(">BHIHHQ").pack
_FRAME_START = Struct(">BHI").pack
_SIZE = Struct(">I").pack
_TIMESTAMP = Struct(">Q").pack
_TEXT_START = Struct(">cI").pack
_SHORT_INTEGER, _LONG_INTEGER = Struct(">ci").pack, Struct(">cq").pack
_OCTET, _TWO_OCTETS = Struct("B").pack, Struct("BB").pack

_OF = spec.BasicProperties
_OUR_FLAGS = Struct(">H").pack(
    _OF.FLAG_CONTENT_TYPE
    | _OF.FLAG_CONTENT_ENCODING
    | _OF.FLAG_HEADERS
    | _OF.FLAG_DELIVERY_MODE
    | _OF.FLAG_PRIORITY
    | _OF.FLAG_MESSAGE_ID
    | _OF.FLAG_TIMESTAMP
    | _OF.FLAG_APP_ID
)
_NO_UNUSUAL = (None,) * 6
_END = bytes([spec.FRAME_END])
_MANDATORY = 1
_LONGEST_SHORT_STRING = 255
_SMALLEST_SHORT, _LARGEST_SHORT = -(2**31), 2**31 - 1
#: Bytes of a header frame's payload before the properties: class, weight and the body's size.
_HEADER_FIELDS = 12


def publish_frames(
    channel: int,
    exchange: str,
    routing_key: str,
    body: bytes,
    properties: pika.BasicProperties,
    *,
    mandatory: bool,
    longest_fragment: int,
) -> bytes:
    """The method, header and body frames of one publish, in one piece.

    Args:
        channel: the channel's number.
        exchange: where to publish.
        routing_key: under which key.
        body: the content.
        properties: the message's properties.
        mandatory: whether the broker must give back what it cannot route.
        longest_fragment: the most bytes of a body that one frame may carry on this connection.

    Raises:
        ShortStringTooLong: a name or property has more than 255 bytes.
    """
    encoded = _encode_properties(properties)
    header = _HEADER_START(spec.FRAME_HEADER, channel, _HEADER_FIELDS + len(encoded), _BASIC_CLASS, 0, len(body))
    pieces = [_method_frame(channel, exchange, routing_key, mandatory), header, encoded, _END]
    for start in range(0, len(body), longest_fragment):
        fragment = body[start : start + longest_fragment]
        pieces += (_FRAME_START(spec.FRAME_BODY, channel, len(fragment)), fragment, _END)
    return b"".join(pieces)


@lru_cache(maxsize=256)
def _method_frame(channel: int, exchange: str, routing_key: str, mandatory: bool) -> bytes:  # noqa: FBT001 (one key of the cache)
    arguments = b"\0\0" + _short_string(exchange) + _short_string(routing_key) + _OCTET(_MANDATORY if mandatory else 0)
    payload = _SIZE(spec.Basic.Publish.INDEX) + arguments
    return _FRAME_START(spec.FRAME_METHOD, channel, len(payload)) + payload + _END


def _encode_properties(of: pika.BasicProperties) -> bytes:
    """The flags of the properties that are there, and these properties in the order of the protocol."""
    usual = (of.content_type, of.content_encoding, of.headers, of.delivery_mode, of.priority)
    named = (of.message_id, of.timestamp, of.app_id)
    unusual = (of.correlation_id, of.reply_to, of.expiration, of.type, of.user_id, of.cluster_id)
    if None in usual or None in named or unusual != _NO_UNUSUAL:
        return b"".join(of.encode())
    content_type, content_encoding, headers, delivery_mode, priority = usual
    message_id, timestamp, app_id = named
    return b"".join(
        (
            _OUR_FLAGS,
            _name(content_type),
            _name(content_encoding),
            _table(headers),
            _TWO_OCTETS(delivery_mode, priority),
            _short_string(message_id),
            _TIMESTAMP(timestamp),
            _name(app_id),
        )
    )


def _table(headers: dict[str, Any]) -> bytes:
    pieces: list[bytes] = []
    for key, value in headers.items():
        pieces.append(_name(key))
        kind = type(value)
        if kind is int:
            is_short = _SMALLEST_SHORT <= value <= _LARGEST_SHORT
            pieces.append(_SHORT_INTEGER(b"I", value) if is_short else _LONG_INTEGER(b"l", value))
        elif kind is str:
            text = value.encode()
            pieces += (_TEXT_START(b"S", len(text)), text)
        elif kind is list:
            pieces.append(_array(value))
        else:
            data.encode_value(pieces, value)
    table = b"".join(pieces)
    return _SIZE(len(table)) + table


def _array(values: list[Any]) -> bytes:
    """A header that is a list, such as the failures of a message: tables, usually."""
    pieces: list[bytes] = []
    for value in values:
        if type(value) is dict:
            pieces += (b"F", _table(value))
        else:
            data.encode_value(pieces, value)
    array = b"".join(pieces)
    return _TEXT_START(b"A", len(array)) + array


def _short_string(text: str | bytes) -> bytes:
    # Bytes are what pika makes of a key that is not UTF-8; such a delivery may be published again.
    encoded = text if isinstance(text, bytes) else text.encode()
    if len(encoded) > _LONGEST_SHORT_STRING:
        raise ShortStringTooLong(encoded)
    return _OCTET(len(encoded)) + encoded


#: For what repeats from message to message: names of headers, content types, sources.
_name = lru_cache(maxsize=256)(_short_string)
