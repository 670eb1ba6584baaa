"""What a worker takes over from the stream: the pauses of others, and of its own earlier life."""

import pytest
from factories import make_event

from antrian.domain.lane_timing import LaneTimes
from consumer.lane.pace import Gate, Pace

DELAY, WALL, MONOTONIC = 10.0, 1_800_000_000.0, 500.0


class Lane:
    """Both clocks at once, and the wall clock can be set."""

    def __init__(self) -> None:
        self.passed = self.wall_offset = 0.0
        self.times = LaneTimes()
        self.sending: set[str] = set()
        self.adopted = self._pace = Pace(delay=DELAY)

    def happened(self, *fields, **details) -> None:
        self.times = self.times.after(make_event(*fields, **details))

    def adopt(self) -> None:
        wall, now = WALL + self.wall_offset + self.passed, MONOTONIC + self.passed
        self.adopted.adopt(self.times, self.sending, wall=wall, now=now)

    @property
    def gate(self) -> Gate:
        return self._pace.gate()

    @property
    def wait(self) -> float:
        return self.gate.wait(MONOTONIC + self.passed)


@pytest.fixture
def lane() -> Lane:
    return Lane()


def test_a_lane_in_which_nothing_happened_is_open(lane) -> None:
    lane.adopt()
    assert lane.wait == 0


def test_what_is_left_of_another_ones_pause_is_kept(lane) -> None:
    lane.happened("sent", at=WALL - 4)
    lane.adopt()
    assert lane.wait == DELAY - 4


def test_a_send_without_an_outcome_costs_one_pause_and_not_one_at_each_look(lane) -> None:
    lane.sending = {"m1"}
    lane.adopt()
    lane.passed = 6.0
    lane.adopt()
    assert lane.wait == DELAY - 6


def test_another_send_without_an_outcome_costs_another_pause(lane) -> None:
    lane.sending = {"m1"}
    lane.adopt()
    lane.passed = 6.0
    lane.sending = {"m1", "m2"}
    lane.adopt()
    assert lane.wait == DELAY


def test_a_send_that_loses_its_outcome_a_second_time_costs_a_second_pause(lane) -> None:
    for lane.passed in (0.0, 20.0):
        lane.sending = {"m1"}
        lane.adopt()
        assert lane.wait == DELAY
        lane.sending = set()
        lane.adopt()


def test_what_is_left_of_a_hold_is_kept(lane) -> None:
    lane.happened("failed", at=WALL - 10, failure_class="throttled", hold=60.0)
    lane.adopt()
    assert (lane.wait, lane.gate.reason) == (50.0, "throttled")


def test_a_clock_that_was_set_back_costs_one_pause_and_not_the_whole_difference(lane) -> None:
    lane.happened("sent", at=WALL)
    lane.wall_offset = -3600.0
    lane.adopt()
    assert lane.wait == DELAY
    lane.passed = DELAY
    lane.adopt()
    assert lane.wait == 0


def test_a_clock_that_was_set_back_costs_one_hold_and_not_the_whole_difference(lane) -> None:
    lane.happened("failed", at=WALL, failure_class="throttled", hold=60.0)
    lane.wall_offset = -3600.0
    lane.adopt()
    assert lane.wait == 60.0
    lane.passed = 60.0
    lane.adopt()
    assert lane.wait == 0


@pytest.mark.parametrize(
    ("recorded", "kept"), [(15.0, 15.0), (2.0, DELAY), ("x", DELAY), (True, DELAY), (-1, DELAY), (None, DELAY)]
)
def test_a_pause_that_was_chosen_longer_is_kept_and_one_that_is_shorter_or_none_is_not(lane, recorded, kept) -> None:
    lane.happened("sent", at=WALL, pause=recorded)
    lane.adopt()
    assert lane.wait == kept


def test_what_is_left_out_is_not_taken_over(lane) -> None:
    """A worker's own sends: the monotonic clock knows better."""
    assert lane.adopted.includes(LaneTimes())
    lane.happened("sent", at=WALL)
    assert not lane.adopted.includes(lane.times)
    lane.adopted.leave_out(lane.times)
    assert lane.adopted.includes(lane.times)
    lane.adopt()
    assert lane.wait == 0
