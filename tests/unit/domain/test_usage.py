"""What a lane has sent, counted for its caps."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.send_window import day_of, day_start, hour_start
from antrian.domain.usage import TAKEN_BACK, Usage, Used

JAKARTA, HOUR, DAY = "Asia/Jakarta", 3_600, 86_400
#: 10:00 on the clocks of Jakarta.
TEN = 1_764_385_200.0

GONE = "+6281200000001"


def sending(at: float, message_id: str = "m", attempt: int = 1, *, cold: bool = False, to: str = GONE) -> Event:
    return Event(EventName.SENDING, at, "default", message_id, 0, attempt, "one", {"recipient": to, "cold": cold})


def failed(at: float, failure_class: str, message_id: str = "m", attempt: int = 1) -> Event:
    return Event(EventName.FAILED, at, "default", message_id, 0, attempt, "one", {"failure_class": failure_class})


def sent(at: float, message_id: str = "m", attempt: int = 1) -> Event:
    return Event(EventName.SENT, at, "default", message_id, 0, attempt, "one")


def fold(events: Sequence[Event], now: float | None = None) -> Usage:
    """What was learnt by one who was there (`now` is None), or by one who reads all of it at a moment."""
    usage = Usage()
    for event in events:
        usage.apply(event, event.at if now is None else now)
    return usage


def test_an_attempt_counts_from_its_beginning_on_for_its_hour_and_its_day() -> None:
    usage = fold([sending(TEN - HOUR, "a", cold=True), sending(TEN, "b"), sending(TEN + 60, "c", cold=True)])
    assert usage.used(JAKARTA, TEN + 60) == Used(2, 3, 2)
    assert usage.used(JAKARTA, TEN + HOUR) == Used(0, 3, 2)
    assert usage.used(JAKARTA, TEN + DAY) == Used()
    # Another zone's hour and day are others: in Kathmandu it is 08:45, in New York it is yesterday.
    assert usage.in_hour("Asia/Kathmandu", TEN + 60) == 2
    assert usage.in_day("America/New_York", TEN + 60) == 3


def test_what_surely_reached_nobody_is_taken_back_once() -> None:
    for failure_class in (*FailureClass, "of a newer version"):
        taken_back = failure_class in TAKEN_BACK
        failure = failed(TEN + 2, failure_class)
        usage = fold([sending(TEN, cold=True), failure, failure, sending(TEN + 30, "other", cold=True), failure])
        assert usage.used(JAKARTA, TEN + 60) == Used(2 - taken_back, 2 - taken_back, 2 - taken_back), failure_class


def test_an_attempt_that_is_made_again_under_its_number_counts_again() -> None:
    throttled = failed(TEN + 1, FailureClass.THROTTLED)
    events = [sending(TEN), throttled, sending(TEN + 30), throttled, sent(TEN + 31)]
    assert fold(events).in_hour(JAKARTA, TEN + 60) == 1
    # Clocks may run back in between: what is not sure counts.
    again = [sending(TEN), throttled, sending(TEN - 30), sent(TEN - 29)]
    assert fold(again, TEN + 60).in_hour(JAKARTA, TEN + 60) == 1


def test_the_last_send_to_a_person_is_known_and_taken_back_with_the_attempt() -> None:
    usage = fold([sending(TEN, "a"), sending(TEN + 40, "b"), failed(TEN + 41, FailureClass.TRANSIENT, "b")])
    assert usage.last_sent_to(GONE) == TEN
    usage.apply(failed(TEN + 50, FailureClass.UNAVAILABLE, "a"), TEN + 50)
    assert usage.last_sent_to(GONE) is None
    assert usage.last_sent_to("+6281200000002") is None


def test_a_clock_that_was_set_back_takes_nothing_off_the_hour_before_or_after() -> None:
    usage = fold([sending(TEN + 60 * minute, f"a{minute}") for minute in range(30)])
    # It was 10:30, and is 09:10; two more are sent until the clock is right again, at 10:35.
    for minute in (11, 12):
        assert usage.in_hour(JAKARTA, TEN - HOUR + 60 * minute) >= 30
        usage.apply(sending(TEN - HOUR + 60 * minute, f"b{minute}"), TEN - HOUR + 60 * minute)
    assert usage.in_hour(JAKARTA, TEN + 35 * 60) == 32
    assert usage.last_sent_to(GONE) == TEN + 29 * 60


def test_an_event_from_the_future_counts_now_and_is_over_when_now_is_over() -> None:
    usage = Usage()
    usage.apply(sending(TEN + 400 * DAY, "a"), TEN)
    usage.apply(sending(TEN + 10, "b"), TEN + 10)
    assert usage.used(JAKARTA, TEN + 20) == Used(2, 2, 0)
    assert usage.used(JAKARTA, TEN + DAY) == Used()
    # A clock of ours that was years ahead leaves nothing that could keep the lane shut for years.
    usage.apply(sending(TEN + 400 * DAY, "c"), TEN + 400 * DAY)
    assert usage.in_hour(JAKARTA, TEN + 30) >= 1
    assert usage.used(JAKARTA, TEN + DAY) == Used()
    assert usage.last_sent_to(GONE) == TEN + 30


def test_memory_is_bounded_by_the_time_that_is_looked_at() -> None:
    usage = Usage(recipient_gap=60)
    for number in range(10_000):
        at = TEN + number * 60
        usage.apply(sending(at, str(number), to=f"+62812{number:08}"), at)
        usage.apply(sent(at + 1, str(number)), at + 1)
    day = 25 * 60 + 1
    assert len(usage._attempts) <= 2 * day
    assert len(usage._recipients) <= day
    assert len(usage._counts) <= 601
    # A lane that tries one message all day, in vain, remembers one message.
    for number in range(3_000):
        at = TEN + 10_000 * 60 + number
        usage.apply(sending(at, "stuck"), at)
        usage.apply(failed(at + 0.5, FailureClass.UNAVAILABLE, "stuck"), at + 0.5)
    stuck = usage._attempts["stuck", 0, 1]
    assert len(stuck.begun) <= 16
    assert len(stuck.failed) <= 16


def test_counts_are_carried_to_a_later_moment() -> None:
    used = Used(5, 50, 7)
    assert used.carried(JAKARTA, TEN, TEN + HOUR - 1) == used
    assert used.carried(JAKARTA, TEN, TEN + HOUR) == Used(0, 50, 7)
    assert used.carried(JAKARTA, TEN, TEN + 14 * HOUR - 1) == Used(0, 50, 7)
    assert used.carried(JAKARTA, TEN, TEN + 14 * HOUR) == Used()
    assert Used.read(used.as_dict()) == used
    assert Used.read({"hour": -1, "day": "x", "cold": True}) == Used.read(None) == Used()
    assert used.with_one(is_cold=True) == Used(6, 51, 8)


# What one consumer does, one attempt after the other: (seconds until it begins, its end, is it cold).
_ends = st.sampled_from([None, "sent", *FailureClass])
_attempts = st.lists(st.tuples(st.integers(1, 4 * HOUR), _ends, st.booleans()), min_size=1, max_size=30)


def _history(attempts: Sequence[tuple[int, str | None, bool]]) -> tuple[list[Event], list[tuple[float, bool]]]:
    """The events of a lane, and what of it reached WhatsApp, or may have."""
    events: list[Event] = []
    reached: list[tuple[float, bool]] = []
    at, number, message = TEN, 1, 0
    for wait, end, cold in attempts:
        at += wait
        events.append(sending(at, f"m{message}", number, cold=cold))
        if end not in TAKEN_BACK:
            reached.append((at, cold))
        if end == "sent":
            events.append(sent(at + 1, f"m{message}", number))
        elif end is not None:
            events.append(failed(at + 1, end, f"m{message}", number))
        is_repeated = end is not None and end != "sent" and not FailureClass(end).is_counted
        message, number = (message, number) if is_repeated else (message + 1, 1)
        at += 1
    return events, reached


def _true(reached: Sequence[tuple[float, bool]], zone: str, now: float) -> Used:
    hour, day = hour_start(zone, now), day_start(zone, day_of(zone, now))
    today = [cold for at, cold in reached if day <= at <= now]
    return Used(sum(hour <= at <= now for at, _ in reached), len(today), sum(today))


@given(_attempts, st.sampled_from([JAKARTA, "Asia/Kathmandu", "Europe/Berlin"]), st.data())
def test_repeated_events_change_nothing_and_all_readers_count_alike(
    attempts: list[tuple[int, str | None, bool]], zone: str, data: st.DataObject
) -> None:
    events, reached = _history(attempts)
    now = events[-1].at + data.draw(st.integers(0, 30 * HOUR))
    truth = _true(reached, zone, now)
    assert fold(events).used(zone, now) == truth
    assert fold(events, now).used(zone, now) == truth
    repeated = [event for event in events for _ in range(data.draw(st.integers(1, 3)))]
    again = data.draw(st.integers(0, len(events)))
    assert fold([*repeated, *events[again:]], now).used(zone, now) == truth


@given(_attempts, st.lists(st.tuples(st.integers(0, 29), st.integers(-26 * HOUR, 26 * HOUR)), max_size=3), st.data())
@example([(10, "sent", True), (10, "sent", True)], [(0, 2 * HOUR), (1, -2 * HOUR)], None)
def test_whatever_the_clocks_and_the_order_no_send_of_this_hour_or_day_is_missed(
    attempts: list[tuple[int, str | None, bool]], jumps: list[tuple[int, int]], data: st.DataObject | None
) -> None:
    """The clock jumps back and forth while it is sent, and is right in the end; another reads it in another order."""
    events, reached = _history(attempts)
    shift, by_index = 0, dict(jumps)
    usage = Usage()
    shifted: list[Event] = []
    for index, event in enumerate(events):
        # A clock that runs ahead, or that is behind what it was: only then is what is known of a day still a bound.
        shift = max(0, shift + by_index.get(index, 0))
        shifted.append(replace(event, at=event.at + shift))
        usage.apply(shifted[-1], event.at + shift)
    now = events[-1].at + 5
    truth = _true(reached, JAKARTA, now)
    counted = usage.used(JAKARTA, now)
    assert counted.hour >= truth.hour
    assert counted.day >= truth.day
    assert counted.cold >= truth.cold
    if data is not None:
        order = data.draw(st.permutations(events))
        late = fold(order, now).used(JAKARTA, now)
        right = _true(reached, JAKARTA, now)
        assert late.hour >= right.hour
        assert late.day >= right.day
        assert late.cold >= right.cold
