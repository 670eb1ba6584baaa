import json
import math
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pika
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from antrian.domain import headers as wire_headers
from antrian.domain.body import LARGEST_BODY
from antrian.domain.delay_ladder import ladder_key
from antrian.domain.errors import InvalidPhoneNumber, MalformedMessage
from antrian.domain.message import (
    AttemptFailure,
    Message,
    MessageBody,
    Priority,
    decode,
    encode,
    message_id_of,
    new_message,
    retry_of,
)

NOW = 1_795_000_000.0
FIELDS: dict[str, Any] = {"version": 1, "phone_number": "081234567890", "message": "Halo", "source": "payment"}
FAILURE = AttemptFailure(attempt=1, at=NOW, failure_class="transient", code="http-500", detail="the provider failed")


def over_the_wire(properties: pika.BasicProperties) -> pika.BasicProperties:
    """The properties as the other end reads them, through pika's own codec."""
    received = pika.BasicProperties()
    received.decode(b"".join(properties.encode()))
    return received


def delivered(message: Message) -> Message:
    body, properties = encode(message)
    return decode(body, over_the_wire(properties), message.lane, now=0)


def body_with(**fields: Any) -> bytes:
    return json.dumps(FIELDS | fields).encode()


def refusal(body: bytes, **properties: Any) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        decode(body, pika.BasicProperties(**properties), "default", now=NOW)
    return caught.value


# What a publisher makes comes out again.

utf8_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
visible_text = utf8_text.map(lambda text: f"a{text}"[:4096])
one_line = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="\ufeff"), min_size=1, max_size=100
)
moments = st.datetimes(timezones=st.just(UTC)) | st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(9999, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours))),
)
metadata = st.dictionaries(
    utf8_text.map(lambda text: text[:20]),
    utf8_text
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none(),
    max_size=8,
)
failures = st.builds(
    AttemptFailure,
    attempt=st.integers(1, 1000),
    at=st.integers(0, 4 * 10**12).map(lambda milliseconds: milliseconds / 1000),
    failure_class=one_line,
    code=one_line,
    detail=utf8_text.map(lambda text: text[:200]),
)
messages = st.builds(
    lambda attempt, generation, known_failures, **fields: replace(
        new_message("081234567890", **fields), attempt=attempt, generation=generation, failures=tuple(known_failures)
    ),
    attempt=st.integers(1, 2**31 - 1),
    generation=st.integers(0, 2**31 - 1),
    known_failures=st.lists(failures, max_size=10),
    message=visible_text,
    source=one_line,
    now=st.integers(0, 4 * 10**12).map(lambda milliseconds: milliseconds / 1000),
    priority=st.sampled_from(Priority),
    lane=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", fullmatch=True),
    idempotency_key=st.none() | one_line,
    expires_at=st.none() | moments,
    metadata=st.none() | metadata,
    message_id=st.none() | st.from_regex(r"[!-~]{1,200}", fullmatch=True),
)


@settings(deadline=None)
@given(messages)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    assert delivered(message) == message


def test_a_message_uses_the_agreed_properties() -> None:
    message = new_message("0812-3456-7890", "Halo", source="payment", now=NOW + 0.5, priority="high", message_id="id-1")

    body, properties = encode(message)

    assert json.loads(body) == FIELDS | {"phone_number": "+6281234567890"}
    assert {name: value for name, value in vars(properties).items() if value is not None} == {
        "message_id": "id-1",
        "priority": 9,
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "delivery_mode": 2,
        "timestamp": int(NOW),
        "app_id": "payment",
        "headers": {"antrian-attempt": 1, "antrian-queued-at": int(NOW * 1000 + 500)},
    }


def test_every_new_message_has_an_id_of_its_own() -> None:
    ids = {new_message("081234567890", "Halo", source="a", now=NOW).message_id for _ in range(100)}

    assert len(ids) == 100
    made = {uuid.UUID(text) for text in ids}
    assert {str(one) for one in made} == ids
    assert {(one.version, one.variant) for one in made} == {(4, uuid.RFC_4122)}


def test_nulls_in_the_metadata_survive() -> None:
    message = new_message("081234567890", "Halo", source="a", now=NOW, metadata={"gone": None})

    assert delivered(message).body.metadata == {"gone": None}


def test_a_long_source_fits_the_short_app_id() -> None:
    message = new_message("081234567890", "Halo", source="😀" * 100, now=NOW)

    assert over_the_wire(encode(message)[1]).app_id == "😀" * 63
    assert delivered(message).body.source == "😀" * 100


def test_a_message_shows_neither_number_nor_text_nor_key() -> None:
    message = new_message(
        "081234567890", "the text", source="a", now=NOW, idempotency_key="the key", metadata={"note": "the note"}
    )

    assert not any(secret in repr(message) for secret in ("81234", "the text", "the key", "the note"))


def test_nor_does_the_error_of_a_body_made_by_hand() -> None:
    with pytest.raises(ValidationError) as caught:
        MessageBody(**FIELDS | {"phone_number": "0859-1234-567890", "message": 7})

    assert not any(secret in str(caught.value) for secret in ("0859", "Halo"))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"phone_number": "021 5151515"}, "not-a-mobile-number"),
        ({"message": " "}, "invalid-fields"),
        ({"message": "half \ud83d"}, "invalid-fields"),
        ({"message": "x" * 4097}, "invalid-fields"),
        ({"source": ""}, "invalid-fields"),
        ({"source": "two\nlines"}, "invalid-fields"),
        ({"idempotency_key": ""}, "invalid-fields"),
        ({"idempotency_key": "k" * 201}, "invalid-fields"),
        ({"expires_at": datetime(2026, 1, 1)}, "invalid-fields"),  # noqa: DTZ001 (the point)
        ({"expires_at": 1_795_000_000}, "invalid-fields"),
        ({"expires_at": datetime.max.replace(tzinfo=timezone(-timedelta(hours=7)))}, "invalid-fields"),
        ({"metadata": {"a": math.nan}}, "invalid-fields"),
        ({"metadata": {"a": "half \ud83d"}}, "invalid-fields"),
        ({"metadata": {"half \ud83d": 1}}, "invalid-fields"),
        ({"metadata": {"a": 2**63}}, "invalid-fields"),
        ({"metadata": {"a": [1]}}, "invalid-fields"),
        ({"metadata": {str(n): n for n in range(51)}}, "invalid-fields"),
        ({"metadata": {"a": "x" * 8192}}, "invalid-fields"),
        ({"priority": "higher"}, "unknown-priority"),
        ({"priority": 7}, "unknown-priority"),
        ({"lane": "a.b"}, "bad-lane"),
        ({"lane": ""}, "bad-lane"),
        ({"message_id": ""}, "bad-message-id"),
        ({"message_id": "i" * 201}, "bad-message-id"),
        ({"message_id": "two words"}, "bad-message-id"),
    ],
)
def test_a_publisher_learns_at_once_what_is_wrong(fields: dict[str, Any], code: str) -> None:
    arguments: dict[str, Any] = {"phone_number": "081234567890", "message": "Halo", "source": "a", "now": NOW} | fields

    with pytest.raises(MalformedMessage) as caught:
        new_message(**arguments)

    assert caught.value.code == code


# Other services leave things out.


def test_a_bare_message_gets_the_defaults() -> None:
    message = decode(body_with(), pika.BasicProperties(), "promo", now=NOW)

    assert message == Message(
        message_id=message.message_id,
        lane="promo",
        priority=0,
        body=MessageBody(**FIELDS),
        queued_at=NOW,
    )


def test_a_redelivery_of_a_message_without_id_has_the_same_id() -> None:
    properties = pika.BasicProperties(timestamp=1, app_id="a", headers={"x-death": []})
    again = pika.BasicProperties(timestamp=1, app_id="a", headers={"x-death": [{"count": 1}]}, priority=5)

    assert message_id_of(body_with(), properties) == message_id_of(body_with(), again)


@pytest.mark.parametrize(
    "other",
    [{"timestamp": 2}, {"app_id": "b"}, {"correlation_id": "c"}, {"type": "t"}, {"reply_to": "r"}, {"message_id": "é"}],
)
def test_messages_without_id_that_differ_have_different_ids(other: dict[str, Any]) -> None:
    first = message_id_of(body_with(), pika.BasicProperties(timestamp=1))

    assert message_id_of(body_with(), pika.BasicProperties(**{"timestamp": 1} | other)) != first
    assert message_id_of(body_with(message="Lain"), pika.BasicProperties(timestamp=1)) != first


@pytest.mark.parametrize("absurd", ["", " ", "i" * 201, "new\nline", "\x00", "naïve", b"\xff", 7])
def test_an_absurd_message_id_is_replaced(absurd: Any) -> None:
    made = message_id_of(body_with(), pika.BasicProperties(message_id=absurd))

    assert made != absurd
    assert len(made) == 36


# Since when a message may be sent.


def first_delivery(message: Message, *, delay: float | None = None, now: float = NOW + 1000) -> Message:
    """As the lane's queue delivers it, from the delay ladder where it was scheduled."""
    body, properties = encode(message)
    key = message.lane if delay is None else ladder_key(delay, message.lane)
    return decode(body, over_the_wire(properties), message.lane, now=now, routing_key=key)


def test_a_message_is_wanted_from_its_publishing_on() -> None:
    message = first_delivery(new_message("081234567890", "Halo", source="a", now=NOW))

    assert (message.due_at, message.wanted_at) == (None, NOW)


def test_a_scheduled_message_is_wanted_from_the_time_that_its_publisher_wanted() -> None:
    message = first_delivery(new_message("081234567890", "Halo", source="a", now=NOW), delay=600)

    assert (message.queued_at, message.due_at, message.wanted_at) == (NOW, NOW + 600, NOW + 600)


def test_the_ladder_keeps_a_retry_for_reasons_of_ours() -> None:
    again = retry_of(new_message("081234567890", "Halo", source="a", now=NOW), FAILURE, attempt=2)

    assert first_delivery(again, delay=30).wanted_at == NOW


def test_a_retry_of_a_scheduled_message_is_wanted_since_the_time_of_the_first_attempt() -> None:
    message = first_delivery(new_message("081234567890", "Halo", source="a", now=NOW), delay=600)
    again = retry_of(message, FAILURE, attempt=2)

    assert first_delivery(again, delay=30).wanted_at == NOW + 600
    assert (encode(again)[1].headers or {})["antrian-due-at"] == (NOW + 600) * 1000


def test_a_message_that_is_here_is_due_whatever_its_publishers_clock_says() -> None:
    assert first_delivery(new_message("081234567890", "Halo", source="a", now=NOW), delay=600, now=NOW).due_at == NOW
    bare = decode(body_with(), pika.BasicProperties(), "a", now=NOW, routing_key=ladder_key(600, "a"))
    assert bare.wanted_at == NOW


def test_a_message_that_says_when_it_is_due_is_believed() -> None:
    told = replace(new_message("081234567890", "Halo", source="a", now=NOW), due_at=NOW + 599.5)

    assert first_delivery(told, delay=600).due_at == NOW + 599.5


@pytest.mark.parametrize("key", ["", "default", "a.b.c", "1.1.default"])
def test_a_key_that_is_none_of_the_ladders_schedules_nothing(key: str) -> None:
    assert decode(body_with(), pika.BasicProperties(), "default", now=NOW, routing_key=key).due_at is None


@pytest.mark.parametrize(
    ("timestamp", "queued_at"),
    [(1_700_000_000, 1_700_000_000.0), (None, NOW), (0, NOW), (1_700_000_000_000, NOW), (-1, NOW), ("1", NOW)],
)
def test_an_absurd_timestamp_counts_as_none(timestamp: Any, queued_at: float) -> None:
    message = decode(body_with(), pika.BasicProperties(timestamp=timestamp), "default", now=NOW)

    assert message.queued_at == queued_at


@pytest.mark.parametrize(("priority", "kept"), [(None, 0), (0, 0), (7, 7), (255, 255), (256, 0), (-1, 0), ("9", 0)])
def test_a_priority_stays_as_it_was_given(priority: Any, kept: int) -> None:
    message = decode(body_with(), pika.BasicProperties(priority=priority), "default", now=NOW)

    assert message.priority == kept


@pytest.mark.parametrize("encoding", [None, "", "utf-8", "UTF-8", "utf8", "identity"])
@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_a_plain_body_is_read_whatever_its_content_type(encoding: str | None, content_type: str | None) -> None:
    properties = pika.BasicProperties(content_encoding=encoding, content_type=content_type)

    assert decode(body_with(), properties, "default", now=NOW).body.message == "Halo"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-31T17:00:00+07:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T10:00:00.5Z", datetime(2026, 1, 31, 10, 0, 0, 500_000, tzinfo=UTC)),
        (None, None),
    ],
)
def test_an_expiry_is_a_moment_whatever_its_offset(written: str | None, moment: datetime | None) -> None:
    message = decode(body_with(expires_at=written), pika.BasicProperties(), "default", now=NOW)

    assert message.body.expires_at == moment


# What breaks the contract is refused, with a code.


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not-json"),
        (b"halo", "not-json"),
        (b'{"version": 1', "not-json"),
        (b"\xef\xbb\xbf" + body_with(), "not-json"),
        (body_with()[:-1] + b', "metadata": {"a": NaN}}', "not-json"),
        (body_with()[:-1] + b', "metadata": {"a": -Infinity}}', "not-json"),
        (body_with()[:-1] + b', "metadata": {"a": ' + b"9" * 5000 + b"}}", "not-json"),
        (body_with(message="\ud83d"), "not-json"),
        (b"[" * 100_000, "not-json"),
        (b'{"metadata": ' * 10_000, "not-json"),
        (b"[" * 100_000 + b"]" * 100_000, "not-json"),
        (b'{"metadata": ' * 300 + b"1" + b"}" * 300, "not-json"),
        (body_with().replace(b"Halo", b"Hal\xe9"), "bad-utf8"),
        (body_with().replace(b"Halo", b"\xed\xa0\x80"), "bad-utf8"),
        (body_with(message="x" * LARGEST_BODY), "too-large"),
        (b"null", "not-an-object"),
        (b"[]", "not-an-object"),
        (b'"halo"', "not-an-object"),
        (b"1", "not-an-object"),
        (body_with(version=0), "unknown-version"),
        (body_with(version=-1), "unknown-version"),
        (body_with(version=1.0), "unknown-version"),
        (body_with(version=True), "unknown-version"),
        (body_with(version="1"), "unknown-version"),
        (b'{"version": "2", "to": "0812"}', "unknown-version"),
        (b"{}", "invalid-fields"),
        (body_with(expires="2026-01-31T17:00:00Z"), "invalid-fields"),
        (body_with(phone_number=81234567890), "invalid-fields"),
        (body_with(message=""), "invalid-fields"),
        (body_with(message="\n\u200b "), "invalid-fields"),
        (body_with(message="a\0b"), "invalid-fields"),
        (body_with(message="x" * 4097), "invalid-fields"),
        (body_with(message=None), "invalid-fields"),
        (body_with(source=" payment"), "invalid-fields"),
        (body_with(source="x" * 101), "invalid-fields"),
        (body_with(idempotency_key=17), "invalid-fields"),
        (body_with(expires_at="2026-01-31T17:00:00"), "invalid-fields"),
        (body_with(expires_at="2026-01-31"), "invalid-fields"),
        (body_with(expires_at="1795000000"), "invalid-fields"),
        (body_with(expires_at=1_795_000_000), "invalid-fields"),
        (body_with(expires_at="0001-01-01T00:00:00+07:00"), "invalid-fields"),
        (body_with(metadata=[]), "invalid-fields"),
        (body_with(metadata={"a": {"b": 1}}), "invalid-fields"),
        (body_with(metadata={"a": 10**30}), "invalid-fields"),
        (body_with()[:-1] + b', "metadata": {"a": 1e999}}', "invalid-fields"),
        (body_with(metadata={str(n): n for n in range(51)}), "invalid-fields"),
        (body_with(metadata={"a": "é" * 4096}), "invalid-fields"),
        (body_with(phone_number="08123"), "phone-number-too-short"),
        (body_with(phone_number="120363025246125016@g.us"), "group-id"),
    ],
)
def test_a_malformed_body_is_refused_with_its_code(body: bytes, code: str) -> None:
    assert refusal(body).code == code


def test_a_wrong_number_alone_is_an_invalid_phone_number() -> None:
    assert isinstance(refusal(body_with(phone_number="08123")), InvalidPhoneNumber)


def test_every_wrong_field_is_named_and_no_value_is_shown() -> None:
    problem = refusal(
        body_with(phone_number="0859-1234-567890", message="x" * 5000, expire="secret", metadata={"secret": []})
    )

    assert all(name in problem.detail for name in ("phone_number", "message", "expire", "metadata"))
    assert not any(value in problem.detail for value in ("0859", "1234", "xxx", "secret"))


def test_a_field_name_that_could_be_anything_is_not_repeated() -> None:
    assert "81234" not in refusal(body_with(**{"+6281234567890": 1})).detail


def test_the_detail_stays_short_however_much_is_wrong() -> None:
    many = {
        "abcdefghij"[n // 100 % 10] * 20 + "abcdefghij"[n // 10 % 10] + "abcdefghij"[n % 10]: n for n in range(1000)
    }

    assert len(refusal(body_with(**many)).detail) < 1000


@pytest.mark.parametrize("encoding", ["gzip", "base64", "utf-16", "latin-1", b"\xff"])
def test_an_encoded_body_is_refused(encoding: Any) -> None:
    assert refusal(body_with(), content_encoding=encoding).code == "unsupported-encoding"


TABLE = {"attempt": 1, "at": 1, "class": "transient", "code": "c", "detail": "d"}


@pytest.mark.parametrize(
    "headers",
    [
        {"antrian-attempt": 0},
        {"antrian-attempt": -1},
        {"antrian-attempt": 2**31},
        {"antrian-attempt": "1"},
        {"antrian-attempt": 1.0},
        {"antrian-attempt": True},
        {"antrian-attempt": None},
        {"antrian-generation": -1},
        {"antrian-generation": 2**63},
        {"antrian-generation": "0"},
        {"antrian-queued-at": -1},
        {"antrian-queued-at": 10**18},
        {"antrian-queued-at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"antrian-due-at": -1},
        {"antrian-due-at": "tomorrow"},
        {"antrian-failures": "none"},
        {"antrian-failures": {"attempt": 1}},
        {"antrian-failures": [1]},
        {"antrian-failures": [{}]},
        {"antrian-failures": [TABLE | {"attempt": "1"}]},
        {"antrian-failures": [TABLE | {"at": None}]},
        {"antrian-failures": [TABLE | {"detail": b"\xff"}]},
    ],
)
def test_a_header_of_ours_that_makes_no_sense_is_refused(headers: dict[str, Any]) -> None:
    assert refusal(body_with(), headers=headers).code == "bad-header"


def test_headers_of_other_people_do_not_matter() -> None:
    headers = {"x-death": [{"count": 3}], "traceparent": "00-…", "attempt": -1, "antrian": "x"}

    assert decode(body_with(), pika.BasicProperties(headers=headers), "default", now=NOW).attempt == 1


# Nothing that arrives raises anything else.

garbage: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
our_headers = st.sampled_from(
    [wire_headers.ATTEMPT, wire_headers.GENERATION, wire_headers.QUEUED_AT, wire_headers.DUE_AT, wire_headers.FAILURES],
)
PROPERTY_NAMES = list(vars(pika.BasicProperties()))
bodies = (
    st.binary()
    | st.just(body_with())
    | garbage.map(lambda value: json.dumps(value, default=str).encode())
    | st.dictionaries(st.sampled_from([*FIELDS, "idempotency_key", "expires_at", "metadata"]), garbage).map(
        lambda fields: json.dumps(FIELDS | fields, default=str).encode(),
    )
)


def _decoded_or_refused(body: bytes, properties: pika.BasicProperties) -> Message | MalformedMessage:
    try:
        return decode(body, properties, "default", now=NOW)
    except MalformedMessage as problem:
        return problem


@settings(deadline=None)
@given(
    bodies,
    st.dictionaries(st.sampled_from(PROPERTY_NAMES), garbage),
    st.none() | garbage | st.dictionaries(our_headers | st.text(), garbage),
)
def test_garbage_is_a_message_or_malformed(body: bytes, properties: dict[str, Any], headers: Any) -> None:
    arriving = pika.BasicProperties(**properties | {"headers": headers})

    outcome = _decoded_or_refused(body, arriving)

    if isinstance(outcome, Message):
        assert delivered(outcome) == outcome
    else:
        assert 0 < len(outcome.detail) < 2000
    assert 0 < len(message_id_of(body, arriving)) <= 200


# Going round again.


def test_a_retry_is_the_same_message_one_generation_on() -> None:
    message = new_message("081234567890", "Halo", source="a", now=NOW, priority="high", idempotency_key="k")

    retried = retry_of(message, FAILURE, attempt=2)

    assert retried == replace(message, attempt=2, generation=1, failures=(FAILURE,))
    assert delivered(retried) == retried


def test_going_round_without_a_failure_keeps_the_failures() -> None:
    message = replace(new_message("081234567890", "Halo", source="a", now=NOW), failures=(FAILURE,))

    assert retry_of(message, None, attempt=1).failures == (FAILURE,)


def test_of_many_failures_the_first_and_the_last_nine_are_kept() -> None:
    message = new_message("081234567890", "Halo", source="a", now=NOW)
    for attempt in range(1, 100):
        message = retry_of(message, replace(FAILURE, attempt=attempt), attempt=attempt + 1)

    assert [failure.attempt for failure in message.failures] == [1, *range(91, 100)]
    assert delivered(message) == message


def test_a_failures_detail_is_cut_and_cleaned_for_the_wire() -> None:
    message = new_message("081234567890", "Halo", source="a", now=NOW)
    failure = replace(FAILURE, detail="half \ud83d" + "x" * 1000)

    (received,) = delivered(retry_of(message, failure, attempt=2)).failures

    assert received.detail == "half ?" + "x" * 194


def test_the_headers_of_a_message_fit_one_small_frame() -> None:
    failure = replace(FAILURE, failure_class="😀" * 500, code="😀" * 500, detail="😀" * 500)
    message = replace(new_message("081234567890", "Halo", source="a", now=NOW), failures=(failure,) * 50)

    assert len(b"".join(encode(message)[1].encode())) < 32_000


def test_a_refused_delivery_says_why_in_its_dead_letter() -> None:
    refused = AttemptFailure(0, NOW, "malformed", "not-json", "the body is not JSON")

    dead_letter = over_the_wire(pika.BasicProperties(headers=wire_headers.write_failures((refused,))))

    assert wire_headers.read_failures(dead_letter.headers) == (refused,)


@pytest.mark.parametrize("headers", [None, {}, [], "x", {"x-death": []}])
def test_headers_without_failures_have_none(headers: Any) -> None:
    assert wire_headers.read_failures(headers) == ()


# Priorities.


@pytest.mark.parametrize(
    ("value", "priority"),
    [("low", 1), ("Normal", 5), (" HIGH ", 9), ("urgent", 10), (1, 1), (10, 10), (Priority.HIGH, 9)],
)
def test_a_priority_has_a_name_and_a_number(value: str | int, priority: int) -> None:
    assert Priority.parse(value) is Priority(priority)


@pytest.mark.parametrize("value", ["", "higher", "5", 0, 7, -1, 11, None, 5.5, []])
def test_any_other_priority_is_refused(value: Any) -> None:
    with pytest.raises(MalformedMessage) as caught:
        Priority.parse(value)

    assert caught.value.code == "unknown-priority"


@pytest.mark.parametrize(
    ("priority", "label"),
    [(0, "low"), (1, "low"), (4, "low"), (5, "normal"), (8, "normal"), (9, "high"), (10, "urgent"), (255, "urgent")],
)
def test_every_number_in_the_broker_has_a_label(priority: int, label: str) -> None:
    assert Priority.label(priority) == label
