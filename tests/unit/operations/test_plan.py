"""When so many messages would be sent, what holds them, and how many senders a deadline takes."""

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from antrian.domain.hold import Candidate, HoldReason
from antrian.domain.lane_limits import NO_LIMITS, PRESETS, Limits, WarmUp, parse_windows
from antrian.domain.priority import Priority
from antrian.domain.send_window import day_of, day_start, is_open
from antrian.domain.usage import Used
from antrian.operations.lane.forecast import Tempo
from antrian.operations.lane.plan import LIKE_THE_LATEST, MANY, Plan, PlannedRecipient, PlanQuestion, make_plan
from antrian.operations.lane.plan_play import Play, PlayedMessage, PlayStart
from antrian.operations.lane.recent_attempts import Attempt, Terms

JAKARTA = "Asia/Jakarta"
#: 10:00 on the clocks of Jakarta.
NOW = 1_764_385_200.0
HOUR, DAY = 3_600, 86_400


def start(limits: Limits = NO_LIMITS, *, delay: float = 10.0, jitter: float = 0.0, **more: Any) -> PlayStart:
    attempts = more.pop("attempts", [Attempt("a", 1, NOW, 1.0)])
    return PlayStart(now=NOW, limits=limits, tempo=Tempo(attempts, Terms(delay, jitter)), **more)


def ask(lane: PlayStart, backlog: Sequence[PlayedMessage] = (), **question: Any) -> Plan:
    return make_plan("default", PlanQuestion(**question), lane, backlog, [], effort=2_000)


def waiting(number: int, **fields: Any) -> PlayedMessage:
    values = {"recipient": "", "priority": Priority.NORMAL, "is_cold": False, "timezone": JAKARTA}
    due_at = fields.pop("due_at", 0.0)
    return PlayedMessage(Candidate(message_id=f"w{number}", **(values | fields)), due_at)


def held(plan: Plan) -> dict[HoldReason, int]:
    return {one.reason: one.messages for one in plan.held}


def test_without_limits_a_message_goes_after_each_pause() -> None:
    plan = ask(start(), messages=100)
    # 100 attempts of a second, and 99 pauses between them.
    assert plan.finish_p50 - NOW == pytest.approx(100 + 99 * 10)
    assert held(plan) == {HoldReason.PACE: 100}
    assert plan.senders_needed is None


def test_jitter_and_other_attempts_lay_the_end_open() -> None:
    slow_and_quick = [Attempt(str(number), 1, NOW, 0.5 + number % 2) for number in range(100)]
    plan = ask(start(jitter=5.0, attempts=slow_and_quick), messages=100)
    mean = 100 * 1.0 + 99 * 12.5
    assert plan.finish_p50 - NOW == pytest.approx(mean, rel=0.02)
    assert 0 < plan.finish_p90 - plan.finish_p50 < 0.05 * mean
    assert plan == ask(start(jitter=5.0, attempts=slow_and_quick), messages=100)
    assert LIKE_THE_LATEST in plan.assumptions


def test_caps_of_the_lane_spread_messages_over_hours_and_days() -> None:
    plan = ask(start(Limits(daily_cap=50, hourly_cap=20), used=Used(15, 45, 0)), messages=100)
    # Five more today, fifty tomorrow (20, 20, 10 from midnight on), 45 on the day after: 20, 20 and 5.
    last = day_start(JAKARTA, date(2025, 12, 1)) + 2 * HOUR + 4 * 11 + 1
    assert plan.finish_p50 == pytest.approx(last)
    assert held(plan) == {HoldReason.DAILY_CAP: 95, HoldReason.HOURLY_CAP: 75, HoldReason.PACE: 100}


def test_a_warm_up_lets_more_new_contacts_go_each_day_and_known_ones_at_once() -> None:
    limits = Limits(warm_up=WarmUp(10, 2, 40))
    end = Play(start(limits), [waiting(number, is_cold=number % 2 == 0) for number in range(200)], 0).run()
    days = {(day - date(2025, 11, 29)).days: sent for day, sent in end.sent.items()}
    assert days == {0: 10 + 100, 1: 20, 2: 40, 3: 30}
    assert end.held[HoldReason.WARM_UP].messages == 90


def test_windows_are_those_of_the_recipient_and_nothing_goes_outside_of_them() -> None:
    limits = Limits(windows=parse_windows("low=08:00-20:00"))
    people = [PlannedRecipient(f"+62812{number:08}", is_cold=False, timezone="Asia/Jayapura") for number in range(100)]
    late = start(limits, opens_at=NOW + 7.95 * HOUR)
    plan = ask(late, recipients=people, priority=Priority.LOW)
    # It is 12:00 in Jayapura, and 19:57 when the lane opens: 180 s of 11 each leave room for 17.
    opens = day_start("Asia/Jayapura", date(2025, 11, 30)) + 8 * HOUR
    assert plan.finish_p50 == pytest.approx(opens + 82 * 11 + 1)
    assert held(plan) == {HoldReason.WINDOW: 83, HoldReason.PACE: 100}
    (window,) = limits.windows
    assert is_open(window, "Asia/Jayapura", plan.finish_p50)


def test_two_messages_to_one_person_keep_their_gap_and_the_second_is_no_stranger() -> None:
    limits = Limits(recipient_gap=600.0, cold_daily_cap=1)
    twice = [PlannedRecipient("+6281200000001", is_cold=True)] * 2
    plan = ask(start(limits), recipients=twice)
    assert plan.finish_p50 - NOW == pytest.approx(601)
    assert held(plan) == {HoldReason.RECIPIENT_GAP: 1, HoldReason.PACE: 2}


def test_what_waits_already_goes_first_and_an_urgent_message_before_it() -> None:
    backlog = [waiting(number) for number in range(50)] + [waiting(99, due_at=NOW + 60)]
    assert ask(start(), backlog, messages=10).finish_p50 - NOW == pytest.approx(59 * 11 + 1)
    assert ask(start(), backlog, messages=10, priority=Priority.URGENT).finish_p50 - NOW == pytest.approx(9 * 11 + 1)
    # Nothing is asked for: the plan is about what waits.
    plan = ask(start(), backlog)
    assert plan.messages == 51
    assert plan.finish_p50 - NOW == pytest.approx(50 * 11 + 1)


def test_urgent_messages_pass_caps_and_windows() -> None:
    limits = Limits(daily_cap=1, hourly_cap=1, windows=parse_windows("normal=00:00-00:01"))
    plan = ask(start(limits, used=Used(1, 1, 0)), messages=20, priority=Priority.URGENT)
    assert held(plan) == {HoldReason.PACE: 20}


def test_failed_attempts_come_back_and_use_up_nothing() -> None:
    failing = [Attempt(str(number), 1, NOW, 1.0, retry_in=30.0 if number % 2 else None) for number in range(100)]
    again = [Attempt(str(number), 2, NOW, 1.0) for number in range(10)]
    plan = ask(start(Limits(daily_cap=100), attempts=[*failing, *again]), messages=100)
    assert held(plan)[HoldReason.RETRY] == pytest.approx(50, abs=15)
    assert plan.finish_p50 - NOW == pytest.approx(150 * 11, rel=0.1)


def test_cold_contacts_wait_for_the_end_of_a_refusal() -> None:
    plan = ask(start(cold_held_until=NOW + DAY), messages=10, cold=0.5)
    assert plan.finish_p50 - NOW == pytest.approx(DAY + 4 * 11 + 1)
    assert held(plan) == {HoldReason.COLD_HELD: 5, HoldReason.PACE: 10}


@pytest.mark.parametrize(
    ("deadline", "senders"),
    [(1_100, 1), (1_089, 2), (1_000 / 3, 4), (12, 50), (0.9, 0), (-5.0, 0)],
)
def test_a_deadline_takes_so_many_senders(deadline: float, senders: int) -> None:
    assert ask(start(), messages=100, deadline=NOW + deadline).senders_needed == senders


def test_senders_share_new_contacts_evenly_under_their_caps() -> None:
    plan = ask(start(Limits(cold_daily_cap=20)), messages=1_000, cold=0.5, deadline=NOW + 4 * DAY)
    # Each of them writes to 20 today and on each of the four days that begin before the deadline.
    assert plan.senders_needed == 5


def test_a_new_number_sends_what_its_warm_up_lets_it() -> None:
    plan = ask(start(PRESETS["settled"]), messages=10_000)
    first_week = sum(WarmUp(20, 1.5, 100).caps(7)) + 2 * 100
    assert list(plan.weeks) == [first_week, 700, 700, 700]
    assert list(ask(start(), messages=500).weeks) == [first_week, 500 - first_week, 0, 0]


def test_of_very_many_messages_the_rest_takes_as_long_in_proportion() -> None:
    limits, question = Limits(daily_cap=100), PlanQuestion(messages=2_000)
    whole = make_plan("default", question, start(limits), [], [])
    cut = make_plan("default", question, start(limits), [], [], effort=1_000)
    assert MANY in cut.assumptions
    assert MANY not in whole.assumptions
    assert cut.finish_p50 - NOW == pytest.approx(whole.finish_p50 - NOW, rel=0.02)


def test_a_month_in_which_little_may_be_sent_takes_no_longer_to_plan_than_a_day() -> None:
    def seconds(limits: Limits, cold: float) -> float:
        began = time.process_time()
        lane, question = start(limits), PlanQuestion(messages=500, cold=cold)
        make_plan("default", question, lane, [], [], effort=500)
        return time.process_time() - began

    plain = min(seconds(NO_LIMITS, 0.0) for _ in range(2))
    capped = min(seconds(Limits(cold_daily_cap=20, windows=parse_windows("normal=08:00-20:00")), 1.0) for _ in range(2))
    assert capped < 12 * plain


def test_a_plan_of_nothing_is_done_at_once() -> None:
    plan = ask(start())
    assert (plan.messages, plan.finish_p50, list(plan.held), list(plan.weeks)) == (0, NOW, [], [0, 0, 0, 0])
    assert day_of(JAKARTA, plan.finish_p90) == date(2025, 11, 29)
    assert plan.as_json()["seconds"] == {"p50": 0.0, "p90": 0.0}
