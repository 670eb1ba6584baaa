"""What a worker takes over from the stream: the pauses of others, and of its own earlier life."""

from queue import SimpleQueue

import pytest
from factories import make_event, make_settings

from broker.topology import Names
from consumer import conversation
from consumer.conversation import Conversation

DELAY, WALL, MONOTONIC = 10.0, 1_800_000_000.0, 500.0


class Clock:
    """Stands in for the `time` module: both clocks at once, and the wall clock can be set."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.wall_offset = 0.0

    def time(self) -> float:
        return WALL + self.wall_offset + self.passed

    def monotonic(self) -> float:
        return MONOTONIC + self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(conversation, "time", clock)
    return clock


def make_conversation() -> Conversation:
    settings = make_settings(WHATSAPP_QUEUE_DELAY=str(DELAY))
    return Conversation("default", settings, Names(), SimpleQueue())


@pytest.mark.usefixtures("clock")
def test_what_is_left_of_another_ones_pause_is_kept() -> None:
    talk = make_conversation()
    talk.ledger.apply(make_event("sent", at=WALL - 4))
    talk._adopt_pace()
    assert talk.pace.gate().wait(MONOTONIC) == DELAY - 4


def test_a_send_without_an_outcome_costs_one_pause_and_not_one_at_each_look(clock: Clock) -> None:
    talk = make_conversation()
    talk.ledger.apply(make_event("sending", at=WALL - 3600))
    talk._adopt_pace()
    clock.passed = 6.0
    talk._adopt_pace()
    assert talk.pace.gate().wait(clock.monotonic()) == DELAY - 6


@pytest.mark.usefixtures("clock")
def test_what_is_left_of_a_hold_is_kept() -> None:
    talk = make_conversation()
    talk.ledger.apply(make_event("failed", at=WALL - 10, failure_class="throttled", hold=60.0))
    talk._adopt_pace()
    gate = talk.pace.gate()
    assert (gate.wait(MONOTONIC), gate.reason) == (50.0, "throttled")


def test_a_clock_that_was_set_back_costs_one_pause_and_not_the_whole_difference(clock: Clock) -> None:
    talk = make_conversation()
    talk.ledger.apply(make_event("sent", at=WALL))
    clock.wall_offset = -3600.0
    talk._adopt_pace()
    assert talk.pace.gate().wait(clock.monotonic()) == DELAY
    clock.passed = DELAY
    talk._adopt_pace()
    assert talk.pace.gate().wait(clock.monotonic()) == 0


def test_a_clock_that_was_set_back_costs_one_hold_and_not_the_whole_difference(clock: Clock) -> None:
    talk = make_conversation()
    talk.ledger.apply(make_event("failed", at=WALL, failure_class="throttled", hold=60.0))
    clock.wall_offset = -3600.0
    talk._adopt_pace()
    assert talk.pace.gate().wait(clock.monotonic()) == 60.0
    clock.passed = 60.0
    talk._adopt_pace()
    assert talk.pace.gate().wait(clock.monotonic()) == 0


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("recorded", "kept"), [(15.0, 15.0), (2.0, DELAY), ("x", DELAY), (True, DELAY), (-1, DELAY), (None, DELAY)]
)
def test_a_pause_that_was_chosen_longer_is_kept_and_one_that_is_shorter_or_none_is_not(recorded, kept) -> None:
    talk = make_conversation()
    talk.ledger.apply(make_event("sent", at=WALL, pause=recorded))
    talk._adopt_pace()
    assert talk.pace.gate().wait(MONOTONIC) == kept
