"""What Prometheus may read of a publisher, for applications that have prometheus-client and want it.

from prometheus_client import REGISTRY
from publisher import Publisher
from publisher.metrics import instrument
publisher = Publisher()
instrument(publisher, REGISTRY)

Nothing else imports this module, so that a publisher needs no prometheus-client.
"""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from antrian.domain.metric import Metric, register
from publisher.client import Publisher
from publisher.pipeline import Result

INVALID = "invalid"
_OUTCOMES = {
    Result.ACCEPTED: "accepted",
    Result.UNROUTABLE: "unroutable",
    Result.NOT_ACCEPTED: "unavailable",
    Result.REFUSED: "unavailable",
    Result.UNKNOWN: "unknown",
}
OUTCOMES = (*dict.fromkeys(_OUTCOMES.values()), INVALID)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

METRICS = (
    Metric("antrian_published_total", "counter", "Messages that an application published, by outcome.", ("outcome",)),
    Metric(
        "antrian_publish_confirm_seconds",
        "histogram",
        "From handing a message over to the broker's confirm, refusals and lost confirms included.",
        (),
        _SECONDS,
    ),
    Metric("antrian_publish_in_flight", "gauge", "Messages handed over and not confirmed yet."),
)


def instrument(publisher: Publisher, registry: CollectorRegistry) -> "PublishMetrics":
    """Count what a publisher does.

    Args:
        publisher: which publisher.
        registry: where the metrics are made; once for each registry. For a second publisher, call `watch` of what is
            returned.
    """
    metrics = PublishMetrics(registry)
    metrics.watch(publisher)
    return metrics


class PublishMetrics:
    """Counts for one registry; several publishers may share it.

    Args:
        registry: where the metrics are made.
        clock: monotonic seconds.
    """

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.perf_counter) -> None:
        families = register(METRICS, registry)
        published, self._seconds, self._in_flight = families.values()
        self._published = {outcome: published.labels(outcome) for outcome in OUTCOMES}
        self._clock = clock

    def watch(self, publisher: Publisher) -> None:
        """Count what this publisher does from now on."""
        publisher.watch = self

    def track(self) -> "_Track":
        """See `publisher.instrumentation.Watch`."""
        self._in_flight.inc()
        return _Track(self._ended, self._clock())

    def refused(self) -> None:
        """See `publisher.instrumentation.Watch`."""
        self._published[INVALID].inc()

    def _ended(self, result: Result, began: float) -> None:
        self._in_flight.dec()
        self._seconds.observe(self._clock() - began)
        self._published[_OUTCOMES[result]].inc()


class _Track:
    __slots__ = ("_began", "_enders")

    def __init__(self, ended: Callable[[Result, float], None], began: float) -> None:
        # Taken out by the one that comes first: the pipeline's thread, or a caller that gives up waiting.
        self._enders = [ended]
        self._began = began

    def end(self, result: Result) -> None:
        try:
            ended = self._enders.pop()
        except IndexError:
            return
        ended(result, self._began)
