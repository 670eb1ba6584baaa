"""A plan, and what the product's own tick makes of the same messages on a virtual clock."""

import random

import pytest
from factories import make_message
from virtual_lane import VirtualLane

from antrian.domain.lane_limits import NO_LIMITS, Limits, WarmUp, parse_windows
from antrian.domain.priority import Priority
from antrian.operations.lane.forecast import Tempo
from antrian.operations.lane.plan import PlannedRecipient, PlanQuestion, make_plan
from antrian.operations.lane.plan_play import PlayStart
from antrian.operations.lane.recent_attempts import Attempt, Terms

#: 10:00 on the clocks of Jakarta.
NOW = 1_764_385_200.0

#: How long attempts take, seconds.
ATTEMPTS = (0.3, 0.5, 0.5, 1.1)
JITTER = 2.0


@pytest.mark.parametrize(
    ("limits", "messages", "every_cold", "delay", "priority"),
    [
        pytest.param(NO_LIMITS, 300, 0, 10.0, Priority.NORMAL, id="plain"),
        pytest.param(Limits(daily_cap=60, hourly_cap=20), 160, 0, 10.0, Priority.NORMAL, id="caps"),
        pytest.param(
            Limits(warm_up=WarmUp(10, 1.5, 40), recipient_gap=60.0), 250, 2, 10.0, Priority.NORMAL, id="warm-up"
        ),
        pytest.param(
            Limits(windows=parse_windows("low=08:00-20:00"), cold_daily_cap=40, hourly_cap=50),
            900,
            8,
            60.0,
            Priority.LOW,
            id="windows",
        ),
    ],
)
def test_a_plan_is_within_two_percent_of_what_the_tick_does(
    limits: Limits, messages: int, every_cold: int, delay: float, priority: Priority
) -> None:
    people = [
        PlannedRecipient(f"+62812{10_000_000 + number}", is_cold=bool(every_cold) and number % every_cold == 0)
        for number in range(messages)
    ]
    chance = random.Random(1)
    # The pauses of the product.
    random.seed(1)
    lane = VirtualLane(
        limits,
        delay=delay,
        jitter=JITTER,
        began_at=NOW,
        attempt=lambda: chance.choice(ATTEMPTS),
        known=[one.recipient for one in people if not one.is_cold],
    )
    lane.publish_and_send(
        make_message(f"m{number}", phone=one.recipient, priority=priority) for number, one in enumerate(people)
    )
    assert len(lane.sent) == messages
    took = lane.sent[-1] - NOW

    attempts = [Attempt(str(number), 1, NOW, ATTEMPTS[number % 4]) for number in range(100)]
    start = PlayStart(now=NOW, limits=limits, tempo=Tempo(attempts, Terms(delay, JITTER)))
    plan = make_plan("default", PlanQuestion(recipients=people, priority=priority), start, [], [], effort=3_000)
    assert plan.finish_p50 - NOW == pytest.approx(took, rel=0.02)
