import json
import math

import pytest
from factories import NOW, make_event
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.events import Event, outcome_key
from antrian.domain.message import LONGEST_MESSAGE_ID

SENT = make_event("sent", generation=2, attempt=3, source="us", provider_id="wamid.1")


def test_an_event_arrives_as_it_was_written() -> None:
    assert Event.decode(SENT.encode()) == SENT


def test_the_routing_key_names_the_event_the_lane_and_the_message() -> None:
    assert SENT.routing_key == "outcome.sent.default.m1"
    assert Event("lane.paused", NOW, "default").routing_key == "lane.paused.default."
    assert outcome_key("outcome.*", "default", "m1") == "outcome.*.default.m1"


@pytest.mark.parametrize(
    "key", ["receipt.status.default.m1", "outcome.receipt.default.m1", "outcome.sentry.m1", "contact", "", b"\xff\xfe"]
)
def test_an_event_that_came_with_the_key_of_another_is_none_of_ours(key: str | bytes) -> None:
    # The broker lets the receipts server write these keys, and it must not be able to say that a message was sent.
    assert Event.of_delivery(SENT.encode(), key) is None
    assert Event.of_delivery(SENT.encode(), SENT.routing_key) == SENT


def test_what_a_newer_version_adds_is_left_aside() -> None:
    values = json.loads(SENT.encode()) | {"colour": "blue"}
    assert Event.decode(json.dumps(values).encode()) == SENT


@pytest.mark.parametrize("missing", ["name", "at", "lane"])
def test_an_event_without_its_name_time_or_lane_is_none_of_ours(missing: str) -> None:
    values = json.loads(SENT.encode())
    del values[missing]
    assert Event.decode(json.dumps(values).encode()) is None


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"5", b'"x"', b"{}", b"\xff", b"{", b'{"name":"x"}', b"{'name': 'x'}"]
)
def test_an_entry_that_is_no_event_is_none_of_ours(body: bytes) -> None:
    assert Event.decode(body) is None


@pytest.mark.parametrize(("field", "value"), [("at", "yesterday"), ("at", None), ("details", []), ("details", "x")])
def test_an_event_of_wrong_types_is_none_of_ours(field: str, value: object) -> None:
    values = json.loads(SENT.encode()) | {field: value}
    assert Event.decode(json.dumps(values).encode()) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", math.nan),
        ("at", math.inf),
        ("at", 10**400),
        ("at", True),
        ("name", ["outcome.sent"]),
        ("name", None),
        ("lane", 5),
        ("message_id", {}),
        ("message_id", None),
        ("generation", "1"),
        ("generation", None),
        ("attempt", "1"),
        ("attempt", 1.5),
        ("source", []),
    ],
)
def test_an_event_that_the_ledger_cannot_take_is_none_of_ours(field: str, value: object) -> None:
    values = json.loads(SENT.encode()) | {field: value}
    assert Event.decode(json.dumps(values).encode()) is None


def test_an_entry_that_is_nested_without_end_is_none_of_ours() -> None:
    assert Event.decode(b"[" * 100_000) is None


def test_the_key_of_the_longest_id_fits_into_amqp() -> None:
    key = outcome_key("outcome.cancelling", "l" * 40, "m" * LONGEST_MESSAGE_ID)
    assert len(key.encode()) <= 255


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    Event.decode(body)
