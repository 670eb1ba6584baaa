"""An urgent message is its own bell: how it is made to ring, how it is heard, and how long one waits for it."""

import pika
import pytest
from factories import LANE, make_event, make_message
from fake_connection import PaperLane

from antrian.broker.topology import Names
from antrian.broker.urgent_bell import heard, ring
from antrian.domain.control import Command, Control, encode_control
from antrian.domain.message import encode
from antrian.domain.priority import Priority
from consumer.lane import tick
from consumer.lane.bells import LOOKED_AT, MOST_PASSED, Bells

NAMES = Names()


@pytest.mark.parametrize(("later", "header"), [(False, {"BCC": ["urgent.default"]}), (True, {"antrian-urgent": True})])
def test_an_urgent_message_rings_now_or_when_it_is_due(later, header):
    _, plain = encode(make_message(priority=Priority.URGENT))
    _, properties = encode(make_message(priority=Priority.URGENT))
    ring(properties, LANE, later=later)
    assert properties.headers == plain.headers | header


def test_another_message_is_published_as_it_is():
    _, properties = encode(make_message(priority=Priority.HIGH))
    before = dict(properties.headers)
    ring(properties, LANE)
    assert properties.headers == before


@pytest.mark.parametrize(
    ("exchange", "key"), [(NAMES.messages, LANE), (NAMES.messages, f"urgent.{LANE}"), (NAMES.due, f"0.1.{LANE}")]
)
def test_a_copy_of_an_urgent_message_is_a_bell_and_nothing_else(exchange, key):
    body, properties = encode(make_message("m1", priority=Priority.URGENT, generation=2))
    control = heard(NAMES, exchange, key, body, properties)
    assert (control.command, control.lane, control.message_id, control.generation) == (Command.URGENT, LANE, "m1", 2)

    body, properties = encode_control(Control(Command.PAUSE, LANE))
    assert heard(NAMES, exchange, key, body, properties) is None
    properties.priority = 10
    assert heard(NAMES, exchange, key, body, properties).command is Command.URGENT


@pytest.mark.parametrize("headers", [None, {"antrian-generation": "x"}])
def test_a_bell_with_odd_headers_is_heard(headers):
    properties = pika.BasicProperties(priority=10, headers=headers)
    assert heard(NAMES, NAMES.messages, LANE, b"{", properties).generation == 0


def test_only_an_admin_commands_by_the_control_exchange():
    pause = encode_control(Control(Command.PAUSE, LANE))
    urgent = encode_control(Control(Command.URGENT, LANE, message_id="m1"))
    assert heard(NAMES, NAMES.control, "", *pause).command is Command.PAUSE
    assert heard(NAMES, NAMES.urgent, "", *pause) is None
    assert heard(NAMES, NAMES.urgent, "", *urgent).message_id == "m1"


def test_a_bell_rings_until_its_message_comes_or_too_many_others_came():
    bells = Bells()
    bells.ring("m1")
    bells.ring("m2", 3)
    bells.answer("m1")
    for _ in range(MOST_PASSED - 1):
        bells.pass_by()
    assert set(bells.generations) == {"m2"}
    bells.pass_by()
    assert not bells


def test_many_that_ring_at_once_cost_no_more_each_than_a_few(monkeypatch):
    lane = PaperLane()
    has_attempted, looks = lane.ledger.has_attempted, []
    monkeypatch.setattr(lane.ledger, "has_attempted", lambda *copy: looks.append(copy) or has_attempted(*copy))
    for number in range(2_000):
        lane.session.tell(Command.URGENT, f"u{number}")
    lane.take_in()
    assert len(lane.pace.bells.generations) == 2_000
    assert len(looks) <= 2_000 * (LOOKED_AT + 1)


def test_an_urgent_message_that_nobody_can_read_does_not_ring_on():
    lane = PaperLane()
    lane.session.tell(Command.URGENT, "m1")
    lane.take_in()
    lane.deliver(make_message("m1", priority=Priority.URGENT), body=b"garbage")
    assert not lane.pace.bells


def test_a_retry_that_rings_is_not_taken_for_the_attempt_before_it():
    lane = PaperLane(make_event("sending", "m1"), make_event("retrying", "m1"))
    lane.session.tell(Command.URGENT, "m1")
    lane.take_in()
    assert not lane.pace.bells
    lane.session.tell(Command.URGENT, "m1", generation=1)
    lane.take_in()
    assert set(lane.pace.bells.generations) == {"m1"}


def test_a_bell_that_is_faster_than_its_message_is_kept_for_it(monkeypatch):
    monkeypatch.setattr(tick, "PAUSE_BEFORE_NEXT", 0.0)
    lane = PaperLane(delay="60")
    lane.session.after_confirm["outcome.sent"] = lambda: lane.session.tell(Command.URGENT, "urgent")
    lane.deliver(make_message("m1"))
    lane.deliver(make_message("m2"))
    assert lane.session.said[-2:] == ["unsubscribe", "give_back"]
    assert lane.pace.bells
    # Ends the hold after the send, which is not what this is about.
    lane.session.after_confirm["outcome.sent"] = lambda: lane.session.tell(Command.URGENT, "another")
    lane.deliver(make_message("urgent", priority=Priority.URGENT))
    assert lane.provider.calls == ["m1", "urgent"]
