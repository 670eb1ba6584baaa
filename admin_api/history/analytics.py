"""Minutes as stretches of any length; pure."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from admin_api.history.records import Bucket

#: Stretches that one question may ask for.
MOST_BUCKETS = 10_000


def buckets(
    minutes: Sequence[Sequence[Any]],
    waits: Sequence[Sequence[Any]],
    waiting: int,
    *,
    since: float,
    until: float,
    step: float,
) -> list[Bucket]:
    """Every stretch from `since` to `until`, oldest first.

    Args:
        minutes: (minute since 1970, queued, sent, failed, dead, by how many those without an end grew), all since then.
        waits: (minute since 1970, priority, messages sent, seconds that they had waited in all).
        waiting: messages without an end now.
        since: unix seconds.
        until: unix seconds.
        step: seconds of each stretch; minutes are not divided.
    """
    count = min(max(0, math.ceil((until - since) / step)) if step > 0 else 0, MOST_BUCKETS)
    sums = [[0, 0, 0, 0, 0] for _ in range(count)]
    later = 0
    for minute, *values in minutes:
        index = _index(minute, since, step)
        if index >= count:
            later += values[4]
        else:
            sums[index] = [old + new for old, new in zip(sums[index], values, strict=True)]
    means = _means(waits, since, step)
    found: list[Bucket] = []
    at_end = waiting - later
    for index in reversed(range(count)):
        queued, sent, failed, dead, opened = sums[index]
        found.append(Bucket(since + index * step, queued, sent, failed, dead, max(0, at_end), means.get(index, {})))
        at_end -= opened
    return found[::-1]


def _index(minute: int, since: float, step: float) -> int:
    """Which stretch a minute belongs to: the one that it begins in; the first, if it began before that."""
    return int(max(0.0, minute * 60 - since) // step)


def _means(waits: Sequence[Sequence[Any]], since: float, step: float) -> dict[int, dict[int, float]]:
    counts: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0, 0.0])
    for minute, priority, count, seconds in waits:
        sums = counts[_index(minute, since, step), priority]
        sums[0] += count
        sums[1] += seconds
    means: dict[int, dict[int, float]] = defaultdict(dict)
    for (index, priority), (count, seconds) in sorted(counts.items()):
        means[index][priority] = seconds / count
    return means
