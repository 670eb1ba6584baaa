"""When the last message leaves, what is held included: a figure where there is one, and else what a plan must say."""

from typing import Any

import pytest
from factories import NOW, make_event, make_settings

from antrian.broker.lane_state import PauseState
from antrian.domain.hold import HoldReason
from antrian.domain.lane_limits import NO_LIMITS, Limits, Window
from antrian.domain.priority import Priority
from antrian.domain.send_window import next_day_start
from antrian.operations.lane.activity import Activity
from antrian.operations.lane.eta import eta_of, eta_seconds
from antrian.operations.lane.held_forecast import NOTHING_HELD, HeldMessages, with_held
from antrian.operations.lane.status import Counts, Status, status_of

#: Seconds that an attempt is taken to last.
TOOK = 0.5
EACH = 10 + TOOK
ZONE = "Asia/Jakarta"


def lane(ready: int, *, paused: bool = False, used: dict[str, int] | None = None, **caps: int) -> Status:
    activity = Activity("default")
    if used is not None:
        activity.apply(make_event("barrier", "mark", at=NOW, used=used, budget=caps, warm_up_day=None))
    counts = Counts(ready=ready, consumers=1, listening=True, delayed=0, dead=0)
    settings = make_settings(WHATSAPP_QUEUE_DELAY="10")
    return status_of("default", counts, activity, PauseState(paused), settings=settings, now=NOW)


def held(*due_in: float, reason: HoldReason = HoldReason.COLD_CAP, count: int = 0) -> HeldMessages:
    return HeldMessages(count or len(due_in), frozenset({reason}), [(NOW + seconds, 1) for seconds in due_in])


def test_without_holds_nothing_changes() -> None:
    plain = lane(5)
    known = with_held(plain, NOTHING_HELD, NO_LIMITS)
    assert (known.estimated_time, known.held, known.estimate_needs_plan) == (plain.estimated_time, 0, None)
    assert with_held(plain, None, NO_LIMITS).held is None


@pytest.mark.parametrize(
    ("ready", "holds", "seconds"),
    [
        # They do not leave at once, but when the ladder gives them back.
        (0, held(3600), 3600 + TOOK),
        (2, held(3600), 3600 + TOOK),
        # Those that come back together leave at the lane's pace.
        (0, held(3600, 3600, 3600), 3600 + 2 * EACH + TOOK),
        # What waits goes before what comes back meanwhile.
        (10, held(1), 10 * EACH + TOOK),
    ],
)
def test_the_end_is_when_the_last_held_message_leaves(ready: int, holds: HeldMessages, seconds: float) -> None:
    known = with_held(lane(ready), holds, NO_LIMITS)
    assert known.estimated_time == pytest.approx(seconds, abs=0.01)
    assert known.held == holds.count


def test_of_a_paused_lane_it_is_told_from_a_resume_on() -> None:
    known = with_held(lane(1, paused=True), held(3600), NO_LIMITS)
    assert (known.estimated_time, known.estimate_after_resume) == (None, pytest.approx(3600 + TOOK))


@pytest.mark.parametrize(
    ("status", "holds", "limits", "expected"),
    [
        (lane(1), held(3600, reason=HoldReason.COLD_HELD), NO_LIMITS, HoldReason.COLD_HELD),
        (lane(1), held(60, count=30_000), NO_LIMITS, HoldReason.COLD_CAP),
        (lane(11, used={"day": 0}, day=10), NOTHING_HELD, NO_LIMITS, HoldReason.DAILY_CAP),
        (lane(0, used={"day": 9}, day=10), held(60, 60), NO_LIMITS, HoldReason.DAILY_CAP),
        (lane(3, used={"hour": 9}, hour=10, day=100), NOTHING_HELD, NO_LIMITS, HoldReason.HOURLY_CAP),
        # Nine hours of messages, and it is three in the afternoon.
        (
            lane(3_000),
            NOTHING_HELD,
            Limits(windows=(Window(Priority.LOW, 8 * 60, 20 * 60),), timezone=ZONE),
            HoldReason.WINDOW,
        ),
    ],
)
def test_where_only_a_plan_can_tell_there_is_no_figure_but_a_reason(
    status: Status, holds: HeldMessages, limits: Limits, expected: HoldReason
) -> None:
    known = with_held(status, holds, limits)
    assert (known.estimated_time, known.estimate_needs_plan) == (None, expected)


def test_a_cap_that_is_not_reached_leaves_the_figure() -> None:
    tomorrow = next_day_start(ZONE, NOW) - NOW
    known = with_held(lane(5, used={"day": 4}, day=10), held(*[tomorrow + 60] * 10), Limits(timezone=ZONE))
    assert known.estimated_time == pytest.approx(tomorrow + 60 + 9 * EACH + TOOK, abs=0.1)


def test_etas_end_where_a_cap_may_hold_the_message() -> None:
    free = lane(30, used={"day": 0}, day=10)
    assert eta_seconds(free, 9) == pytest.approx(9 * EACH)
    assert eta_seconds(free, 10) is None
    used_up = lane(30, used={"day": 10}, day=10)
    assert used_up.hold.until is not None
    assert eta_seconds(used_up, 9) == pytest.approx(used_up.hold.until - NOW + 9 * EACH)
    assert eta_seconds(used_up, 10) is None
    assert eta_seconds(lane(30), 29) == pytest.approx(29 * EACH)


def test_etas_are_told_for_open_windows_only() -> None:
    limits = Limits(windows=(Window(Priority.LOW, 8 * 60, 20 * 60),), timezone=ZONE)
    status = lane(9)
    told: list[Any] = [eta_of(priority, status, limits, 8) is None for priority in (1, 5, 9, 10)]
    is_closed = eta_of(1, status, Limits(windows=(Window(Priority.LOW, 0, 60),), timezone=ZONE), 0) is None
    assert (told, is_closed) == ([False, False, False, False], True)
