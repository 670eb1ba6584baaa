"""Every order of sends, crashes, lost connections, redeliveries and fail-overs that hypothesis can think of."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product, repeat

import pytest
from factories import NOW, make_message
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lane_model import FINAL, Fault, LaneModel

from antrian.domain.failure_class import FailureClass
from antrian.domain.receipt import ReceiptStatus
from antrian.providers.contract import Failed, SendResult, Sent
from consumer.lane.ledger import State
from consumer.lane.retry import RetryPolicy

#: Handlings that are enough to bring any lane of these tests to rest.
MANY = 200
SOON = datetime.fromtimestamp(NOW + 20, UTC)

#: The events that end a message's life without a send.
NOT_SENT = ("duplicate", "expired", "cancelled")

Happening = Callable[[LaneModel], None]


def take(place: int, answer: SendResult, steps: int, fault: Fault, *, slow_stream: bool = False) -> Happening:
    """A consumer handles a copy; so many steps go well before the fault."""
    faults = [*[Fault.NONE] * steps, fault]
    return lambda lane: lane.take(place, answer, iter(faults), slow_stream=slow_stream)


def publish(message_id: str, key: str | None, expires_at: datetime | None) -> Happening:
    """Also an id that was published before, as a publisher does that never saw its confirm."""
    return lambda lane: lane.publish(make_message(message_id, key=key, expires_at=expires_at))


def cancel(message_id: str) -> Happening:
    return lambda lane: lane.cancel(message_id)


def uncancel(message_id: str) -> Happening:
    return lambda lane: lane.uncancel(message_id)


def undo_cancellation(message_id: str) -> Happening:
    return lambda lane: lane.undo_cancellation(message_id)


def try_one(*, standby_hears: bool) -> Happening:
    return lambda lane: lane.try_one(standby_hears=standby_hears)


def hear_receipt(place: int, status: ReceiptStatus) -> Happening:
    return lambda lane: lane.hear_receipt(place, status)


def undeliver(message_id: str, *, again: bool) -> Happening:
    return lambda lane: lane.undeliver(message_id, again=again)


def sleep(seconds: float) -> Happening:
    return lambda lane: lane.sleep(seconds)


ids = st.sampled_from(["m1", "m2"])
answers = st.just(Sent()) | st.builds(
    Failed, st.sampled_from(FailureClass), st.just("code"), st.just("detail"), st.sampled_from([None, 0.0, 5.0])
)
takes = st.builds(
    take, st.integers(0, 2), answers, st.integers(0, 16), st.sampled_from(Fault), slow_stream=st.booleans()
)
happenings = st.one_of(
    takes,
    takes,
    takes,
    takes,
    st.builds(publish, ids, st.sampled_from([None, None, "k"]), st.sampled_from([None, None, SOON])),
    st.just(LaneModel.let_time_pass),
    st.just(LaneModel.hear_the_late),
    st.just(LaneModel.start_standby),
    st.just(LaneModel.redrive),
    st.builds(cancel, ids),
    st.builds(uncancel, ids),
    st.builds(undo_cancellation, ids),
    st.just(LaneModel.pause),
    st.builds(try_one, standby_hears=st.booleans()),
)
#: A lane that is paused again and again, and has one message sent at a time.
early = st.builds(take, st.integers(0, 2), st.just(Sent()), st.integers(0, 5), st.sampled_from(Fault))
paused_happenings = st.one_of(
    takes,
    early,
    early,
    st.builds(try_one, standby_hears=st.booleans()),
    st.builds(try_one, standby_hears=st.booleans()),
    st.just(LaneModel.withdraw),
    st.just(LaneModel.let_time_pass),
    st.just(LaneModel.hear_the_late),
    st.just(LaneModel.start_standby),
    st.just(LaneModel.pause),
    st.builds(cancel, ids),
)
#: A lane whose provider gives our name for an attempt back.
receipt_happenings = st.one_of(
    takes,
    takes,
    takes,
    happenings,
    st.builds(hear_receipt, st.integers(0, 5), st.sampled_from(ReceiptStatus)),
    st.builds(hear_receipt, st.integers(0, 5), st.sampled_from(ReceiptStatus)),
    st.builds(sleep, st.sampled_from([1.0, 15.0, 45.0])),
    st.builds(undeliver, ids, again=st.booleans()),
)
policies = st.builds(RetryPolicy, st.integers(1, 4), st.just((30.0,)), st.booleans())


@settings(max_examples=2000, deadline=None)
@example(
    RetryPolicy(),
    [
        take(0, Failed(FailureClass.REJECTED, "code", "detail"), 30, Fault.NONE),
        cancel("m1"),
        take(0, Sent(), 30, Fault.NONE),
        LaneModel.redrive,
        take(0, Sent(), 30, Fault.NONE, slow_stream=True),
    ],
)
@example(
    # The silence that the provider asked for is told late, after another consumer found the attempt without an outcome.
    RetryPolicy(1, (30.0,), resend_uncertain=False),
    [
        take(0, Failed(FailureClass.THROTTLED, "code", "detail"), 8, Fault.REPLACED_BEFORE),
        take(0, Sent(), 6, Fault.CRASH_AFTER),
        LaneModel.redrive,
    ],
)
@given(policies, st.lists(happenings, min_size=3, max_size=20))
def test_no_message_is_lost_or_sent_twice_and_each_has_one_end(policy: RetryPolicy, history: list[Happening]) -> None:
    lane = LaneModel(policy)
    lane.publish(make_message("m1"))
    for happens in history:
        happens(lane)
        check_that_nothing_has_disappeared(lane)
        check_that_a_second_send_is_marked_uncertain(lane)
        check_that_only_a_consumer_that_is_gone_leaves_doubts(lane)
    bring_to_rest(lane)
    check_that_only_a_consumer_that_is_gone_leaves_doubts(lane)
    check_that_every_message_has_one_end(lane)


NO_ANSWER = Failed(FailureClass.UNCERTAIN, "no-answer", "detail")
RECEIPT_WAIT = 60.0


@settings(max_examples=2000, deadline=None)
@example(RetryPolicy(), [take(0, NO_ANSWER, 30, Fault.NONE), hear_receipt(0, ReceiptStatus.SENT)])
@example(RetryPolicy(), [take(0, Sent(), 8, Fault.CRASH_AFTER), hear_receipt(0, ReceiptStatus.READ)])
@example(
    # The wait is over before the stream shows the receipt.
    RetryPolicy(resend_uncertain=False),
    [
        take(0, NO_ANSWER, 30, Fault.NONE),
        LaneModel.let_time_pass,
        hear_receipt(0, ReceiptStatus.SENT),
        take(0, Sent(), 30, Fault.NONE, slow_stream=True),
    ],
)
@example(
    # It came back before the stream said that it did not arrive.
    RetryPolicy(),
    [
        take(0, Sent(), 30, Fault.NONE),
        undeliver("m1", again=False),
        LaneModel.redrive,
        take(0, Sent(), 30, Fault.NONE, slow_stream=True),
    ],
)
@given(policies, st.lists(receipt_happenings, min_size=3, max_size=20))
def test_a_receipt_settles_an_attempt_without_an_answer(policy: RetryPolicy, history: list[Happening]) -> None:
    lane = LaneModel(policy, receipt_wait=RECEIPT_WAIT)
    lane.publish(make_message("m1"))
    for happens in history:
        happens(lane)
        check_that_nothing_has_disappeared(lane)
        check_that_a_second_send_is_marked_uncertain(lane)
        check_that_only_a_consumer_that_is_gone_leaves_doubts(lane)
    bring_to_rest(lane)
    check_that_every_message_has_one_end(lane)
    check_that_what_was_proved_ends_as_sent(lane)


@settings(max_examples=1000, deadline=None)
@example(
    RetryPolicy(),
    2,
    [try_one(standby_hears=False), take(0, Sent(), 6, Fault.CUT_BEFORE), take(1, Sent(), 16, Fault.NONE)],
)
@example(
    RetryPolicy(),
    2,
    [try_one(standby_hears=True), take(0, Sent(), 6, Fault.CRASH_AFTER), take(1, Sent(), 16, Fault.NONE)],
)
@given(policies, st.integers(1, 4), st.lists(paused_happenings, min_size=3, max_size=20))
def test_a_paused_lane_sends_at_most_one_message_for_each_command(
    policy: RetryPolicy, waiting: int, history: list[Happening]
) -> None:
    lane = LaneModel(policy)
    for number in range(waiting):
        lane.publish(make_message(f"m{number}"))
    lane.pause()
    for happens in history:
        happens(lane)
        check_that_nothing_has_disappeared(lane)
        check_that_no_permission_is_used_twice(lane)
        assert len(lane.sent_with) <= lane.commands
    bring_to_rest(lane)
    check_that_every_message_has_one_end(lane)


#: Steps of one handling, the reading of the stream before it included.
STEPS = 14


@pytest.mark.parametrize("answer", [Sent(), Failed(FailureClass.TRANSIENT, "code", "detail")], ids=["sent", "failed"])
@pytest.mark.parametrize("second", [Fault.LATE_REPORT, Fault.CUT_BEFORE])
def test_every_pair_of_moments_at_which_something_happens_to_one_message(second: Fault, answer: SendResult) -> None:
    """What hypothesis meets once in a thousand histories: a late report in the instant in which another one begins."""
    gone = [fault for fault in Fault if fault not in {Fault.NONE, Fault.CONFIRMED_IN_VAIN, Fault.LATE_REPORT}]
    for fault, steps, later in product(gone, range(STEPS), range(STEPS)):
        lane = LaneModel(RetryPolicy())
        lane.publish(make_message("m1"))
        take(0, answer, steps, fault)(lane)
        take(0, answer, later, second)(lane)
        check_that_nothing_has_disappeared(lane)
        check_that_a_second_send_is_marked_uncertain(lane)
        bring_to_rest(lane)
        check_that_only_a_consumer_that_is_gone_leaves_doubts(lane)
        check_that_every_message_has_one_end(lane)


def check_that_no_permission_is_used_twice(lane: LaneModel) -> None:
    used = [one for permits, _ in lane.sent_with for one in permits]
    assert len(used) == len(set(used))
    told = {
        (one, event.message_id)
        for event in lane.broker.stream
        if event.name == "outcome.chosen"
        for one in event.details["permits"]
    }
    for permits, message_id in lane.sent_with:
        # What an admin was told is what was sent, and no second message was ever named.
        assert {chosen for one, chosen in told if one in permits} == {message_id}


def check_that_nothing_has_disappeared(lane: LaneModel) -> None:
    broker = lane.broker
    present = {copy.message_id for copy in broker.queue + broker.ladder + broker.dead}
    for message_id in lane.published - present:
        assert lane.recorded_state(message_id) in {State.SENT, State.CLOSED}


def check_that_a_second_send_is_marked_uncertain(lane: LaneModel) -> None:
    for message_id in lane.published:
        doubts = len(lane.broker.events("uncertain", message_id)) + sum(
            event.message_id == message_id and event.details.get("failure_class") == FailureClass.UNCERTAIN
            for event in lane.broker.stream
        )
        taken_back = len(lane.broker.events("undelivered", message_id))
        # The latest may have been accepted from a consumer that could not say so yet.
        assert lane.provider_accepted.count(message_id) <= doubts + taken_back + 1


def check_that_only_a_consumer_that_is_gone_leaves_doubts(lane: LaneModel) -> None:
    """One that lives on, whatever becomes of its connection, knows how its call ended and says so."""
    doubts = {(one.message_id, one.attempt) for one in lane.broker.stream if one.name == "outcome.uncertain"}
    assert doubts <= lane.doubtful


def check_that_what_was_proved_ends_as_sent(lane: LaneModel) -> None:
    for message_id in lane.proved:
        assert lane.recorded_state(message_id) is State.SENT


def bring_to_rest(lane: LaneModel) -> None:
    """In the end everything works again, and the lane is not paused."""
    lane.resume()
    for _ in range(MANY):
        if lane.is_settled():
            return
        lane.hear_the_late()
        lane.take(0, Sent(), repeat(Fault.NONE))
        if not lane.broker.queue:
            lane.let_time_pass()
    raise AssertionError("the lane does not come to rest")


def check_that_every_message_has_one_end(lane: LaneModel) -> None:
    dead = {letter.message_id for letter in lane.broker.dead}
    for message_id in lane.published:
        state = lane.recorded_state(message_id)
        assert state in FINAL
        assert state is not State.CLOSED or any(lane.broker.events(name, message_id) for name in NOT_SENT)
        assert state is not State.DEAD or message_id in dead
        # A consumer that was replaced may say only after the burial that it had been sent.
        assert message_id not in dead or state is State.DEAD or (state is State.SENT and lane.heard_late)
