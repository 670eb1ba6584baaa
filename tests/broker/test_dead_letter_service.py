import csv
import json

import pytest
from dead_letter_service import DeskParts, running
from queue_fixture import ids

from antrian.domain.errors import InvalidPhoneNumber, MalformedMessage
from antrian.domain.message import Priority
from antrian.history.records import DeadFilter, MessageState
from antrian.operations.dead_letters import service as service_module
from antrian.operations.dead_letters.dead_letter_export import ExportFormat
from antrian.operations.dead_letters.edited_copy import Edits
from antrian.operations.dead_letters.errors import HistoryBehind, LaneGone, LetterGone, UnknownLetter

EVERYTHING = DeadFilter()
OTHER = "+6281298765432"


@pytest.fixture
def parts(stock):
    with running(stock) as ours:
        yield ours


@pytest.fixture
def service(parts):
    return parts.dead_letters


def test_a_dry_run_counts_and_groups_and_changes_nothing(stock, service):
    stock.add_dead("m1", "m2", code="timeout")
    stock.add_dead("m3", code="busy", source="payment")
    stock.add_garbage(stock.names.dead)
    run = service.dry_run(EVERYTHING)
    assert (run.selected, run.unreadable) == (4, 1)
    assert sum(group.count for group in run.groups) == 4
    assert service.dry_run(EVERYTHING, limit=2).selected == 2
    assert service.dry_run(DeadFilter(source="payment")).selected == 1
    assert stock.count(stock.names.dead) == 4


def test_one_letter_is_put_back_as_itself(stock, service):
    stock.add_dead("m1", "m2")
    redriven = service.redrive_one("m1", "api:ops")
    [message] = stock.in_lane()
    assert (redriven.message_id, redriven.copy_of) == ("m1", None)
    assert (message.message_id, message.generation) == ("m1", 2)
    assert ids(stock.dead()) == ["m2"]


def test_an_edited_letter_goes_as_a_linked_copy(stock, parts):
    stock.add_dead("m1")
    redriven = parts.dead_letters.redrive_one("m1", "api:ops", Edits(OTHER, "corrected", "high"))
    [message] = stock.in_lane()
    assert redriven.copy_of == "m1"
    assert message.message_id == redriven.message_id != "m1"
    assert (message.generation, message.attempt, message.priority) == (0, 1, Priority.HIGH)
    assert (message.body.phone_number, message.body.message) == (OTHER, "corrected")
    assert stock.dead() == []
    parts.catch_up()
    assert parts.history.message("m1").copied_to == redriven.message_id
    assert parts.history.message(redriven.message_id).copy_of == "m1"
    assert parts.history.dead_count(EVERYTHING) == 0


def test_a_letter_that_nobody_can_read_goes_with_a_number_and_a_text(stock, parts):
    stock.add_garbage(stock.names.dead)
    parts.catch_up()
    [(message_id, _)] = parts.history.dead_ids(EVERYTHING)
    with pytest.raises(MalformedMessage):
        parts.dead_letters.redrive_one(message_id, "api:ops", Edits(message="corrected"))
    parts.dead_letters.redrive_one(message_id, "api:ops", Edits(OTHER, "corrected"))
    assert [one.body.message for one in stock.in_lane()] == ["corrected"]
    assert stock.count(stock.names.dead) == 0


def test_a_wrong_change_changes_nothing(stock, service):
    stock.add_dead("m1")
    with pytest.raises(InvalidPhoneNumber):
        service.redrive_one("m1", "api:ops", Edits("12"))
    assert (ids(stock.dead()), stock.in_lane()) == (["m1"], [])
    assert stock.events("outcome.redriven") == []


def test_what_is_not_there_is_told_from_what_is_not_there_any_more(stock, service):
    stock.add_dead("m1")
    service.redrive_one("m1", "api:ops")
    for act in (lambda one: service.redrive_one(one, "api:ops"), lambda one: service.note(one, "x", "api:ops")):
        with pytest.raises(LetterGone):
            act("m1")
        with pytest.raises(UnknownLetter):
            act("m9")


def test_a_history_that_is_read_for_the_first_time_is_not_taken_for_one_without_letters(stock, monkeypatch):
    monkeypatch.setattr(service_module, "PATIENCE", 0.1)
    stock.add_dead("m1")
    parts = DeskParts(stock)  # whose follower does not run
    for action in (
        lambda: parts.dead_letters.purge(EVERYTHING, "api:ops"),
        lambda: parts.dead_letters.redrive(EVERYTHING, "api:ops"),
        lambda: parts.dead_letters.redrive_one("m1", "api:ops"),
    ):
        with pytest.raises(HistoryBehind):
            action()


def test_a_letter_whose_lane_is_gone_stays(stock, service):
    stock.add_dead("m1", lane="gone")
    with pytest.raises(LaneGone):
        service.redrive_one("m1", "api:ops")
    assert stock.count(stock.names.dead) == 1


def test_a_note_is_kept_and_deleted(stock, parts):
    stock.add_dead("m1")
    for note in ("asked the customer", ""):
        parts.dead_letters.note("m1", note, "api:ops")
        parts.catch_up()
        assert parts.history.dead_letter("m1").note == note


def test_a_purge_deletes_what_fits_and_names_what_was_missing(stock, parts):
    stock.add_dead("m1", "m2", "m3")
    purged = parts.dead_letters.purge(DeadFilter(ids=frozenset({"m1", "m3", "m9"})), "api:ops")
    assert (purged.purged, purged.refused, purged.missing) == (2, 0, ["m9"])
    assert ids(stock.dead()) == ["m2"]
    assert {event.details["undo_id"] for event in stock.events("outcome.purged")} == {purged.undo_id}
    [event] = stock.events("dead.purged")
    assert (event.details["undo_id"], event.details["count"], event.source) == (purged.undo_id, 2, "api:ops")
    parts.catch_up()
    assert parts.history.message("m1").state is MessageState.PURGED


def test_a_purge_of_nothing_is_nothing_to_undo(service):
    purged = service.purge(DeadFilter(ids=frozenset({"m9"})), "api:ops")
    assert (purged.purged, purged.undo_id, purged.missing) == (0, "", ["m9"])


def test_what_fits_is_exported_without_formulas(stock, service):
    stock.add_dead("m1", source="=cmd()")
    stock.add_dead("m2")
    rows = list(csv.DictReader("".join(service.export(DeadFilter(source="=cmd()"), ExportFormat.CSV)).splitlines()))
    assert [(row["message_id"], row["source"], row["message"]) for row in rows] == [("m1", "'=cmd()", "text m1")]
    lines = "".join(service.export(EVERYTHING, ExportFormat.JSONL)).splitlines()
    assert {json.loads(line)["message_id"] for line in lines} == {"m1", "m2"}


def test_the_alarm_is_silent_while_the_retention_is_long(stock, service, parts):
    stock.add_dead("m1")
    parts.catch_up()
    [letter] = parts.history.dead_letters(EVERYTHING).items
    assert service.retention_alarm(letter.died_at + 60) is None
    alarm = service.retention_alarm(letter.died_at + 28 * 86_400)
    assert (alarm.count, round(alarm.seconds_left / 86_400)) == (1, 2)


def test_a_letter_that_a_crash_left_behind_is_finished_with_the_next_action(stock, parts):
    stock.add_dead("m1", "m2")
    [letter, _] = stock.dead()
    parts.dead_letters.redrive_one("m1", "api:ops")
    # The copy is in its lane, the letter in its queue, as after a kill between the two; the journal hears nothing.
    stock._publish("", stock.names.dead, [letter])
    assert stock.count(stock.names.dead) == 2
    parts.dead_letters.purge(DeadFilter(ids=frozenset({"m2"})), "api:ops")
    assert stock.count(stock.names.dead) == 0
    assert ids(stock.in_lane()) == ["m1"]
