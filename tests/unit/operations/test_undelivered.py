"""What follows from a receipt of a message that did not arrive: in its order, and once, wherever a crash comes."""

from dataclasses import replace

import pytest
from desk_records import entry, record
from factories import NOW

from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.message import decode
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus
from antrian.operations.receipts.undelivered import (
    FailedSend,
    UndeliveredStep,
    UndeliveredSteps,
    has_arrived,
    is_noted,
    next_copy,
    pause_before_retry,
    reported_send,
    steps_left,
)

STEPS = UndeliveredSteps(Names("wa"), "test")
ALL = (UndeliveredStep.OUTCOME, UndeliveredStep.COPY, UndeliveredStep.EVENT)
QUEUED, SENDING = entry("message.queued"), entry("outcome.sending", attempt=1)
SENT = replace(entry("outcome.sent", attempt=1, provider_id="p1"), offset=7)
UNDELIVERED = entry("outcome.undelivered", attempt=1, failure_class="transient", code="131026", detail="no")
RECEIPT = DeliveryReceipt(
    status=ReceiptStatus.FAILED, provider_id="p1", failure_class=FailureClass.TRANSIENT, code="131026"
)


def left(*more, arrived=False, life=(QUEUED, SENDING, SENT)):
    return steps_left([*life, *more], SENT, arrived=arrived)


def of_next(name, **details):
    return replace(entry(name, **details), generation=1)


def failed(*more, receipt=RECEIPT, **about):
    return FailedSend(record(provider_id="p1", **about), [QUEUED, SENDING, SENT, *more], SENT, receipt, NOW + 60)


@pytest.mark.parametrize(
    ("name", "more", "steps"),
    [
        ("nothing is on record", [], ALL),
        ("a crash came after the outcome", [UNDELIVERED], ALL[1:]),
        ("a crash came after the dead letter", [UNDELIVERED, of_next("message.buried")], ALL[2:]),
        ("it is all there: a letter", [UNDELIVERED, of_next("message.buried"), entry("outcome.dead")], ()),
        ("it is all there: another try", [UNDELIVERED, entry("outcome.retrying")], ()),
        ("the letter was put back", [UNDELIVERED, of_next("message.buried"), of_next("outcome.redriven")], ()),
        ("the letter was deleted", [UNDELIVERED, of_next("message.buried"), of_next("outcome.purged")], ()),
        ("the copy for another try is being sent", [UNDELIVERED, of_next("outcome.sending")], ()),
        ("the message was put back before", [of_next("message.queued")], ()),
        ("it was sent once more", [replace(entry("outcome.sent", provider_id="p2"), offset=9)], ()),
        ("a note is no copy", [of_next("message.noted", note="x")], ALL),
    ],
)
def test_what_is_left_follows_from_what_is_on_record(name, more, steps):
    assert left(*more) == steps, name


@pytest.mark.parametrize("more", [[], [UNDELIVERED]])
def test_what_arrived_is_never_sent_again_nor_given_up(more):
    assert left(*more, arrived=True) == ()


def test_a_receipt_is_matched_by_the_providers_id_or_ours_and_never_by_another_attempts():
    life = [QUEUED, SENDING, SENT]
    assert reported_send(RECEIPT, life) is SENT
    assert reported_send(replace(RECEIPT, provider_id="", correlation_id="m1:0:1"), life) is SENT
    for other in (replace(RECEIPT, provider_id="p2"), replace(RECEIPT, provider_id="", correlation_id="m1:0:2")):
        assert reported_send(other, life) is None
    assert reported_send(RECEIPT, [QUEUED, SENDING]) is None
    # What the provider calls it from another receipt on.
    renamed = entry("receipt.status", status="sent", provider_id="p1", alias="state:7")
    assert reported_send(replace(RECEIPT, provider_id="state:7"), [*life, renamed]) is SENT
    assert reported_send(replace(RECEIPT, provider_id="state:7"), [*life, replace(renamed, details={})]) is None
    # In the form that its provider was given.
    given = replace(SENDING, details={"echoed_id": "3EB0"})
    assert reported_send(replace(RECEIPT, provider_id="", correlation_id="3EB0"), [given, SENT]) is SENT


def test_a_receipt_on_record_tells_that_it_arrived():
    arrived = entry("receipt.status", status="delivered", provider_id="p1")
    for entries, told in (
        ([arrived], True),
        ([replace(arrived, details={"status": "read", "correlation_id": "m1:0:1"})], True),
        ([replace(arrived, details={"status": "sent", "provider_id": "p1"})], False),
        ([replace(arrived, details={"status": "delivered", "provider_id": "p0"})], False),
    ):
        assert has_arrived(record(provider_id="p1"), [QUEUED, SENT, *entries], SENT) is told


@pytest.mark.parametrize(
    ("failure_class", "attempt", "pause"),
    [("transient", 1, 30), ("transient", 2, 120), ("transient", 3, None), ("rejected", 1, None), (None, 1, None)],
)
def test_another_try_follows_what_is_transient_while_attempts_are_left(failure_class, attempt, pause):
    kind = failure_class and FailureClass(failure_class)
    one = replace(failed(receipt=replace(RECEIPT, failure_class=kind)), send=replace(SENT, attempt=attempt))
    assert pause_before_retry(one, 3, (30.0, 120.0)) == pause


def test_the_next_copy_is_the_message_one_generation_on_with_its_failure():
    publication = STEPS.retry(failed(priority=9, idempotency_key="k", correlation_id="order-1"), 30)
    copy = decode(publication.body, publication.properties, "default", now=0)
    assert (publication.exchange, publication.routing_key[-17:]) == ("wa.delay.04", "1.1.1.1.0.default")
    assert (copy.message_id, copy.generation, copy.attempt, copy.priority) == ("m1", 1, 2, 9)
    assert (copy.body.message, copy.body.idempotency_key, copy.body.correlation_id) == ("Halo", "k", "order-1")
    assert [(one.attempt, one.failure_class, one.code) for one in copy.failures] == [(1, "transient", "131026")]
    assert next_copy(failed(phone_number=""), attempt=2) is None


def test_a_second_failure_remembers_the_first():
    again = replace(SENT, generation=1, attempt=2, details={"provider_id": "p2"}, offset=9)
    life = [QUEUED, SENDING, SENT, UNDELIVERED, entry("outcome.retrying", next_attempt=2), again]
    copy = next_copy(FailedSend(record(), life, again, RECEIPT, NOW), attempt=3)
    assert copy is not None
    assert (copy.generation, [one.attempt for one in copy.failures]) == (2, [1, 2])


def test_the_dead_letter_is_of_the_lane_and_its_events_say_why():
    one = failed(idempotency_key="k")
    letter = STEPS.letter(one)
    assert letter is not None
    assert (letter.exchange, letter.routing_key, letter.mandatory) == ("wa.dead", "default", True)
    outcome, dead = (Event.decode(p.body) for p in (STEPS.outcome(one, NOW), STEPS.dead(one, NOW)))
    assert outcome is not None
    assert dead is not None
    assert (outcome.generation, outcome.attempt, outcome.details["key"]) == (0, 1, "test:k")
    assert (dead.name, dead.details["reason"], dead.details["code"]) == ("outcome.dead", "undelivered", "131026")


def test_a_late_arrival_has_one_note():
    note = of_next("message.noted", note="the provider first said that it did not arrive, and then that it did")
    assert is_noted([QUEUED, SENT], SENT)
    assert not is_noted([QUEUED, SENT, UNDELIVERED], SENT)
    assert is_noted([QUEUED, SENT, UNDELIVERED, note], SENT)


@pytest.mark.parametrize("crash_after", range(4))
@pytest.mark.parametrize("is_letter", [True, False])
def test_a_crash_after_any_step_doubles_no_letter_and_at_most_a_copy_that_is_not_on_record(is_letter, crash_after):
    on_record = {
        UndeliveredStep.OUTCOME: [UNDELIVERED],
        # The delay ladder leads past the journal.
        UndeliveredStep.COPY: [of_next("message.buried")] if is_letter else [],
        UndeliveredStep.EVENT: [entry("outcome.dead" if is_letter else "outcome.retrying")],
    }
    life, done = [QUEUED, SENDING, SENT], []
    for most in (crash_after, len(ALL), len(ALL)):
        for step in steps_left(life, SENT, arrived=False)[:most]:
            life += on_record[step]
            done.append(step)
    doubled = not is_letter and crash_after == 2
    assert {step: done.count(step) for step in ALL} == dict.fromkeys(ALL, 1) | {UndeliveredStep.COPY: 1 + doubled}


def test_what_reached_the_person_by_an_attempt_without_an_answer_is_not_sent_a_third_time():
    lost = [entry("outcome.sending", attempt=1), entry("outcome.failed", attempt=1, failure_class="uncertain")]
    second = replace(entry("outcome.sent", attempt=2, provider_id="p2"), generation=1, offset=9)
    arrived = entry("receipt.status", status="delivered", provider_id="p1", correlation_id=f"{SENT.message_id}:0:1")
    about = record(provider_id="p2")
    assert has_arrived(about, [*lost, second, arrived], second)
    assert not has_arrived(about, [*lost, second], second)
    put_back = of_next("outcome.redriven")
    assert not has_arrived(about, [*lost, arrived, put_back, second], second), "a person wanted just that"
