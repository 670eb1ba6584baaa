"""The admin side's registry: what it makes of readings, and what it never holds."""

import math
import re

import pytest
from exposition import Exposition, promtool_complaints

from admin_api.metrics import CAPS, FAILURE_CLASSES, METRICS, HistoryReading, Metrics
from antrian.domain.budget import Budget
from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import HoldReason
from antrian.domain.usage import Used
from antrian.history.projection.delivery import DeliveryChange
from antrian.history.queries.counts import ReceiptCount
from antrian.history.records import HeldCount
from antrian.operations.lane.hold_summary import LaneWaits
from antrian.operations.lane.lane_budget import LaneBudget
from antrian.operations.lane.look_at_all import Reading
from antrian.operations.lane.status import Reason, Status

NOW = 1_800_000_000.0


def reading(**facts) -> Reading:
    quiet = {
        "lane": "default",
        "at": NOW,
        "queue_length": 0,
        "is_processing": False,
        "failed_messages": 0,
        "estimated_time": 0.0,
        "waiting": 0,
        "in_flight": 0,
        "retrying": 0,
        "scheduled": 0,
        "consumers": 1,
        "running": True,
        "paused": False,
        "paused_by": None,
        "paused_at": None,
        "last_sent_at": None,
        "next_send_in": None,
        "next_send_reason": Reason.NOTHING_WAITS,
    }
    return Reading(Status(**quiet | facts), None)


def scrape(readings: dict[str, Reading | None], seen: HistoryReading | None = None) -> Exposition:
    metrics = Metrics(("default", "second"))
    metrics.observe_lanes(readings)
    metrics.observe_history(seen or HistoryReading(0.5, 17), readings)
    metrics.observe_request("GET", "/healthz", 200, 0.01)
    return Exposition(metrics.render()[0].decode())


def test_every_name_is_exposed():
    receipts = {"default": ReceiptCount(1, 0, 0.0)}
    seen = scrape({"default": reading()}, HistoryReading(0.5, 17, receipts=receipts))
    assert {metric.name for metric in METRICS} <= seen.names()
    assert promtool_complaints(seen.text) == ""


def test_the_brokers_counts_are_told_by_lane_and_state():
    seen = scrape({"default": reading(waiting=3, in_flight=1, retrying=2, scheduled=5, failed_messages=7)})
    told = {s: seen.value("antrian_messages", lane="default", state=s) for s in ("waiting", "in_flight", "retrying")}
    assert told == {"waiting": 3, "in_flight": 1, "retrying": 2}
    assert seen.value("antrian_dead_letters") == 7


def test_of_a_broker_that_is_away_no_old_number_is_shown():
    metrics = Metrics(("default",))
    for readings in ({"default": reading(waiting=3, failed_messages=2)}, {"default": None}):
        metrics.observe_lanes(readings)
        metrics.observe_history(HistoryReading(0.5, 17, waiting=3), readings)
    seen = Exposition(metrics.render()[0].decode())
    assert seen.value("antrian_broker_up", lane="default") == 0
    assert "antrian_messages{" not in seen.text
    assert math.isnan(seen.value("antrian_dead_letters"))
    assert math.isnan(seen.value("antrian_history_difference", state="waiting"))


def test_a_pause_is_told_with_its_beginning():
    seen = scrape({"default": reading(paused=True, paused_at=NOW), "second": reading(lane="second", paused_at=NOW)})
    assert seen.value("antrian_lane_paused", lane="default") == 1
    assert seen.value("antrian_lane_paused_since_timestamp_seconds", lane="default") == NOW
    assert seen.value("antrian_lane_paused_since_timestamp_seconds", lane="second") == 0


def test_the_depth_is_told_by_priority_with_0_where_nothing_waits():
    depths = {("default", 9): 2, ("default", 7): 1, ("default", 10): 4, ("a-lane-of-old", 5): 9}
    seen = scrape({"default": reading()}, HistoryReading(0.5, 17, depths=depths))
    assert seen.value("antrian_queue_depth", lane="default", priority="high") == 2
    assert seen.value("antrian_queue_depth", lane="default", priority="other") == 1
    assert seen.value("antrian_queue_depth", lane="default", priority="urgent") == 4
    assert 'lane="second",priority="low"} 0.0' in seen.text
    assert "a-lane-of-old" not in seen.text


def test_what_waits_is_told_by_reason_and_every_reason_is_there_from_the_start():
    held = [HeldCount("cold_held", "", 3, NOW, NOW, NOW * 2, NOW - 60), HeldCount("moon", "", 1, NOW, NOW, None, NOW)]
    waits = {"default": LaneWaits(5, 0, held), "a-lane-of-old": LaneWaits(9, 0)}
    metrics = Metrics(("default", "second"))
    for readings in ({"default": reading(), "second": None}, {"default": reading(), "second": None}):
        metrics.observe_lanes(readings)
        metrics.observe_history(HistoryReading(0.5, 17, waits=waits), readings)
    seen = Exposition(metrics.render()[0].decode())
    told = {
        reason: seen.value("antrian_waiting_messages", lane="default", reason=reason.value) for reason in HoldReason
    }
    # What a later version holds for a reason of its own comes back at a time of its own.
    assert {reason: count for reason, count in told.items() if count} == {
        HoldReason.COLD_HELD: 3,
        HoldReason.SCHEDULED: 1,
        HoldReason.PACE: 5,
    }
    assert seen.value("antrian_waiting_messages", lane="second", reason="window") == 0
    assert seen.value("antrian_held_oldest_timestamp_seconds", lane="default") == NOW - 60
    assert seen.value("antrian_cold_held_until_timestamp_seconds", lane="default") == NOW * 2
    assert "a-lane-of-old" not in seen.text
    assert "moon" not in seen.text
    metrics.serve_lanes(("second",))
    assert 'lane="default"' not in metrics.render()[0].decode()


def test_caps_and_what_is_used_of_them_are_told():
    budget = LaneBudget(Used(1, 2, 3), Budget(0, 1000, 20))
    seen = scrape(
        {"default": reading(budget=budget), "second": reading(lane="second", budget=LaneBudget(None, Budget()))}
    )
    told = {
        cap: [seen.value(f"antrian_lane_{what}", lane="default", cap=cap) for what in ("used", "cap")] for cap in CAPS
    }
    assert told == {"hour": [1, 0], "day": [2, 1000], "cold": [3, 20]}
    assert seen.value("antrian_lane_cap", lane="second", cap="day") == 0
    assert 'antrian_lane_used{cap="day",lane="second"}' not in seen.text


def test_a_reason_that_a_stranger_made_up_has_no_series_of_its_own():
    by_class = {"rejected": 2, "6281234567890": 3, "nonsense": 1}
    seen = scrape({"default": reading()}, HistoryReading(0.5, 17, dead_by_class=by_class))
    assert seen.value("antrian_dead_letters_by_reason", failure_class="rejected") == 2
    assert seen.value("antrian_dead_letters_by_reason", failure_class="other") == 4
    assert "6281234567890" not in seen.text


def test_every_failure_class_of_a_provider_has_a_series():
    assert {one.value for one in FailureClass} <= set(FAILURE_CLASSES)


def test_the_difference_is_the_brokers_count_minus_the_historys():
    readings = {"default": reading(waiting=3, in_flight=1, failed_messages=2), "second": reading(waiting=1)}
    seen = scrape(readings, HistoryReading(0.5, 17, waiting=4, dead=3))
    assert seen.value("antrian_history_difference", state="waiting") == 1
    assert seen.value("antrian_history_difference", state="failed") == -1


@pytest.mark.parametrize("method", ["BREW", "get", "X" * 1000])
def test_a_method_that_nobody_knows_is_other(method):
    metrics = Metrics()
    metrics.observe_request(method, "none", 404, 0.01)
    seen = Exposition(metrics.render()[0].decode())
    assert seen.value("antrian_http_requests_total", method="other") == 1


def test_names_follow_the_conventions():
    for metric in METRICS:
        assert re.fullmatch(r"antrian_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.meaning.endswith(".")


def delivery(status: str, **facts) -> DeliveryChange:
    known = {"seq": 1, "message_id": "m1", "lane": "default", "provider": "mpwa", "at": NOW, "seconds": None}
    known |= {"is_news": True, "has_arrived": status != "failed"}
    return DeliveryChange(**known | {"delivery": status} | facts)


def test_what_arrived_is_counted_by_provider_and_each_message_once():
    metrics = Metrics(("default",))
    metrics.observe_delivery(delivery("delivered", seconds=4.0))
    metrics.observe_delivery(delivery("read", has_arrived=False))
    metrics.observe_delivery(delivery("read"))
    metrics.observe_delivery(delivery("read", is_news=False, has_arrived=False, seconds=2.0))
    metrics.observe_delivery(delivery("failed", provider="a stranger's"))
    metrics.observe_delivery(delivery("failed", lane="a-lane-of-old"))
    seen = Exposition(metrics.render()[0].decode())
    about = {"lane": "default", "provider": "mpwa"}
    told = {one: seen.value("antrian_deliveries_total", **about, status=one) for one in ("delivered", "read")}
    assert told == {"delivered": 2, "read": 2}
    assert seen.value("antrian_deliveries_total", lane="default", provider="other", status="failed") == 1
    assert seen.value("antrian_delivery_seconds_count", **about) == 2
    assert "a-lane-of-old" not in seen.text


def test_missing_receipts_are_told_where_receipts_are_to_be_expected():
    seen = HistoryReading(0.5, 17, receipts={"default": ReceiptCount(10, 3, NOW)}, parked={"default": 2})
    metrics = Metrics(("default", "second"))
    metrics.observe_history(seen, {})
    told = Exposition(metrics.render()[0].decode())
    assert told.value("antrian_receipts_expected", lane="default") == 10
    assert told.value("antrian_receipts_missing", lane="default") == 3
    assert told.value("antrian_receipt_missing_oldest_timestamp_seconds", lane="default") == NOW
    assert told.value("antrian_receipts_parked", lane="default") == 2
    assert 'antrian_receipts_missing{lane="second"}' not in told.text
    assert told.value("antrian_receipts_parked", lane="second") == 0
