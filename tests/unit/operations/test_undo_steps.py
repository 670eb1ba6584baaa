from dataclasses import replace

import pytest
from desk_records import cleared, dead_record, entry, record
from factories import NOW, PHONE

from antrian.broker.topology import Names
from antrian.domain.headers import GENERATION
from antrian.domain.message import decode
from antrian.history.header_json import pack_letter
from antrian.operations.dead_letters.undo_steps import is_back, restoration, way_behind

NAMES = Names("wa")
FAILED = entry("outcome.failed", attempt=1, at=NOW + 1, failure_class="transient", code="timeout", detail="no answer")
RETRYING = entry("outcome.retrying", attempt=1, next_attempt=2)


def restored(removed, *life, now=NOW):
    return restoration(NAMES, removed, life, "u1", now)


def message_of(publication):
    return decode(publication.body, publication.properties, "default", now=0)


def test_a_message_that_waited_goes_back_into_its_lane_as_the_next_generation():
    message = record(metadata={"a": 1}, idempotency_key="k", expires_at=NOW + 60, priority=9)
    publication = restored(cleared(message=message))
    back = message_of(publication)
    assert (publication.exchange, publication.routing_key, publication.mandatory) == ("wa.messages", "default", True)
    assert (back.message_id, back.generation, back.attempt, back.priority, back.queued_at) == ("m1", 1, 1, 9, NOW)
    assert (back.body.phone_number, back.body.message, back.body.source) == (PHONE, "Halo", "test")
    assert (back.body.metadata, back.body.idempotency_key) == ({"a": 1}, "k")
    assert back.body.expires_at.timestamp() == NOW + 60


def test_what_version_2_says_comes_back_too():
    message = record(purpose="reminder", correlation_id="order-4711", deliver_at=NOW + 3_600)
    back = message_of(restored(cleared(message=message)))
    assert (back.body.version, back.body.purpose, back.body.correlation_id) == (2, "reminder", "order-4711")
    assert back.body.deliver_at.timestamp() == NOW + 3_600
    assert message_of(restored(cleared(message=record()))).body.version == 1


@pytest.mark.parametrize(
    ("due_at", "name", "value"), [(None, "BCC", ["urgent.default"]), (NOW + 20, "antrian-urgent", True)]
)
def test_an_urgent_message_rings_when_it_comes_back(due_at, name, value):
    publication = restored(cleared(message=record(priority=10), due_at=due_at))
    assert publication.properties.headers[name] == value


def test_what_waited_for_another_attempt_comes_back_for_it_with_its_failures():
    removed = cleared(generation=1, queue="wa.delay.05", due_at=NOW + 20)
    publication = restored(removed, entry("message.queued"), FAILED, RETRYING)
    back = message_of(publication)
    assert (publication.exchange, publication.routing_key[-17:]) == ("wa.scheduled", "1.0.1.0.0.default")
    assert (back.attempt, back.generation) == (2, 2)
    assert [(one.attempt, one.code, one.at) for one in back.failures] == [(1, "timeout", NOW + 1)]


def test_a_scheduled_message_is_still_wanted_from_its_own_time_on():
    scheduled = entry("message.scheduled", due_at=NOW + 20)
    back = message_of(restored(cleared(queue="wa.delay.05", due_at=NOW + 20), scheduled))
    assert (back.due_at, back.wanted_at) == (NOW + 20, NOW + 20)


def test_what_waited_for_another_attempt_is_still_wanted_from_its_publishing_on():
    """Also when it was put back on the ladder before."""
    put_back = entry("message.scheduled", generation=2, due_at=NOW + 20)
    removed = cleared(generation=2, queue="wa.delay.05", due_at=NOW + 20)
    back = message_of(restored(removed, entry("message.queued"), FAILED, RETRYING, put_back))
    assert (back.due_at, back.wanted_at) == (None, NOW)


def test_what_would_have_been_due_by_now_goes_into_its_lane():
    removed = cleared(generation=1, queue="wa.delay.05", due_at=NOW + 20)
    assert restored(removed, FAILED, RETRYING, now=NOW + 21).exchange == "wa.messages"


def test_a_redriven_copy_begins_anew_and_keeps_its_failures():
    life = (FAILED, RETRYING, entry("outcome.redriven", generation=2), entry("message.queued", generation=3, attempt=1))
    attempt, failures = way_behind(life, 3)
    assert (attempt, len(failures)) == (1, 1)


def test_a_lane_that_had_to_wait_is_no_failure_of_the_message():
    held = entry("outcome.failed", attempt=1, failure_class="unavailable", code="down", hold=30)
    assert way_behind((held,), 1) == (1, ())


def test_a_dead_letter_goes_back_as_it_was():
    dead = dead_record(body=b"{oops", headers={GENERATION: 1, "x-when": {"$time": NOW}})
    publication = restored(cleared(dead=dead, generation=1, queue="wa.dead"))
    assert (publication.exchange, publication.routing_key, publication.body) == ("wa.dead", "default", b"{oops")
    assert publication.properties.message_id == "m1"
    assert publication.properties.headers[GENERATION] == 1
    assert publication.properties.headers["x-when"].timestamp() == NOW


def test_a_dead_letter_has_its_failures_from_the_event_about_its_purge():
    dead = dead_record(body=b"{}", headers={GENERATION: 1})
    told = entry("outcome.purged", generation=1, undo_id="u1", headers={GENERATION: 1, "antrian-failures": [{"a": 1}]})
    other = entry("outcome.purged", generation=1, undo_id="u0", headers={})
    publication = restored(cleared(dead=dead, generation=1, queue="wa.dead"), told, other)
    assert publication.properties.headers == {GENERATION: 1, "antrian-failures": [{"a": 1}]}


def test_what_nobody_could_read_comes_back_from_the_event_that_kept_it():
    unknown = cleared(message=record(phone_number="", text=""))
    told = entry("outcome.cleared", undo_id="u1", letter=pack_letter(b"{oops", {"mine": b"\xff"}))
    publication = restored(unknown, told)
    assert (publication.exchange, publication.body) == ("wa.messages", b"{oops")
    assert publication.properties.headers == {"mine": b"\xff", GENERATION: 1}


@pytest.mark.parametrize(
    "removed", [cleared(message=record(phone_number="", text="")), cleared(queue="wa.dead", generation=1)]
)
def test_what_nobody_remembers_cannot_come_back(removed):
    assert restored(removed, entry("outcome.cleared", undo_id="u2", letter=pack_letter(b"{oops", {}))) is None


def test_a_copy_that_is_there_already_is_not_made_again():
    removed = cleared()
    assert not is_back(removed, [entry("message.queued")])
    assert is_back(removed, [entry("message.queued"), entry("message.queued", generation=1)])
    assert is_back(removed, [entry("message.scheduled", generation=1)])
    assert is_back(replace(removed, message=record(generation=1)), [])


def test_a_letter_that_is_there_already_is_not_buried_again():
    removed = cleared(dead=dead_record(), generation=1)
    gone = [entry("message.buried", generation=1), entry("outcome.purged", generation=1)]
    assert not is_back(removed, gone)
    assert is_back(removed, [*gone, entry("message.buried", generation=1)])
