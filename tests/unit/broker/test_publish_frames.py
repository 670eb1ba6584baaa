"""What we write is what pika would have written, byte by byte, or both refuse."""

import struct
from typing import Any

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import frame, spec
from pika.exceptions import ShortStringTooLong

from antrian.broker.publish_frames import publish_frames
from antrian.domain.message import encode, new_message

short = st.text(max_size=60)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(short, inner, max_size=3),
    max_leaves=6,
)
properties = st.builds(
    pika.BasicProperties,
    content_type=st.none() | short,
    content_encoding=st.none() | short,
    headers=st.none() | st.dictionaries(short, values, max_size=4),
    delivery_mode=st.none() | st.integers(-1, 256),
    priority=st.none() | st.integers(-1, 256),
    message_id=st.none() | st.text(max_size=300) | st.binary(max_size=20),
    timestamp=st.none() | st.integers(-1, 2**64),
    app_id=st.none() | short,
    reply_to=st.none() | short,
)


def pikas_frames(
    channel: int, exchange: str, key: str, body: bytes, of: Any, *, mandatory: bool, longest: int
) -> bytes:
    method = spec.Basic.Publish(exchange=exchange, routing_key=key, mandatory=mandatory)
    written = [frame.Method(channel, method).marshal(), frame.Header(channel, len(body), of).marshal()]
    fragments = (body[start : start + longest] for start in range(0, len(body), longest))
    written += [frame.Body(channel, fragment).marshal() for fragment in fragments]
    return b"".join(written)


def bytes_or_refusal(make: Any) -> bytes | None:
    try:
        return bytes(make())
    except (struct.error, ShortStringTooLong):
        return None


@given(
    channel=st.integers(1, 65_535),
    exchange=short,
    key=st.text(max_size=300) | st.binary(max_size=20),
    body=st.binary(max_size=50),
    of=properties,
    mandatory=st.booleans(),
    longest=st.integers(1, 60),
)
def test_whatever_is_published(
    channel: int, exchange: str, key: str, body: bytes, of: Any, *, mandatory: bool, longest: int
) -> None:
    theirs = bytes_or_refusal(
        lambda: pikas_frames(channel, exchange, key, body, of, mandatory=mandatory, longest=longest)
    )
    ours = bytes_or_refusal(
        lambda: publish_frames(channel, exchange, key, body, of, mandatory=mandatory, longest_fragment=longest)
    )
    assert ours == theirs


@given(
    text=st.text("aé😀\n", min_size=1, max_size=200).filter(str.strip),
    source=st.text("ab é", min_size=1, max_size=100).filter(lambda text: text == text.strip()),
    now=st.floats(0, 4_000_000_000),
    key=st.none() | st.text("abc", min_size=1, max_size=20),
)
def test_every_message_of_ours(text: str, source: str, now: float, key: str | None) -> None:
    body, of = encode(new_message("081234567890", text, source=source, now=now, idempotency_key=key))
    ours = publish_frames(7, "wa.messages", "default", body, of, mandatory=True, longest_fragment=131_064)
    assert ours == pikas_frames(7, "wa.messages", "default", body, of, mandatory=True, longest=131_064)


@pytest.mark.parametrize("size", [255, 256])
def test_the_longest_name(size: int) -> None:
    def make() -> bytes:
        of = pika.BasicProperties(message_id="m" * size)
        return publish_frames(1, "", "", b"", of, mandatory=False, longest_fragment=10)

    assert (bytes_or_refusal(make) is None) == (size > 255)
