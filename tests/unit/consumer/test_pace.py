import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.lane.bells import Bells
from consumer.lane.pace import LEAD, Gate, Pace, since, stagger

DELAY = 10.0


def test_a_lane_that_never_sent_is_open() -> None:
    gate = Pace().gate()
    assert gate.is_open_to_choose(-1e9)
    assert gate.wait(-1e9) == 0


def test_the_pause_is_counted_from_the_end_of_the_send() -> None:
    pace = Pace()
    pace.send_ended(100.0, DELAY)
    assert pace.gate() == Gate(110.0, "pause")
    assert pace.gate().wait(104.0) == 6.0


def test_the_next_message_is_chosen_a_moment_before_the_pause_is_over() -> None:
    gate = Gate(110.0, "pause")
    assert not gate.is_open_to_choose(110.0 - 2 * LEAD)
    assert gate.is_open_to_choose(110.0 - LEAD)
    assert gate.wait(110.0 - LEAD) == pytest.approx(LEAD)


def test_news_of_an_earlier_send_shortens_nothing() -> None:
    pace = Pace()
    pace.send_ended(100.0, DELAY)
    pace.send_ended(50.0, DELAY)
    pace.send_ended(100.0, 1.0)
    assert pace.gate().opens_at == 110.0


@pytest.mark.parametrize(
    ("pause_over_at", "hold_over_at", "urgent", "expected"),
    [
        (10.0, -math.inf, False, Gate(10.0, "pause")),
        (10.0, 5.0, False, Gate(10.0, "pause")),
        (10.0, 15.0, False, Gate(15.0, "throttled")),
        (10.0, -math.inf, True, Gate(-math.inf, "pause")),
        (10.0, 15.0, True, Gate(15.0, "throttled")),
        (10.0, 5.0, True, Gate(5.0, "throttled")),
    ],
)
def test_what_ends_last_keeps_the_lane_shut_and_only_a_pause_gives_way_to_urgency(
    pause_over_at: float, hold_over_at: float, expected: Gate, *, urgent: bool
) -> None:
    pace = Pace(pause_over_at=pause_over_at, hold_over_at=hold_over_at, hold_reason="throttled")
    assert pace.gate(urgent=urgent) == expected


@pytest.mark.parametrize("urgent", [False, True])
@pytest.mark.parametrize("forced", [False, True])
def test_an_admins_pause_stops_everything(*, urgent: bool, forced: bool) -> None:
    assert Pace(paused=True, forced=forced).gate(urgent=urgent) == Gate(math.inf, "paused")


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize(
    "pace", [Pace(pause_over_at=110.0), Pace(hold_over_at=110.0), Pace(pause_over_at=105.0, hold_over_at=110.0)]
)
def test_force_ends_every_wait(pace: Pace, *, paused: bool) -> None:
    pace.paused = paused
    pace.force(100.0)
    assert pace.gate().wait(100.0) == 0
    assert not pace.paused


def test_force_twice_is_not_a_way_back() -> None:
    pace = Pace(pause_over_at=110.0)
    pace.force(100.0)
    pace.force(100.1)
    assert pace.gate().wait(100.1) == 0


def test_force_without_a_wait_does_not_spoil_the_next_pause() -> None:
    pace = Pace(paused=True, pause_over_at=90.0)
    pace.force(100.0)
    pace.send_ended(101.0, DELAY)
    assert pace.gate().wait(101.0) == DELAY


def test_an_urgent_message_that_rings_opens_the_lane_for_choosing_only() -> None:
    pace = Pace(pause_over_at=110.0, bells=Bells({"m1": 0}))
    assert pace.gate_to_choose().is_open_to_choose(100.0)
    assert pace.gate().wait(100.0) == 10.0


def test_a_provider_that_is_not_there_is_not_asked_for_an_urgent_message_either() -> None:
    assert Pace(hold_over_at=110.0, bells=Bells({"m1": 0})).gate_to_choose().wait(100.0) == 10.0


@dataclass
class Lane:
    """A lane that sends whenever its pace lets it, on a clock that the test turns."""

    pace: Pace = field(default_factory=Pace)
    now: float = 1_000.0
    last_end: float = -math.inf
    quiet_until: float = -math.inf

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def try_to_send(self, duration: float, *, urgent: bool) -> None:
        if self.pace.gate(urgent=urgent).wait(self.now) > 0:
            return
        assert not self.pace.paused
        if not self.pace.forced:
            assert urgent or self.now >= self.last_end + DELAY
            assert self.now >= self.quiet_until
        self.now += duration
        self.last_end = self.now
        self.pace.send_ended(self.now, DELAY)
        self.pace.forced = False

    def throttle(self, seconds: float) -> None:
        self.quiet_until = self.now + seconds
        self.pace.hold(self.quiet_until, "throttled")

    def learn_of_a_send(self, seconds_ago: float) -> None:
        """By another process, on the wall clock."""
        self.last_end = max(self.last_end, self.now - max(0.0, seconds_ago))
        self.pace.send_ended(since(self.now - seconds_ago, self.now, self.now), DELAY)

    def pause(self) -> None:
        self.pace.paused = True

    def resume(self) -> None:
        self.pace.paused = False

    def force(self) -> None:
        self.pace.force(self.now)


seconds = st.floats(0, 30) | st.just(DELAY) | st.just(0.0)
actions = st.one_of(
    st.tuples(st.just(Lane.advance), seconds),
    st.tuples(st.just(lambda lane, took: lane.try_to_send(took, urgent=False)), seconds),
    st.tuples(st.just(lambda lane, took: lane.try_to_send(took, urgent=True)), seconds),
    st.tuples(st.just(Lane.throttle), seconds),
    st.tuples(st.just(Lane.learn_of_a_send), st.floats(-3_600, 60)),
    st.sampled_from([(Lane.pause,), (Lane.resume,), (Lane.force,)]),
)


@given(st.lists(actions, max_size=40))
def test_the_lane_never_opens_early_whatever_happens(happenings: list[tuple]) -> None:  # type: ignore[type-arg]
    lane = Lane()
    for act, *arguments in happenings:
        act(lane, *arguments)


times = st.floats(0, 2e9)


@given(times, times, times, st.floats(0, 1e6))
def test_a_clock_that_is_set_back_can_only_lengthen_a_pause(
    event_at: float, wall: float, monotonic: float, back: float
) -> None:
    assert since(event_at, wall - back, monotonic) >= since(event_at, wall, monotonic)


@given(times, times, times)
def test_no_event_lies_in_the_future(event_at: float, wall: float, monotonic: float) -> None:
    assert since(event_at, wall, monotonic) <= monotonic


def test_an_event_is_as_old_here_as_it_is_by_the_wall_clock() -> None:
    assert since(1_000.0, 1_004.0, 50.0) == 46.0
    assert since(1_004.0, 1_000.0, 50.0) == 50.0


@pytest.mark.parametrize(
    ("index", "delay", "seconds"), [(0, 10, 0), (1, 10, 0.01), (499, 10, 4.99), (600, 10, 5), (3, 0, 0)]
)
def test_lanes_that_begin_together_send_one_after_the_other(index, delay, seconds):
    assert stagger(index, delay) == pytest.approx(seconds)
