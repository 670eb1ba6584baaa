"""A paused lane sends one message when an admin asks for it: the worker's own decisions, with paper for a socket."""

import math
import time

import pytest
from factories import make_event, make_failure, make_message
from fake_connection import PaperLane

from antrian.domain.control import Command
from antrian.domain.failure_class import FailureClass
from consumer.lane.pace import Pace
from consumer.lane.permit import Permit, Step, Uses, step
from consumer.outcomes.writer import Disconnected


@pytest.fixture
def lane() -> PaperLane:
    """Paused; a pause between two sends is never waited for, so that what is kept is seen."""
    return paused(PaperLane(delay="0"))


def paused(lane: PaperLane) -> PaperLane:
    lane.session.tell(Command.PAUSE)
    lane.take_in()
    return lane


def permit(lane: PaperLane, name: str = "p1") -> None:
    lane.session.tell(Command.TRY_ONE, permit=name)
    lane.take_in()


def chosen(lane: PaperLane) -> list[tuple[str, list[str]]]:
    return [(one.message_id, one.details["permits"]) for one in lane.stream if one.name == "outcome.chosen"]


def test_one_is_sent_and_the_lane_stays_paused(lane):
    permit(lane)
    lane.deliver(make_message("m1"))
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == ["m1"]
    assert lane.told == ["outcome.chosen", "outcome.sending", "outcome.sent"]
    assert [one.details.get("permits") for one in lane.stream if one.name == "outcome.sending"] == [["p1"]]
    assert lane.pace.paused
    assert lane.session.said[-1] == "give_back"


def test_without_a_permission_a_paused_lane_is_silent(lane):
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == []


def test_a_lane_that_is_not_paused_needs_no_permission():
    lane = PaperLane()
    permit(lane)
    assert lane.pace.permit is None


def test_an_urgent_bell_widens_nothing(lane):
    permit(lane)
    lane.deliver(make_message("m1"))
    lane.session.tell(Command.URGENT, "m2")
    lane.take_in()
    assert lane.pace.gate_to_choose().opens_at == math.inf
    lane.deliver(make_message("m2", priority="urgent"))
    assert lane.provider.calls == ["m1"]


def test_an_urgent_message_keeps_the_pause_as_well():
    lane = paused(PaperLane(delay="60"))
    lane.pace.send_ended(time.monotonic(), 60)
    permit(lane)
    lane.session.after_confirm["outcome.chosen"] = lane.worker.stop
    lane.deliver(make_message("m1", priority="urgent"))
    assert chosen(lane) == [("m1", ["p1"])]
    assert lane.provider.calls == []
    assert 50 < lane.stream[-1].details["wait"] <= 60


@pytest.mark.parametrize("command", [Command.PAUSE, Command.RESUME, Command.FORCE])
def test_what_is_kept_is_given_back_when_the_lane_is_paused_again_or_resumed(command):
    lane = paused(PaperLane(delay="60"))
    lane.pace.send_ended(time.monotonic(), 60)
    permit(lane)
    lane.session.after_confirm["outcome.chosen"] = lambda: lane.session.tell(command)
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == []
    assert lane.session.said[-1] == "give_back"
    assert lane.pace.permit is None


def test_a_message_that_is_cancelled_while_it_is_kept_is_dropped_and_no_other_is_sent(lane):
    lane.pace.send_ended(time.monotonic(), 0.2)
    permit(lane)
    cancelling = make_event("cancelling", "m1", source="an admin")
    lane.session.after_confirm["outcome.chosen"] = lambda: lane.session.show(cancelling)
    lane.deliver(make_message("m1"))
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == []
    assert "outcome.cancelled" in lane.told


def test_a_message_that_is_dropped_before_the_choice_is_not_the_one(lane):
    lane.session.show(make_event("cancelling", "m1", source="an admin"))
    lane.take_in()
    permit(lane)
    lane.deliver(make_message("m1"))
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == ["m2"]
    assert chosen(lane) == [("m2", ["p1"])]


def test_a_second_command_while_the_first_is_kept_is_told_the_same_message(lane):
    lane.pace.send_ended(time.monotonic(), 0.2)
    permit(lane)
    lane.session.after_confirm["outcome.chosen"] = lambda: lane.session.tell(Command.TRY_ONE, permit="p2")
    lane.deliver(make_message("m1"))
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == ["m1"]
    assert chosen(lane) == [("m1", ["p1"]), ("m1", ["p2"])]


def test_a_second_command_while_the_choice_is_recorded_is_told_the_same_message(lane):
    permit(lane)
    lane.session.before_confirm["outcome.chosen"] = lambda: lane.session.tell(Command.TRY_ONE, permit="p2")
    lane.deliver(make_message("m1"))
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == ["m1"]
    assert chosen(lane) == [("m1", ["p1"]), ("m1", ["p2"])]


def test_a_command_that_comes_when_the_sending_has_begun_is_for_the_next(lane):
    permit(lane)
    lane.session.before_confirm["outcome.sending"] = lambda: lane.session.tell(Command.TRY_ONE, permit="p2")
    lane.deliver(make_message("m1"))
    lane.deliver(make_message("m2"))
    lane.deliver(make_message("m3"))
    assert lane.provider.calls == ["m1", "m2"]
    assert chosen(lane) == [("m1", ["p1"]), ("m2", ["p2"])]


def test_a_provider_that_is_away_spends_the_permission_and_the_hold_stays(lane):
    lane.provider.answers = [make_failure(FailureClass.UNAVAILABLE)]
    permit(lane)
    lane.deliver(make_message("m1"))
    assert lane.pace.permit is None
    assert lane.pace.gate_for_the_one().reason == "unavailable"
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == ["m1"]


def test_what_another_consumer_has_begun_is_not_begun_again(lane):
    permit(lane)
    begun = make_event("sending", "m1", source="another", permits=["p1"])
    for event in (make_event("chosen", "m1", source="another", permits=["p1"]), begun):
        lane.session.show(event)
    lane.session.show(make_event("sent", "m1", source="another", pause=0))
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == []
    assert lane.session.said[-1] == "give_back"


def test_the_message_that_another_consumer_chose_is_the_only_one(lane):
    permit(lane)
    lane.session.show(make_event("chosen", "m1", source="another", permits=["p1"]))
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == []


def test_after_a_lost_connection_it_is_still_the_same_message(lane):
    permit(lane)
    lane.session.before_confirm["outcome.chosen"] = lane.session.die
    with pytest.raises(Disconnected):
        lane.deliver(make_message("m1"))
    lane.connect()
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == []


@pytest.mark.parametrize("connection_breaks", [True, False])
def test_a_choice_that_could_not_be_told_in_time_sends_nothing(lane, connection_breaks):
    """Whoever asked was told seconds ago that nobody answers and nothing is sent; the word of it may be lost, too."""

    def seconds_pass() -> None:
        assert lane.pace.permit is not None
        lane.pace.permit.valid_until -= 10
        if connection_breaks:
            lane.session.die()

    permit(lane)
    lane.session.before_confirm["outcome.chosen"] = seconds_pass
    if connection_breaks:
        with pytest.raises(Disconnected):
            lane.deliver(make_message("m1"))
        lane.connect()
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == []
    assert lane.session.said[-1] == "give_back"
    assert lane.pace.permit is None


def test_a_command_of_yesterday_is_not_obeyed(lane):
    lane.session.tell(Command.TRY_ONE, permit="p1", expires_at=time.time() - 1)
    lane.take_in()
    assert lane.pace.permit is None


def test_only_what_is_not_chosen_can_be_withdrawn():
    pace = Pace(paused=True)
    pace.try_one("p1", "ani", 0.0)
    pace.withdraw("p2")
    assert pace.wants_a_choice
    assert pace.permit is not None
    pace.permit.choose("m1", 0.0)
    pace.withdraw("p1")
    assert pace.permit is not None


def test_a_command_that_is_withdrawn_takes_no_later_one_with_it(lane):
    permit(lane, "p1")
    permit(lane, "p2")
    lane.session.tell(Command.WITHDRAW, permit="p1")
    lane.take_in()
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == ["m1"]
    assert chosen(lane) == [("m1", ["p2"])]
    permit(lane, "p3")
    permit(lane, "p4")
    for name in ("p3", "p4"):
        lane.session.tell(Command.WITHDRAW, permit=name)
    lane.take_in()
    assert lane.pace.permit is None


def test_a_permission_is_used_in_time_or_never():
    held = Permit.asked("p1", "ani", 0.0)
    assert step(held, "m1", Uses(), 4.0) is Step.CHOOSE
    assert step(held, "m1", Uses(), 6.0) is Step.NOTHING
    held.choose("m1", begins_at=600.0)
    held.answered(["p1"])
    assert step(held, "m1", Uses(), 610.0) is Step.SEND
    assert step(held, "m1", Uses(), 700.0) is Step.NOTHING


def test_events_of_a_foreign_hand_give_no_permission_and_break_nothing():
    uses = Uses()
    for nonsense in (None, "p1", 5, [5, None, {}], {"p1": 1}):
        uses.apply(make_event("sending", "m1", permits=nonsense))
    assert uses.of("p1") is None
