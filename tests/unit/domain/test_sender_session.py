"""What is said of a sender's connection to WhatsApp, and when its lane may send again."""

from dataclasses import replace

import pytest
from factories import LANE, NOW, make_event

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.lane_timing import SESSION_PROBE, LaneTimes
from antrian.domain.receipt import SESSION_WORDS, SessionState, session_words

UNAVAILABLE = {"failure_class": "unavailable", "hold": 4.0}
THROTTLED = {"failure_class": "throttled", "hold": 700.0}


def session(state: str, heard_at: float, at: float | None = None) -> Event:
    return Event(EventName.RECEIPT_SESSION, NOW + heard_at, LANE, details={"state": state, "at": at})


def times(*events: Event) -> LaneTimes:
    told = LaneTimes()
    for event in events:
        told = told.after(event)
    return told


def hold(told: LaneTimes) -> tuple[str, float, str | None]:
    return told.session, told.held_until - NOW if told.held_because else 0.0, told.held_because


def test_a_lost_connection_holds_the_lane_for_a_while_and_each_word_anew():
    assert hold(times(session("needs_qr", 0))) == ("needs_qr", SESSION_PROBE, "unavailable")
    assert hold(times(session("disconnected", 0), session("banned", 50))) == (
        "banned",
        50 + SESSION_PROBE,
        "unavailable",
    )
    assert hold(times(session("of a newer version", 0))) == ("", 0.0, None)


@pytest.mark.parametrize(
    "end",
    [session("connected", 60), make_event("sent", at=NOW + 60), make_event("failed", at=NOW + 60)],
)
def test_it_ends_when_it_is_back_or_the_provider_takes_a_call(end):
    assert hold(times(session("needs_qr", 0), end)) == ("", 0.0, None)


def test_a_probe_that_finds_it_away_goes_on_at_the_usual_pace_and_says_why():
    probed = times(session("needs_qr", 0), make_event("failed", at=NOW + 600, **UNAVAILABLE))
    assert hold(probed) == ("needs_qr", 604.0, "unavailable")
    assert hold(probed.after(session("connected", 601)))[0] == ""


def test_what_the_provider_wanted_before_is_kept():
    throttled = times(make_event("failed", **THROTTLED), session("disconnected", 5), session("disconnected", 6))
    assert hold(throttled.after(session("connected", 10))) == ("", 700.0, "throttled")
    assert hold(times(session("disconnected", 0), make_event("failed", at=NOW + 9, **THROTTLED)))[0] == ""


def test_a_word_that_is_older_by_the_providers_clock_changes_nothing():
    back = times(session("needs_qr", 0, NOW), session("connected", 20, NOW + 10))
    assert back.after(session("disconnected", 30, NOW + 5)) == back
    assert back.after(make_event("sent", at=NOW + 25)).after(session("disconnected", 30, NOW + 5)).session == ""
    assert back.after(session("disconnected", 30, NOW + 11)).session == "disconnected"


def test_a_send_that_a_receipt_proves_ends_no_silence():
    throttled = times(make_event("failed", **THROTTLED))
    settled = throttled.after(make_event("sent", at=NOW + 3, settled_by="receipt", source="another"))
    assert settled == replace(throttled, send_ended_at=NOW + 3, pause=0.0, source="another")


def test_people_read_what_is_to_be_done():
    assert session_words("needs_qr") == "the sender must scan a QR code"
    assert {session_words(state) for state in ("", "connected", "of a newer version")} == {""}
    assert SESSION_WORDS.keys() == set(SessionState) - {SessionState.CONNECTED}


def test_a_provider_whose_clock_ran_an_hour_ahead_is_believed_when_it_is_right_again():
    ahead = session("disconnected", 0, at=NOW + 3600)
    assert hold(times(ahead, session("connected", 5, at=NOW + 5)))[0] == ""
