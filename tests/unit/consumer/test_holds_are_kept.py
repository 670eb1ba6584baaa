"""Every order of sends, refusals, opt-outs, releases and crashes, on lanes with caps, windows and gaps."""

from collections.abc import Callable
from itertools import repeat
from unittest.mock import patch

from factories import make_message
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lane_model import FINAL, Fault, LaneModel

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane_limits import Limits, WarmUp, parse_windows
from antrian.domain.priority import Priority
from antrian.providers.contract import Failed, SendResult, Sent
from consumer.lane import sorting
from consumer.lane.ledger import State
from consumer.lane.retry import RetryPolicy

#: Handlings, and quarters of a day, that are enough to bring any lane of these tests to rest.
MANY = 300

Happening = Callable[[LaneModel], None]

RECIPIENTS = ["+6281200000001", "+6281200000002", "+6281200000003"]
recipients = st.sampled_from(RECIPIENTS)


def take(place: int, answer: SendResult, steps: int, fault: Fault) -> Happening:
    return lambda lane: lane.take(place, answer, iter([*[Fault.NONE] * steps, fault]))


def publish(number: int, recipient: str, priority: Priority) -> Happening:
    return lambda lane: lane.publish(make_message(f"m{number}", phone=recipient, priority=priority))


def know(recipient: str) -> Happening:
    return lambda lane: lane.know(recipient)


def opt_out(recipient: str) -> Happening:
    return lambda lane: lane.opt_out(recipient)


def opt_in(recipient: str) -> Happening:
    return lambda lane: lane.opt_in(recipient)


def sleep(hours: int) -> Happening:
    return lambda lane: lane.sleep(hours * 3_600)


REFUSED = Failed(FailureClass.COLD_REFUSED, "cold-refused", "463")
UNAVAILABLE = Failed(FailureClass.UNAVAILABLE, "away", "nobody answers")
answers = (
    st.just(Sent())
    | st.just(REFUSED)
    | st.builds(Failed, st.sampled_from(FailureClass), st.just("code"), st.just("detail"), st.sampled_from([None, 5.0]))
)
takes = st.builds(take, st.integers(0, 4), answers, st.integers(0, 24), st.sampled_from(Fault))
sends = st.builds(take, st.integers(0, 4), st.just(Sent()), st.integers(0, 24), st.sampled_from(Fault))
priorities = st.sampled_from([Priority.NORMAL, Priority.NORMAL, Priority.LOW, Priority.URGENT])
happenings = st.one_of(
    takes,
    takes,
    sends,
    sends,
    sends,
    st.builds(publish, st.integers(0, 9), recipients, priorities),
    st.builds(publish, st.integers(0, 9), recipients, priorities),
    st.builds(know, recipients),
    st.builds(opt_out, recipients),
    st.builds(opt_in, recipients),
    st.builds(sleep, st.sampled_from([1, 8, 24])),
    st.just(LaneModel.let_time_pass),
    st.just(LaneModel.hear_the_late),
    st.just(LaneModel.start_standby),
    st.just(LaneModel.release_cold),
    st.just(LaneModel.release_held),
    st.just(LaneModel.redrive),
)
limits = st.builds(
    Limits,
    daily_cap=st.sampled_from([0, 0, 1, 3]),
    hourly_cap=st.sampled_from([0, 0, 1]),
    cold_daily_cap=st.sampled_from([0, 1, 2]),
    warm_up=st.sampled_from([None, None, WarmUp(1, 2.0, 2)]),
    recipient_gap=st.sampled_from([0.0, 60.0]),
    windows=st.sampled_from([(), parse_windows("normal=08:00-16:00,low=20:00-06:00")]),
)


@settings(max_examples=400, deadline=None)
# A standby has seen one attempt of a message begin; that ends, and the next one is under way when its turn comes.
@example(
    Limits(),
    20,
    [
        take(0, REFUSED, 8, Fault.REPLACED_AFTER),
        LaneModel.start_standby,
        LaneModel.release_cold,
        publish(2, RECIPIENTS[1], Priority.NORMAL),
        LaneModel.hear_the_late,
        take(2, UNAVAILABLE, 8, Fault.REPLACED_AFTER),
        take(3, UNAVAILABLE, 17, Fault.NONE),
    ],
)
# Another consumer tells of its refusal while the next attempt is being put on record.
@example(
    Limits(),
    20,
    [
        take(0, REFUSED, 8, Fault.REPLACED_BEFORE),
        LaneModel.let_time_pass,
        take(0, Sent(), 5, Fault.LATE_REPORT),
    ],
)
@given(limits, st.sampled_from([1, 20]), st.lists(happenings, min_size=4, max_size=25))
def test_nothing_is_lost_or_sent_twice_and_no_limit_is_passed(
    limits: Limits, in_a_row: int, history: list[Happening]
) -> None:
    lane = LaneModel(RetryPolicy(), limits)
    lane.publish(make_message("m0", phone=RECIPIENTS[0]))
    with patch.object(sorting, "ENOUGH_IN_A_ROW", in_a_row), patch.object(sorting, "TOGETHER", 2):
        for happens in history:
            happens(lane)
            check_that_nothing_has_disappeared(lane)
        bring_to_rest(lane)
    for message_id in lane.published:
        assert lane.recorded_state(message_id) in FINAL


def check_that_nothing_has_disappeared(lane: LaneModel) -> None:
    broker = lane.broker
    present = {copy.message_id for copy in broker.queue + broker.ladder + broker.dead}
    for message_id in lane.published - present:
        assert lane.recorded_state(message_id) in {State.SENT, State.CLOSED}


def bring_to_rest(lane: LaneModel) -> None:
    for _ in range(MANY):
        if lane.is_settled():
            return
        lane.hear_the_late()
        lane.take(0, Sent(), repeat(Fault.NONE))
        if lane.broker.queue:
            lane.sleep(3 * 3_600)
        else:
            lane.let_time_pass()
    raise AssertionError("the lane does not come to rest")
