"""Rules of a lane, one at a time: what its tick does at the moments that matter."""

from dataclasses import replace
from itertools import repeat
from unittest.mock import patch

import pytest
from factories import NOW, make_event, make_failure, make_message
from hypothesis import given
from hypothesis import strategies as st
from lane_model import SENDER, Fault, LaneModel

from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.lane_limits import Limits, parse_windows
from antrian.domain.lane_timing import SESSION_PROBE
from antrian.domain.message import Message, new_message
from antrian.domain.opt_out import CONFIRMATION, WISHES, answer_key, confirmation
from antrian.domain.priority import Priority
from antrian.domain.receipt import ReceiptStatus, SessionState
from antrian.providers.contract import SendResult, Sent
from consumer.lane import sorting
from consumer.lane.ledger import State
from consumer.lane.retry import RetryPolicy
from consumer.lane.tick import LOOK_EVERY

#: NOW is at 15:00 in Jakarta.
HOUR = 3_600.0
STRANGER, KNOWN = "+6281200000001", "+6281200000002"


def lane_with(**limits: object) -> LaneModel:
    return LaneModel(RetryPolicy(), Limits(**limits))


def take(lane: LaneModel, answer: SendResult | None = None, place: int = 0) -> None:
    lane.take(place, answer or Sent(), repeat(Fault.NONE))


def sent(lane: LaneModel) -> list[str]:
    return list(lane.provider_accepted)


def held(lane: LaneModel, message_id: str) -> list[tuple[str, float]]:
    return [(event.details["reason"], event.details["due_at"]) for event in lane.broker.events("held", message_id)]


def test_a_message_waits_for_its_window_and_is_sent_when_it_opens():
    lane = lane_with(windows=parse_windows("normal=16:00-20:00"))
    lane.publish(make_message("m1"))
    take(lane)
    assert sent(lane) == []
    assert held(lane, "m1") == [("window", pytest.approx(NOW + HOUR, abs=1))]
    lane.let_time_pass()
    take(lane)
    assert sent(lane) == ["m1"]


def test_a_window_that_closes_between_the_decision_and_the_call_is_kept():
    lane = lane_with(windows=parse_windows("normal=06:00-15:01"))
    lane.now = NOW + 60 - 1.001
    lane.publish(make_message("m1"))
    life = lane.life
    life.pace.send_ended(life.now() - 10 + 1.003, 10)
    take(lane)
    assert lane.now >= NOW + 60
    assert sent(lane) == []
    assert lane.recorded_state("m1") is State.HELD
    take(lane)
    assert [reason for reason, _ in held(lane, "m1")] == ["window"]


def test_an_attempt_that_is_recorded_in_one_hour_is_not_made_in_the_next():
    lane = lane_with(hourly_cap=2)
    lane.now = NOW + HOUR - 1.001
    lane.publish(make_message("m1"))
    life = lane.life
    life.pace.send_ended(life.now() - 10 + 1.003, 10)
    take(lane)
    assert lane.now >= NOW + HOUR
    assert sent(lane) == []
    take(lane)
    assert sent(lane) == ["m1"]
    assert lane.broker.events("sending", "m1")[-1].at >= NOW + HOUR
    assert lane.broker.events("sending", "m1")[-1].details["used"]["hour"] == 1


def test_over_the_daily_cap_an_urgent_message_passes_announced_or_not():
    lane = lane_with(daily_cap=1)
    for number in range(3):
        lane.publish(make_message(f"m{number}"))
    take(lane)
    take(lane)
    assert sent(lane) == ["m0"]
    lane.publish(make_message("u1", priority=Priority.URGENT))
    lane.life.pace.bells.ring("u1")
    take(lane, place=2)
    lane.publish(make_message("u2", priority=Priority.URGENT))
    lane.now += LOOK_EVERY
    take(lane, place=2)
    assert sent(lane) == ["m0", "u1", "u2"]
    assert lane.broker.events("sending", "u2")[0].details["used"]["day"] == 3


def test_what_another_consumer_sent_before_our_turn_is_not_moved_out_of_the_way():
    lane = lane_with(windows=parse_windows("normal=16:00-20:00"))
    for number in range(3):
        lane.publish(make_message(f"m{number}"))
    life, arrived = lane.life, lane.life.arrived

    async def arrive_after_a_send(most, until):
        if not lane.broker.events("sent", "m1"):
            for name in ("sending", "sent"):
                lane.broker.show(make_event(name, "m1", at=lane.now, source="another consumer"))
        return await arrived(most, until)

    with patch.object(sorting, "ENOUGH_IN_A_ROW", 1), patch.object(life, "arrived", arrive_after_a_send):
        take(lane)
    assert held(lane, "m0")
    assert not held(lane, "m1")


def test_force_ends_no_cap():
    lane = lane_with(hourly_cap=1)
    for number in range(2):
        lane.publish(make_message(f"m{number}"))
    take(lane)
    lane.life.pace.force(lane.life.now())
    take(lane)
    assert sent(lane) == ["m0"]
    lane.sleep(HOUR)
    take(lane)
    assert sent(lane) == ["m0", "m1"]


def test_caps_outlive_the_consumer():
    lane = lane_with(daily_cap=1)
    for number in range(2):
        lane.publish(make_message(f"m{number}"))
    take(lane)
    lane.take(0, Sent(), iter([Fault.CRASH_BEFORE]))
    lane.now += 20
    take(lane)
    assert sent(lane) == ["m0"]


def test_a_refusal_holds_all_cold_contacts_and_counts_no_attempt():
    lane = lane_with()
    lane.know(KNOWN)
    for message_id, recipient in (("s1", STRANGER), ("s2", "+6281200000003"), ("k1", KNOWN)):
        lane.publish(make_message(message_id, phone=recipient))
    take(lane, make_failure(FailureClass.COLD_REFUSED, retry_after=HOUR))
    take(lane)
    take(lane)
    assert sent(lane) == ["k1"]
    assert [held(lane, one)[0][0] for one in ("s1", "s2")] == ["cold_held", "cold_held"]
    # The end that the provider named, and one is tried before the others.
    lane.sleep(NOW + HOUR + 10 - lane.now)
    assert [copy.message_id for copy in lane.broker.queue] == ["s1", "s2"]
    take(lane, make_failure(FailureClass.COLD_REFUSED, retry_after=60.0))
    assert lane.broker.events("sending", "s1")[-1].attempt == 1
    take(lane)
    assert sent(lane) == ["k1"]
    # A second refusal in a row holds longer, so that the others are not moved every minute.
    assert held(lane, "s2")[-1][1] >= lane.now + 11 * HOUR
    lane.release_cold()
    lane.release_held()
    take(lane)
    take(lane)
    assert sorted(sent(lane)) == ["k1", "s1", "s2"]


def test_held_messages_get_days_of_their_own_and_are_not_moved_again():
    lane = lane_with(cold_daily_cap=2)
    for number in range(9):
        lane.publish(make_message(f"m{number}", phone=f"+62812000001{number:02}"))
    for _ in range(9):
        take(lane)
    slots = [event.details["slot"] for event in lane.broker.stream if event.name == "outcome.held"]
    assert slots == sorted(slots)
    assert [slots.count(slot) for slot in sorted(set(slots))] == [2, 2, 2, 1]
    for _ in range(30):
        take(lane)
        if not lane.broker.queue:
            lane.let_time_pass()
    assert len(lane.broker.events("held", "m8")) == 1
    assert len(set(sent(lane))) == 9


def test_a_second_copy_that_comes_back_when_the_ledger_has_forgotten_is_not_sent():
    lane = lane_with(cold_daily_cap=1)
    lane.publish(make_message("m1", phone=STRANGER))
    lane.publish(make_message("m2", phone=KNOWN))
    take(lane)
    take(lane)
    (copy,) = lane.broker.ladder
    # A crash between the copy and its event: the message was decided about again, and got another day.
    lane.broker.ladder.append(replace(copy, due_at=copy.due_at + 5 * 24 * HOUR))
    lane.let_time_pass()
    take(lane)
    assert sent(lane) == ["m1", "m2"]
    lane.forget_outcomes()
    lane.let_time_pass()
    take(lane)
    assert sent(lane) == ["m1", "m2"]
    assert lane.broker.queue == []


def test_a_held_message_that_was_cancelled_is_not_sent_when_the_ledger_has_forgotten_that():
    lane = lane_with(cold_daily_cap=1)
    lane.publish(make_message("m1", phone=STRANGER))
    lane.publish(make_message("m2", phone=KNOWN))
    take(lane)
    take(lane)
    lane.now += 1
    lane.cancel("m2")
    lane.forget_outcomes()
    lane.let_time_pass()
    take(lane)
    assert sent(lane) == ["m1"]
    assert len(lane.broker.events("cancelled", "m2")) == 1


def test_a_held_message_whose_cancellation_was_taken_back_is_sent():
    lane = lane_with(cold_daily_cap=1)
    lane.publish(make_message("m1", phone=STRANGER))
    lane.publish(make_message("m2", phone=KNOWN))
    take(lane)
    take(lane)
    lane.now += 1
    lane.cancel("m2")
    lane.now += 1
    lane.uncancel("m2")
    lane.forget_outcomes()
    lane.let_time_pass()
    take(lane)
    assert sent(lane) == ["m1", "m2"]


def test_what_did_not_arrive_is_sent_again_when_the_ledger_has_forgotten_all_of_it():
    lane = lane_with(cold_daily_cap=1)
    lane.publish(make_message("m1", phone=STRANGER))
    lane.publish(make_message("m2", phone=KNOWN))
    take(lane)
    take(lane)
    lane.let_time_pass()
    take(lane)
    assert sent(lane) == ["m1", "m2"]
    lane.undeliver("m2", again=False)
    lane.forget_outcomes()
    lane.redrive()
    take(lane)
    assert sent(lane) == ["m1", "m2", "m2"]


def test_an_opt_out_drops_a_message_of_that_purpose_only():
    lane = lane_with()
    lane.opt_out(STRANGER)
    lane.publish(make_message("m1", phone=STRANGER, priority=Priority.URGENT))
    lane.publish(make_message("m2", phone=KNOWN))
    take(lane)
    take(lane)
    assert sent(lane) == ["m2"]
    (dropped,) = lane.broker.events("opted_out", "m1")
    assert dropped.details["purpose"] == "transaction"


def say(lane: LaneModel, words: str, purpose: str) -> float:
    """A person writes one of the words."""
    lane.now += 1
    details = {"recipient": STRANGER, "purpose": purpose, "words": words, "channel": "inbound", "by": STRANGER}
    lane.broker.show(Event("contact.opted_out", lane.now, "", source="receipts", details=details))
    return lane.now


def answer(message_id: str, words: str, at: float, text: str = "") -> Message:
    return new_message(
        STRANGER,
        text or confirmation(WISHES[words]),
        source="antrian",
        now=at,
        priority="high",
        message_id=message_id,
        purpose=CONFIRMATION,
        idempotency_key=answer_key(STRANGER, words, at),
    )


def test_an_opt_out_of_everything_is_answered_once_and_nothing_else_passes_by_that_name():
    lane = lane_with()
    said_at = say(lane, "STOP SEMUA", "all")
    lane.publish(answer("promo", "stop semua", said_at, "Diskon!"))
    lane.publish(answer("a1", "stop semua", said_at))
    lane.publish(answer("a2", "stop semua", said_at))
    lane.publish(make_message("m1", phone=STRANGER))
    for _ in range(4):
        take(lane)
    assert sent(lane) == ["a1"]
    assert lane.broker.events("sending", "a1")[0].details["purpose"] == "confirmation"
    assert [len(lane.broker.events("opted_out", one)) for one in ("promo", "a2", "m1")] == [1, 0, 1]
    assert len(lane.broker.events("duplicate", "a2")) == 1


def test_who_wants_nothing_already_is_not_told_that_again_for_a_lesser_wish():
    lane = lane_with()
    lane.opt_out(STRANGER)
    said_at = say(lane, "STOP", "marketing")
    lane.publish(answer("a1", "stop", said_at))
    take(lane)
    assert sent(lane) == []


def test_what_an_attempt_tells():
    lane = lane_with(cold_daily_cap=5, daily_cap=9)
    lane.publish(make_message("m1", phone=STRANGER))
    take(lane)
    (begun,) = lane.broker.events("sending", "m1")
    told = begun.details
    assert (told["recipient"], told["cold"], told["purpose"]) == (STRANGER, True, "transaction")
    assert told["used"] == {"hour": 1, "day": 1, "cold": 1}
    assert told["budget"] == {"hour": 0, "day": 9, "cold": 5}
    (ended,) = lane.broker.events("sent", "m1")
    assert (ended.details["recipient"], ended.details["sender"], ended.details["cold"]) == (
        STRANGER,
        told["sender"],
        True,
    )


def test_a_gateway_that_hides_the_refusal_is_found_out():
    lane = lane_with()
    lane.know(KNOWN)
    lane.publish(make_message("s1", phone=STRANGER))
    lane.publish(make_message("k1", phone=KNOWN))
    lane.publish(make_message("s2", phone="+6281200000003"))
    busy = make_failure(FailureClass.TRANSIENT)
    take(lane, busy)
    take(lane)
    take(lane, busy)
    (failed,) = lane.broker.events("failed", "s2")
    assert failed.details["failure_class"] == "cold_refused"
    assert [reason for reason, _ in held(lane, "s2")] == ["cold_held"]
    assert failed.details["cold_held_until"] == pytest.approx(failed.at + 86_400, abs=1)


def test_what_a_provider_is_given_of_a_message():
    lane = LaneModel(RetryPolicy(), receipt_wait=60.0, has_window=True)
    lane.broker.show(Event("contact.linked", NOW, "", details={"recipient": KNOWN, "identities": {"bsuid": "ID.77"}}))
    wrote = {"sender": SENDER, "how": "inbound", "recipients": ["ID.77"]}
    lane.broker.show(Event("contact.known", NOW - HOUR, "", details=wrote))
    lane.publish(make_message("m1", phone=KNOWN, purpose="reminder", metadata={"template": "t"}))
    take(lane, make_failure())
    lane.let_time_pass()
    take(lane)
    first, second = lane.outgoing
    assert (first.correlation_id, second.correlation_id) == ("m1:0:1", "m1:1:2")
    assert [event.details["echoed_id"] for event in lane.broker.events("sending", "m1")] == [
        "echo of m1:0:1",
        "echo of m1:1:2",
    ]
    assert (first.bsuid, first.window_until) == ("ID.77", NOW + 23 * HOUR)
    assert (first.purpose, first.metadata) == ("reminder", {"template": "t"})
    ends = lane.broker.events("failed", "m1") + lane.broker.events("sent", "m1")
    assert [event.details["provider"] for event in ends] == ["sandbox", "sandbox"]


def test_a_lane_that_asks_for_no_receipts_gives_no_names():
    lane = lane_with()
    lane.publish(make_message("m1", phone=STRANGER))
    take(lane)
    (given_out,) = lane.outgoing
    assert (given_out.correlation_id, given_out.bsuid, given_out.window_until) == ("", "", None)
    assert "echoed_id" not in lane.broker.events("sending", "m1")[0].details


def lane_with_receipts(**policy: object) -> LaneModel:
    lane = LaneModel(RetryPolicy(**policy), receipt_wait=60.0)
    lane.publish(make_message("m1", key="k"))
    return lane


NO_ANSWER = make_failure(FailureClass.UNCERTAIN, "no-answer")


def test_an_attempt_without_an_answer_waits_for_its_receipt_and_the_lane_goes_on():
    lane = lane_with_receipts(resend_uncertain=False)
    lane.publish(make_message("m2", phone=KNOWN))
    take(lane, NO_ANSWER)
    take(lane)
    assert sent(lane) == ["m1", "m2"]
    assert [reason for reason, _ in held(lane, "m1")] == ["retry"]
    lane.hear_receipt(0, provider_id="wamid.1")
    lane.let_time_pass()
    take(lane)
    (settled,) = lane.broker.events("sent", "m1")
    told = settled.details
    assert (told["settled_by"], told["provider_id"], settled.attempt, told["cold"]) == ("receipt", "wamid.1", 1, True)
    assert sent(lane) == ["m1", "m2"]
    assert lane.life.outcomes.ledger.owner("test:k", lane.now) == "m1"


def test_without_a_receipt_the_setting_decides_when_the_wait_is_over():
    lane = lane_with_receipts(resend_uncertain=False)
    take(lane, NO_ANSWER)
    failed_at = lane.broker.events("failed", "m1")[0].at
    lane.let_time_pass()
    take(lane)
    (dead,) = lane.broker.events("dead", "m1")
    assert (dead.details["reason"], dead.at >= failed_at + 60) == ("uncertain", True)
    lane = lane_with_receipts()
    take(lane, NO_ANSWER)
    for _ in range(3):
        lane.let_time_pass()
        take(lane)
    assert [event.attempt for event in lane.broker.events("sending", "m1")] == [1, 2]


def test_a_receipt_that_says_failed_and_one_of_a_stranger_prove_nothing():
    lane = lane_with_receipts(resend_uncertain=False)
    take(lane, NO_ANSWER)
    lane.hear_receipt(0, ReceiptStatus.FAILED)
    lane.taken = [("m1", "echo of m1:0:2")]
    lane.hear_receipt(0)
    lane.proved.clear()
    lane.let_time_pass()
    take(lane)
    assert lane.recorded_state("m1") is State.DEAD


def test_a_receipt_that_came_before_the_time_ran_out_settles_at_once():
    # One of these steps is the call.
    for steps in range(20):
        lane = lane_with_receipts()
        lane.take(0, NO_ANSWER, iter([*[Fault.NONE] * steps, Fault.RECEIPT]))
        if lane.recorded_state("m1") is State.SENT:
            break
    assert lane.broker.events("sent", "m1")[0].details["settled_by"] == "receipt"
    assert sent(lane) == ["m1"]


def test_a_receipt_that_comes_at_any_moment_before_another_attempt_prevents_it():
    attempts = []
    for steps in range(16):
        lane = lane_with_receipts()
        take(lane, NO_ANSWER)
        for _ in range(2):
            lane.let_time_pass()
            take(lane)
            if lane.broker.events("retrying", "m1"):
                break
        lane.let_time_pass()
        # The model itself objects to a call after a receipt.
        lane.take(0, Sent(), iter([*[Fault.NONE] * steps, Fault.RECEIPT]))
        take(lane)
        assert lane.recorded_state("m1") is State.SENT
        attempts.append(len(lane.outgoing))
    assert attempts == sorted(attempts)
    assert set(attempts) == {1, 2}


def test_what_was_cancelled_in_doubt_and_is_wanted_again_was_sent_as_its_receipt_says():
    lane = lane_with_receipts()
    take(lane, NO_ANSWER)
    lane.cancel("m1")
    for _ in range(2):
        lane.let_time_pass()
        take(lane)
    assert len(lane.broker.events("cancelled", "m1")) == 1
    lane.hear_receipt(0)
    lane.undo_cancellation("m1")
    take(lane)
    assert (lane.recorded_state("m1"), sent(lane)) == (State.SENT, ["m1"])


def test_a_crash_is_settled_by_its_receipt_and_never_shortens_the_pause():
    for steps in range(20):
        lane = lane_with_receipts()
        lane.take(0, Sent(), iter([*[Fault.NONE] * steps, Fault.CRASH_AFTER]))
        if lane.outgoing:
            break
    lane.publish(make_message("m2", phone=KNOWN))
    lane.hear_receipt(0)
    found_at = lane.now
    take(lane)
    take(lane)
    assert sent(lane) == ["m1", "m2"]
    assert not lane.broker.events("uncertain", "m1")
    assert lane.broker.events("sending", "m2")[0].at >= found_at + 10 - 1


def test_what_did_not_arrive_can_be_sent_again_and_its_key_is_free():
    lane = lane_with_receipts()
    take(lane)
    lane.undeliver("m1", again=False)
    lane.publish(make_message("m3", key="k"))
    take(lane)
    assert sent(lane) == ["m1", "m3"]
    lane.redrive()
    take(lane, place=-1)
    # Its key belongs to another message by now.
    assert len(lane.broker.events("duplicate", "m1")) == 1
    lane = lane_with_receipts()
    take(lane)
    lane.undeliver("m1", again=True)
    take(lane)
    assert sent(lane) == ["m1", "m1"]


class TestSession:
    """A sender that has lost its connection to WhatsApp sends nothing, and is not given up."""

    def lane(self) -> LaneModel:
        lane = lane_with()
        lane.publish(make_message("m1"))
        lane.publish(make_message("m2"))
        return lane

    @pytest.mark.parametrize("state", [one for one in SessionState if one is not SessionState.CONNECTED])
    def test_the_lane_waits_and_tries_when_nobody_says_that_it_is_back(self, state):
        lane = self.lane()
        lane.tell_session(state)
        told_at = lane.now
        take(lane)
        assert lane.broker.events("sending", "m1")[0].at >= told_at + SESSION_PROBE - 1
        # It went through: the word was lost.
        take(lane)
        assert lane.now < told_at + SESSION_PROBE + 30
        assert sent(lane) == ["m1", "m2"]

    def test_a_probe_that_fails_is_followed_by_the_usual_ones(self):
        lane = self.lane()
        lane.tell_session(SessionState.NEEDS_QR)
        take(lane, make_failure(FailureClass.UNAVAILABLE))
        assert lane.life.outcomes.ledger.times.session == "needs_qr"
        failed_at = lane.now
        take(lane)
        assert sent(lane) == ["m1"]
        assert failed_at + 10 <= lane.now <= failed_at + 30

    def test_that_it_is_back_ends_the_wait_at_once(self):
        lane = self.lane()
        take(lane)
        gate, ended_at = lane.life.tick._gate, lane.life.now()
        lane.tell_session(SessionState.NEEDS_QR)
        lane.life._show()
        shut = gate.to_choose()
        assert (shut.reason, round(shut.opens_at - lane.life.now())) == ("needs_qr", SESSION_PROBE)
        lane.tell_session(SessionState.CONNECTED)
        lane.life._show()
        assert gate.to_choose().opens_at <= ended_at + 10

    def test_a_consumer_that_takes_over_knows_of_it(self):
        lane = self.lane()
        lane.tell_session(SessionState.BANNED)
        told_at = lane.now
        lane.take(0, Sent(), iter([Fault.CRASH_BEFORE]))
        take(lane)
        assert lane.now >= told_at + SESSION_PROBE - 1


class TestSorting:
    """Messages that must wait are moved together, up to the first one that need not."""

    @pytest.fixture(autouse=True)
    def small(self):
        with patch.object(sorting, "ENOUGH_IN_A_ROW", 1), patch.object(sorting, "TOGETHER", 3):
            yield

    def lane(self) -> LaneModel:
        lane = lane_with(windows=parse_windows("low=20:00-21:00"))
        for number in range(7):
            lane.publish(make_message(f"m{number}", priority=Priority.LOW))
        lane.publish(make_message("n1"))
        lane.publish(make_message("m8", priority=Priority.LOW))
        return lane

    def test_nothing_is_sent_meanwhile_and_the_rest_is_given_back(self):
        lane = self.lane()
        take(lane)
        assert sent(lane) == []
        assert [copy.message_id for copy in lane.broker.queue] == ["n1", "m8"]
        assert len(lane.broker.ladder) == 7
        take(lane)
        assert sent(lane) == ["n1"]

    @given(st.integers(0, 80), st.sampled_from([fault for fault in Fault if fault is not Fault.NONE]))
    def test_whatever_happens_meanwhile_nothing_is_lost(self, steps, fault):
        lane = self.lane()
        lane.take(0, Sent(), iter([*[Fault.NONE] * steps, fault]))
        ids = {copy.message_id for copy in (*lane.broker.queue, *lane.broker.ladder)}
        assert ids == lane.published
        for _ in range(40):
            take(lane)
            if not lane.broker.queue:
                lane.let_time_pass()
        assert sorted(set(sent(lane))) == sorted(lane.published)

    def test_a_bell_ends_it(self):
        lane = self.lane()
        lane.life.pace.bells.ring("u1")
        take(lane)
        assert len(lane.broker.ladder) <= 1
