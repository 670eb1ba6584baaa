"""Outcomes that a lost connection left unrecorded: when they count as recorded, and when they are recorded again."""

from dataclasses import replace
from enum import Enum

import pytest
from factories import NOW, make_event
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.events import Event
from consumer.outcomes.unconfirmed import Unconfirmed

SENT = make_event("sent", "m1", at=NOW + 0.25, source="us")
FAILED = make_event("failed", "m2", at=NOW + 9, source="us")


def owing(*events: Event) -> Unconfirmed:
    outstanding = Unconfirmed()
    for event in events:
        outstanding.add(event)
    return outstanding


def confirmed(*events: Event) -> Unconfirmed:
    outstanding = owing(*events)
    for _ in events:
        outstanding.confirmed()
    return outstanding


def test_nothing_is_outstanding_at_first() -> None:
    outstanding = Unconfirmed()
    assert outstanding.is_empty
    assert not outstanding.is_doubtful
    assert outstanding.next is None


def test_what_has_no_confirm_is_recorded_next_the_oldest_first() -> None:
    outstanding = owing(SENT, FAILED)
    assert outstanding.next == SENT
    outstanding.confirmed()
    assert outstanding.next == FAILED
    outstanding.confirmed()
    assert outstanding.next is None


def test_what_has_no_confirm_is_not_doubtful_and_not_done() -> None:
    outstanding = owing(SENT)
    assert not outstanding.is_empty
    assert not outstanding.is_doubtful


def test_a_confirm_alone_is_not_enough() -> None:
    outstanding = confirmed(SENT)
    assert outstanding.next is None
    assert outstanding.is_doubtful
    assert not outstanding.is_empty


def test_what_the_stream_shows_is_done_with() -> None:
    outstanding = confirmed(SENT, FAILED)
    outstanding.shown(SENT)
    assert outstanding.is_doubtful
    outstanding.shown(FAILED)
    assert outstanding.is_empty
    assert not outstanding.is_doubtful


def test_it_is_recognised_as_the_stream_gives_it_back() -> None:
    event = make_event("sent", "m1", at=1_795_554_803.2891204, source="us", pause=0.3)
    outstanding = confirmed(event)
    outstanding.shown(Event.decode(event.encode()) or SENT)
    assert outstanding.is_empty


@pytest.mark.parametrize("is_missing", [False, True], ids=["the first time", "recorded again"])
def test_the_stream_may_show_it_before_its_confirm_comes(is_missing: bool) -> None:  # noqa: FBT001
    outstanding = owing(SENT, FAILED)
    if is_missing:
        outstanding = confirmed(SENT, FAILED)
        outstanding.find_missing()
    outstanding.shown(SENT)
    assert outstanding.next == SENT
    outstanding.confirmed()
    assert not outstanding.is_doubtful
    outstanding.confirmed()
    assert outstanding.is_doubtful
    outstanding.shown(FAILED)
    assert outstanding.is_empty


def test_what_was_shown_early_is_proof_of_one_confirm_only() -> None:
    outstanding = owing(SENT)
    outstanding.shown(SENT)
    outstanding.confirmed()
    outstanding.add(SENT)
    outstanding.confirmed()
    assert outstanding.is_doubtful


@pytest.mark.parametrize(
    "other",
    [
        replace(SENT, name="outcome.failed"),
        replace(SENT, message_id="m2"),
        replace(SENT, at=SENT.at + 0.001),
        replace(SENT, source="another"),
    ],
    ids=["another outcome", "of another message", "at another time", "by another consumer"],
)
def test_another_event_is_no_proof(other: Event) -> None:
    outstanding = confirmed(SENT)
    outstanding.shown(other)
    assert outstanding.is_doubtful


def test_what_the_stream_does_not_show_is_recorded_again_before_anything_newer() -> None:
    outstanding = confirmed(SENT)
    outstanding.add(FAILED)
    assert outstanding.find_missing() == 1
    assert not outstanding.is_doubtful
    assert outstanding.next == SENT
    outstanding.confirmed()
    assert outstanding.next == FAILED


def test_what_is_missing_twice_is_recorded_a_third_time_and_in_order() -> None:
    outstanding = confirmed(SENT, FAILED)
    for _ in range(2):
        assert outstanding.find_missing() == 2
        for event in (SENT, FAILED):
            assert outstanding.next == event
            outstanding.confirmed()
    assert outstanding.is_doubtful


def test_what_the_stream_shows_is_not_recorded_again() -> None:
    outstanding = confirmed(SENT, FAILED)
    outstanding.shown(SENT)
    assert outstanding.find_missing() == 1
    assert outstanding.next == FAILED


def test_what_is_missing_is_not_done() -> None:
    outstanding = confirmed(SENT)
    outstanding.find_missing()
    assert not outstanding.is_empty


def test_only_the_first_confirm_is_news() -> None:
    outstanding = owing(SENT)
    assert outstanding.confirmed()
    outstanding.find_missing()
    assert not outstanding.confirmed()


class Fate(Enum):
    """What may befall a publish: the stream gets it or not, the confirm comes or not."""

    GONE = (False, False)
    CONFIRM_LOST = (True, False)
    CONFIRMED_IN_VAIN = (False, True)
    WELL = (True, True)


@given(st.lists(st.sampled_from(Fate), max_size=20), st.integers(1, 4), st.booleans())
def test_whatever_the_broker_does_in_the_end_the_stream_has_all_of_it(
    fates: list[Fate],
    count: int,
    shows_at_once: bool,  # noqa: FBT001
) -> None:
    ids = [f"m{number}" for number in range(count)]
    outstanding = owing(*(replace(SENT, message_id=one) for one in ids))
    stream: list[Event] = []
    news: list[str] = []
    trouble = iter(fates)
    while not outstanding.is_empty:
        while event := outstanding.next:
            is_kept, is_confirmed = next(trouble, Fate.WELL).value
            stream += [event] * is_kept
            if is_kept and shows_at_once:
                outstanding.shown(event)
            if is_confirmed and outstanding.confirmed():
                news.append(event.message_id)
        for event in stream:
            outstanding.shown(event)
        outstanding.find_missing()
    assert {event.message_id for event in stream} == set(ids)
    assert news == ids
