"""The properties of a delivery, exactly as pika would read them, in a third of the time.

What is not of the usual kinds (a property or a header type that no service of ours writes, text that is not UTF-8) is
left to pika's own code, so that there is no value which the two read differently.
`tests/unit/broker/test_content_header.py` compares them.
"""

from functools import lru_cache
from struct import Struct
from struct import error as struct_error
from typing import Any

import pika
from pika.compat import long
from pika.spec import BasicProperties

#: Bytes of a header frame's payload before the properties: class, weight and the body's size.
PROPERTIES_AT = 12

_FLAGS = Struct(">H").unpack_from
_SIZE = Struct(">I").unpack_from
_SHORT_INTEGER, _LONG_INTEGER, _TIMESTAMP = Struct(">i").unpack_from, Struct(">q").unpack_from, Struct(">Q").unpack_from
_BOOLEAN_KIND, _TEXT_KIND, _SHORT_KIND, _LONG_KIND, _ARRAY_KIND, _TABLE_KIND = b"tSIlAF"

_USUAL = (
    BasicProperties.FLAG_CONTENT_TYPE
    | BasicProperties.FLAG_CONTENT_ENCODING
    | BasicProperties.FLAG_HEADERS
    | BasicProperties.FLAG_DELIVERY_MODE
    | BasicProperties.FLAG_PRIORITY
    | BasicProperties.FLAG_MESSAGE_ID
    | BasicProperties.FLAG_TIMESTAMP
    | BasicProperties.FLAG_APP_ID
)


def read_properties(payload: bytes) -> pika.BasicProperties:
    """The properties in a header frame's payload; what pika cannot read either raises what pika raises."""
    try:
        properties = _usual_properties(payload)
    except (IndexError, ValueError, struct_error):
        properties = None
    return properties or BasicProperties().decode(payload[PROPERTIES_AT:])


def _usual_properties(payload: bytes) -> pika.BasicProperties | None:
    (flags,) = _FLAGS(payload, PROPERTIES_AT)
    if flags & ~_USUAL:
        return None
    offset = PROPERTIES_AT + 2
    properties = BasicProperties()
    if flags & BasicProperties.FLAG_CONTENT_TYPE:
        properties.content_type, offset = _short_string(payload, offset)
    if flags & BasicProperties.FLAG_CONTENT_ENCODING:
        properties.content_encoding, offset = _short_string(payload, offset)
    if flags & BasicProperties.FLAG_HEADERS:
        properties.headers, offset = _table(payload, offset)
    if flags & BasicProperties.FLAG_DELIVERY_MODE:
        properties.delivery_mode = payload[offset]
        offset += 1
    if flags & BasicProperties.FLAG_PRIORITY:
        properties.priority = payload[offset]
        offset += 1
    if flags & BasicProperties.FLAG_MESSAGE_ID:
        properties.message_id, offset = _short_string(payload, offset)
    if flags & BasicProperties.FLAG_TIMESTAMP:
        (properties.timestamp,) = _TIMESTAMP(payload, offset)
        offset += 8
    if flags & BasicProperties.FLAG_APP_ID:
        properties.app_id, offset = _short_string(payload, offset)
    # A piece that was cut off by the end of the payload is shorter than it says.
    return properties if offset == len(payload) else None


def _table(payload: bytes, offset: int) -> tuple[dict[str, Any], int]:
    limit = offset + 4 + _SIZE(payload, offset)[0]
    offset += 4
    table: dict[str, Any] = {}
    while offset < limit:
        start = offset + 1
        offset = start + payload[offset]
        key = _name(payload[start:offset])
        table[key], offset = _value(payload, offset)
    if offset != limit:
        raise ValueError("the table is longer than it says")
    return table, offset


def _value(payload: bytes, offset: int) -> tuple[Any, int]:
    kind = payload[offset]
    start = offset + 1
    if kind == _TEXT_KIND:
        end = start + 4 + _SIZE(payload, start)[0]
        return payload[start + 4 : end].decode(), end
    if kind == _SHORT_KIND:
        return _SHORT_INTEGER(payload, start)[0], start + 4
    if kind == _LONG_KIND:
        return long(_LONG_INTEGER(payload, start)[0]), start + 8
    if kind == _TABLE_KIND:
        return _table(payload, start)
    if kind == _ARRAY_KIND:
        return _array(payload, start)
    if kind == _BOOLEAN_KIND:
        return bool(payload[start]), start + 1
    raise ValueError("an unusual kind")


def _array(payload: bytes, offset: int) -> tuple[list[Any], int]:
    limit = offset + 4 + _SIZE(payload, offset)[0]
    offset += 4
    values = []
    while offset < limit:
        value, offset = _value(payload, offset)
        values.append(value)
    return values, offset


def _short_string(payload: bytes, offset: int) -> tuple[str, int]:
    start = offset + 1
    end = start + payload[offset]
    return payload[start:end].decode(), end


@lru_cache(maxsize=256)
def _name(encoded: bytes) -> str:
    return encoded.decode()
