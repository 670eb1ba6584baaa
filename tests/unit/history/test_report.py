"""A report says what counting every message would say."""

import csv
import random
import tempfile
from collections import Counter, defaultdict
from datetime import datetime
from io import StringIO
from pathlib import Path
from statistics import quantiles
from zoneinfo import ZoneInfo

import pytest
from factories import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_entries import Journal, dump, fold

from antrian.history.projection import wait_histogram
from antrian.history.queries.report import Period
from antrian.history.queries.report_file import report_csv
from antrian.history.records import MessageState

KATHMANDU = ZoneInfo("Asia/Kathmandu")
DAY = 86_400


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "history-wa.db"


@pytest.fixture
def journal() -> Journal:
    return Journal()


def today(history, now=NOW + 600):
    return history.report(Period.TODAY, ZoneInfo("UTC"), now=now)


def test_a_message_that_was_given_up_and_then_sent_is_no_failure(path, journal):
    journal.queued()
    journal.buried()
    history = fold(path, journal.deliveries)
    assert (today(history).totals.sent, today(history).totals.failed) == (0, 1)
    assert [(one.failure_class, one.code, one.count) for one in today(history).causes] == [("transient", "timeout", 1)]
    journal.queued(generation=2)
    history = fold(path, journal.deliveries)
    assert (today(history).totals.failed, today(history).causes, today(history).waiting) == (0, [], 1)
    journal.sent(generation=2)
    report = today(fold(path, journal.deliveries))
    assert (report.totals.sent, report.totals.failed, report.totals.success_rate) == (1, 0, 1.0)
    assert report.causes == []


def test_a_message_that_fails_again_fails_once(path, journal):
    journal.queued()
    journal.buried(code="timeout")
    journal.queued(generation=2)
    journal.buried(code="refused", failure_class="rejected", generation=3)
    journal.outcome("dead", generation=3)
    report = today(fold(path, journal.deliveries))
    assert report.totals.failed == 1
    assert [(one.failure_class, one.code, one.count) for one in report.causes] == [("rejected", "refused", 1)]


def test_a_letter_that_is_deleted_has_still_failed_and_one_with_an_edited_copy_has_not(path, journal):
    for message_id in ("m1", "m2"):
        journal.queued(message_id)
        journal.buried(message_id)
    journal.outcome("purged", "m1", generation=1, undo_id="u1")
    journal.outcome("redriven", "m2", generation=1, copy="m3")
    journal.queued("m3")
    journal.sent("m3")
    report = today(fold(path, journal.deliveries))
    assert (report.totals.sent, report.totals.failed) == (1, 1)


def test_a_message_whose_time_was_over_has_failed(path, journal):
    journal.queued()
    journal.outcome("expired")
    report = today(fold(path, journal.deliveries))
    assert (report.totals.failed, report.totals.success_rate) == (1, 0.0)
    assert [one.failure_class for one in report.causes] == ["expired"]


def test_what_was_sent_before_its_service_was_known_is_counted_for_the_service(path, journal):
    journal.sent()
    fold(path, journal.deliveries)
    journal.queued(source="payment")
    [source] = today(fold(path, journal.deliveries)).sources
    assert (source.name, source.sent) == ("payment", 1)


def test_a_report_on_nothing_claims_nothing(path):
    report = today(fold(path))
    assert (report.totals.sent, report.totals.success_rate, report.totals.wait, report.before) == (0, None, None, None)
    assert len(report.days) == 1


def test_a_comparison_needs_the_whole_period_before(path, journal):
    journal.queued(now=NOW - 3 * DAY)
    journal.outcome("sent", at=NOW - 3 * DAY + 5)
    history = fold(path, journal.deliveries)
    assert today(history).before is not None
    week = history.report(Period.WEEK, ZoneInfo("UTC"), now=NOW)
    assert week.before is None
    assert week.known_since is not None
    assert NOW - 3 * DAY - 900 < week.known_since <= NOW - 3 * DAY + 5


_NAMES = st.sampled_from(["sending", "sent", "failed", "retrying", "redriven", "purged", "dead", "expired", "cleared"])
_STEPS = st.one_of(
    st.tuples(st.sampled_from(["queued", "buried", "scheduled"]), st.sampled_from(["m1", "m2"]), st.integers(0, 3)),
    st.tuples(_NAMES, st.sampled_from(["m1", "m2"]), st.integers(0, 3)),
)


@settings(max_examples=50)
@given(st.lists(_STEPS, max_size=25))
def test_every_message_counts_once_by_its_latest_end(steps):
    journal = Journal(tick=400)
    for kind, message_id, generation in steps:
        if kind in {"queued", "buried", "scheduled"}:
            getattr(journal, kind)(message_id, generation=generation)
        else:
            journal.outcome(kind, message_id, generation=generation, copy="m2", due_at=journal.now + 4e9)
    with tempfile.TemporaryDirectory() as folder:
        history = fold(Path(folder) / "a.db", journal.deliveries)
        report = history.report(Period.WEEK, ZoneInfo("UTC"), now=NOW + 25 * 400)
        records = [record for one in ("m1", "m2") if (record := history.message(one))]
        rows = dump(history)
    states = Counter(record.state for record in records)
    assert report.totals.sent == states[MessageState.SENT]
    certain = states[MessageState.DEAD] + states[MessageState.EXPIRED]
    assert certain <= report.totals.failed <= certain + states[MessageState.PURGED]
    assert sum(cause.count for cause in report.causes) == report.totals.failed
    assert all(row[3] >= 0 and row[4] >= 0 for row in rows["quarters"])


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """Sixty days of 12,000 messages, and what became of each: (source, priority, published, ended, whether sent)."""
    chance = random.Random(9)
    began = NOW - 60 * DAY
    told = []
    for number in range(12_000):
        source = chance.choice(["registration", "payment", "=cmd|' /C calc'!A0"])
        priority = chance.choice(["low", "normal", "high", "urgent"])
        at = began + number * 60 * DAY / 12_000
        wait = chance.lognormvariate(3, 1.5)
        told.append((source, priority, at, at + wait, chance.random() < 0.97))
    moments = [(one[2], index, True) for index, one in enumerate(told)]
    moments += [(one[3], index, False) for index, one in enumerate(told)]
    journal = Journal(tick=0)
    for at, index, is_new in sorted(moments):
        source, priority, _, _, is_sent = told[index]
        if is_new:
            journal.queued(f"m{index}", source=source, priority=priority, now=at)
        elif is_sent:
            journal.outcome("sent", f"m{index}", at=at)
        else:
            journal.outcome("sending", f"m{index}", at=at)
            journal.outcome("failed", f"m{index}", at=at, failure_class="rejected", code=f"c{index % 3}")
            journal.outcome("dead", f"m{index}", at=at)
    path = tmp_path_factory.mktemp("month") / "history-wa.db"
    pieces = [journal.deliveries[begin : begin + 4_000] for begin in range(0, len(journal.deliveries), 4_000)]
    return fold(path, *pieces, now=NOW + 10_000), told


@pytest.mark.parametrize("period", list(Period))
def test_a_report_is_what_counting_every_message_would_tell(month, period):
    history, told = month
    now = NOW // 900 * 900 - 1.0
    report = history.report(period, KATHMANDU, now=now)
    ours = [one for one in told if report.since <= one[3] < report.until + 1]
    sent = [one for one in ours if one[4]]
    assert (report.totals.sent, report.totals.failed) == (len(sent), len(ours) - len(sent))
    assert report.totals.success_rate == len(sent) / len(ours)
    assert {one.name: (one.sent, one.failed) for one in report.sources} == _by_source(ours)
    assert all(sum(one.over_time) == one.sent for one in report.sources)
    assert sum(cause.count for cause in report.causes) == report.totals.failed
    assert [(day.date, list(day.hours)) for day in report.days] == _by_hour(report, sent)
    for priority, figures in report.waits.items():
        waits = [one[3] - one[2] for one in sent if one[1] == priority]
        assert figures.count == len(waits)
        assert figures.mean == pytest.approx(sum(waits) / len(waits))
    waits = [one[3] - one[2] for one in sent]
    assert report.totals.wait.p50 == pytest.approx(quantiles(waits, n=20)[9], rel=0.06)


def test_the_period_before_is_as_long_and_as_far_into_its_last_day(month):
    history, told = month
    now = NOW // 900 * 900 - 1.0
    report = history.report(Period.WEEK, KATHMANDU, now=now)
    until = now - 7 * DAY
    assert report.before.sent == sum(report.before_since <= one[3] < until + 1 and one[4] for one in told)
    midnight = datetime.fromtimestamp(report.before_since, KATHMANDU)
    assert (midnight.hour, midnight.minute) == (0, 0)
    assert report.since - report.before_since == 7 * DAY


def test_a_source_cannot_run_in_a_spreadsheet(month):
    history, _ = month
    rows = list(csv.DictReader(StringIO(report_csv(history.report(Period.MONTH, KATHMANDU, now=NOW)))))
    names = {row["name"] for row in rows if row["section"] == "source"}
    assert names == {"registration", "payment", "'=cmd|' /C calc'!A0"}
    total = next(row for row in rows if row["section"] == "total")
    assert int(total["sent"]) == sum(int(row["sent"]) for row in rows if row["section"] == "day")


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=60), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_within_its_stated_error(waits, part):
    histogram = wait_histogram.total(wait_histogram.pack(wait_histogram.one(wait)) for wait in waits)
    exact = sorted(waits)[max(0, -int(-part * len(waits) // 1) - 1)]
    found = wait_histogram.percentile(histogram, part)
    assert wait_histogram.count(histogram) == len(waits)
    assert found == pytest.approx(exact, rel=wait_histogram.LARGEST_ERROR, abs=0.1)


def _by_source(ours):
    sums = defaultdict(lambda: [0, 0])
    for source, _, _, _, is_sent in ours:
        sums[source][0 if is_sent else 1] += 1
    return {name: tuple(values) for name, values in sums.items()}


def _by_hour(report, sent):
    found = {day.date: [0] * 24 for day in report.days}
    for one in sent:
        then = datetime.fromtimestamp(one[3], KATHMANDU)
        found[then.date().isoformat()][then.hour] += 1
    return list(found.items())
