"""What Prometheus may read of a consumer: one registry for the process, fed by the observers of its lanes."""

import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.lifecycle import ENDS
from antrian.domain.metric import BUILD_INFO, PYTHON, Metric, our_version, register
from antrian.domain.priority import Priority
from antrian.domain.receipt import SessionState
from antrian.domain.settings import Settings
from consumer import lane_meter as meter
from consumer.lane.snapshot import LaneActivity, LaneSnapshot
from consumer.lane_meter import Change, LaneMeter
from consumer.observers import ProviderCall

PRIORITIES = (*(priority.name.lower() for priority in Priority), "other")

#: Failure classes that can hold a lane.
HOLDS = (
    *(one.value for one in FailureClass if one.holds_lane),
    *(one.value for one in SessionState if one is not SessionState.CONNECTED),
)

_DURATIONS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_WAITS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0)
_ATTEMPTS = (1.0, 2.0, 3.0, 4.0, 5.0, 10.0)

#: Upper bounds of the gap between two sends, as multiples of the delay: dense where it should be.
_AROUND = (0.5, 0.9, 0.99, 1.0, 1.001, 1.002, 1.005, 1.01, 1.05, 1.1, 1.5, 2.0, 5.0, 10.0, 60.0)
_MOST_DELAYS = 4
_ROUGHLY = tuple(round(0.01 * 1.5**step, 6) for step in range(30))
_WITHOUT_DELAY = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0)

_LANE = ("lane",)
RESTARTS = "antrian_lane_restarts_total"
_GAP_METRIC = Metric(
    meter.GAP, "histogram", "End of one send to the start of the next; its buckets lie around the delay.", _LANE
)

#: What happens, counted as it happens.
HAPPENINGS = (
    Metric(meter.SENDS, "counter", "Calls to the provider.", ("lane", "provider", "outcome", "priority")),
    Metric(meter.SEND_SECONDS, "histogram", "Duration of a call to the provider.", ("lane", "provider"), _DURATIONS),
    _GAP_METRIC,
    Metric(meter.GAP_VIOLATIONS, "counter", "Gaps below the delay, urgent and forced sends excepted.", _LANE),
    Metric(
        meter.WAIT,
        "histogram",
        "From publishing a message, or from the time that it was scheduled for, to sending it.",
        ("lane", "priority"),
        _WAITS,
    ),
    Metric(meter.ATTEMPTS, "histogram", "Attempts of messages that were sent or given up.", _LANE, _ATTEMPTS),
    Metric(meter.MESSAGES, "counter", "Messages that reached their end.", ("lane", "end")),
    Metric(RESTARTS, "counter", "How often the lane's own code failed, and the lane began again.", _LANE),
    Metric(
        meter.POSTPONED,
        "counter",
        "Messages laid on the delay ladder without an attempt: before their time, or for a newer consumer to read.",
        ("lane", "reason"),
    ),
    Metric(
        meter.HELD, "counter", "Messages laid on the delay ladder because of a rule of the lane.", ("lane", "reason")
    ),
)

#: The state of a lane, looked up at each scrape.
STANDINGS = (
    Metric("antrian_breaker_open", "gauge", "1 while the latest call found the provider unavailable.", _LANE),
    Metric("antrian_lane_held", "gauge", "1 while the provider throttles the lane.", ("lane", "reason")),
    Metric("antrian_consumer_paused", "gauge", "1 while an admin paused the lane.", _LANE),
    Metric("antrian_lane_state", "gauge", "1 for what the lane is doing, 0 for all else.", ("lane", "state")),
    Metric("antrian_next_send_timestamp_seconds", "gauge", "When the next send may start; 0 before the first.", _LANE),
    Metric("antrian_last_send_timestamp_seconds", "gauge", "When the provider last took a message; 0: never.", _LANE),
    Metric("antrian_ledger_entries", "gauge", "Messages that the consumer remembers.", _LANE),
    Metric("antrian_delay_seconds", "gauge", "The pause that is set between two sends.", _LANE),
    Metric(
        "antrian_sender_budget",
        "gauge",
        "Messages sent in the hour, on the day and to new contacts on the day (used_…), and the caps (cap_…, 0: none).",
        ("lane", "kind"),
    ),
    Metric("antrian_cold_contacts_held", "gauge", "1 while the sender may not write to new contacts.", _LANE),
    Metric("antrian_consumer_active", "gauge", "1 on the consumer that works on the lane, 0 on a standby.", _LANE),
    Metric("antrian_broker_connected", "gauge", "1 while the consumer is connected to the broker.", _LANE),
)

METRICS = (*HAPPENINGS, *STANDINGS, BUILD_INFO)


def gap_buckets(*delays: float) -> tuple[float, ...]:
    """Upper bounds of the gap's histogram, for lanes with these delays in seconds.

    All lanes share the bounds. Around more than a few delays there would be too many, so they then grow by a half.
    """
    distinct = set(delays)
    if len(distinct) > _MOST_DELAYS:
        return _ROUGHLY
    bounds = {round(delay * part, 6) for delay in distinct if delay for part in _AROUND}
    return tuple(sorted(bounds.union(_WITHOUT_DELAY if 0 in distinct or not distinct else ())))


class ConsumerMetrics:
    """The registry of one consumer process.

    Args:
        settings: of the process.
        registry: where the metrics are made; a new one when None.
    """

    def __init__(self, settings: Settings, registry: CollectorRegistry | None = None) -> None:
        # When each series began is a quarter of all series with many lanes, and never read.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry or CollectorRegistry()
        buckets = gap_buckets(*(lane.delay for lane in settings.lanes.values()))
        made = [replace(metric, buckets=buckets) if metric is _GAP_METRIC else metric for metric in METRICS]
        self._families = register(made, self.registry)
        self._families[BUILD_INFO.name].labels(our_version(), PYTHON).set(1)
        self._lanes: dict[str, LaneMetrics] = {}
        self._snapshots: Callable[[], Iterable[LaneSnapshot]] = tuple
        # Memory, processor time and open files, as every Prometheus client tells them.
        ProcessCollector(registry=self.registry)

    def lane(self, lane: Lane, provider: str) -> "LaneMetrics":
        """The observer of one lane; all its series exist from now on, with 0."""
        for labels in _series(lane.name, provider):
            self._families[labels.metric].labels(*labels.labels)
        observer = LaneMetrics(LaneMeter(lane.name, lane.delay), self._apply)
        if (former := self._lanes.get(lane.name)) is not None:
            observer.meter.last_sent_at = former.meter.last_sent_at
        self._lanes = self._lanes | {lane.name: observer}
        return observer

    def forget(self, lane: str) -> None:
        """A lane is served no more: its gauges end, its counters stay as they are."""
        self._lanes = {name: observer for name, observer in self._lanes.items() if name != lane}
        for change in standing(LaneSnapshot.of_an_idle(lane), 0.0, 0.0, 0.0, 0.0):
            with suppress(KeyError):  # not asked yet
                self._families[change.metric].remove(*change.labels)

    def watch(self, snapshots: Callable[[], Iterable[LaneSnapshot]]) -> None:
        """Have all lanes looked at for each answer."""
        self._snapshots = snapshots

    def render(self) -> tuple[bytes, str]:
        """All of it as it is now, and its content type."""
        for snapshot in self._snapshots():
            if (observer := self._lanes.get(snapshot.lane)) is not None:
                for change in observer.standing(snapshot):
                    self._families[change.metric].labels(*change.labels).set(change.value)
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            child: Any = self._families[change.metric].labels(*change.labels)
            if change.metric.endswith("_total"):
                child.inc(change.value)
            else:
                child.observe(change.value)


class LaneMetrics:
    """A lane's observer: hands what changes over to the registry.

    Args:
        meter: says what changes.
        apply: makes the changes.
    """

    def __init__(self, meter: LaneMeter, apply: Callable[[Iterable[Change]], None]) -> None:
        self.meter = meter
        self._apply = apply

    def standing(self, snapshot: LaneSnapshot) -> Iterable[Change]:
        """The lane's gauges now."""
        return standing(snapshot, self.meter.last_sent_at, self.meter.delay, time.monotonic(), time.time())

    def called(self, call: ProviderCall) -> None:
        """See `consumer.observers.Observer`."""
        self._apply(self.meter.called(call))

    def recorded(self, event: Event) -> None:
        """See `consumer.observers.Observer`."""
        self._apply(self.meter.recorded(event))

    def heard(self, event: Event, *, counts: bool) -> None:
        """See `consumer.observers.Observer`."""
        self._apply(self.meter.heard(event, counts=counts))

    def broken(self) -> None:
        """See `consumer.observers.Observer`."""
        self._apply([Change(RESTARTS, (self.meter.lane,))])


def standing(snapshot: LaneSnapshot, last_sent_at: float, delay: float, now: float, wall: float) -> Iterable[Change]:
    """The values of a lane's gauges.

    Args:
        snapshot: of the lane.
        last_sent_at: unix seconds.
        delay: seconds.
        now: monotonic seconds.
        wall: unix seconds, at the same moment.
    """
    lane, activity, opens_at = snapshot.lane, snapshot.activity(now), snapshot.opens_at()
    values = {
        "antrian_breaker_open": snapshot.breaker_open,
        "antrian_consumer_paused": snapshot.paused,
        "antrian_next_send_timestamp_seconds": 0.0 if math.isinf(opens_at) else round(wall + opens_at - now, 3),
        "antrian_last_send_timestamp_seconds": last_sent_at,
        "antrian_ledger_entries": snapshot.remembered,
        "antrian_delay_seconds": delay,
        "antrian_consumer_active": snapshot.connected and snapshot.active,
        "antrian_broker_connected": snapshot.connected,
        "antrian_cold_contacts_held": snapshot.cold_held,
    }
    yield from (Change(name, (lane,), float(value)) for name, value in values.items())
    yield from (Change("antrian_lane_state", (lane, one.value), float(one is activity)) for one in LaneActivity)
    for prefix, counts in (("used", snapshot.used.as_dict()), ("cap", snapshot.budget.as_dict())):
        for kind, count in counts.items():
            yield Change("antrian_sender_budget", (lane, f"{prefix}_{kind}"), float(count))
    because = snapshot.held_because(now)
    yield from (Change("antrian_lane_held", (lane, reason), float(reason == because)) for reason in HOLDS)


def _series(lane: str, provider: str) -> Iterable[Change]:
    """Every series that a lane can have, so that a rate is known from the first increase on."""
    for priority in PRIORITIES:
        yield from (Change(meter.SENDS, (lane, provider, outcome, priority)) for outcome in meter.OUTCOMES)
        yield Change(meter.WAIT, (lane, priority))
    yield Change(meter.SEND_SECONDS, (lane, provider))
    yield from (Change(meter.MESSAGES, (lane, end)) for end in ENDS.values())
    yield from (Change(meter.POSTPONED, (lane, reason)) for reason in meter.REASONS)
    yield from (Change(meter.HELD, (lane, reason)) for reason in meter.HOLD_REASONS)
    yield from (Change(name, (lane,)) for name in (meter.GAP, meter.GAP_VIOLATIONS, meter.ATTEMPTS, RESTARTS))
