"""The days that held messages were given."""

import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.budget import ColdCaps
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.lane_limits import WarmUp
from antrian.domain.slots import GIVES_BACK, Slots

TODAY = date(2026, 11, 29)
TWENTY = ColdCaps(20, None, TODAY)
GROWING = ColdCaps(0, WarmUp(2, 2, 7), TODAY)


def held(message_id: str, slot: object, at: float = 1.0) -> Event:
    return Event(EventName.HELD, at, "default", message_id, details={"reason": "cold_cap", "slot": slot})


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def test_ten_thousand_messages_fill_five_hundred_days_and_the_next_day_is_found_as_fast_as_the_first() -> None:
    slots = Slots()

    def give(messages: range) -> float:
        began = time.perf_counter()
        for number in messages:
            slots.give(str(number), slots.first_free_day(TODAY, TWENTY))
        return time.perf_counter() - began

    few = give(range(1_000))
    give(range(1_000, 9_000))
    many = give(range(9_000, 10_000))
    assert {slots.taken_on(day(number)) for number in range(500)} == {20}
    assert slots.first_free_day(TODAY, TWENTY) == day(500)
    # Looking at each day again would take some 20 times as long by then.
    assert many < 8 * few


def test_days_of_a_warm_up_hold_more_and_more() -> None:
    slots = Slots()
    for number in range(20):
        slots.give(str(number), slots.first_free_day(TODAY, GROWING))
    assert [slots.taken_on(day(number)) for number in range(5)] == [2, 4, 7, 7, 0]


def test_what_was_sent_today_takes_slots_of_today_only() -> None:
    assert Slots().first_free_day(TODAY, TWENTY, used=19) == TODAY
    assert Slots().first_free_day(TODAY, TWENTY, used=20) == day(1)
    assert Slots([(str(number), TODAY) for number in range(5)]).first_free_day(TODAY, TWENTY, used=15) == day(1)


@pytest.mark.parametrize("ends", sorted(GIVES_BACK))
def test_a_slot_is_free_again_when_its_message_goes_or_comes_to_its_end(ends: str) -> None:
    slots = Slots([("a", day(3))])
    slots.apply(Event(ends, 2.0, "default", "a"))
    slots.apply(Event(ends, 2.0, "default", "a"))
    slots.apply(held("a", "2026-12-02", at=1.0))
    assert (slots.slot_of("a"), slots.taken_on(day(3)), len(slots)) == (None, 0, 0)


def test_an_event_that_comes_again_changes_nothing_and_a_later_one_moves_the_message() -> None:
    slots = Slots()
    first, second = held("a", "2026-12-01", at=1.0), held("a", "2026-12-02", at=2.0)
    for event in (first, first, second, first):
        slots.apply(event)
    assert list(slots) == [("a", date(2026, 12, 2))]
    # A hold for another reason leaves the slot, and so does one that makes no sense.
    for slot in (None, "soon", 7, "2026-13-01"):
        slots.apply(held("a", slot, at=3.0))
    assert slots.slot_of("a") == date(2026, 12, 2)
    assert list(Slots(slots)) == list(slots)


_steps = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["give", "back"]), st.integers(0, 6)), max_size=60)


@given(_steps, st.sampled_from([ColdCaps(2, None, TODAY), GROWING]), st.integers(0, 3))
def test_the_free_day_is_the_one_that_a_look_at_every_day_finds(
    steps: list[tuple[int, str, int]], caps: ColdCaps, used: int
) -> None:
    slots = Slots()
    for message, step, start in steps:
        if step == "give":
            slots.give(str(message), slots.first_free_day(day(start), caps))
        else:
            slots.give_back(str(message))
        for earliest in (day(0), day(start)):
            free = earliest
            while slots.taken_on(free) + (used if free == earliest else 0) >= caps.on(free):
                free += timedelta(days=1)
            assert slots.first_free_day(earliest, caps, used) == free
