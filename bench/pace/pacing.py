"""What a row of arrivals says about the pace; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bench.distribution import Distribution, gaps


@dataclass(frozen=True, slots=True)
class Pacing:
    """The gaps between sends.

    Attributes:
        delay: the pause that was asked for, in seconds.
        gaps: between one arrival and the next, in seconds.
        shorter: how many gaps are shorter than the delay.
    """

    delay: float
    gaps: Distribution
    shorter: int

    @property
    def overhead(self) -> float:
        """What the median gap has over the delay, in seconds; the send itself included."""
        return self.gaps.median - self.delay

    @classmethod
    def of(cls, moments: Sequence[float], delay: float) -> Self:
        """The pacing of at least two arrivals, in unix seconds, ascending."""
        between = gaps(moments)
        return cls(delay, Distribution.of(between), sum(gap < delay for gap in between))
