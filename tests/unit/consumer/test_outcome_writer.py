"""What gets on record when connections break, and when it is recorded again; the broker is a list."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from factories import LANE
from lane_model import run

from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.domain.events import Event
from consumer.lane.ledger import State
from consumer.lane.pace import Pace
from consumer.observers import Observers, ProviderCall
from consumer.outcomes.contacts import ContactsReader
from consumer.outcomes.reader import LaneOutcomes, OutcomeReader
from consumer.outcomes.writer import BARRIER_TIMEOUT, Disconnected, EventSource, OutcomeWriter


class Fate(Enum):
    """What becomes of a publish: whether the stream gets it, and whether its confirm comes."""

    WELL = (True, True)
    GONE = (False, False)
    CONFIRM_LOST = (True, False)
    CONFIRMED_IN_VAIN = (False, True)


class PaperTransport:
    """What is published is in the stream, and a wait shows it to the reader."""

    def __init__(self, reader: OutcomeReader, outcomes: LaneOutcomes) -> None:
        self.stream: list[Event] = []
        self.fates: list[Fate] = []
        self.subscriptions = 1
        self.is_silent = False
        self.shows_before_it_confirms = False
        self.gave_up = 0
        self.waited_until = 0.0
        self._reader = reader
        self._outcomes = outcomes
        self._reads_from: int | None = None

    def now(self) -> float:
        return 500.0

    def read(self) -> None:
        offset = self._reader.resume()
        self._reads_from = 0 if offset == "first" else int(offset)

    def reconnect(self) -> None:
        self._reads_from = None

    async def publish(
        self, _exchange: str, _key: str, body: bytes, _properties: Any, *, mandatory: bool = True
    ) -> None:
        assert not mandatory
        event = Event.decode(body)
        assert event is not None
        is_kept, is_confirmed = (self.fates.pop(0) if self.fates else Fate.WELL).value
        self.stream += [event] * is_kept
        if self.shows_before_it_confirms:
            self._show()
        if not is_confirmed:
            raise Disconnected

    async def wait(self, condition: Callable[[], bool], *, until: float) -> bool:
        self.waited_until = until
        self._show()
        return condition()

    def _show(self) -> None:
        if self._reads_from is not None and not self.is_silent:
            for offset in range(self._reads_from, len(self.stream)):
                self._reader.take(self.stream[offset], offset)
                self._outcomes.take_contact(self.stream[offset])
            self._reads_from = len(self.stream)

    def start_over(self) -> None:
        self.gave_up += 1


class Counter:
    """A observer that counts what is on record."""

    def __init__(self) -> None:
        self.recorded_names: list[str] = []

    def called(self, call: ProviderCall) -> None:
        raise AssertionError(call)

    def recorded(self, event: Event) -> None:
        if event.name != "outcome.barrier":
            self.recorded_names.append(event.name)

    def heard(self, event: Event, *, counts: bool) -> None:
        pass

    def broken(self) -> None:
        raise AssertionError


class Scene:
    """A writer with all that it talks to; its coroutines never wait, so each runs to its end at once."""

    def __init__(self) -> None:
        self.counter = Counter()
        self.outcomes = LaneOutcomes(LANE, 86_400.0, Observers([self.counter]), ContactBook())
        self.reader = OutcomeReader([self.outcomes])
        self.talk = PaperTransport(self.reader, self.outcomes)
        self.pace = Pace(delay=10)
        self.events = EventSource(LANE, self.outcomes.identity)
        self.contacts = ContactsReader(self.outcomes.book)
        self._writer = OutcomeWriter(
            self.events,
            Names(),
            self.talk,
            self.outcomes,
            reader=self.reader,
            contacts=self.contacts,
            pace=self.pace,
        )

    def record(self, event: Event, *, surely: bool = False) -> None:
        run(self._writer.record(event, surely=surely))

    def make_up_for_lost_records(self) -> None:
        run(self._writer.make_up_for_lost_records())

    def learn(self) -> None:
        self.talk.read()
        run(self._writer.learn())

    def catch_up(self) -> None:
        run(self._writer.catch_up())

    @property
    def stream(self) -> list[str]:
        """Names of what the stream has, barriers aside."""
        names = [event.name.removeprefix("outcome.") for event in self.talk.stream]
        return [name for name in names if name != "barrier"]

    @property
    def barriers(self) -> int:
        return len(self.talk.stream) - len(self.stream)

    def lose(self, name: str = "sent", message_id: str = "m1", fate: Fate = Fate.GONE) -> None:
        """An outcome happens, and the connection breaks before its confirm."""
        self.talk.fates.append(fate)
        with pytest.raises(Disconnected):
            self.record(self.events.make(f"outcome.{name}", message_id=message_id, attempt=1), surely=True)
        self.talk.reconnect()

    def lose_in_vain(self, name: str = "sent") -> None:
        """Likewise; and on the next connection the broker confirms what its stream never gets."""
        self.lose(name)
        self.talk.fates.append(Fate.CONFIRMED_IN_VAIN)
        self.make_up_for_lost_records()

    def break_at(self, step: Callable[[], None], *fates: Fate) -> None:
        """The connection breaks again."""
        self.talk.fates += fates
        with pytest.raises(Disconnected):
            step()
        self.talk.reconnect()

    def is_sent(self, message_id: str = "m1") -> bool:
        entry = self.outcomes.ledger.entry(message_id)
        return entry is not None and entry.state is State.SENT


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_is_confirmed_is_in_the_ledger_and_owed_no_more(scene) -> None:
    scene.record(scene.events.make("outcome.sent", message_id="m1"), surely=True)
    assert scene.is_sent()
    assert scene.outcomes.unconfirmed.is_empty
    assert scene.counter.recorded_names == ["outcome.sent"]


@pytest.mark.parametrize("fate", [Fate.GONE, Fate.CONFIRM_LOST])
def test_an_outcome_without_a_confirm_is_not_in_the_ledger_and_is_owed(scene, fate) -> None:
    scene.lose(fate=fate)
    assert not scene.is_sent()
    assert scene.outcomes.unconfirmed.next is not None
    assert scene.counter.recorded_names == []


def test_anything_else_without_a_confirm_is_forgotten(scene) -> None:
    scene.talk.fates.append(Fate.GONE)
    with pytest.raises(Disconnected):
        scene.record(scene.events.make("outcome.sending", message_id="m1"))
    assert scene.outcomes.unconfirmed.is_empty


def test_what_is_owed_is_recorded_before_the_stream_is_read(scene) -> None:
    scene.lose()
    scene.make_up_for_lost_records()
    assert (scene.stream, scene.barriers) == (["sent"], 0)
    assert scene.is_sent()
    assert not scene.outcomes.unconfirmed.is_empty


def test_it_is_done_with_when_the_stream_shows_it(scene) -> None:
    scene.lose()
    scene.make_up_for_lost_records()
    scene.learn()
    assert scene.stream == ["sent"]
    assert scene.outcomes.unconfirmed.is_empty
    assert scene.counter.recorded_names == ["outcome.sent"]


def test_a_first_record_that_failed_is_left_to_the_reading_once(scene) -> None:
    """It may need the topology, which is made in between."""
    scene.lose()
    scene.break_at(scene.make_up_for_lost_records, Fate.GONE)
    scene.make_up_for_lost_records()
    assert scene.stream == []
    scene.learn()
    assert scene.stream == ["sent"]
    assert scene.outcomes.unconfirmed.is_empty


def test_it_is_left_to_the_reading_only_once(scene) -> None:
    scene.lose()
    scene.break_at(scene.make_up_for_lost_records, Fate.GONE)
    scene.make_up_for_lost_records()
    scene.talk.reconnect()
    scene.make_up_for_lost_records()
    assert scene.stream == ["sent"]


def test_the_next_loss_is_recorded_at_once_again(scene) -> None:
    for message_id in ("m1", "m2"):
        scene.lose(message_id=message_id)
        scene.make_up_for_lost_records()
        assert scene.is_sent(message_id)
        scene.learn()
    assert scene.stream == ["sent", "sent"]


def test_what_was_confirmed_in_vain_is_recorded_again_and_counted_once(scene) -> None:
    scene.lose_in_vain("failed")
    assert scene.stream == []
    scene.learn()
    assert scene.stream == ["failed"]
    assert scene.outcomes.unconfirmed.is_empty
    assert scene.counter.recorded_names == ["outcome.failed"]


def test_what_was_confirmed_in_vain_twice_is_recorded_a_third_time(scene) -> None:
    scene.lose_in_vain()
    scene.talk.fates += [Fate.WELL, Fate.CONFIRMED_IN_VAIN]
    scene.learn()
    assert scene.stream == ["sent"]
    assert scene.barriers == 3
    assert scene.outcomes.unconfirmed.is_empty


def test_a_stream_that_is_quicker_than_the_confirm_does_not_have_it_recorded_a_third_time(scene) -> None:
    scene.lose_in_vain()
    scene.talk.shows_before_it_confirms = True
    scene.learn()
    assert scene.stream == ["sent"]
    assert scene.barriers == 2
    assert scene.outcomes.unconfirmed.is_empty


def test_a_connection_that_breaks_while_it_is_recorded_again_loses_nothing(scene) -> None:
    scene.lose_in_vain()
    scene.break_at(scene.learn, Fate.WELL, Fate.GONE)
    assert scene.stream == []
    scene.make_up_for_lost_records()
    scene.learn()
    assert scene.stream == ["sent"]
    assert scene.counter.recorded_names == ["outcome.sent"]


def test_a_connection_that_breaks_before_the_stream_could_show_it_leaves_it_owed(scene) -> None:
    scene.lose()
    scene.make_up_for_lost_records()
    scene.break_at(scene.learn, Fate.GONE)
    assert not scene.outcomes.unconfirmed.is_empty
    scene.make_up_for_lost_records()
    scene.learn()
    assert scene.stream == ["sent"]
    assert scene.outcomes.unconfirmed.is_empty


def test_a_stream_that_is_silent_is_given_up_and_read_from_its_beginning_the_next_time(scene) -> None:
    scene.learn()
    scene.talk.is_silent = True
    scene.break_at(scene.learn)
    assert scene.talk.gave_up == 1
    assert scene.reader.resume() == "first"


def test_the_barrier_is_waited_for_as_long_as_a_stream_may_be_silent(scene) -> None:
    scene.learn()
    assert scene.talk.waited_until == 500.0 + BARRIER_TIMEOUT


def test_each_subscription_begins_with_a_barrier(scene) -> None:
    scene.learn()
    before = scene.barriers
    scene.catch_up()
    scene.catch_up()
    assert scene.barriers == before + 1
    scene.talk.subscriptions += 1
    scene.catch_up()
    assert scene.barriers == before + 2


def test_a_barrier_that_failed_is_passed_at_the_next_look(scene) -> None:
    scene.learn()
    scene.break_at(scene.catch_up, Fate.GONE)
    before = scene.barriers
    scene.learn()
    scene.catch_up()
    assert scene.barriers == before + 2


def test_our_own_recorded_send_is_paced_by_the_monotonic_clock_alone(scene) -> None:
    scene.learn()
    scene.record(scene.events.make("outcome.sent", message_id="m1"))
    scene.catch_up()
    assert scene.pace.gate().reason == "pause"
    assert scene.pace.pause_over_at == float("-inf")
