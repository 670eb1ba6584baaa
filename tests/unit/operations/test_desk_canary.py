import pytest
from desk_records import record

from antrian.history.records import MessageState
from antrian.operations.dead_letters.canary import Verdict, reason, verdict


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (MessageState.WAITING, Verdict.OPEN),
        (MessageState.SENDING, Verdict.OPEN),
        (MessageState.SENT, Verdict.GOOD),
        (MessageState.RETRYING, Verdict.BAD),
        (MessageState.DEAD, Verdict.BAD),
        (MessageState.EXPIRED, Verdict.BAD),
        (MessageState.CANCELLED, Verdict.BAD),
    ],
)
def test_only_what_was_sent_is_good_and_what_waits_is_open(state, expected):
    assert verdict(record(state=state, generation=2), 1) is expected


def test_what_became_of_the_letter_itself_does_not_count():
    assert verdict(record(state=MessageState.DEAD, generation=1), 1) is Verdict.OPEN
    assert verdict(None, 1) is Verdict.OPEN


def test_the_reason_is_the_code_or_the_state():
    assert reason(record(state=MessageState.DEAD, code="timeout")) == "timeout"
    assert reason(record(state=MessageState.EXPIRED, code="timeout")) == "expired"
