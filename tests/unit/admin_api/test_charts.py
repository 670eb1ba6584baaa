"""What charts say is true: peaks are peaks, gaps are gaps, and stretches begin at times that people use."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from factories import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_entries import NAMES, Journal, fold

from antrian.history.projection.writer import HistoryWriter
from antrian.history.queries import time_axis

HOUR, DAY = 3600, 86_400


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "history-wa.db"


def five_wait_and_are_sent(journal: Journal) -> None:
    for number in range(5):
        journal.queued(f"m{number}")
    for number in range(5):
        journal.sent(f"m{number}")


def test_what_waited_within_a_minute_is_seen(path):
    """Five messages came and went between two samples: “Nothing waited in this time” would be a lie."""
    journal = Journal()
    five_wait_and_are_sent(journal)
    [minute] = fold(path, journal.deliveries).analytics([NOW, NOW + 60])
    assert (minute.most_waiting, minute.waiting) == (5, 0)


def test_the_peak_of_a_long_stretch_is_the_highest_of_its_minutes(path):
    journal = Journal(tick=10)
    for number in range(12):
        journal.queued(f"m{number}")
    for number in range(11):
        journal.sent(f"m{number}")
    history = fold(path, journal.deliveries)
    minutes = history.analytics([NOW + 60 * minute for minute in range(9)])
    [whole] = history.analytics([NOW, NOW + 480])
    assert whole.most_waiting == max(minute.most_waiting for minute in minutes) == 12
    assert whole.waiting == 1


@settings(max_examples=15)
@given(st.lists(st.integers(0, 20), max_size=4))
def test_the_peak_does_not_depend_on_how_the_journal_was_cut(tmp_path_factory, cuts):
    journal = Journal()
    five_wait_and_are_sent(journal)
    bounds = [0, *sorted(min(cut, 15) for cut in cuts), 15]
    batches = [journal.deliveries[begin:end] for begin, end in pairwise(bounds)]
    history = fold(tmp_path_factory.mktemp("history") / "history-wa.db", *batches)
    assert history.analytics([NOW, NOW + 60])[0].most_waiting == 5


def test_where_nothing_is_known_there_is_no_zero(path):
    journal = Journal()
    journal.queued()
    history = fold(path, journal.deliveries)
    before, ours, _after = history.analytics([NOW - 60, NOW, NOW + 60, NOW + 120])
    assert (before.sent, before.waiting, before.most_waiting) == (None, None, None)
    assert (ours.sent, ours.most_waiting) == (0, 1)
    writer = HistoryWriter(path, NAMES)
    writer.checked(NOW + 30)
    writer.close()
    *_, after = history.analytics([NOW - 60, NOW, NOW + 60, NOW + 120])
    assert after.most_waiting is None, "the history has not read so far"


def test_waits_are_told_by_half_and_by_nineteen_of_twenty_of_each_priority(path):
    journal = Journal(tick=0)
    for number in range(100):
        journal.queued(f"m{number}", priority="high")
        journal.outcome("sent", f"m{number}", at=NOW + 1 + number / 10)
    for edges in ([NOW, NOW + 60], [NOW // 900 * 900, NOW // 900 * 900 + 900]):
        [bucket] = fold(path, journal.deliveries).analytics(edges)
        figures = bucket.waits["high"]
        assert figures.count == 100
        assert figures.p50 == pytest.approx(5.9, rel=0.05)
        assert figures.p95 == pytest.approx(10.4, rel=0.05)


@pytest.mark.parametrize(
    ("minutes", "step"),
    [(60, 60), (360, 5 * 60), (1440, 30 * 60), (10_080, 3 * HOUR), (44_640, 12 * HOUR)],
)
@pytest.mark.parametrize("name", ["Asia/Jakarta", "Asia/Kathmandu", "America/New_York"])
def test_stretches_are_of_usual_length_and_begin_at_usual_times(minutes, step, name):
    place = ZoneInfo(name)
    now = datetime(2026, 11, 28, 22, 7, 43, tzinfo=place).timestamp()
    edges = time_axis.edges(now, minutes * 60, place)
    assert {round(end - begin) for begin, end in pairwise(edges) if begin > now - 20 * DAY} == {step}
    assert edges[-2] <= now < edges[-1]
    for edge in edges:
        wall = datetime.fromtimestamp(edge, place)
        assert (wall - wall.replace(hour=0, minute=0)) % timedelta(seconds=step) == timedelta(0), wall


@pytest.mark.parametrize("night", [(2026, 3, 29), (2026, 10, 25)])
def test_a_night_in_which_the_clock_changes_is_neither_lost_nor_counted_twice(night):
    place = ZoneInfo("Europe/Berlin")
    now = (datetime(*night, 12, tzinfo=place) + timedelta(days=2)).timestamp()
    edges = time_axis.edges(now, 7 * DAY, place)
    lengths = {round(end - begin) // HOUR for begin, end in pairwise(edges)}
    assert lengths in ({3, 2}, {3, 4})
    assert {datetime.fromtimestamp(edge, place).hour % 3 for edge in edges} == {0}


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "Jakarta", "A" * 300, "Asia/\0", "/Asia/Jakarta"])
def test_a_zone_that_does_not_exist_is_refused(name):
    with pytest.raises(time_axis.UnknownZone):
        time_axis.zone(name)
