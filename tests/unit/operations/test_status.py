from dataclasses import replace

import pytest
from factories import NOW, make_event, make_settings

from antrian.broker.lane_state import PauseState
from antrian.domain.events import Event
from antrian.operations.lane.activity import Activity
from antrian.operations.lane.eta import eta_seconds
from antrian.operations.lane.status import Counts, Reason, Status, status_of
from antrian.operations.lane.waits import waits_of

SETTINGS = make_settings(WHATSAPP_QUEUE_DELAY="10")

#: How long an attempt is taken to last as long as none is known, in seconds.
UNKNOWN = 0.5

HELD = Counts(ready=2, consumers=0, listening=True, delayed=0, dead=0)
GONE = Counts(ready=2, consumers=0, listening=False, delayed=0, dead=0)
PAUSED = PauseState(paused=True, actor="cli:ani", since=NOW - 60)
SERVED = Counts(ready=0, consumers=1, listening=True, delayed=0, dead=0)
RUNNING = PauseState()


def status(counts: Counts = SERVED, *events: Event, state: PauseState = RUNNING, now: float = NOW) -> Status:
    activity = Activity("default")
    for event in events:
        activity.apply(event)
    return status_of("default", counts, activity, state, settings=SETTINGS, now=now)


def next_send(of: Status) -> tuple[float | None, Reason]:
    return of.next_send_in, of.next_send_reason


def test_an_idle_lane_waits_for_nothing():
    idle = status()
    assert next_send(idle) == (None, Reason.NOTHING_WAITS)
    assert (idle.queue_length, idle.is_processing, idle.estimated_time) == (0, False, 0)


def test_five_waiting_messages_take_four_delays_and_five_attempts():
    waiting = status(replace(SERVED, ready=5))
    assert (waiting.queue_length, waiting.estimated_time) == (5, pytest.approx(40 + 5 * UNKNOWN))
    assert next_send(waiting) == (0, Reason.DUE)


def test_what_is_left_of_the_pause_comes_on_top():
    paused = status(replace(SERVED, ready=2), make_event("sent", at=NOW - 3))
    assert paused.estimated_time == pytest.approx(17 + 2 * UNKNOWN)
    assert paused.pause_left == 7
    assert next_send(paused) == (7, Reason.PAUSE)
    assert paused.is_processing
    assert paused.last_sent_at == NOW - 3


def test_a_pause_that_is_over_leaves_nothing():
    assert next_send(status(replace(SERVED, ready=1), make_event("sent", at=NOW - 11))) == (0, Reason.DUE)


def test_a_send_in_the_future_counts_as_now():
    assert next_send(status(replace(SERVED, ready=1), make_event("sent", at=NOW + 500))) == (10, Reason.PAUSE)


def test_the_one_message_that_a_paused_lane_keeps_is_among_those_that_wait():
    paused, chosen = PauseState(paused=True), make_event("chosen", "m1")
    told = Event("lane.tried", NOW, "default", "m1")
    assert status(replace(SERVED, ready=2), chosen, told, state=paused).waiting == 3
    # Without a subscriber it is back in the queue, and counted there.
    assert status(replace(SERVED, ready=3, consumers=0), chosen, state=paused).waiting == 3
    assert status(replace(SERVED, ready=2), chosen, make_event("sending", "m1"), state=paused).queue_length == 3


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (make_event("sent", at=NOW - 3), ("pause",)),
        (make_event("sent", at=NOW - 11), ()),
        (make_event("failed", at=NOW - 3, hold=60, failure_class="throttled"), ("pause", "throttled")),
        (make_event("failed", at=NOW - 20, hold=60, failure_class="unavailable"), ("unavailable",)),
        (make_event("failed", at=NOW - 90, hold=60, failure_class="unavailable"), ()),
    ],
)
def test_what_a_force_would_end_is_known(event, expected):
    activity = Activity("default")
    activity.apply(event)
    assert waits_of(activity, delay=10, now=NOW).reasons == expected


def test_the_message_being_sent_counts_as_waiting_and_as_processing():
    sending = status(replace(SERVED, ready=2), make_event("sending"))
    assert (sending.queue_length, sending.waiting, sending.in_flight) == (3, 2, 1)
    assert sending.is_processing
    assert sending.estimated_time == pytest.approx(20 + 3 * UNKNOWN)
    assert sending.pause_left == 0
    assert next_send(sending) == (None, Reason.SENDING)


def test_what_a_dead_consumer_was_sending_is_back_in_the_queue_and_counted_there():
    crashed = status(Counts(ready=1, consumers=0, listening=False, delayed=0, dead=0), make_event("sending"))
    assert (crashed.queue_length, crashed.in_flight, crashed.is_processing) == (1, 0, False)
    assert next_send(crashed) == (None, Reason.NO_CONSUMER)


def test_retries_count_and_the_rest_of_the_ladder_is_scheduled():
    waiting = status(replace(SERVED, ready=1, delayed=5), make_event("retrying", due_at=NOW + 30))
    assert (waiting.retrying, waiting.scheduled) == (1, 4)
    assert waiting.estimated_time == pytest.approx(30 + UNKNOWN)


def test_a_ladder_that_somebody_emptied_holds_no_retries():
    assert status(SERVED, make_event("retrying", due_at=NOW + 30)).retrying == 0


def test_an_empty_lane_waits_for_its_next_retry():
    waiting = status(replace(SERVED, delayed=2), make_event("retrying", due_at=NOW + 30))
    assert next_send(waiting) == (30, Reason.RETRY)


@pytest.mark.parametrize("failure_class", ["throttled", "unavailable"])
def test_a_silent_provider_holds_the_lane(failure_class):
    held = status(HELD, make_event("failed", at=NOW - 5, hold=60, failure_class=failure_class))
    assert next_send(held) == (55, Reason(failure_class))
    assert held.running


def test_while_the_provider_asks_for_silence_the_end_can_be_told():
    held = status(HELD, make_event("failed", at=NOW - 5, hold=60, failure_class="throttled"))
    assert held.estimated_time == pytest.approx(55 + 10 + 2 * UNKNOWN)


@pytest.mark.parametrize(
    ("counts", "events", "state"),
    [
        (replace(SERVED, ready=2), (), PAUSED),
        (GONE, (), RUNNING),
        (HELD, (make_event("failed", at=NOW - 5, hold=60, failure_class="unavailable"),), RUNNING),
        # The probe of a provider that is down may find it so again.
        (
            replace(SERVED, ready=1),
            (make_event("failed", at=NOW - 5, hold=1, failure_class="unavailable"), make_event("sending", at=NOW - 1)),
            RUNNING,
        ),
    ],
    ids=["paused", "no consumer", "provider down", "probe"],
)
def test_nobody_is_told_an_end_that_nobody_can_tell(counts, events, state):
    blocked = status(counts, *events, state=state)
    assert blocked.estimated_time is None
    assert eta_seconds(blocked, 0) is None


def test_a_paused_lane_tells_how_long_it_will_take_after_a_resume():
    assert status(HELD, state=PAUSED).estimate_after_resume == pytest.approx(10 + 2 * UNKNOWN)
    assert status(GONE, state=PAUSED).estimate_after_resume is None
    assert status(replace(SERVED, ready=2)).estimate_after_resume is None


def test_an_empty_lane_in_its_pause_tells_when_a_new_message_would_go_out():
    idle = status(SERVED, make_event("sent", at=NOW - 7))
    assert (*next_send(idle), idle.pause_left, idle.estimated_time) == (None, Reason.NOTHING_WAITS, 3, 0)


def test_the_consumers_delay_counts_and_not_ours():
    sent = make_event("sent", at=NOW - 100, pause=0.7, delay=0.5, jitter=0.4)
    waiting = status(replace(SERVED, ready=3), sent)
    assert (waiting.delay, waiting.jitter) == (0.5, 0.4)
    assert waiting.estimated_time == pytest.approx(2 * 0.7 + 3 * UNKNOWN)


def test_a_consumer_that_has_sent_nothing_yet_tells_its_delay_too():
    assert status(replace(SERVED, ready=3), make_event("barrier", delay=2, jitter=0)).delay == 2


def test_each_message_that_waits_has_its_turn():
    attempts = [make_event("sending", "m1", at=NOW - 12), make_event("sent", "m1", at=NOW - 8, delay=10)]
    waiting = status(replace(SERVED, ready=3), *attempts)
    assert (waiting.mean_attempt, eta_seconds(waiting, 0)) == (4, 2)
    assert eta_seconds(waiting, 2) == pytest.approx(2 + 2 * 14)


def test_a_standby_is_told_unless_that_cannot_be_known():
    told = [status(one).standby for one in (SERVED, replace(SERVED, consumers=2), HELD, GONE)]
    assert told == [False, True, None, False]


def test_a_hold_that_is_shorter_than_the_pause_is_no_reason():
    held = status(replace(SERVED, ready=1), make_event("failed", at=NOW - 2, hold=1, failure_class="throttled"))
    assert next_send(held) == (8, Reason.PAUSE)


def test_a_provider_that_is_down_is_told_from_the_first_failure_on():
    failed = make_event("failed", at=NOW - 2, hold=1, failure_class="unavailable")
    assert next_send(status(replace(SERVED, ready=1), failed)) == (8, Reason.UNAVAILABLE)
    assert next_send(status(SERVED, failed)) == (None, Reason.NOTHING_WAITS)


def test_a_success_ends_the_hold():
    back = status(
        replace(SERVED, ready=1),
        make_event("failed", at=NOW - 30, hold=600, failure_class="throttled"),
        make_event("sent", at=NOW - 20),
    )
    assert next_send(back) == (0, Reason.DUE)


def test_forcing_ends_pause_and_hold():
    forced = status(
        replace(SERVED, ready=1),
        make_event("failed", at=NOW - 2, hold=600, failure_class="throttled"),
        Event("lane.forced", NOW - 1, "default"),
    )
    assert next_send(forced) == (0, Reason.DUE)


def test_a_paused_lane_says_who_paused_it_and_since_when():
    paused = status(replace(SERVED, ready=1), state=PauseState(paused=True, actor="cli:ani", since=NOW - 60))
    assert next_send(paused) == (None, Reason.PAUSED)
    assert (paused.paused_by, paused.paused_at) == ("cli:ani", NOW - 60)


def test_a_lane_that_goes_on_names_nobody():
    going_on = status(state=PauseState(paused=False, actor="cli:ani", since=NOW - 60))
    assert (going_on.paused_by, going_on.paused_at) == (None, None)


def test_without_a_consumer_nothing_is_due():
    assert next_send(status(Counts(ready=1, consumers=0, listening=False, delayed=0, dead=3))) == (
        None,
        Reason.NO_CONSUMER,
    )


def test_programs_get_plain_rounded_values():
    answer = status(replace(SERVED, ready=1, dead=2), make_event("sent", at=NOW - 1.23456)).as_json()
    assert answer["next_send_in"] == 8.765
    assert (answer["failed_messages"], answer["next_send_reason"]) == (2, "pause")
