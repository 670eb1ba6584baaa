"""The reading of the contacts stream: where it goes on, when it begins anew, and that lanes wait for it."""

import pytest
from factories import LANE, make_event

from antrian.contacts.book import ContactBook, ContactsLost
from antrian.domain.contact import Standing
from antrian.domain.events import Event
from consumer.observers import Observers
from consumer.outcomes.contacts import ContactsReader
from consumer.outcomes.reader import LaneOutcomes

SENDER, PERSON = "628111", "+6281234567890"
KNOWN = Event("contact.known", 1.0, "", details={"sender": SENDER, "how": "import", "recipients": [PERSON]})
OTHER = make_event("barrier", "another")


@pytest.fixture
def book():
    return ContactBook()


def read(book: ContactBook, *events: Event, first: int = 0) -> ContactsReader:
    reader = ContactsReader(book)
    reader.resume()
    for offset, event in enumerate(events, start=first):
        assert reader.take(event, offset)
    return reader


def test_it_begins_at_the_first_entry_and_goes_on_at_the_latest(book):
    assert ContactsReader(book).resume() == "first"
    reader = read(book, KNOWN, OTHER)
    assert reader.position == 2
    assert reader.resume() == 1
    assert reader.take(OTHER, 1)
    assert reader.take(KNOWN, 2)
    assert book.standing(SENDER, PERSON) is Standing.KNOWN


@pytest.mark.parametrize(("event", "offset"), [(KNOWN, 1), (OTHER, 0), (OTHER, 5), (None, 1)])
def test_another_stream_is_read_from_its_beginning(book, event, offset):
    read(book, KNOWN, OTHER)
    reader = ContactsReader(book)
    reader.resume()
    assert not reader.take(event, offset)
    # What was on its way changes nothing.
    assert reader.take(KNOWN, 7)
    assert book.standing(SENDER, PERSON) is Standing.COLD
    assert reader.resume() == "first"


def test_entries_that_are_no_events_move_the_position(book):
    reader = read(book, KNOWN)
    assert reader.take(None, 1)
    assert reader.position == 2


def test_a_lane_is_ready_when_both_streams_have_shown_its_mark(book):
    lane = LaneOutcomes(LANE, 86_400.0, Observers([]), book)
    mark = make_event("barrier", "mark", source=lane.identity)
    lane.take(mark, 0)
    assert not lane.has_passed("mark")
    lane.take_contact(make_event("barrier", "mark", source="another"))
    assert not lane.has_passed("mark")
    lane.take_contact(mark)
    assert lane.has_passed("mark")


def test_a_book_that_lost_its_file_is_read_again(book, monkeypatch):
    reader = read(book, KNOWN)

    def lost(*_: object) -> None:
        raise ContactsLost

    with monkeypatch.context() as broken:
        broken.setattr(book, "apply", lost)
        assert not reader.take(OTHER, 1)
    assert reader.resume() == "first"
    assert reader.take(KNOWN, 0)
    assert book.standing(SENDER, PERSON) is Standing.KNOWN
