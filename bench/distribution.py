"""What many measurements of one thing come down to; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Self


@dataclass(frozen=True, slots=True)
class Distribution:
    """Five figures, in the unit of the values that they were made from.

    Attributes:
        count: how many values there were.
        smallest: the least of them.
        median: the middle one; of an even number, the mean of the middle two.
        p99: the value that 99 in 100 do not pass; always one that occurred.
        largest: the greatest of them.
    """

    count: int
    smallest: float
    median: float
    p99: float
    largest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The figures of at least one value, in any order.

        Raises:
            ValueError: there is no value.
        """
        if not values:
            raise ValueError("nothing was measured")
        ordered = sorted(values)
        return cls(len(ordered), ordered[0], median(ordered), percentile(ordered, 99), ordered[-1])


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The least value that `percent` of all do not pass (nearest rank).

    Args:
        ordered: at least one value, ascending.
        percent: above 0, up to 100.
    """
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def gaps(moments: Sequence[float]) -> list[float]:
    """The time between each two neighbours of ascending moments."""
    return [later - earlier for earlier, later in pairwise(moments)]
