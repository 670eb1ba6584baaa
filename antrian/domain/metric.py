"""A metric as a value: what it is called, what it means and which labels it has.

Each process lists its own (`consumer/metrics.py`, `publisher/metrics.py`, `admin_api/metrics.py`); the reference
in the docs is made from these lists. Names and units follow Prometheus: base units, `_total` for counters. Every label
has few values; a phone number, a message id, a key or a text is never one.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as Prometheus knows it; a histogram adds `_bucket`, `_sum` and `_count`.
        kind: `counter`, `gauge` or `histogram`.
        meaning: one sentence.
        labels: their names, in order.
        buckets: upper bounds, for a histogram.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


BUILD_INFO = Metric("antrian_build_info", "gauge", "1, with the versions that run.", ("version", "python"))

#: What every process tells of its build, as labels of `antrian_build_info`.
PYTHON = platform.python_version()


def our_version() -> str:
    """Antrian's own version; `unknown` where it runs without being installed."""
    try:
        return version("antrian")
    except PackageNotFoundError:
        return "unknown"


def register(metrics: Sequence[Metric], registry: "CollectorRegistry") -> Mapping[str, Any]:
    """Make the metrics in a registry, and return prometheus-client's objects by name."""
    # Imported late: a publisher need not have it.
    from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415

    def make(metric: Metric) -> Counter | Gauge | Histogram:
        if metric.kind == "histogram":
            return Histogram(metric.name, metric.meaning, metric.labels, registry=registry, buckets=metric.buckets)
        kind = Counter if metric.kind == "counter" else Gauge
        return kind(metric.name, metric.meaning, metric.labels, registry=registry)

    return {metric.name: make(metric) for metric in metrics}
