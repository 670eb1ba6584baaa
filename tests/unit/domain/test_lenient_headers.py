"""What strangers put into headers must not take a connection down."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import BasicProperties, data

from antrian.domain.errors import MalformedMessage
from antrian.domain.lenient_headers import is_undecodable, make_pika_lenient, readable_key
from antrian.domain.message import decode


@pytest.fixture(autouse=True)
def _lenient():
    make_pika_lenient()


def table(*values: bytes) -> bytes:
    content = b"".join(b"\x01h" + value for value in values)
    return struct.pack(">I", len(content)) + content


def test_a_timestamp_in_milliseconds_becomes_nothing():
    encoded = table(b"T" + struct.pack(">Q", 1_700_000_000_000)) + b"rest"

    assert data.decode_table(encoded, 0) == ({"h": None}, len(encoded) - 4)


def test_a_timestamp_in_seconds_stays_what_it_was():
    assert data.decode_table(table(b"T" + struct.pack(">Q", 0)), 0)[0] == {"h": datetime(1970, 1, 1, tzinfo=UTC)}


def test_a_bad_timestamp_inside_a_table_inside_a_table_is_found():
    inner = table(b"T" + struct.pack(">Q", 2**63))

    assert data.decode_table(table(b"F" + inner), 0)[0] == {"h": {"h": None}}


def test_an_unknown_type_marks_the_table_and_what_follows_is_read():
    encoded = table(b"?whatever") + b"rest"

    headers, offset = data.decode_table(encoded, 0)
    assert is_undecodable(headers)
    assert encoded[offset:] == b"rest"


def test_a_message_with_such_headers_is_malformed():
    headers, _ = data.decode_table(table(b"?"), 0)

    with pytest.raises(MalformedMessage) as problem:
        decode(b"{}", BasicProperties(headers=headers), "default", now=0)
    assert problem.value.code == "bad-header"


@given(st.binary(max_size=60))
def test_no_table_of_any_bytes_raises(content):
    encoded = struct.pack(">I", len(content)) + content

    assert data.decode_table(encoded, 0)[1] >= 4


def test_making_it_lenient_twice_is_making_it_lenient_once():
    before = data.decode_table
    make_pika_lenient()

    assert data.decode_table is before


@pytest.mark.parametrize(("key", "text"), [("default", "default"), (b"\xff.default", "\ufffd.default"), (b"", "")])
def test_a_routing_key_is_always_text(key, text):
    assert readable_key(key) == text
