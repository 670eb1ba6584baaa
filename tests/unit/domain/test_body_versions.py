"""The versions of a body: what each may say, which one is written, and what nobody here can read yet.

The bodies below are recorded, not made: they are what programs of each version write, byte for byte.
"""

import json
from datetime import UTC, datetime

import pika
import pytest
from factories import NOW

from antrian.domain.body import NEWEST_VERSION, SINCE, build
from antrian.domain.errors import MalformedMessage, NewerVersion
from antrian.domain.message import Message, decode, encode, new_message
from publisher.request import MessageRequest, compose

BARE_1 = b'{"version":1,"phone_number":"+6281234567890","message":"Halo","source":"payment"}'
FULL_1 = (
    b'{"version":1,"phone_number":"+6281234567890","message":"Halo","source":"payment",'
    b'"idempotency_key":"invoice-17","expires_at":"2026-01-31T10:00:00Z","metadata":{"invoice":17}}'
)
FULL_2 = (
    b'{"version":2,"phone_number":"+6281234567890","message":"Halo","source":"payment",'
    b'"idempotency_key":"invoice-17","expires_at":"2026-01-31T10:00:00Z","metadata":{"invoice":17},'
    b'"purpose":"payment","lane":"default","deliver_at":"2026-01-31T01:00:00Z","correlation_id":"order-4711"}'
)
#: Headers that a consumer of version 1 wrote with its retry.
RETRY_1 = {
    "antrian-attempt": 2,
    "antrian-queued-at": 1_795_000_000_123,
    "antrian-generation": 1,
    "antrian-failures": [
        {"attempt": 1, "at": 1_795_000_010_000, "class": "transient", "code": "http-500", "detail": "it failed"}
    ],
}

MADE_1 = {"phone_number": "081234567890", "message": "Halo"}
MORE_1 = {
    "idempotency_key": "invoice-17",
    "expires_at": datetime(2026, 1, 31, 10, tzinfo=UTC),
    "metadata": {"invoice": 17},
}


def read(body: bytes, headers: dict[str, object] | None = None, *, lane: str = "default") -> Message:
    return decode(body, pika.BasicProperties(message_id="m1", priority=5, headers=headers), lane, now=NOW)


def refusal(body: bytes, **about: str) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        read(body, **about)
    return caught.value


def body_of(**fields: object) -> bytes:
    return json.dumps({"version": 1, **MADE_1, "source": "payment", **fields}).encode()


@pytest.mark.parametrize("body", [BARE_1, FULL_1, FULL_2])
def test_what_was_written_is_read_and_written_again_byte_for_byte(body):
    assert encode(read(body))[0] == body


@pytest.mark.parametrize(("more", "written"), [({}, BARE_1), (MORE_1, FULL_1)])
def test_a_publisher_writes_what_consumers_of_version_1_read_until_it_needs_more(more, written):
    request = MessageRequest(**MADE_1, **more, deliver_at=datetime(2027, 1, 1, tzinfo=UTC), lane="default")
    assert encode(compose(request, "payment", NOW))[0] == written


@pytest.mark.parametrize(
    "more", [{"purpose": "payment"}, {"correlation_id": "order-4711"}, {"deliver_at": datetime(2027, 1, 1, tzinfo=UTC)}]
)
def test_a_field_of_version_2_makes_a_body_of_version_2(more):
    written = json.loads(encode(new_message(**MADE_1, source="payment", now=NOW, **more))[0])
    assert written["version"] == 2
    assert more.keys() <= written.keys()


def test_a_retry_of_an_older_consumer_is_read():
    message = read(FULL_1, RETRY_1)
    assert (message.attempt, message.generation, message.queued_at) == (2, 1, 1_795_000_000.123)
    assert [failure.code for failure in message.failures] == ["http-500"]
    assert (message.body.purpose, message.body.lane, message.body.correlation_id) == (None, None, None)


@pytest.mark.parametrize("field", [name for name, since in SINCE.items() if since > 1])
def test_what_version_1_does_not_have_is_unknown_in_it(field):
    value = json.loads(FULL_2).get(field, "x")
    assert refusal(body_of(**{field: value})).fields == {field: "is not a field of this contract"}
    assert refusal(body_of(**{field: None})).fields == {field: "is not a field of this contract"}
    assert refusal(body_of(**{field: value, "message": ""})).fields.keys() == {field, "message"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purpose", "Payment!"),
        ("purpose", "x" * 41),
        ("correlation_id", "a\nb"),
        ("lane", "a lane"),
        ("lane", ""),
        ("deliver_at", 1_800_000_000),
        ("deliver_at", "2026-01-31T10:00:00"),
    ],
)
def test_what_version_2_adds_is_checked(field, value):
    assert refusal(body_of(version=2, **{field: value})).fields.keys() == {field}


def test_a_message_in_the_queue_of_another_lane_than_it_names_is_sent_by_none():
    assert read(FULL_2, lane="default").body.lane == "default"
    assert refusal(FULL_2, lane="promo").code == "wrong-lane"


@pytest.mark.parametrize(
    "body",
    [
        body_of(version=NEWEST_VERSION + 1),
        json.dumps({"version": NEWEST_VERSION + 1, "to": {"email": "a@b.c"}, "parts": [1, 2]}).encode(),
        b'{"version": 1' + b"0" * 30 + b"}",
    ],
)
def test_a_newer_version_is_no_fault_of_the_message(body):
    error = refusal(body)
    assert isinstance(error, NewerVersion)
    assert error.code == "newer-version"
    assert len(error.detail) < 100
    # Whatever came with it may have changed, too.
    with pytest.raises(NewerVersion):
        read(body, {"antrian-attempt": "second"})


def test_only_the_version_of_an_object_counts():
    assert refusal(b'[{"version": 9999}]').code == "not-an-object"
    assert refusal(b'{"metadata": {"version": 9999}, "version": 1}').code == "invalid-fields"


def test_a_body_that_was_built_says_which_version_it_needs():
    assert build(**MADE_1, source="s").version == 1
    assert build(**MADE_1, source="s", purpose=None, correlation_id=None).version == 1
    assert build(**MADE_1, source="s", correlation_id="c").version == 2
