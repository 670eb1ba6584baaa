import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.control import Command, Control, decode_control, encode_control


@pytest.mark.parametrize("command", Command)
def test_a_command_arrives_as_it_was_sent(command: Command) -> None:
    control = Control(command, "default", "ani@example.org", "m1")
    body, properties = encode_control(control)
    assert decode_control(body) == control
    assert properties.message_id


@pytest.mark.parametrize(
    ("lane", "concerned"), [("default", True), ("*", True), ("promo", False), ("", False), ("defaul*", False)]
)
def test_a_command_concerns_its_lane_or_all_of_them(lane: str, *, concerned: bool) -> None:
    assert Control(Command.PAUSE, lane).concerns("default") is concerned


NONSENSE = [
    b"",
    b"null",
    b"[]",
    b"5",
    b'"pause"',
    b"{}",
    b"\xff\xfe",
    b"{",
    json.dumps({"command": "explode", "lane": "default"}).encode(),
    json.dumps({"command": ["pause"], "lane": "default"}).encode(),
    json.dumps({"command": {}, "lane": "default"}).encode(),
    json.dumps({"command": None, "lane": "default"}).encode(),
    json.dumps({"lane": "default"}).encode(),
]


@pytest.mark.parametrize("body", NONSENSE)
def test_a_command_that_nobody_knows_is_no_command(body: bytes) -> None:
    assert decode_control(body) is None


def test_a_command_that_is_nested_without_end_is_no_command() -> None:
    assert decode_control(b"[" * 100_000) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["command", "lane", "actor", "message_id", "more"]), json_values))
def test_whatever_comes_is_a_command_with_words_or_none(values: dict[str, object]) -> None:
    control = decode_control(json.dumps(values).encode())
    assert control is None or all(isinstance(word, str) for word in (control.lane, control.actor, control.message_id))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    decode_control(body)
