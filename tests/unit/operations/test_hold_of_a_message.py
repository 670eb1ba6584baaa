"""One hold for every message that waits: every open state of a message, with every state of its lane."""

from dataclasses import replace
from typing import Any

import pytest
from desk_records import record
from factories import NOW as FULL_HOUR
from factories import make_event, make_settings

from antrian.broker.lane_state import PauseState
from antrian.cli.hold_view import hold_sentence
from antrian.domain.hold import Hold, HoldReason
from antrian.domain.priority import Priority
from antrian.domain.send_window import next_day_start, next_hour_start
from antrian.history.records import DelayedCount, HeldCount, MessageRecord, MessageState
from antrian.operations.lane.activity import Activity
from antrian.operations.lane.hold_summary import LaneWaits, summary_of
from antrian.operations.lane.holds import UNKNOWN_LANE, waits_for
from antrian.operations.lane.status import Counts, Reason, Status, status_of

R, S = HoldReason, MessageState
ZONE = "Asia/Jakarta"
NOW = FULL_HOUR + 600
CAPPED = make_settings(WHATSAPP_QUEUE_DELAY="10", WHATSAPP_QUEUE_DAILY_CAP="10", WHATSAPP_QUEUE_HOURLY_CAP="5")
FREE = make_settings(WHATSAPP_QUEUE_DELAY="10")
BUSY = Counts(ready=3, consumers=1, listening=True, delayed=9, dead=0)
MIDNIGHT, HOUR = next_day_start(ZONE, NOW), next_hour_start(ZONE, NOW)


def used(hour: int, day: int, cold: int = 0, *, caps: tuple[int, int, int] = (5, 10, 0), at: float = NOW - 60) -> Any:
    names = ("hour", "day", "cold")
    details = {"used": dict(zip(names, (hour, day, cold), strict=True)), "budget": dict(zip(names, caps, strict=True))}
    return make_event("barrier", "mark", at=at, **details, warm_up_day=None)


def lane(*events: Any, counts: Counts = BUSY, paused: bool = False, settings: Any = CAPPED) -> Status:
    activity = Activity("default")
    for event in events:
        activity.apply(event)
    state = PauseState(paused, "cli:ani", NOW - 60) if paused else PauseState()
    return status_of("default", counts, activity, state, settings=settings, now=NOW)


def failed(failure_class: str, *, hold: float = 60) -> Any:
    return make_event("failed", at=NOW - 20, hold=hold, failure_class=failure_class)


#: What a lane is doing, and what a message in its queue that is not urgent waits for.
LANES = {
    "free": (lane(), Hold(R.PACE, NOW, "delay 10")),
    "pause": (lane(make_event("sent", at=NOW - 3)), Hold(R.PACE, NOW + 7, "delay 10")),
    "sending": (lane(make_event("sending", at=NOW - 1)), Hold(R.PACE, None, "delay 10")),
    "no consumer": (
        lane(counts=replace(BUSY, consumers=0, listening=False)),
        Hold(R.PACE, None, "no consumer is running"),
    ),
    "paused": (lane(used(5, 10), failed("throttled"), paused=True), Hold(R.PAUSED, None, "paused by cli:ani")),
    "away": (lane(used(5, 10), failed("unavailable")), Hold(R.PROVIDER_AWAY, NOW + 40)),
    "probing": (lane(failed("unavailable", hold=5)), Hold(R.PROVIDER_AWAY, None)),
    "throttled": (lane(used(5, 10), failed("throttled")), Hold(R.THROTTLED, NOW + 40)),
    "day used up": (lane(used(5, 10)), Hold(R.DAILY_CAP, MIDNIGHT, "daily_cap 10")),
    "hour used up": (lane(used(5, 9)), Hold(R.HOURLY_CAP, HOUR, "hourly_cap 5")),
    "used up yesterday": (lane(used(5, 10, at=NOW - 90_000)), Hold(R.PACE, NOW, "delay 10")),
}

#: Messages that wait, and what for; None for what their lane waits for.
MESSAGES = {
    "waiting": (record(state=S.WAITING), None),
    "urgent": (record(state=S.WAITING, priority=int(Priority.URGENT)), None),
    "held": (
        record(
            state=S.HELD, due_at=NOW + 9, hold_reason="warm_up", hold_until=NOW + 9, hold_rule="warm_up 20x1.5..100"
        ),
        Hold(R.WARM_UP, NOW + 9, "warm_up 20x1.5..100"),
    ),
    "held for ever": (record(state=S.HELD, due_at=NOW + 9, hold_reason="cold_held"), Hold(R.COLD_HELD, None)),
    "held until now": (record(state=S.HELD, due_at=NOW + 1, hold_reason="window", hold_until=NOW), None),
    "held by a later version": (
        record(state=S.HELD, hold_reason="moon", hold_until=NOW + 9),
        Hold(R.SCHEDULED, NOW + 9),
    ),
    "scheduled": (record(state=S.SCHEDULED, due_at=NOW + 9), Hold(R.SCHEDULED, NOW + 9)),
    "retrying": (record(state=S.RETRYING, due_at=NOW + 9), Hold(R.RETRY, NOW + 9)),
}


@pytest.mark.parametrize("what", MESSAGES)
@pytest.mark.parametrize("doing", LANES)
def test_every_message_that_waits_has_one_hold_and_a_sentence(what: str, doing: str) -> None:
    (message, own), (status, of_lane) = MESSAGES[what], LANES[doing]
    hold = waits_for(message, status, NOW)
    assert hold is not None
    if what == "urgent" and of_lane.reason in {R.DAILY_CAP, R.HOURLY_CAP}:
        assert hold == Hold(R.PACE, NOW, "delay 10")
    else:
        assert hold == (own or of_lane)
    sentence = hold_sentence(hold, NOW)
    assert sentence.startswith("Not sent yet: ")
    assert sentence.endswith(".")
    assert "{" not in sentence


@pytest.mark.parametrize(
    "state", [state for state in MessageState if state not in {S.WAITING, S.HELD, S.SCHEDULED, S.RETRYING}]
)
def test_what_is_being_sent_or_over_waits_for_nothing(state: MessageState) -> None:
    assert waits_for(record(state=state), LANES["paused"][0], NOW) is None


@pytest.mark.parametrize("what", MESSAGES)
def test_without_a_broker_every_message_that_waits_has_a_hold_all_the_same(what: str) -> None:
    message, own = MESSAGES[what]
    assert waits_for(message, None, NOW) == (own or UNKNOWN_LANE)


def test_the_place_in_the_queue_says_when_its_turn_comes() -> None:
    status = LANES["pause"][0]
    third = waits_for(record(state=S.WAITING), status, NOW, place=2)
    assert third is not None
    assert third.until == pytest.approx(NOW + 7 + 2 * 10.5, abs=0.1)


def test_a_cap_says_what_the_next_send_waits_for() -> None:
    status = LANES["day used up"][0]
    assert (status.next_send_reason, status.next_send_in) == (Reason.DAILY_CAP, MIDNIGHT - NOW)
    assert status.pause_left == MIDNIGHT - NOW
    assert LANES["hour used up"][0].next_send_reason is Reason.HOURLY_CAP
    assert LANES["away"][0].next_send_reason is Reason.UNAVAILABLE
    assert LANES["paused"][0].next_send_reason is Reason.PAUSED


def test_what_surely_reached_nobody_uses_nothing_up() -> None:
    sending = make_event(
        "sending",
        at=NOW - 5,
        cold=True,
        used={"hour": 5, "day": 6, "cold": 3},
        budget={"hour": 5, "day": 10, "cold": 20},
    )
    busy, away = lane(sending), lane(sending, failed("unavailable"))
    assert busy.budget is not None
    assert away.budget is not None
    assert busy.budget.as_json()["cold"] == {"used": 3, "cap": 20, "left": 17}
    assert away.budget.as_json()["cold"] == {"used": 2, "cap": 20, "left": 18}
    assert (away.budget.left("hour"), away.budget.left("day")) == (1, 5)
    uncertain = lane(sending, make_event("failed", at=NOW - 4, failure_class="uncertain"))
    assert uncertain.budget is not None
    assert uncertain.budget.left("hour") == 0


def test_a_lane_of_which_no_event_tells_has_the_caps_of_its_settings_and_says_that_it_does_not_know_more() -> None:
    ramp = make_settings(WHATSAPP_QUEUE_WARM_UP="20x1.5..100", WHATSAPP_QUEUE_DAILY_CAP="1000")
    budget = lane(settings=ramp).budget
    assert budget is not None
    told = budget.as_json()
    assert told["day"] == {"used": None, "cap": 1000, "left": None}
    assert told["hour"] == {"used": None, "cap": None, "left": None}
    assert told["warm_up"] == {"day": 1, "caps": [20, 30, 45, 67, 100]}
    assert told["resets_at"] == MIDNIGHT
    yesterday = make_event(
        "barrier", "mark", at=NOW - 86_400, used={"hour": 1, "day": 9, "cold": 9}, budget={"cold": 30}, warm_up_day=2
    )
    after = lane(yesterday, settings=ramp).budget
    assert after is not None
    assert after.as_json()["cold"] == {"used": 0, "cap": 45, "left": 45}
    assert after.as_json()["warm_up"]["day"] == 3


def test_all_that_waits_is_counted_by_reason() -> None:
    held = [
        HeldCount("window", "window low=08:00-20:00 Asia/Jakarta", 2, NOW + 5, NOW + 9, NOW + 9, NOW - 50),
        HeldCount("cold_held", "cold_refused", 3, NOW + 70, NOW + 70, NOW + 70, NOW - 60),
        HeldCount("moon", "", 1, NOW + 1, NOW + 1, None, NOW),
    ]
    delayed = [DelayedCount(S.RETRYING, 4, NOW + 30, NOW + 60), DelayedCount(S.SCHEDULED, 1, NOW + 2, NOW + 3)]
    summary = summary_of("default", LANES["day used up"][0], LaneWaits(5, 6, held, delayed), NOW)
    counts = {one.reason: (one.count, one.next_release) for one in summary.reasons}
    assert counts == {
        R.SCHEDULED: (2, NOW + 1),
        R.RETRY: (4, NOW + 30),
        R.WINDOW: (2, NOW + 5),
        R.COLD_HELD: (3, NOW + 70),
        R.DAILY_CAP: (5, MIDNIGHT),
        R.PACE: (6, NOW),
    }
    assert list(counts) == [reason for reason in HoldReason if reason in counts]
    assert summary.cold_held_until == NOW + 70
    # An admin has ended the wait, and what was held is not back in its lane yet.
    assert summary_of("default", None, LaneWaits(0, 0, held), NOW, 0.0).cold_held_until is None
    # Nobody of those that were refused waits any more.
    assert summary_of("default", None, LaneWaits(0, 0), NOW, NOW + 5).cold_held_until == NOW + 5
    unknown = summary_of("default", None, LaneWaits(5, 6), NOW)
    assert (unknown.lane_hold, unknown.budget) == (None, None)
    assert [(one.reason, one.count) for one in unknown.reasons] == [(R.PACE, 11)]
    assert [one.reason for one in summary.only(R.WINDOW).reasons] == [R.WINDOW]


def test_a_message_of_the_table_is_of_each_open_state() -> None:
    shown: set[MessageState] = {one.state for one, _ in MESSAGES.values() if isinstance(one, MessageRecord)}
    assert shown == {S.WAITING, S.HELD, S.SCHEDULED, S.RETRYING}
