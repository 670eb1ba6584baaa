"""What commands do to a lane's pace."""

import time

import pytest
from factories import LANE, make_event

from broker.control import Command, Control
from consumer.lane.ledger import Ledger
from consumer.orders import Orders
from consumer.lane.pace import Pace


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(LANE, 86_400.0)


@pytest.fixture
def orders(pace, ledger) -> Orders:
    return Orders(LANE, pace, ledger)


def control(command: Command, lane: str = LANE, message_id: str = "") -> Control:
    return Control(command, lane, actor="cli:test", message_id=message_id)


def test_a_paused_lane_is_paused_until_it_is_resumed(orders, pace) -> None:
    orders.obey(control(Command.PAUSE))
    assert pace.gate().reason == "paused"
    orders.obey(control(Command.RESUME))
    assert pace.gate().reason != "paused"


def test_force_ends_a_pause_of_either_kind(orders, pace) -> None:
    pace.paused = True
    pace.send_ended(time.monotonic(), 60.0)
    orders.obey(control(Command.FORCE))
    assert pace.gate().is_open_to_choose(time.monotonic())


def test_force_without_a_wait_is_not_kept_for_later(orders, pace) -> None:
    orders.obey(control(Command.FORCE))
    assert not pace.forced


def test_an_urgent_message_rings_until_it_was_attempted(orders, pace, ledger) -> None:
    ledger.apply(make_event("sending", "old"))
    orders.obey(control(Command.URGENT, message_id="old"))
    orders.obey(control(Command.URGENT, message_id="new"))
    assert set(pace.bells.generations) == {"new"}


def test_orders_for_all_lanes_are_ours_too(orders, pace) -> None:
    orders.obey(control(Command.PAUSE, lane="*"))
    assert pace.paused


def test_orders_for_another_lane_are_none_of_ours(orders, pace) -> None:
    orders.obey(control(Command.PAUSE, lane="other"))
    assert not pace.paused
