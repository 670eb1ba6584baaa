"""What Prometheus may read of the server: counts by lane, provider and status; never a number, a text or a secret."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from antrian.domain.metric import BUILD_INFO, PYTHON, Metric, our_version, register
from antrian.domain.receipt import ReceiptStatus

#: What a request can be told by: a receipt's status, or the kind of anything else.
STATUSES = (*(status.value for status in ReceiptStatus), "inbound", "session", "account", "unreadable")

#: Why a request is not taken.
REFUSALS = (
    "unknown-path",
    "limited",
    "method",
    "content-type",
    "too-large",
    "too-slow",
    "busy",
    "broker-away",
    "confirm-late",
    "broker-refused",
)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LANE = ("lane", "provider")

METRICS = (
    Metric("antrian_receipts_total", "counter", "What providers told and was written down.", (*_LANE, "status")),
    Metric("antrian_receipts_forged_total", "counter", "Requests at a lane's address that were not proved.", _LANE),
    Metric("antrian_receipts_unreadable_total", "counter", "Parts of proved requests that nobody could read.", _LANE),
    Metric("antrian_receipts_duplicates_total", "counter", "Repeats of requests that were written down.", _LANE),
    Metric("antrian_receipts_refused_total", "counter", "Requests that were not taken.", ("refusal",)),
    Metric("antrian_receipts_answer_seconds", "histogram", "From a request to its answer.", (), _SECONDS),
    Metric("antrian_receipts_in_flight", "gauge", "Requests that are being read or written."),
    Metric(
        "antrian_receipts_last_timestamp_seconds",
        "gauge",
        "When the last proved request came; the start of the server before the first.",
        _LANE,
    ),
    Metric("antrian_receipts_broker_up", "gauge", "1 while the broker takes events."),
    BUILD_INFO,
)


class ReceiptMetrics:
    """The registry of one server.

    Args:
        registry: where the metrics are made; a new one when None.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry or CollectorRegistry()
        families = self._families = register(METRICS, self.registry)
        families[BUILD_INFO.name].labels(our_version(), PYTHON).set(1)
        ProcessCollector(registry=self.registry)
        self.in_flight = families["antrian_receipts_in_flight"]
        self.answer = families["antrian_receipts_answer_seconds"]
        self.refused = {why: families["antrian_receipts_refused_total"].labels(why) for why in REFUSALS}
        self._lanes: dict[str, LaneReceiptMetrics] = {}

    def serve_lanes(self, providers: Mapping[str, str]) -> None:
        """These lanes have webhooks from now on, with these providers; the series of others end."""
        for name, lane in list(self._lanes.items()):
            if providers.get(name) != lane.labels[1]:
                lane.remove()
                del self._lanes[name]
        for name, provider in providers.items():
            if name not in self._lanes:
                self._lanes[name] = LaneReceiptMetrics(self._families, (name, provider))

    def of(self, lane: str) -> "LaneReceiptMetrics":
        """The counters of a lane that has a webhook; of nothing for one that lost it a moment ago."""
        return self._lanes.get(lane) or LaneReceiptMetrics(register(METRICS, CollectorRegistry()), (lane, ""))

    def render(self, *, is_up: bool) -> tuple[bytes, bytes]:
        """All of it, and its content type."""
        self._families["antrian_receipts_broker_up"].set(is_up)
        return generate_latest(self.registry), CONTENT_TYPE_LATEST.encode()


class LaneReceiptMetrics:
    """The series of one lane; they exist from the start."""

    def __init__(self, families: Mapping[str, Any], labels: tuple[str, str]) -> None:
        self.labels = labels
        self._families = families
        self.forged = families["antrian_receipts_forged_total"].labels(*labels)
        self.unreadable = families["antrian_receipts_unreadable_total"].labels(*labels)
        self.duplicates = families["antrian_receipts_duplicates_total"].labels(*labels)
        self.last = families["antrian_receipts_last_timestamp_seconds"].labels(*labels)
        self.last.set(math.floor(time.time()))
        total = families["antrian_receipts_total"]
        self._told = {status: total.labels(*labels, status) for status in STATUSES}

    def count(self, told: Sequence[str]) -> None:
        """These were written down, by their words."""
        for word in told:
            self._told[word].inc()
            if word == "unreadable":
                self.unreadable.inc()

    def remove(self) -> None:
        """End the series."""
        for family in ("forged_total", "unreadable_total", "duplicates_total", "last_timestamp_seconds"):
            self._families[f"antrian_receipts_{family}"].remove(*self.labels)
        for status in STATUSES:
            self._families["antrian_receipts_total"].remove(*self.labels, status)
