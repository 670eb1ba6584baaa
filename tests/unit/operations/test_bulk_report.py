import json

import pytest

from antrian.cli.import_view import refusal, remarks, sentences
from antrian.history.records import KeyUse, MessageState
from antrian.operations.bulk_import.already_queued import KnownPlace, place_of
from antrian.operations.bulk_import.bounded_list import Listing
from antrian.operations.bulk_import.publish import Failure, RowResult
from antrian.operations.bulk_import.report import ImportSummary
from antrian.operations.bulk_import.row import Refusal
from antrian.operations.bulk_import.validate import Findings, Repetition


def listing(items) -> Listing:
    found = Listing()
    found.extend(items)
    return found


def report(read=10, wrong=0, orders=None, **fields) -> ImportSummary:
    found = Findings(read, wrong, listing(Refusal(line, "message", "is missing") for line in range(wrong)))
    return ImportSummary(found, read - wrong if orders is None else orders, 24, **fields)


def test_all_in_the_queue():
    done = report(outcome=RowResult(queued=10))
    assert done.exit_code == 0
    assert sentences(done) == [
        "10 messages are in the queue now.",
        (
            "It is safe to import this again: what is in the queue, or was sent in the last 24 h, is left out then "
            "(with --batch NAME it is sent again)."
        ),
    ]
    assert remarks(done) == []


def test_a_second_time_nothing_is_queued_and_that_is_no_failure():
    again = report(outcome=RowResult())
    again.already.update({KnownPlace.QUEUED: 7, KnownPlace.SENT: 1, KnownPlace.DEAD: 1, KnownPlace.CANCELLED: 1})
    assert again.exit_code == 0
    assert sentences(again) == [
        "Nothing was queued.",
        (
            "Left out: 7 in the queue already; 1 sent in the last 24 h; 1 given up, with a dead letter that can be "
            "re-driven; 1 cancelled in the last 24 h."
        ),
    ]


def test_an_empty_file_is_said_to_be_empty():
    assert sentences(report(0, outcome=RowResult())) == ["The file has no rows: nothing was queued."]


def test_wrong_rows_keep_the_right_ones_out_and_are_listed_up_to_twenty():
    wrong = report(30, wrong=25)
    assert (wrong.exit_code, wrong.is_refused) == (2, True)
    lines = refusal(wrong, "a.csv")
    assert lines[0] == "nothing was queued: 25 of 30 rows in a.csv are wrong"
    assert lines[1] == "  line 0, message: is missing"
    assert lines[-2:] == ["  and 5 more", "Correct them, or leave them out with --skip-invalid."]
    assert len(lines) == 23


def test_skipped_rows_are_listed_and_make_a_failure():
    skipped = report(10, wrong=1, skips=True, outcome=RowResult(queued=9))
    assert (skipped.exit_code, skipped.is_refused) == (1, False)
    assert sentences(skipped)[0] == "9 messages are in the queue now."
    assert remarks(skipped) == ["1 row left out as wrong:", "  line 0, message: is missing"]


def test_a_dry_run_says_what_would_be_done():
    dry = report(is_dry=True)
    dry.already[KnownPlace.QUEUED] = 9
    assert dry.exit_code == 0
    assert sentences(dry) == ["10 rows read; 1 message would be queued.", "Left out: 9 in the queue already."]


def test_repeated_keys_are_a_warning():
    done = report(10, orders=9, outcome=RowResult(queued=9))
    done.findings.repeated.add(Repetition(5, 3))
    assert done.exit_code == 0
    assert remarks(done) == [
        "1 row left out, because an earlier row has the same idempotency key:",
        "  line 5, as line 3",
    ]


def test_rows_that_the_broker_does_not_take_are_listed():
    refused = report(outcome=RowResult(queued=9, refused=listing([Failure(4, "there is no lane 'x'")])))
    assert refused.exit_code == 1
    assert sentences(refused)[0] == "9 of 10 messages are in the queue now."
    assert remarks(refused) == ["1 row not accepted:", "  line 4: there is no lane 'x'"]


def test_a_broker_that_goes_away_is_told_with_what_to_do():
    gone = RowResult(
        3, unanswered=listing([Failure(1, ""), Failure(2, "")]), unknown=1, trouble="no broker answers at x:1"
    )
    lost = report(outcome=gone)
    assert lost.exit_code == 1
    assert sentences(lost) == [
        (
            "3 of 10 messages are in the queue now; 1 more may be; 5 were not tried, because the broker went away: "
            "no broker answers at x:1."
        ),
        "Run the same command again: what is in the queue is not sent twice.",
    ]


def test_an_interruption_is_told_with_what_to_do():
    stopped = report(outcome=RowResult(1, interrupted=True))
    assert stopped.exit_code == 1
    assert sentences(stopped) == [
        "Interrupted: 1 of 10 messages is in the queue now; 9 were not tried.",
        "Run the same command again: what is in the queue is not sent twice.",
    ]


def test_without_a_history_nothing_is_promised_that_the_consumer_cannot_keep():
    blind = report(outcome=RowResult(queued=10), blind="access refused")
    assert sentences(blind) == ["10 messages are in the queue now."]
    assert remarks(blind) == [
        (
            "It is not known what an earlier import queued (access refused). A message that is in the queue twice "
            "is sent once, if the second comes within 24 h."
        )
    ]


def test_programs_are_told_everything():
    unanswered = Listing(1)
    unanswered.extend([Failure(8, "no confirm"), Failure(9, "no confirm")])
    outcome = RowResult(5, listing([Failure(4, "no lane")]), unanswered, 2, "no broker answers")
    told = report(10, wrong=1, skips=True, outcome=outcome)
    told.already[KnownPlace.SENT] = 1
    told.findings.repeated.add(Repetition(5, 3))
    assert json.loads(json.dumps(told.as_json())) == {
        "dry_run": False,
        "read": 10,
        "new": 8,
        "queued": 5,
        "already": {"queued": 0, "sent": 1, "dead": 0, "cancelled": 0},
        "already_known": True,
        "repeated": [{"line": 5, "first": 3}],
        "repeated_count": 1,
        "invalid": [{"line": 0, "field": "message", "reason": "is missing"}],
        "invalid_rows": 1,
        "failed": [{"line": 4, "reason": "no lane"}, {"line": 8, "reason": "no confirm"}],
        "failed_count": 3,
        "stopped": "no broker answers",
    }


@pytest.mark.parametrize(
    ("state", "before", "now"),
    [
        (MessageState.WAITING, KnownPlace.QUEUED, KnownPlace.QUEUED),
        (MessageState.SCHEDULED, KnownPlace.QUEUED, KnownPlace.QUEUED),
        (MessageState.SENDING, KnownPlace.QUEUED, KnownPlace.QUEUED),
        (MessageState.RETRYING, KnownPlace.QUEUED, KnownPlace.QUEUED),
        (MessageState.DEAD, KnownPlace.DEAD, KnownPlace.DEAD),
        (MessageState.SENT, None, KnownPlace.SENT),
        (MessageState.CANCELLED, None, KnownPlace.CANCELLED),
        (MessageState.CLEARED, None, None),
        (MessageState.PURGED, None, None),
        (MessageState.EXPIRED, None, None),
        (MessageState.DUPLICATE, None, None),
    ],
)
def test_where_an_earlier_message_is_decides_whether_its_row_is_left_out(state, before, now):
    assert place_of(KeyUse("default", "import", "k", state, changed_at=99), since=100) == before
    assert place_of(KeyUse("default", "import", "k", state, changed_at=100), since=100) == now


@pytest.mark.parametrize("state", MessageState)
def test_what_an_older_journal_told_of_queues_is_not_believed_but_what_is_over_is(state):
    older = KeyUse("default", "import", "k", state, changed_at=100, is_current=False)
    assert place_of(older, since=100) == {
        MessageState.SENT: KnownPlace.SENT,
        MessageState.CANCELLED: KnownPlace.CANCELLED,
    }.get(state)
