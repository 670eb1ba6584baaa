"""What metrics and traces make of a publisher with a real broker."""

import time

import pytest
from exposition import Exposition
from factories import PHONE
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest

from publisher import Publisher, Receipt, Unroutable
from publisher.metrics import instrument


@pytest.fixture
def publisher(stock):
    with Publisher(stock.settings, source="test", confirm_timeout=60) as ours:
        yield ours


@pytest.fixture
def spans(monkeypatch):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter.get_finished_spans
    provider.shutdown()


def test_every_publish_is_counted_by_its_outcome(publisher):
    registry = CollectorRegistry()
    instrument(publisher, registry)
    began = time.perf_counter()
    publisher.queue_message(PHONE, "text")
    with pytest.raises(Unroutable):
        publisher.queue_message(PHONE, "text", lane="nowhere")
    answers = list(publisher.queue_messages([(PHONE, "text")] * 50 + [("12", "text")]))
    assert sum(isinstance(answer, Receipt) for answer in answers) == 50

    seen = Exposition(generate_latest(registry).decode())
    counted = {o: seen.value("antrian_published_total", outcome=o) for o in ("accepted", "unroutable", "invalid")}
    assert counted == {"accepted": 51, "unroutable": 1, "invalid": 1}
    assert seen.value("antrian_publish_confirm_seconds_count") == 52
    # They were under way together: each for as long as all of it took, at most.
    most = 52 * (time.perf_counter() - began)
    assert 0 < seen.value("antrian_publish_confirm_seconds_sum") < most
    assert seen.value("antrian_publish_in_flight") == 0


def test_a_message_carries_the_span_that_published_it(publisher, stock, spans):
    with trace.get_tracer("application").start_as_current_span("registration"):
        publisher.queue_message(PHONE, "text", message_id="m1")
    [message] = stock.in_lane()
    published, registration = spans()
    assert message.trace is not None
    assert message.trace.parent_id == format(published.context.span_id, "016x")
    assert published.parent.span_id == registration.context.span_id


def test_each_of_many_messages_has_a_span_of_its_own(publisher, stock, spans):
    list(publisher.queue_messages([(PHONE, f"text {number}") for number in range(3)]))
    assert len({span.context.span_id for span in spans()}) == 3
    assert {message.trace.parent_id for message in stock.in_lane()} == {
        format(span.context.span_id, "016x") for span in spans()
    }


def test_a_trace_given_by_hand_travels_through_the_broker(publisher, stock):
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    publisher.queue_message(PHONE, "text", traceparent=traceparent, tracestate="vendor=1")
    [message] = stock.in_lane()
    assert (message.trace.trace_id, message.trace.tracestate) == (traceparent[3:35], "vendor=1")
