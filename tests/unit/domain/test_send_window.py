"""Windows, days and hours by the clocks of a zone, also where the clocks are changed."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.lane_limits import DEFAULT_TIMEZONE, Window, zone_name
from antrian.domain.priority import Priority
from antrian.domain.send_window import (
    day_of,
    day_start,
    hour_start,
    is_open,
    next_day_start,
    next_hour_start,
    next_opening,
    timezone_of,
    window_for,
)

QUARTER, HOUR = 900, 3_600

#: Summer time at 02:00, at midnight, at 00:01, by half an hour, none; half and quarter hours; a day that never was.
ZONES = (
    "Asia/Jakarta",
    "Asia/Makassar",
    "Asia/Jayapura",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
)
zones = st.sampled_from(ZONES)
moments = st.integers(946_684_800, 1_900_000_000)
#: Instants near a change of the clock are rare; these are around some.
NEAR_CHANGES = (
    ("Europe/Berlin", "2026-03-29T02:00+01:00"),
    ("Europe/Berlin", "2026-10-25T03:00+02:00"),
    ("America/Sao_Paulo", "2018-11-04T00:00-03:00"),
    ("America/Sao_Paulo", "2019-02-17T00:00-02:00"),
    ("America/St_Johns", "2010-11-07T00:01-02:30"),
    ("Australia/Lord_Howe", "2026-04-05T02:00+11:00"),
    ("Australia/Lord_Howe", "2026-10-04T02:00+10:30"),
    ("Pacific/Apia", "2011-12-30T00:00-10:00"),
)
near_changes = st.builds(
    lambda change, seconds: (change[0], datetime.fromisoformat(change[1]).timestamp() + seconds),
    st.sampled_from(NEAR_CHANGES),
    st.integers(-30 * HOUR, 30 * HOUR),
)
places = st.tuples(zones, moments) | near_changes
windows = st.builds(
    lambda opens, length: Window(Priority.LOW, opens, (opens + length - 1) % 1440 + 1),
    st.integers(0, 1439),
    st.integers(1, 1439),
)


def local(zone: str, at: float) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo(zone))


def unix(written: str, zone: str, fold: int = 0) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def shows_open(window: Window, zone: str, at: float) -> bool:
    """What a person says who looks at the clock and at the window."""
    clock = local(zone, at)
    minute = clock.hour * 60 + clock.minute
    if window.opens < window.closes:
        return window.opens <= minute < window.closes
    return minute >= window.opens or minute < window.closes


@pytest.mark.parametrize(
    ("zone", "span", "now", "opening"),
    [
        ("Asia/Jakarta", "08:00-20:00", "2026-11-29T07:59:59", "2026-11-29T08:00"),
        ("Asia/Jakarta", "08:00-20:00", "2026-11-29T08:00", "2026-11-29T08:00"),
        ("Asia/Jakarta", "08:00-20:00", "2026-11-29T19:59:59", "2026-11-29T19:59:59"),
        ("Asia/Jakarta", "08:00-20:00", "2026-11-29T20:00", "2026-11-30T08:00"),
        ("Asia/Jakarta", "22:00-06:00", "2026-11-29T12:00", "2026-11-29T22:00"),
        ("Asia/Jakarta", "22:00-06:00", "2026-11-29T23:59", "2026-11-29T23:59"),
        ("Asia/Jakarta", "22:00-06:00", "2026-11-30T05:59", "2026-11-30T05:59"),
        ("Asia/Jakarta", "20:00-00:00", "2026-11-30T00:00", "2026-11-30T20:00"),
        ("Asia/Jakarta", "00:00-24:00", "2026-11-30T00:00", "2026-11-30T00:00"),
        # A gap cuts a window's beginning off, and with it a whole short one.
        ("Europe/Berlin", "02:30-05:00", "2026-03-29T01:00", "2026-03-29T03:00"),
        ("Europe/Berlin", "02:15-02:45", "2026-03-29T01:00", "2026-03-30T02:15"),
        ("America/Sao_Paulo", "00:00-06:00", "2018-11-03T23:00", "2018-11-04T01:00"),
    ],
)
def test_a_window_opens_when_the_clock_on_the_wall_says_so(zone: str, span: str, now: str, opening: str) -> None:
    window = Window.parse("low", span)
    assert next_opening(window, zone, unix(now, zone)) == unix(opening, zone)


def test_a_clock_that_is_set_back_opens_a_window_once_more() -> None:
    window, zone = Window.parse("low", "01:30-02:30"), "Europe/Berlin"
    closed = unix("2026-10-25T02:30", zone)
    again = unix("2026-10-25T02:00", zone, fold=1)
    assert next_opening(window, zone, closed) == again
    assert is_open(window, zone, again + 29 * 60)
    assert next_opening(window, zone, again + 30 * 60) == unix("2026-10-26T01:30", zone)


@given(places, windows, st.floats(0, 0.999))
def test_an_opening_is_open_and_no_earlier_moment_was(place: tuple[str, float], window: Window, part: float) -> None:
    zone, now = place[0], place[1] + part
    opening = next_opening(window, zone, now)
    assert is_open(window, zone, opening)
    assert is_open(window, zone, now) == (opening == now)
    grid = range(int(now), int(opening), QUARTER)
    for earlier in (*grid, *([opening - 1] if opening - 1 >= now else [])):
        assert not shows_open(window, zone, earlier)
    for later in range(int(now), int(now) + 26 * HOUR, QUARTER):
        assert is_open(window, zone, later) == shows_open(window, zone, later)


@given(places)
def test_days_follow_each_other_without_a_gap_and_hold_what_their_clock_shows(place: tuple[str, float]) -> None:
    zone, now = place
    day = day_of(zone, now)
    assert day - local(zone, now).date() in {timedelta(0), timedelta(days=1)}
    start, end = day_start(zone, day), next_day_start(zone, now)
    assert start <= now < end
    assert day_of(zone, start) == day
    assert day_of(zone, end - 1) == day
    assert day_of(zone, end) > day
    assert 22.5 * HOUR <= end - start <= 25 * HOUR
    assert local(zone, start).date() == day
    assert local(zone, start - 1).date() < day


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Asia/Jakarta", date(2026, 11, 29), "2026-11-28T17:00+00:00", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00+00:00", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00+00:00", 25),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00+00:00", 23),
        ("America/Sao_Paulo", date(2019, 2, 16), "2019-02-16T02:00+00:00", 25),
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00+00:00", 24),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00+00:00", 24),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock_makes_of_it(zone: str, day: date, begins: str, hours: float) -> None:
    start = day_start(zone, day)
    assert start == datetime.fromisoformat(begins).timestamp()
    assert next_day_start(zone, start) - start == hours * HOUR


@given(places)
def test_hours_follow_each_other_without_a_gap_and_begin_when_the_clock_shows_it(place: tuple[str, float]) -> None:
    zone, now = place
    start, end = hour_start(zone, now), next_hour_start(zone, now)
    assert start <= now < end
    assert end - start in {HOUR, 1.5 * HOUR, 0.5 * HOUR}
    assert end - start == HOUR or zone in {"Australia/Lord_Howe", "America/St_Johns"}
    for full in (start, end):
        assert (local(zone, full).minute, local(zone, full).second) == (0, 0)
    assert hour_start(zone, end - 0.5) == start
    assert hour_start(zone, end) == end
    assert next_hour_start(zone, start) == end


def test_times_before_and_after_all_clocks_are_no_error() -> None:
    window = Window.parse("low", "08:00-20:00")
    for at in (-1e12, 0.0, 253_402_300_799.0, 1e15):
        assert next_opening(window, "Europe/Berlin", at) >= at
        assert hour_start("Europe/Berlin", at) <= at < next_hour_start("Europe/Berlin", at)
        day_of("Europe/Berlin", at)


def test_a_messages_own_zone_wins_over_its_recipients_and_that_over_the_lanes() -> None:
    assert timezone_of({"timezone": "WIT"}, "Asia/Makassar", "Asia/Jakarta") == "Asia/Jayapura"
    assert timezone_of({"timezone": "Mars/Olympus"}, "Asia/Makassar", "Asia/Jakarta") == "Asia/Makassar"
    assert timezone_of({"timezone": 7}, "nowhere", "Europe/Berlin") == "Europe/Berlin"
    assert timezone_of(None, None, "nowhere") == DEFAULT_TIMEZONE


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("wib", "Asia/Jakarta"),
        (" WITA ", "Asia/Makassar"),
        ("WIT", "Asia/Jayapura"),
        ("../etc/passwd", None),
        ("", None),
    ],
)
def test_indonesias_zones_may_be_called_by_their_short_names(written: str, zone: str | None) -> None:
    assert zone_name(written) == zone


def test_a_window_is_for_one_priority_and_strangers_numbers_fall_into_it() -> None:
    low, normal = Window.parse("low", "08:00-20:00"), Window.parse("normal", "06:00-22:00")
    found = {priority: window_for((low, normal), priority) for priority in (0, 1, 4, 5, 8, 9, 10, 255)}
    assert found == {0: low, 1: low, 4: low, 5: normal, 8: normal, 9: None, 10: None, 255: None}
