"""What a plan begins with, as broker and history tell it."""

from dataclasses import replace

import pytest
from factories import NOW as WHOLE_HOUR
from factories import make_event, make_settings

from antrian.broker.lane_state import PauseState
from antrian.domain.hold import HoldReason
from antrian.domain.lane import Lane
from antrian.domain.lane_limits import PRESETS, Limits
from antrian.domain.priority import Priority
from antrian.domain.send_window import day_of, day_start
from antrian.domain.usage import Used
from antrian.history.records import DelayedCount, HeldCount, MessageState
from antrian.operations.lane import plan_facts
from antrian.operations.lane.activity import Activity
from antrian.operations.lane.hold_summary import LaneWaits
from antrian.operations.lane.plan_facts import backlog_of, doubts, start_of
from antrian.operations.lane.plan_play import used_already
from antrian.operations.lane.status import Counts, Status, status_of

NOW = WHOLE_HOUR + 60
LANE = Lane(name="default", limits=PRESETS["new-number"])
HOUR, DAY = 3_600, 86_400
COLD = HeldCount("warm_up", "warm_up 20x1.5..100 day 1: 20", 3, NOW + DAY, NOW + 3 * DAY, NOW + 3 * DAY, NOW - DAY)
REFUSED = HeldCount("cold_held", "cold_refused", 2, NOW + HOUR, NOW + HOUR, NOW + HOUR, NOW)
LATE = HeldCount("window", "window low=08:00-20:00 Asia/Jakarta", 1, NOW + 9, NOW + 9, NOW + 9, NOW)
DELAYED = DelayedCount(MessageState.RETRYING, 2, NOW + 30, NOW + 60)
WAITING = LaneWaits(normal=5, urgent=2, held=(COLD, REFUSED, LATE), delayed=(DELAYED,))


def status(ready: int, *, paused: bool = False) -> Status:
    activity = Activity("default")
    used, caps = {"hour": 4, "day": 30, "cold": 12}, {"hour": 0, "day": 1000, "cold": 45}
    activity.apply(make_event("sending", "a", at=NOW - 4, used=used, budget=caps, warm_up_day=3))
    activity.apply(make_event("sent", "a", at=NOW - 3, pause=10.0, delay=10.0, jitter=2.0))
    counts = Counts(ready=ready, consumers=1, listening=True, delayed=0, dead=0)
    state = PauseState(paused=paused, actor="cli:ani", since=NOW - 60)
    return status_of("default", counts, activity, state, settings=make_settings(), now=NOW)


def test_a_plan_begins_with_what_was_sent_and_what_is_left_of_the_pause() -> None:
    start = start_of(LANE, status(7), WAITING, NOW)
    assert start.opens_at == pytest.approx(NOW + 7)
    assert start.used == Used(4, 30, 12)
    assert start.tempo.terms.jitter == 2
    assert start.tempo.mean_attempt == pytest.approx(1.0)
    # It is day 3 of the warm-up.
    zone = LANE.limits.timezone
    assert start.first_cold_at is not None
    assert (day_of(zone, NOW) - day_of(zone, start.first_cold_at)).days == 2
    assert start.cold_held_until == NOW + HOUR


def test_what_waits_is_counted_by_the_broker_and_told_apart_by_the_history() -> None:
    backlog = backlog_of(LANE, status(10), WAITING, NOW)
    now = [one.candidate.priority for one in backlog if not one.due_at]
    assert sorted(now) == [Priority.NORMAL] * 8 + [Priority.URGENT] * 2
    cold = [one for one in backlog if one.candidate.is_cold]
    assert [round(one.due_at - NOW) for one in cold] == [DAY, 2 * DAY, 3 * DAY, HOUR, HOUR]
    assert all(one.slot == day_of(LANE.limits.timezone, one.due_at) for one in cold)
    known = [round(one.due_at - NOW) for one in backlog if one.due_at and not one.candidate.is_cold]
    assert sorted(known) == [9, 30, 60]
    assert len({one.candidate.message_id for one in backlog}) == len(backlog)


def test_without_broker_or_history_a_plan_says_what_it_does_not_know() -> None:
    alone = start_of(LANE, None, None, NOW)
    assert (alone.used, alone.opens_at, backlog_of(LANE, None, None, NOW)) == (Used(), 0.0, [])
    assert doubts(None, None, []) == [plan_facts.NO_BROKER]
    without_history = backlog_of(LANE, status(3), None, NOW)
    assert len(without_history) == 3
    assert doubts(status(3), None, without_history) == [plan_facts.NO_HISTORY, plan_facts.BACKLOG_KNOWN]
    assert doubts(status(0, paused=True), WAITING, []) == [plan_facts.IS_PAUSED]
    stopped = replace(status(0), running=False)
    assert doubts(stopped, WAITING, []) == [plan_facts.NO_CONSUMER]


@pytest.mark.parametrize("used", [Used(), Used(3, 3, 3), Used(2, 9, 4), Used(5, 5, 0)])
@pytest.mark.parametrize("hour", [0.2, 13.5])
def test_what_was_used_is_used_in_the_play(used: Used, hour: float) -> None:
    zone = Limits().timezone
    now = day_start(zone, day_of(zone, NOW)) + hour * HOUR
    told = used if hour > 1 else replace(used, day=used.hour, cold=min(used.cold, used.hour))
    usage = used_already(told, zone, now)
    assert usage.used(zone, now) == told
    assert usage.used(zone, now + HOUR) == replace(told, hour=0)


def test_a_provider_that_is_away_is_taken_to_be_back() -> None:
    away = replace(status(2), hold=replace(status(2).hold, reason=HoldReason.PROVIDER_AWAY))
    assert start_of(LANE, away, WAITING, NOW).opens_at == NOW
    assert plan_facts.IS_DOWN in doubts(away, WAITING, [])
