"""Minutes as stretches of any length; pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from antrian.history.projection import wait_histogram
from antrian.history.projection.bucket import Bucket, WaitFigures


def buckets(
    minutes: Sequence[Sequence[Any]],
    waits: Iterable[Sequence[Any]],
    waiting: int,
    *,
    edges: Sequence[float],
    known: tuple[float, float],
) -> list[Bucket]:
    """Every stretch between two edges, oldest first.

    Args:
        minutes: (minute since 1970, queued, sent, failed, dead, by how many those without an end grew, by how many when
            they were most), all since the first edge, oldest first.
        waits: (unix seconds, priority, messages sent, seconds that they had waited in all, packed histogram).
        waiting: messages without an end now.
        edges: unix seconds, oldest first; minutes are not divided.
        known: from when until when anything is known; a stretch outside has no figures.
    """
    count = max(0, len(edges) - 1)
    parts: list[list[Sequence[Any]]] = [[] for _ in range(count)]
    level = waiting
    for minute in minutes:
        index = _index(minute[0] * 60, edges)
        if index < count:
            parts[index].append(minute)
        else:
            level -= minute[5]
    figures = _figures(waits, edges)
    found: list[Bucket] = []
    for index, (start, end) in reversed(list(enumerate(pairwise(edges)))):
        at_end = level
        highest, level = _levels(parts[index], at_end)
        if end <= known[0] or start > known[1]:
            found.append(Bucket(start, end))
            continue
        queued, sent, failed, dead = (sum(minute[column] for minute in parts[index]) for column in range(1, 5))
        waits_here = figures.get(index, {})
        found.append(
            Bucket(start, end, queued, sent, failed, dead, max(0, at_end), max(0, highest), waits_here),
        )
    return found[::-1]


def _index(at: float, edges: Sequence[float]) -> int:
    """Which stretch a moment belongs to; what came before the first belongs to the first."""
    return max(0, bisect_right(edges, at) - 1)


def _levels(minutes: Sequence[Sequence[Any]], at_end: int) -> tuple[int, int]:
    """How many messages had no end when they were most, and at the beginning."""
    highest = level = at_end
    for minute in reversed(minutes):
        level -= minute[5]
        highest = max(highest, level + minute[6])
    return highest, level


def _figures(waits: Iterable[Sequence[Any]], edges: Sequence[float]) -> dict[int, Mapping[str, WaitFigures]]:
    sums: dict[tuple[int, str], list[Any]] = defaultdict(lambda: [0, 0.0, 0])
    for at, priority, count, seconds, packed in waits:
        one = sums[_index(at, edges), priority]
        one[0] += count
        one[1] += seconds
        one[2] += wait_histogram.unpack(packed)
    found: dict[int, dict[str, WaitFigures]] = defaultdict(dict)
    for (index, priority), (count, seconds, histogram) in sorted(sums.items()):
        found[index][priority] = wait_figures(count, seconds, histogram)
    return dict(found)


def wait_figures(count: int, seconds: float, histogram: int) -> WaitFigures:
    """What a histogram says, in the words of charts and reports."""
    half, most = (wait_histogram.percentile(histogram, part) or 0.0 for part in (0.5, 0.95))
    return WaitFigures(count, seconds / count if count else 0.0, half, most)
