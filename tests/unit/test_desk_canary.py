import pytest
from desk_records import record

from admin_api.desk.canary import Verdict, reason, verdict
from admin_api.history.records import State


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.WAITING, Verdict.OPEN),
        (State.SENDING, Verdict.OPEN),
        (State.SENT, Verdict.GOOD),
        (State.RETRYING, Verdict.BAD),
        (State.DEAD, Verdict.BAD),
        (State.EXPIRED, Verdict.BAD),
        (State.CANCELLED, Verdict.BAD),
    ],
)
def test_only_what_was_sent_is_good_and_what_waits_is_open(state, expected):
    assert verdict(record(state=state, generation=2), 1) is expected


def test_what_became_of_the_letter_itself_does_not_count():
    assert verdict(record(state=State.DEAD, generation=1), 1) is Verdict.OPEN
    assert verdict(None, 1) is Verdict.OPEN


def test_the_reason_is_the_code_or_the_state():
    assert reason(record(state=State.DEAD, code="timeout")) == "timeout"
    assert reason(record(state=State.EXPIRED, code="timeout")) == "expired"
