"""W3C trace context: well-formed is carried on, malformed is ignored."""

import json

import pika
import pytest
from factories import NOW, make_message
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.errors import MalformedMessage
from antrian.domain.message import AttemptFailure, decode, encode, retry_of
from antrian.domain.trace_context import TraceContext, read_trace, write_trace
from consumer.malformed import dead_letter_of

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"
FAILURE = AttemptFailure(1, NOW, "transient", "http-500", "the provider failed")


@pytest.mark.parametrize("traceparent", [GOOD, f"00-{TRACE}-{PARENT}-00", f"cc-{TRACE}-{PARENT}-01-what-comes-later"])
def test_a_well_formed_parent_is_taken(traceparent):
    trace = read_trace(traceparent)
    assert trace is not None
    assert (trace.trace_id, trace.parent_id) == (TRACE, PARENT)


def test_the_flags_are_a_number():
    assert TraceContext(GOOD).flags == 1


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        7,
        b"00-" + TRACE.encode(),
        GOOD.upper(),
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"cc-{TRACE}-{PARENT}-01-{'x' * 300}",
        f" {GOOD}",
        f"{GOOD}\n",
    ],
)
def test_a_malformed_parent_counts_as_none(traceparent):
    assert read_trace(traceparent, "vendor=1") is None


@pytest.mark.parametrize("tracestate", ["vendor=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1, b=2", "t@v=x y"])
def test_a_well_formed_state_is_taken(tracestate):
    assert read_trace(GOOD, tracestate) == TraceContext(GOOD, tracestate)


@pytest.mark.parametrize(
    "tracestate",
    [None, "", 3, "vendor", "Vendor=1", "a=1,a=2", "a=b=c", "x" * 600, "a=\n", ",".join(f"k{n}=1" for n in range(33))],
)
def test_a_malformed_state_is_dropped_alone(tracestate):
    assert read_trace(GOOD, tracestate) == TraceContext(GOOD)


@given(st.text(), st.text())
def test_whatever_comes_reading_never_fails(traceparent, tracestate):
    read_trace(traceparent, tracestate)


def test_what_was_read_is_written_again():
    assert write_trace(TraceContext(GOOD, "a=1")) == {"traceparent": GOOD, "tracestate": "a=1"}
    assert write_trace(TraceContext(GOOD)) == {"traceparent": GOOD}
    assert write_trace(None) == {}


def test_a_message_keeps_its_trace_through_retries_dead_letters_and_redrives():
    trace = TraceContext(GOOD, "vendor=1")
    message = make_message()
    object.__setattr__(message, "trace", trace)
    for failure in (FAILURE, FAILURE, None):
        body, properties = encode(retry_of(message, failure, attempt=2))
        message = decode(body, properties, "default", now=NOW)
        assert message.trace == trace
        assert message.trace_id == TRACE


def test_a_message_without_a_trace_gets_no_header():
    _, properties = encode(make_message())
    assert not {"traceparent", "tracestate"} & set(properties.headers)
    assert make_message().trace_id is None


def test_a_malformed_trace_stops_no_message_and_goes_no_further():
    body, properties = encode(make_message())
    properties.headers |= {"traceparent": "nonsense", "tracestate": 7, "x-foreign": "kept out"}
    message = decode(body, properties, "default", now=NOW)
    assert message.trace is None
    assert set(encode(retry_of(message, None, attempt=1))[1].headers) == {
        "antrian-attempt",
        "antrian-generation",
        "antrian-queued-at",
    }


def test_the_dead_letter_of_what_nobody_can_read_keeps_its_trace():
    properties = pika.BasicProperties(headers={"traceparent": GOOD, "x-foreign": 1})
    headers = dead_letter_of(b"{", properties, MalformedMessage("not-json", "no JSON")).headers
    assert headers["traceparent"] == GOOD
    assert "x-foreign" not in headers
    assert json.dumps(headers, default=str)
