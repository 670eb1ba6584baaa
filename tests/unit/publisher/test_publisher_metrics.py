"""What an application counts of its publisher, when it asks for that."""

import subprocess
import sys

import pytest
from exposition import Exposition, promtool_complaints
from factories import make_settings
from prometheus_client import CollectorRegistry, generate_latest

from publisher import InvalidMessage, Publisher
from publisher.instrumentation import NoInstrumentation
from publisher.metrics import METRICS, OUTCOMES, PublishMetrics, instrument
from publisher.pipeline import Result


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def registry():
    return CollectorRegistry()


def seen(registry) -> Exposition:
    return Exposition(generate_latest(registry).decode())


def test_every_name_and_outcome_is_there_from_the_start(registry):
    PublishMetrics(registry)
    exposition = seen(registry)
    assert {metric.name for metric in METRICS} <= exposition.names()
    assert exposition.labels()["antrian_published"] == {("outcome", outcome) for outcome in OUTCOMES}
    assert promtool_complaints(exposition.text) == ""


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (Result.ACCEPTED, "accepted"),
        (Result.UNROUTABLE, "unroutable"),
        (Result.NOT_ACCEPTED, "unavailable"),
        (Result.REFUSED, "unavailable"),
        (Result.UNKNOWN, "unknown"),
    ],
)
def test_each_result_has_its_outcome(registry, result, outcome):
    PublishMetrics(registry).track().end(result)
    assert seen(registry).value("antrian_published_total", outcome=outcome) == 1


def test_the_confirm_takes_from_handing_over_to_the_end(registry):
    clock = Clock()
    track = PublishMetrics(registry, clock).track()
    assert seen(registry).value("antrian_publish_in_flight") == 1
    clock.now += 0.25
    track.end(Result.ACCEPTED)
    assert seen(registry).value("antrian_publish_confirm_seconds_sum") == pytest.approx(0.25)
    assert seen(registry).value("antrian_publish_in_flight") == 0


def test_an_end_is_counted_once_whoever_sees_it_first(registry):
    track = PublishMetrics(registry).track()
    track.end(Result.ACCEPTED)
    track.end(Result.UNKNOWN)
    assert seen(registry).value("antrian_published_total") == 1


def test_nobody_watches_a_publisher_that_is_not_asked_about():
    assert NoInstrumentation().track() is None


def test_a_message_that_breaks_the_contract_is_counted_as_invalid(registry):
    with Publisher(make_settings()) as publisher:
        instrument(publisher, registry)
        with pytest.raises(InvalidMessage):
            publisher.queue_message("not a number", "text")
        assert isinstance(next(publisher.queue_messages([("12", "text")])), InvalidMessage)
    assert seen(registry).value("antrian_published_total", outcome="invalid") == 2
    assert seen(registry).value("antrian_publish_in_flight") == 0


def test_two_publishers_may_share_a_registry(registry):
    with Publisher(make_settings()) as first, Publisher(make_settings()) as second:
        metrics = instrument(first, registry)
        metrics.watch(second)
        for publisher in (first, second):
            with pytest.raises(InvalidMessage):
                publisher.queue_message("12", "text")
    assert seen(registry).value("antrian_published_total", outcome="invalid") == 2


def test_importing_the_publisher_imports_no_prometheus():
    program = "import publisher, sys; sys.exit('prometheus_client' in sys.modules or 'opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
