"""What a message waits for: one reason, in a fixed order, and until when."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.budget import Budget, cold_caps
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.hold import (
    LADDER_HOLDS,
    LANE_HOLDS,
    ORDER,
    Candidate,
    Hold,
    HoldFacts,
    HoldReason,
    MessageEnd,
    first_hold,
    first_reason,
    lane_hold,
    message_hold,
)
from antrian.domain.lane_limits import Limits, WarmUp, parse_windows
from antrian.domain.priority import Priority
from antrian.domain.send_window import day_of, is_open, window_for
from antrian.domain.slots import Slots
from antrian.domain.usage import Usage, Used

JAKARTA = "Asia/Jakarta"
PERSON = "+6281234567890"
HOUR, DAY = 3_600, 86_400

TODAY, TOMORROW = date(2026, 11, 29), date(2026, 11, 30)


def at(clock: str, day: date = TODAY, zone: str = JAKARTA) -> float:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone)).timestamp()


NOON = at("12:00")

#: Everything that can hold one message applies at noon.
EVERYTHING = Limits(
    cold_daily_cap=1, recipient_gap=600.0, windows=parse_windows("low=13:00-20:00,normal=06:00-22:00"), hourly_cap=1
)


def candidate(**fields: Any) -> Candidate:
    values = {"message_id": "m", "recipient": PERSON, "priority": Priority.LOW, "is_cold": True, "timezone": JAKARTA}
    return Candidate(**(values | fields))


def used_up(colds: int = 0, others: int = 0, last_at: float = NOON, to: str = "+62811") -> Usage:
    """A lane that has sent so much today, the last of it a moment ago."""
    usage = Usage()
    for number in range(colds + others):
        details = {"recipient": f"{to}{number}", "cold": number < colds}
        usage.apply(Event(EventName.SENDING, last_at - number, "default", f"u{number}", 0, 1, "", details), NOON)
    return usage


def facts(limits: Limits, usage: Usage | None = None, slots: Slots | None = None, **more: Any) -> HoldFacts:
    slots = Slots() if slots is None else slots
    return HoldFacts(limits=limits, usage=usage or Usage(), slots=slots, **more)


# The order.


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(ORDER, 2)))
def test_of_two_reasons_the_first_in_the_order_is_the_one(first: HoldReason, second: HoldReason) -> None:
    assert first_reason([second, first]) == first_reason([first, second]) == first
    if isinstance(first, HoldReason):
        holds = [Hold(second, 2.0), None, Hold(first, 1.0)]
        assert first_hold(holds) == first_hold(reversed(holds)) == Hold(first, 1.0)


def test_the_order_is_the_one_that_is_written_down() -> None:
    assert " > ".join(ORDER) == (
        "opted_out > cancelled > expired > recipient_invalid > paused > provider_away > throttled > scheduled > "
        "retry > window > recipient_gap > cold_held > cold_cap > warm_up > daily_cap > hourly_cap > pace"
    )
    assert first_reason([]) is None
    assert first_hold([None]) is None
    assert not LANE_HOLDS & LADDER_HOLDS
    assert set(MessageEnd) | LANE_HOLDS | LADDER_HOLDS | {HoldReason.SCHEDULED, HoldReason.RETRY} == set(ORDER)


#: What makes each hold of a message apply at noon, and what ends it.
APPLIES = {
    HoldReason.WINDOW: {"windows": EVERYTHING.windows},
    HoldReason.RECIPIENT_GAP: {"recipient_gap": 600.0},
    HoldReason.COLD_HELD: {"cold_held_until": NOON + HOUR},
    HoldReason.COLD_CAP: {"cold_daily_cap": 1},
    HoldReason.WARM_UP: {"warm_up": WarmUp(1, 2, 9)},
}


def _when(reasons: Iterable[HoldReason]) -> HoldFacts:
    values: dict[str, Any] = {}
    for reason in reasons:
        values |= APPLIES[reason]
    held_until = values.pop("cold_held_until", None)
    usage = used_up(colds=1, last_at=NOON - 120)
    gap = Event(EventName.SENDING, NOON - 60, "default", "g", 0, 1, "", {"recipient": PERSON, "cold": False})
    usage.apply(gap, NOON)
    return facts(Limits(**values), usage, first_cold_at=NOON, cold_held_until=held_until)


@pytest.mark.parametrize(
    "reasons", [*itertools.combinations(APPLIES, 1), *itertools.combinations(APPLIES, 2), tuple(APPLIES)]
)
def test_of_all_that_holds_a_message_the_first_is_its_hold(reasons: tuple[HoldReason, ...]) -> None:
    hold = message_hold(candidate(), _when(reasons), NOON)
    assert hold is not None
    expected = first_reason(reasons)
    if set(reasons) >= {HoldReason.COLD_CAP, HoldReason.WARM_UP}:
        # The ramp replaces the cap.
        expected = first_reason(set(reasons) - {HoldReason.COLD_CAP})
    assert hold.reason == expected
    assert hold.until is not None
    assert hold.until > NOON


def test_each_hold_says_until_when_and_by_which_rule() -> None:
    def hold(reason: HoldReason) -> Hold | None:
        return message_hold(candidate(), _when([reason]), NOON)

    assert hold(HoldReason.WINDOW) == Hold(HoldReason.WINDOW, at("13:00"), "window low=13:00-20:00 Asia/Jakarta")
    assert hold(HoldReason.RECIPIENT_GAP) == Hold(HoldReason.RECIPIENT_GAP, NOON + 540, "recipient_gap 600")
    assert hold(HoldReason.COLD_HELD) == Hold(HoldReason.COLD_HELD, NOON + HOUR, "cold_refused")
    midnight = at("00:00", TOMORROW)
    assert hold(HoldReason.COLD_CAP) == Hold(HoldReason.COLD_CAP, midnight, "cold_daily_cap 1", TOMORROW)
    assert hold(HoldReason.WARM_UP) == Hold(HoldReason.WARM_UP, midnight, "warm_up 1x2..9 day 1: 1", TOMORROW)


def test_a_ramp_that_has_reached_its_ceiling_is_a_cap_like_any_other() -> None:
    lane = facts(Limits(warm_up=WarmUp(1, 2, 4)), used_up(colds=4), first_cold_at=NOON - 2 * DAY)
    hold = message_hold(candidate(), lane, NOON)
    assert hold == Hold(HoldReason.COLD_CAP, at("00:00", TOMORROW), "warm_up 1x2..4 day 3: 4", TOMORROW)


# Who is held.


def test_an_urgent_message_passes_windows_gaps_and_caps_and_no_cold_hold() -> None:
    urgent = candidate(priority=Priority.URGENT)
    assert message_hold(urgent, _when(set(APPLIES) - {HoldReason.COLD_HELD}), NOON) is None
    held = message_hold(urgent, _when(APPLIES), NOON)
    assert held == Hold(HoldReason.COLD_HELD, NOON + HOUR, "cold_refused")


def test_what_holds_cold_contacts_holds_nobody_else() -> None:
    lane = _when([HoldReason.COLD_HELD, HoldReason.COLD_CAP])
    assert message_hold(candidate(is_cold=False), lane, NOON) is None


def test_each_hold_ends_by_itself() -> None:
    assert message_hold(candidate(), _when([HoldReason.WINDOW]), at("13:00")) is None
    assert message_hold(candidate(), _when([HoldReason.RECIPIENT_GAP]), NOON + 540) is None
    assert message_hold(candidate(), _when([HoldReason.COLD_HELD]), NOON + HOUR) is None
    assert message_hold(candidate(), _when([HoldReason.COLD_CAP]), at("00:00", TOMORROW)) is None


def test_nothing_holds_a_message_where_nothing_is_set() -> None:
    assert message_hold(candidate(), facts(Limits(), used_up(colds=500)), NOON) is None


def test_a_clock_that_was_set_back_makes_a_gap_no_longer_than_it_is() -> None:
    usage = used_up(others=1, last_at=NOON)
    lane = facts(Limits(recipient_gap=600.0), usage)
    hold = message_hold(candidate(recipient="+628110"), lane, NOON - HOUR)
    assert hold == Hold(HoldReason.RECIPIENT_GAP, NOON - HOUR + 600, "recipient_gap 600")


# Until when.


def test_cold_messages_over_the_cap_are_given_the_days_to_come_in_their_windows() -> None:
    limits = Limits(cold_daily_cap=2, windows=parse_windows("low=08:00-20:00"))
    slots = Slots()
    lane, untils = facts(limits, used_up(colds=1), slots), []
    for number in range(6):
        hold = message_hold(candidate(message_id=str(number)), lane, NOON)
        if hold is None:
            # It goes now: nothing else may have its place.
            sending = Event(
                EventName.SENDING, NOON, "default", str(number), 0, 1, "", {"recipient": "+1", "cold": True}
            )
            lane.usage.apply(sending, NOON)
            untils.append(NOON)
            continue
        assert hold.reason is HoldReason.COLD_CAP
        assert hold.slot
        slots.give(str(number), hold.slot)
        untils.append(hold.until)
    tomorrow, next_day = at("08:00", TOMORROW), at("08:00", TOMORROW + timedelta(days=1))
    assert untils == [NOON, tomorrow, tomorrow, next_day, next_day, next_day + DAY]


def test_a_slot_is_of_the_lanes_day_and_its_window_of_the_recipients_zone() -> None:
    limits = Limits(cold_daily_cap=1, windows=parse_windows("low=08:00-09:00"))
    # 08:00 in Honolulu is 01:00 of the next day in Jakarta: that day's slot it needs.
    hold = message_hold(candidate(timezone="Pacific/Honolulu"), facts(limits, used_up(colds=1)), NOON)
    assert hold == Hold(
        HoldReason.WINDOW,
        at("01:00", TOMORROW),
        "window low=08:00-09:00 Pacific/Honolulu",
        TOMORROW,
    )
    taken = facts(limits, used_up(colds=1), Slots([("other", TOMORROW)]))
    later = message_hold(candidate(timezone="Pacific/Honolulu"), taken, NOON)
    assert later is not None
    assert (later.until, later.slot) == (at("01:00", TOMORROW + timedelta(days=1)), TOMORROW + timedelta(days=1))


def test_a_message_in_the_night_is_given_a_day_at_once_and_not_moved_again_in_the_morning() -> None:
    limits = Limits(cold_daily_cap=1, windows=parse_windows("low=08:00-20:00"))
    night = at("03:00")
    free = message_hold(candidate(), facts(limits), night)
    assert free == Hold(HoldReason.WINDOW, at("08:00"), "window low=08:00-20:00 Asia/Jakarta", TODAY)
    full = message_hold(candidate(), facts(limits, slots=Slots([("other", TODAY)])), night)
    assert full == replace(free, until=at("08:00", TOMORROW), slot=TOMORROW)


def test_after_a_refusal_cold_messages_are_spread_over_the_days_after_it() -> None:
    limits, slots = Limits(cold_daily_cap=1), Slots([("other", TOMORROW)])
    lane = facts(limits, used_up(colds=1), slots, cold_held_until=at("12:00", TOMORROW))
    hold = message_hold(candidate(), lane, NOON)
    day_after = TOMORROW + timedelta(days=1)
    assert hold == Hold(HoldReason.COLD_HELD, at("00:00", day_after), "cold_refused", day_after)


def test_a_message_that_expires_first_waits_until_then_and_takes_no_slot() -> None:
    hold = message_hold(candidate(expires_at=NOON + 60), _when([HoldReason.COLD_CAP]), NOON)
    assert hold == Hold(HoldReason.COLD_CAP, NOON + 60, "cold_daily_cap 1")


def test_a_message_keeps_its_slot_and_may_go_on_its_day_before_all_others() -> None:
    slots = Slots([("mine", TOMORROW), ("other", TOMORROW)])
    lane = facts(Limits(cold_daily_cap=2), used_up(colds=2), slots)
    assert message_hold(candidate(message_id="mine"), lane, NOON) == Hold(
        HoldReason.COLD_CAP, at("00:00", TOMORROW), "cold_daily_cap 2", TOMORROW
    )
    morning = at("09:00", TOMORROW)
    assert message_hold(candidate(message_id="mine"), lane, morning) is None
    stranger = message_hold(candidate(message_id="new"), lane, morning)
    assert stranger is not None
    assert stranger.slot == TOMORROW + timedelta(days=1)


def test_after_a_stand_still_those_who_wait_longest_move_by_a_day_and_not_to_the_end() -> None:
    # 30 days are full; the lane stood still on the first of them.
    slots = Slots((f"{day}-{number}", TODAY + timedelta(days=day)) for day in range(30) for number in range(2))
    lane = facts(Limits(cold_daily_cap=2), Usage(), slots)
    morning, sent = at("09:00", TOMORROW), []
    for message in ("0-0", "0-1", "1-0", "1-1"):
        hold = message_hold(candidate(message_id=message), lane, morning)
        if hold is None:
            slots.give_back(message)
            sent.append(message)
            event = Event(
                EventName.SENDING, morning, "default", message, 0, 1, "", {"recipient": message, "cold": True}
            )
            lane.usage.apply(event, morning)
            continue
        assert hold.slot == TOMORROW + timedelta(days=1)
        slots.give(message, hold.slot)
    assert sent == ["0-0", "0-1"]
    # A new message still has its place behind everybody.
    new = message_hold(candidate(message_id="new"), lane, morning)
    assert new is not None
    assert new.slot == TODAY + timedelta(days=30)


# Lane caps.


@pytest.mark.parametrize(
    ("used", "caps", "hold"),
    [
        (Used(9, 9, 9), Budget(), None),
        (Used(9, 99, 0), Budget(10, 100), None),
        (Used(10, 99, 0), Budget(10, 100), Hold(HoldReason.HOURLY_CAP, at("13:00"), "hourly_cap 10")),
        (Used(10, 100, 0), Budget(10, 100), Hold(HoldReason.DAILY_CAP, at("00:00", TOMORROW), "daily_cap 100")),
        (Used(0, 150, 0), Budget(0, 100), Hold(HoldReason.DAILY_CAP, at("00:00", TOMORROW), "daily_cap 100")),
        (Used(0, 0, 20), Budget(0, 0, 20), None),
    ],
)
def test_a_lanes_caps_shut_it_until_the_hour_or_the_day_is_over(used: Used, caps: Budget, hold: Hold | None) -> None:
    assert lane_hold(used, caps, JAKARTA, at("12:34:56")) == hold
    assert lane_hold(used, caps, JAKARTA, at("12:34:56"), urgent=True) is None


# Any lane and message.

_windows = st.sampled_from([(), parse_windows("low=08:00-20:00"), parse_windows("low=22:00-02:00,normal=09:15-10:00")])
_limits = st.builds(
    Limits,
    cold_daily_cap=st.integers(0, 3),
    warm_up=st.none() | st.just(WarmUp(1, 2, 3)),
    recipient_gap=st.sampled_from([0.0, 60.0, 5 * 3600.0]),
    windows=_windows,
    timezone=st.sampled_from([JAKARTA, "Europe/Berlin"]),
)
_candidates = st.builds(
    candidate,
    priority=st.sampled_from([1, 5, 10]),
    is_cold=st.booleans(),
    timezone=st.sampled_from([JAKARTA, "Asia/Jayapura", "America/Sao_Paulo"]),
    recipient=st.sampled_from([PERSON, "+628110"]),
)


@given(
    _limits,
    st.lists(_candidates, min_size=1, max_size=12),
    st.integers(0, 3),
    st.none() | st.integers(-DAY, 3 * DAY),
    st.integers(0, 2 * DAY),
)
def test_a_message_that_comes_back_in_time_may_go_and_not_a_second_before(
    limits: Limits, messages: list[Candidate], colds: int, held: int | None, later: int
) -> None:
    now = NOON + later
    lane = facts(
        limits,
        used_up(colds, 1, last_at=now),
        first_cold_at=NOON,
        cold_held_until=None if held is None else now + held,
    )
    caps = cold_caps(limits, NOON, now)
    per_day: dict[date, int] = {}
    for number, message in enumerate(messages):
        waiting = replace(message, message_id=str(number))
        hold = message_hold(waiting, lane, now)
        if hold is None:
            if waiting.is_cold and caps and waiting.priority < Priority.URGENT:
                today = day_of(limits.timezone, now)
                assert lane.usage.cold_in_day(limits.timezone, now) + lane.slots.taken_on(today) < caps.on(today)
            continue
        assert hold.until is not None
        assert hold.until > now
        if hold.slot:
            lane.slots.give(waiting.message_id, hold.slot)
            per_day[hold.slot] = per_day.get(hold.slot, 0) + 1
            assert day_of(limits.timezone, hold.until) == hold.slot
        # It comes back when nothing holds it any more; and just before, something does.
        assert message_hold(waiting, lane, hold.until) is None
        if hold.until - 1 > now:
            assert message_hold(waiting, lane, hold.until - 1) is not None
        window = window_for(limits.windows, waiting.priority)
        assert window is None or waiting.priority == Priority.URGENT or is_open(window, waiting.timezone, hold.until)
    if caps:
        used = {day_of(limits.timezone, now): lane.usage.cold_in_day(limits.timezone, now)}
        assert all(count + used.get(day, 0) <= max(caps.on(day), used.get(day, 0)) for day, count in per_day.items())
