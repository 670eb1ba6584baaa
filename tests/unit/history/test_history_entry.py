import json

import pika
import pytest
from factories import LANE
from hypothesis import given
from hypothesis import strategies as st
from journal_entries import NAMES, Journal

from antrian.domain.events import Event
from antrian.history.journal.entry import (
    BURIED,
    QUEUED,
    SCHEDULED,
    EntryReader,
    EventEntry,
    MessageEntry,
    StreamEntry,
    read_event,
)

READER = EntryReader(NAMES)


def only(journal: Journal):
    [delivery] = journal.deliveries
    return READER.read(delivery)


def test_each_exchange_says_what_its_entries_are():
    journal = Journal()
    journal.queued()
    journal.scheduled(seconds=3600)
    journal.buried()
    journal.outcome("sent")
    journal.add("amq.topic", "x", b"")
    entries = [READER.read(delivery) for delivery in journal.deliveries]
    assert [type(entry) for entry in entries] == [MessageEntry, MessageEntry, MessageEntry, EventEntry, type(None)]
    assert [entry.name for entry in entries[:3]] == [QUEUED, SCHEDULED, BURIED]
    assert (entries[1].delay, entries[1].lane, entries[2].letter.code) == (3600, LANE, "timeout")


@pytest.mark.parametrize("key", ["", "default", "1.0.default", "x." * 24 + "default"])
def test_a_key_that_is_none_of_the_ladders_has_no_delay(key):
    entry = READER.read(StreamEntry(0, NAMES.scheduled, key, pika.BasicProperties(), b"{}"))
    assert (entry.delay, entry.message) == (0, None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_EVENTS = st.fixed_dictionaries(
    {"name": _JSON, "at": _JSON, "lane": _JSON},
    optional=dict.fromkeys(("message_id", "generation", "attempt", "source", "details", "else"), _JSON),
)
_WITHOUT_NUL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_SOUND = st.builds(
    Event,
    st.sampled_from(["outcome.sent", "audit.allowed"]),
    st.floats(0, 4e9),
    _WITHOUT_NUL,
    _WITHOUT_NUL,
    st.integers(0, 100),
    st.integers(0, 100),
    _WITHOUT_NUL,
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(0, 9), max_size=3),
)


@given(_SOUND)
def test_an_event_is_read_as_everybody_else_reads_it(event):
    body = event.encode()
    assert read_event(body) == Event.decode(body)


@given(_EVENTS.map(lambda values: json.dumps(values).encode()) | st.binary(max_size=50))
def test_whatever_is_no_event_is_read_without_an_error_and_what_is_one_fits_into_a_file(body):
    event = read_event(body)
    if event is not None:
        event.lane.encode()
        event.message_id.encode()
        assert 0 <= event.generation < 2**31
        assert 0 <= event.attempt < 2**31
        assert 0 <= event.at < 3e11


@given(
    st.sampled_from([NAMES.messages, NAMES.scheduled, NAMES.dead, NAMES.events, "else"]),
    st.text(max_size=50),
    st.binary(max_size=50) | _JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(["antrian-attempt", "antrian-generation", "antrian-failures", "x-death"]), _JSON),
)
def test_nothing_that_a_stranger_writes_stops_the_reading(exchange, key, body, headers):
    properties = pika.BasicProperties(headers=headers)
    READER.read(StreamEntry(0, exchange, key, properties, body))
