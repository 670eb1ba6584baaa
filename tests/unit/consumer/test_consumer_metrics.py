"""The consumer's registry: its names, its series, and what it never holds."""

import json
import socket
from dataclasses import replace

import pytest
import requests
from exposition import Exposition, promtool_complaints
from factories import LANE, NOW, PHONE, make_event, make_failure, make_lane_snapshot, make_message, make_settings

from antrian.domain.budget import Budget
from antrian.domain.errors import PortBusy
from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import LADDER_HOLDS
from antrian.domain.lane import Lane
from antrian.domain.usage import Used
from antrian.providers.contract import Sent
from consumer.lane.snapshot import LaneSnapshot
from consumer.metrics import METRICS, ConsumerMetrics, gap_buckets, standing
from consumer.metrics_server import metrics_server
from consumer.observers import Observers, ProviderCall

#: Everything that dashboards and alerts ask for.
NAMES = {
    "antrian_sends_total",
    "antrian_send_duration_seconds",
    "antrian_send_gap_seconds",
    "antrian_send_gap_violations_total",
    "antrian_message_wait_seconds",
    "antrian_message_attempts",
    "antrian_messages_total",
    "antrian_lane_restarts_total",
    "antrian_messages_postponed_total",
    "antrian_messages_held_total",
    "antrian_sender_budget",
    "antrian_cold_contacts_held",
    "antrian_breaker_open",
    "antrian_lane_held",
    "antrian_consumer_paused",
    "antrian_lane_state",
    "antrian_next_send_timestamp_seconds",
    "antrian_last_send_timestamp_seconds",
    "antrian_ledger_entries",
    "antrian_delay_seconds",
    "antrian_consumer_active",
    "antrian_broker_connected",
    "antrian_build_info",
}

VIEW = make_lane_snapshot(remembered=3)


@pytest.fixture
def metrics():
    settings = make_settings(WHATSAPP_QUEUE_DELAY="10")
    made = ConsumerMetrics(settings)
    observer = made.lane(settings.lanes[LANE], "mpwa")
    made.watch(lambda: [VIEW])
    return made, observer


def scrape(metrics: ConsumerMetrics) -> Exposition:
    return Exposition(metrics.render()[0].decode())


def values(view: LaneSnapshot, **more) -> dict[tuple[str, ...], float]:
    changes = standing(view, **{"last_sent_at": NOW, "delay": 10.0, "now": 1000.0, "wall": NOW} | more)
    return {(change.metric, *change.labels[1:]): change.value for change in changes}


def test_every_name_is_exposed_from_the_start(metrics):
    exposition = scrape(metrics[0])
    assert exposition.names() >= NAMES
    assert {metric.name for metric in METRICS} == NAMES
    for name in NAMES:
        assert exposition.families[name.removesuffix("_total")].samples, name


def test_promtool_has_no_complaints(metrics):
    made, observer = metrics
    observer.called(ProviderCall(make_message(), "mpwa", 1.0, 2.0, NOW + 1, Sent()))
    assert promtool_complaints(made.render()[0].decode()) == ""


def test_no_series_appears_that_was_not_there_at_the_start(metrics):
    made, observer = metrics
    before = scrape(made).labels()
    for priority in (1, 5, 7, 9, 10):
        for result in (Sent("id-1"), *(make_failure(kind) for kind in FailureClass)):
            message = make_message(f"m{priority}", key="invoice-17")
            object.__setattr__(message, "priority", priority)
            observer.called(ProviderCall(message, "mpwa", 1.0, 2.0, NOW, result))
    for name in ("sent", "dead", "expired", "cancelled", "cleared", "duplicate"):
        observer.recorded(make_event(name, "m9", attempt=1, key="invoice-17"))
    for reason in ("newer-version", "deliver-at"):
        observer.recorded(make_event("postponed", "m9", reason=reason))
    for hold in LADDER_HOLDS:
        observer.recorded(make_event("held", "m9", reason=hold.value))
    assert scrape(made).labels() == before


def test_nothing_personal_is_in_it(metrics):
    made, observer = metrics
    observer.called(ProviderCall(make_message("m-secret", key="invoice-17"), "mpwa", 1.0, 2.0, NOW, make_failure()))
    text = made.render()[0].decode()
    assert not any(secret in text for secret in ("m-secret", "invoice-17", PHONE, PHONE[3:], "Halo", "words"))


def test_counts_and_observations_arrive(metrics):
    made, observer = metrics
    observer.called(ProviderCall(make_message(), "mpwa", 1.0, 1.5, NOW + 4, Sent()))
    observer.called(ProviderCall(make_message(), "mpwa", 11.6, 12.0, NOW + 15, make_failure()))
    observer.recorded(make_event("sent", attempt=2))
    seen = scrape(made)
    assert seen.value("antrian_sends_total", outcome="sent", priority="normal", provider="mpwa") == 1
    assert seen.value("antrian_sends_total", outcome="transient") == 1
    assert seen.value("antrian_send_duration_seconds_sum") == pytest.approx(0.9)
    assert seen.value("antrian_send_gap_seconds_bucket", le="10.0") == 0
    assert seen.value("antrian_send_gap_seconds_bucket", le="10.1") == 1
    assert seen.value("antrian_send_gap_violations_total") == 0
    assert seen.value("antrian_message_wait_seconds_sum", priority="normal") == pytest.approx(4.0)
    assert seen.value("antrian_message_attempts_sum") == 2
    assert seen.value("antrian_messages_total", end="sent") == 1
    observer.recorded(make_event("held", "m2", reason="cold_cap", recipient=PHONE))
    assert scrape(made).value("antrian_messages_held_total", reason="cold_cap") == 1


def test_what_is_used_and_whether_new_contacts_are_held():
    seen = values(replace(VIEW, used=Used(1, 2, 1), budget=Budget(day=100, cold=20), cold_held=True))
    assert seen["antrian_sender_budget", "used_day"] == 2
    assert seen["antrian_sender_budget", "cap_cold"] == 20
    assert seen["antrian_sender_budget", "cap_hour"] == 0
    assert seen["antrian_cold_contacts_held",] == 1


def test_two_lanes_share_a_registry(metrics):
    made, _ = metrics
    second = made.lane(Lane(name="second"), "fonnte")
    made.watch(lambda: [VIEW, replace(VIEW, lane="second", paused=True)])
    second.called(ProviderCall(make_message(), "fonnte", 1.0, 1.5, NOW, Sent()))
    seen = scrape(made)
    assert seen.value("antrian_sends_total", lane="second") == 1
    assert seen.value("antrian_sends_total", lane=LANE) == 0
    assert seen.value("antrian_consumer_paused", lane="second") == 1
    assert seen.value("antrian_consumer_paused", lane=LANE) == 0


def test_a_lane_that_is_served_no_more_ends_its_gauges_and_keeps_its_counters(metrics):
    made, _ = metrics
    second = made.lane(Lane(name="second"), "fonnte")
    made.watch(lambda: [VIEW, replace(VIEW, lane="second")])
    second.called(ProviderCall(make_message(), "fonnte", 1.0, 1.5, NOW, Sent()))
    scrape(made)

    made.forget("second")

    text = made.render()[0].decode()
    assert 'antrian_sends_total{lane="second",outcome="sent",priority="normal",provider="fonnte"} 1.0' in text
    assert 'antrian_delay_seconds{lane="second"}' not in text
    assert 'antrian_lane_state{lane="second"' not in text
    assert f'antrian_delay_seconds{{lane="{LANE}"}} 10.0' in text


def test_buckets_lie_around_the_delay():
    assert 10.0 in gap_buckets(10.0)
    assert sum(9.9 <= bound <= 10.1 for bound in gap_buckets(10.0)) >= 5
    assert gap_buckets(0.3) == tuple(sorted(gap_buckets(0.3)))
    assert gap_buckets(0) == tuple(sorted(gap_buckets(0)))
    assert {9.9, 10.0, 10.02, 0.99, 1.0, 1.001} <= set(gap_buckets(1, 10, 10))
    assert len(gap_buckets(*range(1, 100))) == 30


def test_one_state_at_a_time_is_1():
    states = {key[1]: value for key, value in values(VIEW).items() if key[0] == "antrian_lane_state"}
    assert {state for state, value in states.items() if value} == {"waiting"}
    assert len(states) == 9


def test_the_next_send_is_told_by_wall_clock():
    shut = replace(VIEW, pause_over_at=1004.0)
    assert values(shut)["antrian_next_send_timestamp_seconds",] == pytest.approx(NOW + 4)
    assert values(VIEW)["antrian_next_send_timestamp_seconds",] == 0


def test_a_hold_is_told_by_its_reason():
    held = values(replace(VIEW, hold_over_at=1001.0, hold_reason="throttled", breaker_open=False))
    assert held["antrian_lane_held", "throttled"] == 1
    assert held["antrian_lane_held", "unavailable"] == 0
    assert held["antrian_breaker_open",] == 0


def test_the_breaker_stays_open_until_a_call_finds_the_provider_again():
    assert values(replace(VIEW, breaker_open=True))["antrian_breaker_open",] == 1


def test_who_is_not_connected_is_not_active():
    assert values(replace(VIEW, connected=False))["antrian_consumer_active",] == 0
    assert values(VIEW)["antrian_consumer_active",] == 1


def test_the_rest_is_told_as_it_is():
    told = values(VIEW)
    assert told["antrian_ledger_entries",] == 3
    assert told["antrian_delay_seconds",] == 10
    assert told["antrian_last_send_timestamp_seconds",] == NOW
    assert told["antrian_broker_connected",] == 1


class Broken:
    def called(self, call):
        raise ValueError(json.dumps({"at": call.at}))

    def recorded(self, event): ...

    def heard(self, event, *, counts): ...


def test_a_broken_observer_of_a_send_breaks_nothing_else(metrics):
    made, observer = metrics
    Observers([Broken(), observer]).called(ProviderCall(make_message(), "mpwa", 1.0, 2.0, NOW, Sent()))
    assert scrape(made).value("antrian_sends_total") == 1


# The server.


def test_it_serves_metrics_and_health(metrics):
    made, _ = metrics
    health = [False]
    with metrics_server("127.0.0.1", 0, made.render, lambda: health[0]) as port:
        url = f"http://127.0.0.1:{port}"
        assert Exposition.of(f"{url}/metrics").names() >= NAMES
        assert requests.get(f"{url}/healthz", timeout=60).status_code == 503
        health[0] = True
        assert requests.get(f"{url}/healthz", timeout=60).text == "ok\n"
        assert requests.get(f"{url}/", timeout=60).status_code == 404
        assert requests.post(f"{url}/metrics", timeout=60).status_code == 501
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/metrics", timeout=60)


def test_a_busy_port_is_one_clear_sentence(metrics):
    made, _ = metrics
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(PortBusy, match=f"127.0.0.1:{port} for the consumer's metrics cannot be used"),
            metrics_server("127.0.0.1", port, made.render, lambda: True),
        ):
            pass
