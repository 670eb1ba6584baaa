import re
from io import StringIO

from factories import NOW, make_event, make_settings
from rich.console import Console

from antrian.broker.lane_state import PauseState
from antrian.cli.hold_view import hold_sentence
from antrian.cli.status_view import _HEADLINES, _WHY, headline, status_line, status_table, watch_screen
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.operations.lane.activity import Activity
from antrian.operations.lane.status import Counts, Reason, Status, status_of


def lane(state: PauseState | None = None, *told: Event) -> Status:
    activity = Activity("default")
    for event in (make_event("sent", at=NOW - 3), *told):
        activity.apply(event)
    counts = Counts(ready=2, consumers=1, listening=True, delayed=1, dead=4)
    return status_of("default", counts, activity, state or PauseState(), settings=make_settings(), now=NOW)


def shown(renderable: object) -> str:
    console = Console(width=120, file=StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_every_reason_has_its_words():
    assert set(_WHY) == set(_HEADLINES) == set(Reason)


def test_the_table_says_when_and_why():
    assert "in 7 s: the pause after the last send" in shown(status_table(lane()))


def test_the_countdown_goes_on_between_two_readings():
    assert "in 5 s: the pause" in shown(status_table(lane(), now=NOW + 2))
    assert "in 0 s: the pause" in shown(status_table(lane(), now=NOW + 200))


def test_the_table_says_who_paused():
    assert "by cli:ani since" in shown(status_table(lane(PauseState(paused=True, actor="cli:ani", since=NOW))))


def test_the_line_has_every_count():
    line = status_line(lane())
    assert "default: 2 waiting, 0 being sent, 0 retrying, 1 scheduled, 4 dead; next send in 7 s" in line


def test_the_screen_shows_trouble_and_the_latest_events_with_short_ids():
    failed = make_event("failed", "0123456789abcdef", code="busy", detail="call +6281234567890")
    text = shown(watch_screen(lane(), [failed], "no broker answers", NOW))
    assert "no broker answers; trying again" in text
    assert "01234567 " in text
    assert "busy" in text
    assert "0123456789abcdef" not in text
    assert "6281234567890" not in text


def test_what_looks_like_markup_is_shown_as_it_is():
    status = lane(PauseState(paused=True, actor="[b]ani", since=NOW))
    text = shown(watch_screen(status, [make_event("failed", "[bold]x", code="[/]")], "[red]", NOW))
    assert "[bold]x" in text
    assert "[/]" in text
    assert "[b]ani" in text


def test_the_screen_begins_with_what_the_lane_is_doing_and_names_people_where_it_can():
    events = [make_event("sent", "0123456789abcdef"), make_event("failed", "unknown-one")]
    text = shown(watch_screen(lane(), events, "", NOW, {"0123456789abcdef": "+62812•••••890 · shop"}))
    assert text.startswith("Lane default: Next message in 7 s. The pause of 10 s between two sends is running.")
    assert re.search(r"✓ +sent +\+62812•••••890 · shop", text)
    assert re.search(r"✗ +failed +unknown-", text)


def test_the_headline_counts_down_and_says_who_paused():
    paused = lane(PauseState(paused=True, actor="cli:ani", since=NOW))
    assert headline(lane(), passed=2.5)[0].startswith("Next message in 5 s.")
    assert headline(paused)[0].startswith("Paused by cli:ani since ")


def test_a_sender_that_needs_a_person_is_not_called_a_provider_that_does_not_answer():
    needs_qr = Event(EventName.RECEIPT_SESSION, NOW - 1, "default", details={"state": "needs_qr", "at": None})
    status = lane(None, needs_qr)
    told = [headline(status)[0], shown(status_table(status)), hold_sentence(status.hold, NOW)]
    assert all("he sender must scan a QR code" in words for words in told)
    assert not any("does not answer" in words for words in told)
