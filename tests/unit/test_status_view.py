from io import StringIO

import pytest
from factories import NOW, make_event, make_settings
from rich.console import Console

from admin_api.lane.activity import Activity
from admin_api.lane.status import Counts, Reason, Status, status_of
from admin_api.lane.status_view import _WHY, duration, status_line, status_table, watch_screen
from broker.lane_state import LaneState


def lane(state: LaneState | None = None) -> Status:
    activity = Activity("default")
    activity.apply(make_event("sent", at=NOW - 3))
    counts = Counts(ready=2, consumers=1, listening=True, delayed=1, dead=4)
    return status_of("default", counts, activity, state or LaneState(), settings=make_settings(), now=NOW)


def shown(renderable: object) -> str:
    console = Console(width=120, file=StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_every_reason_has_its_words():
    assert set(_WHY) == set(Reason)


def test_the_table_says_when_and_why():
    assert "in 7.0 s: the pause after the last send" in shown(status_table(lane()))


def test_the_countdown_goes_on_between_two_readings():
    assert "in 5.0 s: the pause" in shown(status_table(lane(), now=NOW + 2))
    assert "in 0.0 s: the pause" in shown(status_table(lane(), now=NOW + 200))


def test_the_table_says_who_paused():
    assert "by cli:ani since" in shown(status_table(lane(LaneState(paused=True, actor="cli:ani", since=NOW))))


def test_the_line_has_every_count():
    line = status_line(lane())
    assert "default: 2 waiting, 0 being sent, 0 retrying, 1 scheduled, 4 dead; next send in 7.0 s" in line


def test_the_screen_shows_trouble_and_the_latest_events_with_short_ids():
    failed = make_event("failed", "0123456789abcdef", code="busy", detail="call +6281234567890")
    text = shown(watch_screen(lane(), [failed], "no broker answers", NOW))
    assert "no broker answers; trying again" in text
    assert "01234567 " in text
    assert "busy" in text
    assert "0123456789abcdef" not in text
    assert "6281234567890" not in text


def test_what_looks_like_markup_is_shown_as_it_is():
    status = lane(LaneState(paused=True, actor="[b]ani", since=NOW))
    text = shown(watch_screen(status, [make_event("failed", "[bold]x", code="[/]")], "[red]", NOW))
    assert "[bold]x" in text
    assert "[/]" in text
    assert "[b]ani" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (59.9, "59.9 s"), (60, "1 min 00 s"), (3599.9, "1 h 00 min"), (7325, "2 h 02 min")],
)
def test_durations_have_their_units(seconds, words):
    assert duration(seconds) == words
