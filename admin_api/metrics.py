"""What Prometheus may read: counts by lane, state and route; never a number, a text, a key or a message id."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from antrian.domain.failure_class import DEATH_CLASSES
from antrian.domain.hold import HoldReason
from antrian.domain.metric import BUILD_INFO, PYTHON, Metric, our_version, register
from antrian.domain.priority import Priority
from antrian.domain.provider_catalog import PROVIDERS
from antrian.history.projection.delivery import DeliveryChange
from antrian.history.queries.counts import ReceiptCount
from antrian.operations.lane.hold_summary import LaneWaits, summary_of
from antrian.operations.lane.lane_budget import LaneBudget
from antrian.operations.lane.look_at_all import Reading

#: What the broker counts apart.
STATES = ("waiting", "in_flight", "retrying", "scheduled")
#: What a cap counts: messages of an hour, of a day, and of a day to new contacts.
CAPS = ("hour", "day", "cold")
_PRIORITIES = (*(priority.name.lower() for priority in Priority), "other")

#: Why a message can be given up; whatever else a stranger's header says is `other`.
FAILURE_CLASSES = (*DEATH_CLASSES, "other")
#: Any other that a client sends is `other`.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Bounds for the way from a provider to a telephone, which may be switched off.
_DELIVERY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 28_800.0, 86_400.0)

#: What became of a provider's report, and of a try to tell a service something.
REPORT_RESULTS = ("done", "undelivered", "delayed", "dropped")
CALLBACK_RESULTS = ("delivered", "failed", "dropped", "dead")

_LANE = ("lane",)
METRICS = (
    Metric("antrian_messages", "gauge", "Messages that wait, as the broker counts them.", ("lane", "state")),
    Metric("antrian_queue_depth", "gauge", "Messages that wait in a lane, by the history.", ("lane", "priority")),
    Metric("antrian_waiting_messages", "gauge", "Messages that wait, by what they wait for.", ("lane", "reason")),
    Metric(
        "antrian_held_oldest_timestamp_seconds", "gauge", "When the oldest held message was queued; 0: none.", _LANE
    ),
    Metric("antrian_cold_held_until_timestamp_seconds", "gauge", "Until when new contacts are held; 0: not.", _LANE),
    Metric(
        "antrian_lane_cap", "gauge", "Messages that may be sent in the hour or on the day; 0: any.", ("lane", "cap")
    ),
    Metric("antrian_lane_used", "gauge", "Messages that were sent in the hour or on the day.", ("lane", "cap")),
    Metric("antrian_dead_letters", "gauge", "Dead letters of all lanes, as the broker counts them."),
    Metric("antrian_dead_letters_by_reason", "gauge", "Dead letters, by the history.", ("failure_class",)),
    Metric("antrian_dead_letters_near_retention", "gauge", "Dead letters that the history will soon forget."),
    Metric("antrian_lane_paused", "gauge", "1 while an admin paused the lane.", _LANE),
    Metric("antrian_lane_paused_since_timestamp_seconds", "gauge", "When it was paused; 0 when it is not.", _LANE),
    Metric("antrian_lane_consumers", "gauge", "Consumers subscribed to the lane.", _LANE),
    Metric("antrian_broker_up", "gauge", "1 while the broker answers.", _LANE),
    Metric("antrian_history_lag_seconds", "gauge", "How far the history is behind the journal."),
    Metric("antrian_history_offset", "gauge", "The last journal entry in the history; -1 for none."),
    Metric("antrian_history_difference", "gauge", "The broker's count minus the history's.", ("state",)),
    Metric(
        "antrian_deliveries_total",
        "counter",
        "What providers told of messages that they had taken: `delivered`, `read`, `failed`.",
        ("lane", "provider", "status"),
    ),
    Metric(
        "antrian_delivery_seconds",
        "histogram",
        "From the provider's acceptance to the arrival, as the provider tells it.",
        ("lane", "provider"),
        _DELIVERY_SECONDS,
    ),
    Metric(
        "antrian_receipts_expected",
        "gauge",
        "Messages that a provider that sends receipts took from 24 hours to 1 hour ago.",
        _LANE,
    ),
    Metric("antrian_receipts_missing", "gauge", "Of these, messages without a receipt.", _LANE),
    Metric(
        "antrian_receipt_missing_oldest_timestamp_seconds",
        "gauge",
        "When the provider took the oldest of the last 24 hours' messages without a receipt; 0: none.",
        _LANE,
    ),
    Metric("antrian_receipts_parked", "gauge", "Receipts of messages that are not known, by the history.", _LANE),
    Metric("antrian_receipts_worked_total", "counter", "Reports of providers, by what became of them.", ("result",)),
    Metric("antrian_callbacks_total", "counter", "Tries to tell the owner's services something.", ("result",)),
    Metric("antrian_callbacks_queued", "gauge", "Callbacks that wait to be made, and that are given up.", ("state",)),
    Metric("antrian_http_requests_total", "counter", "Answered requests.", ("method", "route", "status")),
    Metric(
        "antrian_http_request_duration_seconds", "histogram", "Until an answer began.", ("method", "route"), _SECONDS
    ),
    BUILD_INFO,
)


@dataclass(frozen=True, slots=True)
class HistoryReading:
    """The history at one moment.

    Attributes:
        lag: seconds that it is behind.
        offset: the last entry in it.
        waiting: messages that wait or are being sent, of all lanes.
        dead: dead letters.
        depths: messages that wait, by lane and the broker's priority number.
        waits: what waits, by lane.
        refused: until when WhatsApp refuses new contacts, by lane; 0 for not at all, None where that is not known.
        dead_by_class: dead letters by failure class.
        near_retention: dead letters that will soon be forgotten.
        receipts: what is known of receipts, by lane; only of those whose provider sends them.
        parked: receipts of unknown messages, by lane.
    """

    lag: float
    offset: int
    waiting: int = 0
    dead: int = 0
    depths: Mapping[tuple[str, int], int] = field(default_factory=dict)
    waits: Mapping[str, LaneWaits] = field(default_factory=dict)
    refused: Mapping[str, float | None] = field(default_factory=dict)
    dead_by_class: Mapping[str, int] = field(default_factory=dict)
    near_retention: int = 0
    receipts: Mapping[str, ReceiptCount] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)


class Metrics:
    """The registry of one admin process.

    Args:
        lanes: every lane; their series exist from the start.
        registry: where the metrics are made; a new one when None.
    """

    def __init__(self, lanes: tuple[str, ...] = (), registry: CollectorRegistry | None = None) -> None:
        # When each series began is a quarter of all series with many lanes, and never read.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry or CollectorRegistry()
        self._lanes = lanes
        self._rendered: tuple[float, bytes] | None = None
        self._families = register(METRICS, self.registry)
        self._families[BUILD_INFO.name].labels(our_version(), PYTHON).set(1)
        for result in REPORT_RESULTS:
            self._families["antrian_receipts_worked_total"].labels(result)
        for result in CALLBACK_RESULTS:
            self._families["antrian_callbacks_total"].labels(result)
        self.observe_callbacks(0, 0)
        # Memory, processor time and open files, as every Prometheus client tells them.
        ProcessCollector(registry=self.registry)

    def serve_lanes(self, lanes: tuple[str, ...]) -> None:
        """Other lanes are served from now on; the gauges of those that are gone end."""
        gone, self._lanes = set(self._lanes) - set(lanes), lanes
        for lane in gone:
            for name, labels, _ in _lane_values(None):
                self._families[name].remove(lane, *labels)
            self._families["antrian_broker_up"].remove(lane)
            for name, labels in _OF_HISTORY:
                self._families[name].remove(lane, *labels)

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is the pattern, not the address."""
        method = method if method in METHODS else "other"
        self._families["antrian_http_requests_total"].labels(method, route, str(status)).inc()
        self._families["antrian_http_request_duration_seconds"].labels(method, route).observe(seconds)

    def observe_delivery(self, change: DeliveryChange) -> None:
        """Count what a provider told of a message; from any thread."""
        if change.lane not in self._lanes:
            return
        provider = change.provider if change.provider in PROVIDERS else "other"
        deliveries = self._families["antrian_deliveries_total"]
        # What is told to be read without having been told to be delivered, is both.
        if change.has_arrived:
            deliveries.labels(change.lane, provider, "delivered").inc()
        if change.is_news and change.delivery != "delivered":
            deliveries.labels(change.lane, provider, change.delivery).inc()
        if change.seconds is not None:
            self._families["antrian_delivery_seconds"].labels(change.lane, provider).observe(change.seconds)

    def count_report(self, result: str) -> None:
        """Count a provider's report that was worked on."""
        self._families["antrian_receipts_worked_total"].labels(result).inc()

    def count_callback(self, result: str) -> None:
        """Count a try to tell a service something, or that one is given up."""
        self._families["antrian_callbacks_total"].labels(result).inc()

    def observe_callbacks(self, waiting: int, dead: int) -> None:
        """Take over how many callbacks there are."""
        self._set("antrian_callbacks_queued", waiting, "waiting")
        self._set("antrian_callbacks_queued", dead, "dead")

    def observe_lanes(self, readings: Mapping[str, Reading | None]) -> None:
        """Take over what the broker says of each lane; None when it does not answer.

        What is not known is not shown: an old number would look like a present one.
        """
        for lane, reading in readings.items():
            self._set("antrian_broker_up", reading is not None, lane)
            for name, labels, value in _lane_values(reading):
                if value is None:
                    self._families[name].remove(lane, *labels)
                else:
                    self._set(name, value, lane, *labels)
        dead = next((reading.status.failed_messages for reading in readings.values() if reading), math.nan)
        self._set("antrian_dead_letters", dead)

    def observe_history(self, seen: HistoryReading, readings: Mapping[str, Reading | None]) -> None:
        """Take over what the history says, and how it differs from the broker."""
        self._set("antrian_history_lag_seconds", seen.lag)
        self._set("antrian_history_offset", seen.offset)
        self._set("antrian_dead_letters_near_retention", seen.near_retention)
        depths = dict.fromkeys(((lane, label) for lane in self._lanes for label in _PRIORITIES), 0)
        for (lane, priority), count in seen.depths.items():
            if lane in self._lanes:
                depths[lane, Priority.exact_label(priority)] += count
        for labels, count in depths.items():
            self._set("antrian_queue_depth", count, *labels)
        for lane in self._lanes:
            self._observe_waits(lane, seen, readings.get(lane))
            self._observe_receipts(lane, seen)
        by_class = dict.fromkeys(FAILURE_CLASSES, 0)
        for failure_class, count in seen.dead_by_class.items():
            by_class[failure_class if failure_class in by_class else "other"] += count
        for failure_class, count in by_class.items():
            self._set("antrian_dead_letters_by_reason", count, failure_class)
        for state, difference in _differences(seen, readings).items():
            self._set("antrian_history_difference", difference, state)

    def _observe_waits(self, lane: str, seen: HistoryReading, reading: Reading | None) -> None:
        waiting = seen.waits.get(lane, _NOTHING)
        status = reading.status if reading else None
        told = summary_of(lane, status, waiting, time.time(), seen.refused.get(lane))
        counts = dict.fromkeys(HoldReason, 0) | {one.reason: one.count for one in told.reasons}
        for reason, count in counts.items():
            self._set("antrian_waiting_messages", count, lane, reason.value)
        oldest = min((one.oldest_at for one in waiting.held), default=0.0)
        self._set("antrian_held_oldest_timestamp_seconds", oldest, lane)
        self._set("antrian_cold_held_until_timestamp_seconds", told.cold_held_until or 0.0, lane)

    def _observe_receipts(self, lane: str, seen: HistoryReading) -> None:
        self._set("antrian_receipts_parked", seen.parked.get(lane, 0), lane)
        known = seen.receipts.get(lane)
        if known is None:
            for name in _OF_RECEIPTS:
                self._families[name].remove(lane)
            return
        for name, value in zip(_OF_RECEIPTS, known, strict=True):
            self._set(name, value, lane)

    def render(self) -> tuple[bytes, str]:
        """All of it, and its content type."""
        self._rendered = time.monotonic(), generate_latest(self.registry)
        return self._rendered[1], CONTENT_TYPE_LATEST

    def latest(self, age: float) -> tuple[bytes, str] | None:
        """The last answer, if it is not older than `age` seconds."""
        if self._rendered is None or time.monotonic() - self._rendered[0] > age:
            return None
        return self._rendered[1], CONTENT_TYPE_LATEST

    def _set(self, name: str, value: float, *labels: str) -> None:
        family = self._families[name]
        (family.labels(*labels) if labels else family).set(value)


_NOTHING = LaneWaits(0, 0)

#: The fields of a `ReceiptCount`.
_OF_RECEIPTS = (
    "antrian_receipts_expected",
    "antrian_receipts_missing",
    "antrian_receipt_missing_oldest_timestamp_seconds",
)

#: What the history tells of a lane: name and further labels.
_OF_HISTORY = (
    *(("antrian_queue_depth", (label,)) for label in _PRIORITIES),
    *(("antrian_waiting_messages", (reason.value,)) for reason in HoldReason),
    ("antrian_held_oldest_timestamp_seconds", ()),
    ("antrian_cold_held_until_timestamp_seconds", ()),
    ("antrian_receipts_parked", ()),
    *((name, ()) for name in _OF_RECEIPTS),
)


def _lane_values(reading: Reading | None) -> list[tuple[str, tuple[str, ...], float | None]]:
    """Name, further labels and value of each gauge that a reading sets."""
    status = reading.status if reading else None
    paused_at = (status.paused_at or 0.0) if status and status.paused else 0.0
    return [
        *(("antrian_messages", (state,), getattr(status, state) if status else None) for state in STATES),
        ("antrian_lane_paused", (), status.paused if status else None),
        ("antrian_lane_paused_since_timestamp_seconds", (), paused_at if status else None),
        ("antrian_lane_consumers", (), status.consumers if status else None),
        *_budget_values(status.budget if status else None),
    ]


def _budget_values(budget: LaneBudget | None) -> list[tuple[str, tuple[str, ...], float | None]]:
    """The caps, and what is used of them where any event tells."""
    used = budget.used if budget else None
    return [
        *(("antrian_lane_cap", (cap,), getattr(budget.caps, cap) if budget else None) for cap in CAPS),
        *(("antrian_lane_used", (cap,), getattr(used, cap) if used else None) for cap in CAPS),
    ]


def _differences(seen: HistoryReading, readings: Mapping[str, Reading | None]) -> dict[str, float]:
    """The broker's count minus the history's, by state; not a number while one of the two is not known."""
    statuses = [reading.status for reading in readings.values() if reading]
    if not statuses or len(statuses) < len(readings):
        return {"waiting": math.nan, "failed": math.nan}
    waiting = sum(status.waiting + status.in_flight for status in statuses)
    return {"waiting": waiting - seen.waiting, "failed": statuses[0].failed_messages - seen.dead}
