"""Messages that a rule of their lane holds, as the history folds, counts, finds and forgets them."""

import sqlite3
import time
from pathlib import Path

import pytest
from factories import LANE
from journal_entries import NAMES, Journal, dump, fold

from antrian.history.projection.writer import HistoryWriter
from antrian.history.queries.report import Period
from antrian.history.queries.time_axis import zone
from antrian.history.records import PENDING, MessageFilter, MessageState

DUE = time.time() + 3600
HELD = {"reason": "cold_cap", "until": DUE - 1, "rule": "cold_daily_cap 20", "due_at": DUE, "slot": "2027-01-16"}

#: After all times of a journal on paper.
FAR = HELD | {"until": 4e9, "due_at": 4e9}


@pytest.fixture
def journal() -> Journal:
    one = Journal()
    one.queued("m1")
    return one


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history-wa.db"


def test_a_held_message_says_why_until_when_and_by_which_rule(path: Path, journal: Journal) -> None:
    journal.outcome("held", attempt=1, **HELD)
    message = fold(path, journal.deliveries).message("m1")
    assert message is not None
    assert (message.state, message.due_at, message.hold_until) == (MessageState.HELD, DUE, DUE - 1)
    assert (message.hold_reason, message.hold_rule) == ("cold_cap", "cold_daily_cap 20")
    # Nothing was tried, and it is the same copy.
    assert (message.attempt, message.generation) == (0, 0)


def test_it_can_be_held_again_and_for_another_reason(path: Path, journal: Journal) -> None:
    journal.outcome("held", **HELD)
    journal.outcome(
        "held", reason="window", until=DUE + 60, due_at=DUE + 60, rule="window low=08:00-20:00 Asia/Jakarta"
    )
    history = fold(path, journal.deliveries)
    [held] = history.held(LANE)
    assert (held.reason, held.count, held.first_due_at) == ("window", 1, DUE + 60)


def test_without_an_end_that_anybody_knows_it_comes_back_when_the_ladder_says(path: Path, journal: Journal) -> None:
    journal.outcome("held", reason="cold_held", until=None, due_at=DUE)
    message = fold(path, journal.deliveries).message("m1")
    assert message is not None
    assert (message.state, message.due_at, message.hold_until) == (MessageState.HELD, DUE, None)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("released", MessageState.WAITING),
        ("sending", MessageState.SENDING),
        ("cancelled", MessageState.CANCELLED),
        ("cleared", MessageState.CLEARED),
        ("expired", MessageState.EXPIRED),
        ("opted_out", MessageState.OPTED_OUT),
        ("postponed", MessageState.SCHEDULED),
        ("cancelling", MessageState.HELD),
    ],
)
def test_whatever_follows_ends_the_hold(path: Path, journal: Journal, after: str, expected: MessageState) -> None:
    journal.outcome("held", **HELD)
    journal.outcome(after, due_at=DUE + 5, undo_id="u1", purpose="marketing", reason="cold_cap")
    history = fold(path, journal.deliveries)
    message = history.message("m1")
    assert message is not None
    assert message.state is expected
    assert (message.hold_reason is not None) == (expected is MessageState.HELD)
    assert history.counts()[expected] == 1
    assert sum(history.counts().values()) == 1
    if after == "opted_out":
        assert message.detail == "marketing"


@pytest.mark.parametrize("late", ["sending", "sent", "dead", "cancelled", "opted_out"])
def test_a_hold_says_nothing_about_a_message_that_has_gone_on(path: Path, journal: Journal, late: str) -> None:
    journal.outcome(late)
    before = fold(path, journal.deliveries).message("m1")
    journal.outcome("held", **HELD)
    journal.outcome("released", reason="cold_cap")
    after = fold(path, journal.deliveries).message("m1")
    assert before is not None
    assert after is not None
    assert after.state is before.state


def test_of_a_message_that_a_gap_has_swallowed_a_hold_tells(path: Path) -> None:
    journal = Journal()
    journal.outcome("held", "m9", **HELD)
    journal.sent("m9")
    assert fold(path, journal.deliveries[:1]).counts()[MessageState.HELD] == 1
    assert fold(path, journal.deliveries).counts()[MessageState.SENT] == 1


def test_when_its_time_is_over_it_waits_in_its_lane_behind_what_came_before(path: Path, journal: Journal) -> None:
    past = time.time() - 60
    journal.outcome("held", at=past - 3600, **HELD | {"until": past, "due_at": past})
    journal.queued("m2")
    history = fold(path, journal.deliveries)
    for _ in range(2):
        message = history.message("m1")
        assert message is not None
        assert (message.state, message.due_at, message.hold_reason) == (MessageState.WAITING, None, None)
        assert history.held(LANE) == []
        assert (history.counts()[MessageState.WAITING], history.counts()[MessageState.HELD]) == (2, 0)
        assert {one.message_id for one in history.next_messages(LANE)} == {"m1", "m2"}
        waiting = history.messages(MessageFilter(states=frozenset({MessageState.WAITING})))
        assert {one.message_id for one in waiting.items} == {"m1", "m2"}
        assert not history.messages(MessageFilter(states=frozenset({MessageState.HELD}))).items
        writer = HistoryWriter(path, NAMES)
        writer.release_due(time.time())
        writer.close()
    connection = sqlite3.connect(path)
    held = connection.execute("SELECT lane, reason, count, seconds FROM holds").fetchall()
    assert held == [(LANE, "cold_cap", 1, pytest.approx(3600))]
    connection.close()


def test_held_messages_are_among_all_that_wait_and_are_found_by_state(path: Path, journal: Journal) -> None:
    journal.queued("m2", priority="low")
    journal.scheduled("m3", seconds=10_000_000)
    journal.outcome("held", "m1", **HELD)
    journal.outcome("held", "m2", **HELD | {"reason": "window"})
    history = fold(path, journal.deliveries)
    for states, expected in (
        (PENDING, {"m1", "m2", "m3"}),
        ({MessageState.HELD}, {"m1", "m2"}),
        ({MessageState.SCHEDULED}, {"m3"}),
        ({MessageState.HELD, MessageState.WAITING}, {"m1", "m2"}),
    ):
        wanted = MessageFilter(lane=LANE, states=frozenset(states))
        assert {one.message_id for one in history.messages(wanted).items} == expected
        assert set(history.message_ids(wanted)) == expected
        assert (history.message_count(wanted), history.count_up_to(wanted, 9)) == (len(expected), len(expected))
    narrow = MessageFilter(lane=LANE, states=PENDING, priority="low", source="test", text="halo")
    assert [one.message_id for one in history.messages(narrow).items] == ["m2"]
    assert [one.count for one in history.pending_sources(LANE)] == [3]
    assert [one.reason for one in history.held(LANE)] == ["cold_cap", "window"]
    assert history.held_due_times(LANE, 9) == [(DUE, 2)]
    assert [(one.state, one.count) for one in history.delayed(LANE)] == [(MessageState.SCHEDULED, 1)]
    assert history.next_messages(LANE) == []


def test_what_was_cleared_while_it_was_held_can_be_put_back_until_its_time(path: Path, journal: Journal) -> None:
    journal.outcome("held", **HELD)
    journal.outcome("cleared", undo_id="u1", queue="wa.delay.11", source="cli:ani")
    journal.event("lane.cleared", "", undo_id="u1", queued=1)
    history = fold(path, journal.deliveries)
    [removed] = history.removed("u1")
    assert (removed.message.state, removed.due_at) == (MessageState.CLEARED, DUE)


def test_a_held_message_is_not_forgotten_however_old_it_is(path: Path, journal: Journal) -> None:
    journal.outcome("held", **HELD | {"due_at": DUE + 1e7})
    history = fold(path, journal.deliveries)
    writer = HistoryWriter(path, NAMES)
    writer.forget(DUE + 1e6)
    writer.close()
    assert history.counts()[MessageState.HELD] == 1


def test_however_the_entries_are_cut_the_seconds_held_are_the_same(tmp_path: Path, journal: Journal) -> None:
    journal.outcome("held", **FAR)
    journal.outcome("held", **FAR | {"reason": "window"})
    journal.outcome("released", reason="window")
    journal.outcome("opted_out", purpose="marketing")
    at_once = dump(fold(tmp_path / "a.db", journal.deliveries))
    one_by_one = dump(fold(tmp_path / "b.db", *[[one] for one in journal.deliveries]))
    assert at_once == one_by_one
    assert [row[2:] for row in at_once["holds"]] == [("cold_cap", 1, 1.0), ("window", 1, 1.0)]
    assert [row[2:] for row in at_once["opt_outs"]] == [("test", 1)]


def test_a_report_counts_opt_outs_and_the_time_that_messages_were_held(path: Path) -> None:
    journal = Journal()
    journal.queued("m1")
    journal.queued("m2")
    journal.outcome("held", "m1", **FAR)
    journal.outcome("released", "m1", reason="cold_cap")
    journal.outcome("opted_out", "m1", purpose="marketing")
    journal.sent("m2")
    report = fold(path, journal.deliveries).report(Period.TODAY, zone("Asia/Jakarta"), now=journal.now + 60)
    assert report.totals.opted_out == 1
    assert report.totals.sent == 1
    assert [(one.reason, one.count, one.seconds) for one in report.held] == [("cold_cap", 1, 1.0)]
    assert [(one.name, one.opted_out) for one in report.sources] == [("test", 1)]
