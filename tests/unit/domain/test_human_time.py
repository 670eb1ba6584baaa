"""Times and durations for people: one spelling, on the reader's own clock."""

import time

import pytest

from antrian.domain.human_time import age, clock_time, duration, moment, rfc3339, rough_duration

#: 2026-11-28 15:06:07 UTC.
AT = 1_795_878_367.0
DAY = 86_400


@pytest.fixture(autouse=True)
def jakarta(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Jakarta")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_moment_is_local_and_says_its_offset():
    assert moment(AT) == "2026-11-28 22:06:07 +07:00"
    assert moment(None) == "unknown"


def test_a_moment_in_a_file_is_utc():
    assert rfc3339(AT) == "2026-11-28T15:06:07Z"
    assert rfc3339(None) == ""


def test_a_live_view_leaves_out_the_date_of_today_only():
    assert clock_time(AT, AT + 3_600) == "22:06:07"
    assert clock_time(AT, AT + 3 * 3_600) == "2026-11-28 22:06:07"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.04, "0 s"),
        (0.42, "0.4 s"),
        (1, "1 s"),
        (59.4, "59 s"),
        (59.9, "1 min"),
        (65, "1 min 5 s"),
        (3_599.9, "1 h"),
        (7_325, "2 h 2 min"),
        (DAY, "1 day"),
        (3 * DAY + 7_200, "3 days 2 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.5, "0.5 s"), (119, "119 s"), (180, "3 min"), (7_200, "2 h"), (36 * 3_600, "36 h"), (3 * DAY, "3 days")],
)
def test_a_rough_duration_has_one(seconds, words):
    assert rough_duration(seconds) == words


def test_an_age_is_never_negative():
    assert [age(AT - seconds, AT) for seconds in (-5, 5, 120)] == ["0 s", "5 s", "2 min"]
    assert age(None, AT) == "unknown"
