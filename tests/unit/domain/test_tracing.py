"""Spans where OpenTelemetry is set up, nothing where it is not."""

import subprocess
import sys

import pytest
from factories import LANE, NOW, PHONE, make_failure, make_message, make_settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from antrian.broker import tracing
from antrian.broker.topology import Names
from antrian.domain.trace_context import TraceContext
from antrian.providers.contract import Sent
from consumer.observers import ProviderCall
from consumer.send_spans import SendSpans
from publisher import MessageRequest, Publisher

REMOTE = TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=1")


@pytest.fixture
def spans(monkeypatch):
    """What was exported; OpenTelemetry's own provider can be set only once in a process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter.get_finished_spans
    provider.shutdown()


def publish(parent=None) -> tracing.Publishing:
    return tracing.begin_publish(parent, exchange="wa.messages", lane=LANE, message_id="m1")


def call(result, parent=None) -> ProviderCall:
    message = make_message(attempt=2, key="invoice-17")
    object.__setattr__(message, "trace", parent)
    return ProviderCall(message, "mpwa", 10.0, 12.5, NOW, result)


def test_a_publish_is_a_producers_span_and_the_message_carries_it(spans):
    publishing = publish()
    publishing.end(None)
    [span] = spans()
    assert (span.name, span.kind) == ("send wa.messages", SpanKind.PRODUCER)
    assert publishing.trace is not None
    assert publishing.trace.trace_id == format(span.context.trace_id, "032x")
    assert publishing.trace.parent_id == format(span.context.span_id, "016x")
    assert span.attributes["messaging.system"] == "rabbitmq"
    assert span.attributes["messaging.message.id"] == "m1"


def test_it_lies_below_what_the_caller_named(spans):
    publishing = publish(REMOTE)
    publishing.end(None)
    [span] = spans()
    assert format(span.parent.span_id, "016x") == REMOTE.parent_id
    assert publishing.trace.trace_id == REMOTE.trace_id
    assert publishing.trace.tracestate == "vendor=1"


def test_it_lies_below_what_the_application_is_doing(spans):
    with trace.get_tracer("application").start_as_current_span("request") as request:
        publish().end(None)
    publishes = [span for span in spans() if span.kind is SpanKind.PRODUCER]
    assert publishes[0].parent.span_id == request.get_span_context().span_id


def test_a_publish_that_failed_says_so(spans):
    publish().end("not_accepted")
    [span] = spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "not_accepted"


def test_a_send_is_a_consumers_span_below_the_publish_with_its_own_times(spans):
    SendSpans(Names("wa")).called(call(Sent("provider-1"), REMOTE))
    [span] = spans()
    assert (span.name, span.kind) == ("process wa.lane.default", SpanKind.CONSUMER)
    assert format(span.context.trace_id, "032x") == REMOTE.trace_id
    assert format(span.parent.span_id, "016x") == REMOTE.parent_id
    assert span.end_time - span.start_time == pytest.approx(2.5e9, abs=1e6)
    assert span.end_time == pytest.approx(NOW * 1e9)
    assert span.attributes["antrian.attempt"] == 2
    assert span.status.status_code is StatusCode.UNSET


def test_a_send_that_failed_names_class_and_code(spans):
    SendSpans(Names("wa")).called(call(make_failure()))
    [span] = spans()
    assert span.attributes["antrian.failure_class"] == "transient"
    assert span.attributes["error.type"] == "busy"
    assert span.status.status_code is StatusCode.ERROR


def test_no_span_holds_number_text_or_key(spans):
    publish().end("unroutable")
    SendSpans(Names("wa")).called(call(make_failure(), REMOTE))
    told = " ".join(span.to_json() for span in spans())
    assert not [secret for secret in (PHONE[1:], "Halo", "invoice-17", "words") if secret in told]


def test_a_publisher_takes_the_callers_trace_and_leaves_out_a_malformed_one():
    with Publisher(make_settings()) as publisher:
        good = MessageRequest(phone_number=PHONE, message="Halo", traceparent=REMOTE.traceparent, tracestate="vendor=1")
        bad = MessageRequest(phone_number=PHONE, message="Halo", traceparent="nonsense", tracestate="vendor=1")
        assert publisher._compose(good)[0].trace == REMOTE
        assert publisher._compose(bad)[0].trace is None


WITHOUT = f"""
import sys

class No:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ImportError(name)

sys.meta_path.insert(0, No())
from antrian.broker import tracing
from antrian.domain.trace_context import read_trace
from consumer.process import ConsumerProcess
from consumer.send_spans import SendSpans
from publisher import Publisher
remote = read_trace({REMOTE.traceparent!r})
publishing = tracing.begin_publish(remote, exchange="x", lane="default", message_id="m1")
publishing.end("unroutable")
assert publishing.trace is remote
assert tracing.begin_publish(None, exchange="x", lane="default", message_id="m1").trace is None
"""


def test_without_opentelemetry_a_trace_is_carried_and_nothing_else_happens():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
