"""The forecast of a lane's end, as tables: what is known, and what follows."""

import pytest
from factories import NOW, make_event

from antrian.operations.lane.forecast import InFlight, Load, Returning, Tempo, forecast
from antrian.operations.lane.recent_attempts import Attempt, RecentAttempts, Terms

TERMS = Terms(delay=10, max_attempts=3, retry_delays=(30, 120))


def attempts(count: int, seconds: float = 1.0, number: int = 1, **traits: float) -> list[Attempt]:
    return [Attempt(f"m{number}-{place}", number, NOW, seconds, **traits) for place in range(count)]


CALM = Tempo(attempts(20), TERMS)


@pytest.mark.parametrize(
    ("load", "seconds"),
    [
        (Load(0), 0),
        (Load(1), 1),
        (Load(1, opens_in=7), 8),
        (Load(3), 2 * 11 + 1),
        (Load(10_000, opens_in=5), 110_000),
        # What is left of the attempt under way, its pause, and the next one.
        (Load(1, in_flight=InFlight(1, 0.25)), 0.75 + 10 + 1),
        # A retry that is due later than everything else is sent decides, however little waits.
        (Load(2, (Returning(100, 2),)), 101),
        (Load(2, (Returning(5, 2),)), 2 * 11 + 1),
        # A hold of the provider's is waited for, and a retry meanwhile comes into the queue.
        (Load(1, (Returning(5, 2),), opens_in=60), 60 + 11 + 1),
    ],
)
def test_where_attempts_are_alike_the_end_is_a_sum(load, seconds):
    calm = Tempo([*attempts(20), *attempts(5, number=2)], TERMS)
    assert forecast(load, calm) == pytest.approx(seconds, rel=0.01, abs=0.01)


def test_slow_attempts_count_as_often_as_they_were():
    mixed = Tempo([*attempts(45), *attempts(5, seconds=31)], TERMS)
    # A tenth of fifty takes 30 s more.
    assert forecast(Load(50), mixed) == pytest.approx(50 * 11 + 5 * 30, rel=0.1)
    # Of three, it is likely that none is slow.
    assert forecast(Load(3), mixed) == pytest.approx(23, abs=0.1)


def test_an_attempt_that_takes_longer_than_any_other_may_take_as_long_again_but_is_given_up_in_time():
    assert forecast(Load(0, in_flight=InFlight(1, 8)), CALM) == 8
    assert forecast(Load(0, in_flight=InFlight(1, 8, left=2)), CALM) == 2


def test_failures_bring_further_attempts_and_their_waits():
    failing = Tempo(
        attempts(50, retry_in=30.0) + attempts(30, number=2, retry_in=120.0) + attempts(20, number=3), TERMS
    )
    one = forecast(Load(1), failing)
    assert one == pytest.approx(1 + 30 + 1 + 120 + 1)


def test_a_message_that_was_tried_as_often_as_it_may_be_does_not_come_back():
    failing = Tempo(attempts(50, number=2, retry_in=120.0), TERMS)
    assert forecast(Load(0, (Returning(0, 3),)), failing) == 1


def test_silence_that_the_provider_asks_for_now_and_then_is_expected():
    throttled = Tempo([*attempts(45), *attempts(5, hold=60.0)], TERMS)
    assert forecast(Load(100), throttled) == pytest.approx(100 * 11 + 100 * 5 / 55 * 61, rel=0.1)


def test_a_provider_that_asks_for_silence_each_time_leaves_an_end_all_the_same():
    assert forecast(Load(2), Tempo(attempts(100, hold=60.0), TERMS)) > 60


def test_a_forecast_is_the_same_each_time_it_is_asked():
    mixed = Tempo([*attempts(30), *attempts(9, seconds=9), *attempts(9, retry_in=30.0)], TERMS)
    load = Load(40, (Returning(3, 2), Returning(9, 3)))
    assert forecast(load, mixed) == forecast(load, mixed)


def test_more_to_send_never_takes_less_time_where_attempts_are_alike():
    ends = [forecast(Load(count), CALM) for count in (1, 2, 10, 60, 61, 499, 501, 5_000)]
    assert ends == sorted(ends)


def remembered(*events):
    recent = RecentAttempts()
    for event in events:
        recent.apply(event)
    return recent


def test_an_attempt_is_remembered_with_what_followed():
    recent = remembered(
        make_event("sending", "m1", at=NOW),
        make_event("failed", "m1", at=NOW + 2, failure_class="transient", delay=10, jitter=2),
        make_event("retrying", "m1", at=NOW + 2, due_at=NOW + 32),
        make_event("sending", "m2", at=NOW + 12),
        make_event("failed", "m2", at=NOW + 13, failure_class="throttled", hold=5),
    )
    assert list(recent.since(NOW)) == [
        Attempt("m1", 1, NOW + 2, 2, retry_in=30),
        Attempt("m2", 1, NOW + 13, 1, hold=5),
    ]
    assert (recent.terms, recent.terms.pause) == (Terms(10, 2), 11)


@pytest.mark.parametrize(
    "outcome",
    [
        make_event("failed", at=NOW + 2, failure_class="unavailable", hold=8),
        make_event("uncertain", at=NOW + 2),
        make_event("sent", "another", at=NOW + 2),
    ],
    ids=["outage", "crash", "another message"],
)
def test_what_says_nothing_about_messages_is_left_out(outcome):
    assert list(remembered(make_event("sending", at=NOW), outcome).since(NOW)) == []


def test_what_is_long_ago_says_nothing_any_more():
    recent = remembered(make_event("sending", at=NOW), make_event("sent", at=NOW + 1))
    assert [len(list(recent.since(NOW + later))) for later in (3_000, 4_000)] == [1, 0]


@pytest.mark.parametrize("delay", [None, "10", -1, float("nan"), True])
def test_a_strange_delay_in_an_event_is_none(delay):
    assert remembered(make_event("sent", delay=delay)).terms is None
