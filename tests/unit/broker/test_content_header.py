"""What we read of a delivery is what pika would have read, whatever arrives, or both refuse."""

from typing import Any

import pika
from hypothesis import given
from hypothesis import strategies as st
from pika import spec
from pika.frame import Header, decode_frame

from antrian.broker.queue_scan.content_header import read_properties

short = st.text(max_size=60)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(short, inner, max_size=3),
    max_leaves=6,
)
properties = st.builds(
    pika.BasicProperties,
    content_type=st.none() | short,
    content_encoding=st.none() | short,
    headers=st.none() | st.dictionaries(short, values, max_size=4),
    delivery_mode=st.none() | st.integers(0, 255),
    priority=st.none() | st.integers(0, 255),
    message_id=st.none() | short | st.binary(max_size=20),
    timestamp=st.none() | st.integers(0, 2**64 - 1),
    app_id=st.none() | short,
    reply_to=st.none() | short,
    cluster_id=st.none() | short,
)


def payload_of(of: pika.BasicProperties) -> bytes:
    return bytes(Header(1, 5, of).marshal())[spec.FRAME_HEADER_SIZE : -spec.FRAME_END_SIZE]


def read_or_refused(read: Any) -> Any:
    try:
        # The text shows types too: pika has an integer of its own for the long kind.
        return repr(vars(read()))
    except Exception as error:  # noqa: BLE001 (pika raises a dozen types; ours must raise the same)
        return type(error)


def same_as_pika(payload: bytes) -> bool:
    size = len(payload).to_bytes(4, "big")
    whole = bytes([spec.FRAME_HEADER, 0, 1]) + size + payload + bytes([spec.FRAME_END])
    theirs = read_or_refused(lambda: decode_frame(whole)[1].properties)  # type: ignore[union-attr]
    return bool(read_or_refused(lambda: read_properties(payload)) == theirs)


@given(of=properties)
def test_what_a_publisher_wrote(of: Any) -> None:
    assert same_as_pika(payload_of(of))


@given(of=properties, cut=st.integers(1, 40), at=st.floats(0, 1), byte=st.integers(0, 255))
def test_what_is_cut_off_or_broken(of: Any, cut: int, at: float, byte: int) -> None:
    whole = payload_of(of)
    assert same_as_pika(whole[: max(14, len(whole) - cut)])
    place = 12 + int(at * (len(whole) - 13))
    assert same_as_pika(whole[:place] + bytes([byte]) + whole[place + 1 :])
