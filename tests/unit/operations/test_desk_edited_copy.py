from dataclasses import replace

import pika
import pytest
from factories import NOW, PHONE, make_message

from antrian.broker.queue_scan.publication import Found
from antrian.broker.topology import Names
from antrian.domain.errors import InvalidPhoneNumber, MalformedMessage
from antrian.domain.message import AttemptFailure, MessageBody, encode, retry_of
from antrian.history.dead_letter import DeadLetter
from antrian.operations.dead_letters.edited_copy import NO_EDITS, Edits, edited_copy

FAILURE = AttemptFailure(3, NOW, "transient", "timeout", "no answer")
OTHER = "+6281298765432"


def letter(message=None, **fields):
    body, properties = encode(retry_of(message or make_message(**fields), FAILURE, attempt=3))
    return DeadLetter.of(Found("wa.dead", "default", properties, body), Names("wa"), now=NOW)


def unreadable(app_id=None):
    properties = pika.BasicProperties(message_id="m1", app_id=app_id, priority=9)
    return DeadLetter.of(Found("wa.dead", "default", properties, b"{oops"), Names("wa"), now=NOW)


def test_without_a_change_there_is_no_copy():
    same = Edits(phone_number="0812-3456-7890", message="Halo", priority="normal")
    assert edited_copy(letter(), NO_EDITS, now=NOW) is None
    assert edited_copy(letter(), same, now=NOW) is None


def test_a_copy_of_version_2_says_all_that_the_letter_says():
    made = make_message(purpose="reminder", correlation_id="order-4711")
    copy = edited_copy(letter(made), Edits(message="other"), now=NOW)
    assert (copy.body.version, copy.body.purpose, copy.body.correlation_id) == (2, "reminder", "order-4711")
    # A body of version 2 need not have any of its fields.
    bare = replace(made, body=MessageBody(version=2, phone_number=PHONE, message="Halo", source="test"))
    assert edited_copy(letter(bare), Edits(message="Halo"), now=NOW) is None


def test_a_copy_is_a_new_message_with_what_was_not_changed():
    dead = letter(metadata={"invoice": 17}, key="invoice-17", source="payment")
    copy = edited_copy(dead, Edits(phone_number=OTHER), now=NOW + 60)
    assert copy.message_id != "m1"
    assert (copy.attempt, copy.generation, copy.failures, copy.queued_at) == (1, 0, (), NOW + 60)
    assert (copy.lane, copy.priority, copy.body.phone_number) == ("default", 5, OTHER)
    assert copy.body.model_copy(update={"phone_number": PHONE}) == dead.message.body


@pytest.mark.parametrize(
    ("changes", "priority", "text"), [(Edits(priority="high"), 9, "Halo"), (Edits(message="Hai"), 5, "Hai")]
)
def test_priority_and_text_can_be_changed(changes, priority, text):
    copy = edited_copy(letter(), changes, now=NOW)
    assert (copy.priority, copy.body.message) == (priority, text)


def test_doing_it_again_makes_the_same_id_and_another_letter_another():
    changes = Edits(message="Hai")
    once, again = (edited_copy(letter(), changes, now=now) for now in (NOW, NOW + 1))
    later = edited_copy(letter(make_message(generation=2)), changes, now=NOW)
    assert once.message_id == again.message_id
    assert once.message_id != later.message_id


def test_a_priority_that_a_stranger_chose_stays():
    body, properties = encode(retry_of(make_message(), FAILURE, attempt=3))
    properties.priority = 7
    dead = DeadLetter.of(Found("wa.dead", "default", properties, body), Names("wa"), now=NOW)
    assert edited_copy(dead, Edits(message="Hai"), now=NOW).priority == 7


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        (Edits(phone_number="12"), InvalidPhoneNumber, None),
        (Edits(message=""), MalformedMessage, "invalid-fields"),
        (Edits(priority="soon"), MalformedMessage, "unknown-priority"),
    ],
)
def test_what_could_not_be_sent_is_refused(changes, error, code):
    with pytest.raises(error) as caught:
        edited_copy(letter(), changes, now=NOW)
    assert code in {None, caught.value.code}


def test_a_letter_that_nobody_can_read_needs_both_number_and_text():
    with pytest.raises(MalformedMessage, match="both a number and a text"):
        edited_copy(unreadable(), Edits(message="Hai"), now=NOW)
    copy = edited_copy(unreadable("legacy\x00"), Edits(phone_number=PHONE, message="Hai"), now=NOW)
    assert (copy.body.source, copy.body.phone_number, copy.priority) == ("legacy", PHONE, 9)
    assert edited_copy(unreadable(), Edits(PHONE, "Hai"), now=NOW).body.source == "antrian-desk"
