import threading

import pytest
from queue_fixture import Stock, ids

from antrian.domain.message import Priority
from antrian.history.records import DeadFilter
from antrian.operations.dead_letters.dead_letters import EVERYTHING, DeadLetters


@pytest.fixture
def letters(stock: Stock) -> DeadLetters:
    return DeadLetters(stock.settings)


def selected(letters: DeadLetters, wanted: DeadFilter = EVERYTHING) -> list[str]:
    found: list[str] = []
    letters.each(wanted, lambda letter: found.append(letter.message_id))
    return found


def test_looking_at_them_changes_nothing(stock, letters):
    stock.add_dead("m1", "m2", "m3")
    for _ in range(2):
        assert selected(letters) == ["m1", "m2", "m3"]
    assert letters.count() == 3


def test_they_are_found_by_code_class_source_and_id(stock, letters):
    stock.add_dead("m1", code="timeout", failure_class="transient", source="payment")
    stock.add_dead("m2", code="not-on-whatsapp", failure_class="rejected")
    assert selected(letters, DeadFilter(code="timeout")) == ["m1"]
    assert selected(letters, DeadFilter(failure_class="rejected")) == ["m2"]
    assert selected(letters, DeadFilter(source="payment")) == ["m1"]
    assert selected(letters, DeadFilter(ids=frozenset({"m2", "m9"}))) == ["m2"]


def test_a_redriven_letter_is_a_new_message_of_the_next_generation(stock, letters):
    stock.add_dead("m1")
    [dead] = stock.dead()
    report = letters.redrive(EVERYTHING, "cli:ani")
    [message] = stock.in_lane()
    assert (report.selected, report.done) == (1, 1)
    assert (message.message_id, message.attempt, message.generation) == ("m1", 1, dead.generation + 1)
    assert message.failures == dead.failures
    assert (message.priority, message.body) == (Priority.NORMAL, dead.body)
    assert letters.count() == 0


def test_a_redrive_is_told_to_the_journal_by_the_dead_copys_generation(stock, letters):
    stock.add_dead("m1")
    [dead] = stock.dead()
    letters.redrive(EVERYTHING, "cli:ani")
    [event] = stock.events("outcome.redriven")
    assert (event.message_id, event.generation, event.source) == ("m1", dead.generation, "cli:ani")
    assert event.details["code"] == "timeout"


def test_letters_that_are_not_selected_keep_their_place(stock, letters):
    for number in range(6):
        stock.add_dead(f"m{number}", code="busy" if number % 2 else "timeout")
    letters.redrive(DeadFilter(code="busy"), "cli:ani")
    assert ids(stock.in_lane()) == ["m1", "m3", "m5"]
    assert ids(stock.dead()) == ["m0", "m2", "m4"]


def test_a_limit_takes_the_oldest(stock, letters):
    stock.add_dead("m1", "m2", "m3")
    assert letters.redrive(EVERYTHING, "cli:ani", limit=2).done == 2
    assert ids(stock.dead()) == ["m3"]


def test_an_unreadable_letter_stays(stock, letters):
    stock.add_garbage(stock.names.dead)
    stock.add_dead("m1")
    report = letters.redrive(EVERYTHING, "cli:ani")
    assert (report.selected, report.done, report.unreadable) == (2, 1, 1)
    assert letters.count() == 1


def test_a_letter_of_a_lane_that_is_gone_stays(stock, letters):
    stock.add_dead("m1", lane="gone")
    stock.add_dead("m2")
    report = letters.redrive(EVERYTHING, "cli:ani")
    assert (report.done, report.refused) == (1, 1)
    assert letters.count() == 1


def test_each_letter_goes_back_into_its_own_lane(two_lanes):
    two_lanes.add_dead("m1")
    two_lanes.add_dead("m2", lane="other")
    DeadLetters(two_lanes.settings).redrive(EVERYTHING, "cli:ani")
    assert ids(two_lanes.in_lane("default")) == ["m1"]
    assert ids(two_lanes.in_lane("other")) == ["m2"]


def test_two_processes_at_once_double_nothing(stock, letters):
    expected = [f"m{number}" for number in range(200)]
    stock.add_dead(*expected)
    others = DeadLetters(stock.settings)
    other = threading.Thread(target=others.redrive, args=(EVERYTHING, "cli:budi"))
    other.start()
    letters.redrive(EVERYTHING, "cli:ani")
    other.join(90)
    assert sorted(ids(stock.in_lane())) == sorted(expected)
    assert letters.count() == 0


def test_purged_letters_are_gone_and_the_journal_tells_of_each(stock, letters):
    stock.add_dead("m1", "m2", code="busy")
    stock.add_dead("m3")
    stock.add_garbage(stock.names.dead)
    report = letters.purge(DeadFilter(code="busy"), "cli:ani")
    assert report.done == 2
    assert {event.message_id for event in stock.events("outcome.purged")} == {"m1", "m2"}
    assert letters.count() == 2


def test_even_an_unreadable_letter_can_be_purged(stock, letters):
    stock.add_garbage(stock.names.dead)
    assert letters.purge(EVERYTHING, "cli:ani").done == 1
    assert letters.count() == 0
