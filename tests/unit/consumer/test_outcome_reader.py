"""What a worker learns from the outcomes stream."""

from dataclasses import dataclass, field, replace

import pytest
from factories import LANE, NOW, make_event

from antrian.contacts.book import ContactBook
from antrian.domain.events import Event
from consumer.lane.ledger import State
from consumer.observers import Observers, ProviderCall
from consumer.outcomes.reader import LaneOutcomes, OutcomeReader


@dataclass
class Notebook:
    """A observer that notes what it is told."""

    recorded_ids: list[str] = field(default_factory=list)
    heard_ids: list[tuple[str, bool]] = field(default_factory=list)

    def called(self, call: ProviderCall) -> None:
        raise AssertionError(call)

    def recorded(self, event: Event) -> None:
        self.recorded_ids.append(event.message_id)

    def heard(self, event: Event, *, counts: bool) -> None:
        self.heard_ids.append((event.message_id, counts))

    def broken(self) -> None:
        raise AssertionError


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


class Feed:
    """One lane, and the reading of the stream that it is taught by."""

    def __init__(self, notebook: Notebook) -> None:
        self.lane = LaneOutcomes(LANE, 86_400.0, Observers([notebook]), ContactBook())
        self.reader = OutcomeReader([self.lane])
        self.resume, self.take, self.lose_position = self.reader.resume, self.reader.take, self.reader.lose_position
        self.identity, self.ledger, self.active = self.lane.identity, self.lane.ledger, self.lane.active
        self.outstanding = self.lane.unconfirmed
        self.has_caught_up, self.has_passed, self.confirmed = (
            self.lane.has_caught_up,
            self.lane.has_passed,
            self.lane.confirmed,
        )


@pytest.fixture
def feed(notebook) -> Feed:
    feed = Feed(notebook)
    feed.resume()
    return feed


def own(feed: Feed, name: str, message_id: str = "m1") -> Event:
    return make_event(name, message_id, source=feed.identity)


def state(feed: Feed, message_id: str = "m1") -> State | None:
    entry = feed.ledger.entry(message_id)
    return entry.state if entry else None


def test_it_is_read_from_the_very_first_entry_and_then_from_where_it_was_left(feed) -> None:
    assert feed.resume() == "first"
    feed.take(make_event("sent"), 41)
    assert feed.resume() == 42


def test_a_stream_that_may_have_been_made_again_is_read_from_its_beginning(feed) -> None:
    feed.take(make_event("sent"), 41)
    feed.lose_position()
    assert feed.resume() == "first"


def test_what_others_recorded_is_in_the_ledger(feed) -> None:
    feed.take(make_event("sent", source="another"), 0)
    assert state(feed) is State.SENT


def test_our_own_events_are_in_the_ledger_when_they_are_confirmed_and_told_once(feed, notebook) -> None:
    feed.has_caught_up()
    feed.take(own(feed, "sending"), 0)
    assert state(feed) is None
    feed.confirmed(own(feed, "sending"))
    assert state(feed) is State.SENDING
    assert (notebook.recorded_ids, notebook.heard_ids) == (["m1"], [])


def test_a_barrier_is_passed_when_the_stream_shows_that_very_one(feed) -> None:
    others = (make_event("barrier", "mark", source="another"), own(feed, "barrier", "older"), own(feed, "sent", "mark"))
    for offset, other in enumerate(others):
        feed.take(other, offset)
        assert not feed.lane.has_passed_in_outcomes("mark")
    feed.take(own(feed, "barrier", "mark"), 3)
    assert feed.lane.has_passed_in_outcomes("mark")


def test_an_outcome_is_on_record_when_the_stream_shows_it(feed) -> None:
    sent = own(feed, "sent")
    feed.outstanding.add(sent)
    feed.outstanding.confirmed()
    feed.take(replace(sent, at=NOW + 1), 0)
    assert not feed.outstanding.is_empty
    feed.take(sent, 1)
    assert feed.outstanding.is_empty


def test_what_is_read_up_is_no_news(feed, notebook) -> None:
    feed.resume()
    feed.active.count_others(0)
    feed.take(make_event("cleared", "old", source="another"), 0)
    feed.has_caught_up()
    feed.take(make_event("cleared", "new", source="another"), 1)
    assert notebook.heard_ids == [("old", False), ("new", True)]


def test_what_happened_while_the_connection_was_gone_is_news(feed, notebook) -> None:
    feed.take(make_event("cleared", "before", source="another"), 0)
    feed.resume()
    feed.active.count_others(0)
    feed.take(make_event("cleared", "meanwhile", source="another"), 1)
    assert notebook.heard_ids[-1] == ("meanwhile", True)


def test_whoever_works_has_the_turn(feed, notebook) -> None:
    feed.has_caught_up()
    feed.confirmed(own(feed, "sending"))
    assert feed.active.is_ours
    feed.take(make_event("sending", "m2", source="another"), 0)
    assert not feed.active.is_ours
    assert notebook.heard_ids == [("m2", False)]


def test_the_work_of_yesterday_says_nothing_about_the_turn(feed) -> None:
    feed.resume()
    feed.active.count_others(0)
    feed.take(make_event("sending", "m2", source="another"), 0)
    assert feed.active.is_ours


def test_other_lanes_are_not_listened_to(feed, notebook) -> None:
    feed.has_caught_up()
    feed.take(make_event("sent", lane="other", source="another"), 0)
    assert (state(feed), notebook.heard_ids) == (None, [])


class TestALaneThatIsAddedLater:
    """It learns what the stream has kept from a reading apart, and then from the reading of all lanes."""

    @staticmethod
    def added(feed: Feed) -> LaneOutcomes:
        for offset in range(5):
            feed.take(make_event("sent", f"m{offset}", lane="added", source="another"), offset)
        return LaneOutcomes("added", 86_400.0, Observers([]), ContactBook())

    def test_it_is_taught_by_the_common_reading_once_it_knows_as_much(self, feed):
        added = self.added(feed)
        assert not feed.reader.reads_for(added)
        for offset in range(4):
            feed.reader.take_apart(added, make_event("sent", f"m{offset}", lane="added"), offset)
        assert not feed.reader.reads_for(added)
        feed.reader.take_apart(added, make_event("sent", "m4", lane="added"), 4)
        assert feed.reader.reads_for(added)
        feed.take(make_event("sent", "m5", lane="added", source="another"), 5)
        assert [added.ledger.entry(f"m{number}") is not None for number in range(6)] == [True] * 6

    def test_what_it_has_read_ahead_of_the_others_is_not_learnt_twice(self, feed):
        added = self.added(feed)
        crash = make_event("uncertain", "m9", lane="added", source="another")
        for offset in range(5):
            feed.reader.take_apart(added, make_event("sending", f"m{offset}", lane="default"), offset + 1)
        feed.reader.take_apart(added, crash, 6)
        feed.take(make_event("sending", "m9", lane="other"), 5)
        feed.take(crash, 6)
        entry = added.ledger.entry("m9")
        assert entry is None or entry.crashes <= 1

    def test_where_nothing_was_read_yet_it_is_read_for_like_the_others(self, notebook):
        feed = Feed(notebook)
        feed.resume()
        added = LaneOutcomes("added", 86_400.0, Observers([]), ContactBook())
        assert feed.reader.reads_for(added)
        feed.take(make_event("sent", "m1", lane="added"), 0)
        assert added.ledger.entry("m1") is not None
