"""What a worker is doing, and whose turn it is."""

import math
from dataclasses import replace

import pytest
from factories import make_event, make_lane_snapshot

from consumer.lane.port import Phase
from consumer.lane.snapshot import LaneActivity
from consumer.outcomes.active_consumer import ActiveConsumer

NOW = 1000.0
IDLE = make_lane_snapshot()


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, LaneActivity.WAITING),
        ({"pause_over_at": NOW + 1}, LaneActivity.PAUSE),
        ({"pause_over_at": NOW}, LaneActivity.WAITING),
        ({"pause_over_at": NOW + 1, "hold_over_at": NOW + 1}, LaneActivity.HELD),
        ({"cap": "daily_cap", "pause_over_at": NOW + 1}, LaneActivity.DAILY_CAP),
        ({"cap": "hourly_cap"}, LaneActivity.HOURLY_CAP),
        ({"cap": "hourly_cap", "hold_over_at": NOW + 1}, LaneActivity.HELD),
        ({"hold_over_at": NOW + 1, "active": False}, LaneActivity.STANDBY),
        ({"phase": Phase.SENDING, "pause_over_at": NOW + 1}, LaneActivity.SENDING),
        ({"paused": True, "active": False}, LaneActivity.PAUSED),
        ({"connected": False, "paused": True, "phase": Phase.SENDING}, LaneActivity.DISCONNECTED),
    ],
)
def test_a_lane_is_in_one_state(facts, state):
    assert replace(IDLE, **facts).activity(NOW) is state


def test_a_hold_has_a_reason_while_it_lasts():
    held = replace(IDLE, hold_over_at=NOW + 1, hold_reason="throttled")
    assert held.held_because(NOW) == "throttled"
    assert held.held_because(NOW + 1) == ""


def test_the_next_send_may_start_when_pause_and_hold_are_over():
    assert replace(IDLE, pause_over_at=5.0, hold_over_at=7.0).opens_at() == 7.0
    assert math.isinf(IDLE.opens_at())


def test_who_is_alone_is_at_work():
    active = ActiveConsumer()
    assert not active.is_ours
    active.count_others(0)
    assert active.is_ours


def test_who_comes_second_stands_by():
    active = ActiveConsumer()
    active.count_others(1)
    assert not active.is_ours


def test_a_second_one_that_comes_later_changes_nothing():
    active = ActiveConsumer()
    active.count_others(0)
    active.count_others(1)
    assert active.is_ours


@pytest.mark.parametrize("name", ["sending", "sent", "failed", "uncertain"])
def test_it_is_the_turn_of_whoever_recorded_an_attempt_last(name):
    active = ActiveConsumer()
    active.count_others(0)
    active.see(make_event(name), own=False)
    assert not active.is_ours
    active.see(make_event(name), own=True)
    assert active.is_ours


@pytest.mark.parametrize("name", ["barrier", "cleared", "redriven", "cancelling"])
def test_what_others_write_as_well_says_nothing_about_the_turn(name):
    active = ActiveConsumer()
    active.count_others(0)
    active.see(make_event(name), own=False)
    assert active.is_ours


def test_a_standby_that_is_left_alone_has_the_turn():
    active = ActiveConsumer()
    active.see(make_event("sending"), own=False)
    active.count_others(0)
    assert active.is_ours


def test_after_a_lost_connection_the_turn_is_open_again():
    active = ActiveConsumer()
    active.count_others(0)
    active.forget()
    active.count_others(1)
    assert not active.is_ours
