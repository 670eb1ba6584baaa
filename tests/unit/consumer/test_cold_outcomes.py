"""When a row of failures is a hidden refusal, and for how long cold contacts are then left alone."""

import pytest
from factories import make_event, make_failure

from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from consumer.lane.cold_outcomes import COLD_PAUSE, SHORTEST_COLD_PAUSE, SHORTEST_NEXT_PAUSE, ColdOutcomes

BUSY = make_failure(FailureClass.TRANSIENT)
REFUSED = make_event("failed", failure_class="cold_refused", cold=True, recipient="+621")
KNOWN_SENT = make_event("sent", cold=False, recipient="+629")
COLD_SENT = make_event("sent", cold=True, recipient="+628")


def failed(recipient: str, failure_class: str = "transient", *, cold: bool = True) -> Event:
    return make_event("failed", failure_class=failure_class, cold=cold, recipient=recipient)


def after(*events: Event) -> ColdOutcomes:
    known = ColdOutcomes()
    for event in events:
        known = known.after(event)
    return known


@pytest.mark.parametrize(
    ("events", "is_refusal"),
    [
        ([failed("+621"), KNOWN_SENT, failed("+622")], True),
        ([failed("+621"), failed("+622"), KNOWN_SENT], True),
        # Nothing goes through, so it is not the strangers.
        ([failed("+621"), failed("+622")], False),
        ([KNOWN_SENT, failed("+621"), failed("+622")], False),
        ([failed("+621"), KNOWN_SENT], False),
        ([failed("+621"), KNOWN_SENT, failed("+621")], False),
        ([failed("+621"), KNOWN_SENT, failed("+622"), COLD_SENT], False),
        ([failed("+621"), KNOWN_SENT, failed("+622", cold=False)], False),
        ([failed("+621"), KNOWN_SENT, failed("+622", "rejected")], False),
        ([failed("+621"), KNOWN_SENT, failed("+622", "unavailable")], False),
        ([failed("+621"), KNOWN_SENT, failed("+622"), REFUSED], False),
    ],
)
def test_strangers_fail_one_after_the_other_while_known_contacts_are_sent_to(events, is_refusal) -> None:
    judged = after(*events).judge(BUSY, "+623", most=3)
    assert (judged.failure_class is FailureClass.COLD_REFUSED) is is_refusal
    assert is_refusal or judged is BUSY


def test_it_can_be_turned_off():
    assert after(failed("+621"), KNOWN_SENT, failed("+622")).judge(BUSY, "+623", most=0) is BUSY


@pytest.mark.parametrize("failure_class", [one for one in FailureClass if one is not FailureClass.TRANSIENT])
def test_only_a_failure_after_which_nothing_was_sent_is_taken_for_one(failure_class):
    failure = make_failure(failure_class)
    assert after(failed("+621"), KNOWN_SENT, failed("+622")).judge(failure, "+623", most=3) is failure


def test_the_pause_is_what_the_provider_says_or_a_day():
    refusal = make_failure(FailureClass.COLD_REFUSED)
    assert ColdOutcomes().pause_after(refusal) == COLD_PAUSE
    said = make_failure(FailureClass.COLD_REFUSED, retry_after=600.0)
    assert ColdOutcomes().pause_after(said) == 600.0
    at_once = make_failure(FailureClass.COLD_REFUSED, retry_after=0.0)
    assert ColdOutcomes().pause_after(at_once) == SHORTEST_COLD_PAUSE


def test_a_second_refusal_in_a_row_is_a_longer_one():
    said = make_failure(FailureClass.COLD_REFUSED, retry_after=600.0)
    assert after(REFUSED).pause_after(said) == SHORTEST_NEXT_PAUSE
    assert after(REFUSED, KNOWN_SENT).pause_after(said) == SHORTEST_NEXT_PAUSE
    assert after(REFUSED, COLD_SENT).pause_after(said) == 600.0
