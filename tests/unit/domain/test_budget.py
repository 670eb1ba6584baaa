"""The caps in force, and how a warm-up grows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.budget import Budget, budget, cold_caps
from antrian.domain.lane_limits import LARGEST_CAP, NO_LIMITS, PRESETS, Limits, WarmUp

DAY = 86_400
#: 23:30 on the clocks of Jakarta, 17:30 in Berlin.
LATE = 1_764_433_800.0


@pytest.mark.parametrize(
    ("ramp", "caps"),
    [
        ("20x1.5..100", [20, 30, 45, 67, 100]),
        ("10x2..40", [10, 20, 40]),
        ("100x1.15..200", [100, 115, 132, 152, 174, 200]),
        ("7x1..7", [7]),
        ("50x9..60", [50, 60]),
    ],
)
def test_a_warm_up_grows_to_its_ceiling(ramp: str, caps: list[int]) -> None:
    assert WarmUp.parse(ramp).caps() == caps
    assert WarmUp.parse(ramp).cap_on(10**9) == caps[-1]
    assert WarmUp.parse(ramp).cap_on(0) == caps[0]


@given(st.integers(1, 1000), st.floats(1, 999), st.integers(0, LARGEST_CAP - 1000), st.integers(1, 10**7))
def test_a_warm_up_never_falls_and_never_passes_its_ceiling(first: int, factor: float, more: int, day: int) -> None:
    ramp = WarmUp(first, round(factor, 6), first + more)
    assert first <= ramp.cap_on(day) <= ramp.cap_on(day + 1) <= ramp.ceiling
    assert ramp.cap_on(day + 1) >= min(ramp.ceiling, math.floor(ramp.cap_on(day) * ramp.factor + 1e-6)) - 1 * (day > 0)


def test_a_ramp_replaces_the_cold_cap_and_its_days_are_those_of_the_lanes_zone() -> None:
    limits = PRESETS["new-number"]
    assert budget(limits, None, LATE) == Budget(0, 1000, 20, 1)
    assert budget(limits, LATE, LATE + 29 * 60) == Budget(0, 1000, 20, 1)
    assert budget(limits, LATE, LATE + 30 * 60) == Budget(0, 1000, 30, 2)
    assert budget(limits, LATE, LATE + 9 * DAY) == Budget(0, 1000, 100, 10)
    # The clock was set back to before the first send: it is the first day still.
    assert budget(limits, LATE + 5 * DAY, LATE) == Budget(0, 1000, 20, 1)


def test_without_a_ramp_the_cap_is_every_days_and_with_neither_there_is_none() -> None:
    assert budget(PRESETS["settled"], LATE, LATE + DAY) == Budget(0, 1000, 100, None)
    assert budget(Limits(hourly_cap=9), LATE, LATE) == Budget(9, 0, 0, None)
    assert cold_caps(NO_LIMITS, LATE, LATE) is None


def test_a_budget_is_read_from_an_event_as_it_was_written() -> None:
    caps = Budget(100, 1000, 45, 3)
    assert Budget.read(caps.as_dict(), 3) == caps
    assert Budget.read({"hour": -5, "day": "many"}, "x") == Budget.read(None) == Budget()
