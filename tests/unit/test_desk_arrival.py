"""Which letters may have arrived already: the rule, and the two places where it reads what it needs."""

import pytest
from desk_records import dead_record
from journal_entries import Journal, fold

from admin_api.desk.arrival import may_have_arrived
from admin_api.desk.service import choose, copies_of
from admin_api.history.records import DeadCause


@pytest.mark.parametrize(
    ("failure_class", "code", "was_uncertain", "expected"),
    [
        ("uncertain", "no-answer", True, True),
        ("uncertain", "no-answer", False, True),
        ("unknown", "crash", False, True),
        ("unknown", "poison", False, True),
        # An earlier attempt had no outcome, and only the last one surely failed.
        ("transient", "send-failed", True, True),
        ("transient", "send-failed", False, False),
        ("rejected", "not-on-whatsapp", False, False),
        ("malformed", "not-json", False, False),
    ],
)
def test_a_letter_may_have_arrived_if_any_attempt_had_no_outcome(failure_class, code, was_uncertain, expected):
    letter = dead_record(failure_class=failure_class, code=code, was_uncertain=was_uncertain)
    assert may_have_arrived(letter) is expected


def test_the_history_remembers_an_earlier_attempt_without_an_outcome(tmp_path):
    journal = Journal()
    for message_id in ("answered", "unanswered", "crashed", "redriven"):
        journal.queued(message_id)
        journal.outcome("sending", message_id)
    journal.outcome("failed", "answered", failure_class="transient", code="send-failed", detail='"uncertain"')
    journal.outcome("failed", "unanswered", failure_class="uncertain", code="no-answer")
    journal.outcome("uncertain", "crashed")
    journal.buried("redriven", failure_class="uncertain", code="no-answer")
    journal.outcome("redriven", "redriven", generation=1)
    journal.queued("redriven", generation=2)
    for message_id, generation in (("answered", 1), ("unanswered", 1), ("crashed", 1), ("redriven", 3)):
        journal.buried(message_id, generation=generation, failure_class="transient", code="send-failed")
    history = fold(tmp_path / "history.db", journal.deliveries)
    told = {letter.message_id: may_have_arrived(letter) for letter in history.dead_causes()}
    assert told == {"answered": False, "unanswered": True, "crashed": True, "redriven": True}
    assert {one.message_id: may_have_arrived(one) for one in history.dead_letters().items} == told


def test_those_left_out_do_not_count_towards_the_limit():
    letters = [DeadCause(f"m{number}", 1, "transient", "x", was_uncertain=number < 2) for number in range(4)]
    for limit, skip, ids, count in (
        (None, False, ["m0", "m1", "m2", "m3"], 2),
        (1, False, ["m0"], 1),
        (1, True, ["m2"], 2),
        (None, True, ["m2", "m3"], 2),
    ):
        chosen, doubtful = choose(letters, limit, skip_uncertain=skip)
        assert ([message_id for message_id, _ in copies_of(chosen)], doubtful) == (ids, count)
