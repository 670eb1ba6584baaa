"""What commands do to a lane's pace."""

import time

import pytest
from factories import LANE, make_event

from antrian.domain.control import Command, Control
from consumer.lane.ledger import Ledger
from consumer.lane.pace import Pace


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(LANE, 86_400.0)


@pytest.fixture
def obey(pace, ledger):
    def obey(command: Command, message_id: str = "") -> None:
        control = Control(command, LANE, actor="cli:test", message_id=message_id)
        pace.apply(control, ledger.has_attempted, wall=time.time(), now=time.monotonic())

    return obey


def test_a_paused_lane_is_paused_until_it_is_resumed(obey, pace) -> None:
    obey(Command.PAUSE)
    assert pace.gate().reason == "paused"
    obey(Command.RESUME)
    assert pace.gate().reason != "paused"


def test_force_ends_a_pause_of_either_kind(obey, pace) -> None:
    pace.paused = True
    pace.send_ended(time.monotonic(), 60.0)
    obey(Command.FORCE)
    assert pace.gate().is_open_to_choose(time.monotonic())


def test_force_without_a_wait_is_not_kept_for_later(obey, pace) -> None:
    obey(Command.FORCE)
    assert not pace.forced


def test_an_urgent_message_rings_until_it_was_attempted(obey, pace, ledger) -> None:
    ledger.apply(make_event("sending", "old"))
    obey(Command.URGENT, message_id="old")
    obey(Command.URGENT, message_id="new")
    assert set(pace.bells.generations) == {"new"}
