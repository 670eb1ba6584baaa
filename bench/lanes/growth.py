"""How a figure grows with the number of lanes; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import LinearRegression, linear_regression
from typing import Self

#: The largest power of the number of lanes that still counts as linear: 1, and what a busy machine adds to it.
_LINEAR = 1.2


@dataclass(frozen=True, slots=True)
class Growth:
    """A figure over the number of lanes.

    Attributes:
        slope: by least squares, units of the figure for each lane more.
        intercept: by the same, for no lane.
        power: by least squares over the logarithms: 1 grows in proportion, 2 with the square, 0 not at all.
    """

    slope: float
    intercept: float
    power: float

    @property
    def is_linear(self) -> bool:
        """Whether the figure grows no faster than the number of lanes."""
        return self.power <= _LINEAR

    @classmethod
    def of(cls, lanes: Sequence[int], values: Sequence[float]) -> Self:
        """The growth over at least two numbers of lanes.

        Args:
            lanes: above 0, no two alike.
            values: one figure for each, above 0.

        Raises:
            ValueError: there are fewer than two.
        """
        if len(lanes) < 2:
            raise ValueError("growth needs two numbers of lanes")
        line: LinearRegression = linear_regression(lanes, values)
        power = linear_regression([math.log(count) for count in lanes], [math.log(value) for value in values])
        return cls(line.slope, line.intercept, power.slope)
