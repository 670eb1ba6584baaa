from datetime import UTC, datetime, timedelta

import pytest

from publisher.time_expression import parse_moment

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("+5m", timedelta(minutes=5)),
        ("+ 10s", timedelta(seconds=10)),
        ("in 10s", timedelta(seconds=10)),
        ("in 1h 30m", timedelta(minutes=90)),
        ("+1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("+0.5h", timedelta(minutes=30)),
        ("  IN 2 H ", timedelta(hours=2)),
        ("+0s", timedelta(0)),
    ],
)
def test_a_relative_moment_counts_from_now(text, later):
    assert parse_moment(text, NOW) == NOW + later


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T17:00:00+07:00", datetime(2026, 1, 31, 10, 0, tzinfo=UTC)),
        ("2026-01-31T17:00:00Z", datetime(2026, 1, 31, 17, 0, tzinfo=UTC)),
        ("2026-01-31 17:00+07:00", datetime(2026, 1, 31, 10, 0, tzinfo=UTC)),
        ("2026-01-31T17:00:00.250Z", datetime(2026, 1, 31, 17, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_an_absolute_moment_is_rfc_3339(text, moment):
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5m",
        "+",
        "+5",
        "+5y",
        "+-5m",
        "in five minutes",
        "tomorrow",
        "17:00",
        "2026-01-31",
        "2026-02-30T17:00:00Z",
        "1769871600",
        "+999999999d",
        "+\u0665m",
    ],
)
def test_anything_else_is_refused_with_how_to_write_it(text):
    with pytest.raises(ValueError, match=r"is not a time: write \+5m, in 1h 30m, or 2026"):
        parse_moment(text, NOW)


def test_a_time_without_its_offset_is_refused():
    with pytest.raises(ValueError, match="has no offset from UTC"):
        parse_moment("2026-01-31T17:00:00", NOW)
