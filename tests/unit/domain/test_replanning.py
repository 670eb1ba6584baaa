"""Which holds may be others by new limits."""

from dataclasses import replace

import pytest

from antrian.domain.hold import LADDER_HOLDS, HoldReason
from antrian.domain.lane_limits import NO_LIMITS, PRESETS, WarmUp, parse_windows
from antrian.domain.replanning import BY_LIMITS, replanned

_COLD = {HoldReason.COLD_CAP, HoldReason.WARM_UP}


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, set()),
        ({"daily_cap": 5, "hourly_cap": 5}, set()),
        ({"preset": "settled"}, set()),
        ({"cold_daily_cap": 5}, _COLD),
        ({"warm_up": WarmUp(1, 2, 3)}, _COLD),
        ({"recipient_gap": 5.0}, {HoldReason.RECIPIENT_GAP}),
        ({"windows": parse_windows("low=08:00-20:00")}, _COLD | {HoldReason.WINDOW}),
        ({"timezone": "Asia/Makassar"}, BY_LIMITS),
    ],
)
def test_only_what_a_limit_led_to_is_planned_again(change: dict[str, object], reasons: set[HoldReason]) -> None:
    after = replace(NO_LIMITS, **change)  # type: ignore[arg-type]

    assert replanned(NO_LIMITS, after) == replanned(after, NO_LIMITS) == reasons


def test_no_limit_ends_the_refusal_of_new_contacts() -> None:
    assert LADDER_HOLDS - {HoldReason.COLD_HELD} == BY_LIMITS
    assert HoldReason.COLD_HELD not in replanned(PRESETS["new-number"], NO_LIMITS)
