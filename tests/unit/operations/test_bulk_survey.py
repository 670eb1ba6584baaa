"""The first pass, and the keys that make a second import harmless."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.operations.bulk_import.duplicate_counter import DuplicateCounter
from antrian.operations.bulk_import.row import Refusal, Row
from antrian.operations.bulk_import.row_check import Defaults, RowCheck
from antrian.operations.bulk_import.spool import Spool
from antrian.operations.bulk_import.validate import Repetition, survey

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ANI = {"phone_number": "081234567890", "message": "Halo"}


def surveyed(*rows, now=NOW, source="import", batch=""):
    """The findings, and the orders."""
    check = RowCheck(("default",), Defaults("default", source), now)
    records = [Row(line, fields) for line, fields in enumerate(rows, 2)]
    with Spool() as spool:
        findings = survey(records, check, spool, batch=batch)
        assert len(spool) == len(list(spool))
        return findings, list(spool)


def keys(*rows, **more):
    return [order.request.idempotency_key for order in surveyed(*rows, **more)[1]]


def test_what_is_right_goes_to_the_spool_and_comes_back_as_it_was():
    full = {
        "priority": "high",
        "source": "payment",
        "idempotency_key": "k1",
        "deliver_at": "+5m",
        "expires_at": "2026-02-01T00:00:00+07:00",
        "metadata": {"invoice": 17, "paid": True, "note": None},
        "purpose": "reminder",
        "correlation_id": "order-4711",
        "message": "zwei\nZeilen \N{PARTY POPPER}",
    }
    findings, [first, second] = surveyed(ANI | full, ANI)
    assert (findings.read, findings.wrong) == (2, 0)
    assert [first.line, second.line] == [2, 3]
    assert first.request == RowCheck(("default",), Defaults("default", "import"), NOW).request(Row(2, ANI | full))
    assert second.request.deliver_at is None


def test_what_is_wrong_is_listed_field_by_field_and_counted_by_rows():
    findings, orders = surveyed(ANI, {"phone_number": "1"}, ANI | {"lane": "x"})
    assert (findings.read, findings.wrong, findings.refusals.count, len(orders)) == (3, 2, 3, 1)
    assert [(one.line, one.field) for one in findings.refusals.first] == [
        (3, "message"),
        (3, "phone_number"),
        (4, "lane"),
    ]
    assert isinstance(findings.refusals.first[0], Refusal)


def test_a_report_of_a_million_wrong_rows_stays_small():
    findings, _ = surveyed(*({"phone_number": "1", "message": "x"} for _ in range(1_200)))
    assert (findings.refusals.count, len(findings.refusals.first)) == (1_200, 1_000)


def test_of_rows_with_one_key_of_their_own_the_first_is_kept_and_the_others_are_told():
    findings, orders = surveyed(
        *[ANI | {"idempotency_key": "k"}] * 3, ANI | {"idempotency_key": "k", "source": "other"}
    )
    assert [order.line for order in orders] == [2, 5]
    assert findings.repeated.first == [Repetition(3, 2), Repetition(4, 2)]
    assert findings.wrong == 0


def test_two_equal_rows_are_two_messages_and_have_the_same_keys_next_time():
    first = keys(ANI, ANI, ANI | {"message": "x"})
    assert len(set(first)) == 3
    assert keys(ANI, ANI, ANI | {"message": "x"}) == first


def test_a_file_that_has_grown_gives_its_old_rows_their_old_keys():
    old = keys(ANI, ANI | {"message": "x"})
    assert set(old) < set(keys(ANI | {"message": "new"}, ANI, ANI | {"message": "x"}, ANI))


def test_a_relative_time_is_the_same_whenever_it_is_read():
    row = ANI | {"deliver_at": "+5m", "expires_at": "in 2h"}
    assert keys(row) == keys(row, now=NOW + timedelta(hours=7))
    assert keys(row) == keys(ANI | {"deliver_at": "in 300 s", "expires_at": "in 2h"})


@pytest.mark.parametrize(
    "same",
    [
        {"phone_number": "+62 812-3456-7890"},
        {"priority": "high"},
        {"expires_at": "+3h"},
        {"source": "import"},
        {"lane": "default"},
        {"metadata": {}},
        {"metadata": None},
    ],
    ids=str,
)
def test_spelling_urgency_and_expiry_make_no_other_message(same):
    assert keys(ANI) == keys(ANI | same)


@pytest.mark.parametrize(
    "other",
    [
        {"phone_number": "081234567891"},
        {"message": "Halo "},
        {"deliver_at": "+5m"},
        {"deliver_at": "2026-02-01T00:00:00Z"},
        {"metadata": {"invoice": 17}},
        {"source": "payment"},
    ],
    ids=str,
)
def test_what_is_said_to_whom_when_and_for_whom_makes_another_message(other):
    assert keys(ANI) != keys(ANI | other)


def test_the_order_of_notes_makes_no_other_message():
    assert keys(ANI | {"metadata": {"a": 1, "b": 2}}) == keys(ANI | {"metadata": {"b": 2, "a": 1}})
    assert keys(ANI | {"metadata": {"a": 1}}) != keys(ANI | {"metadata": {"a": True}})


def test_times_are_compared_as_moments():
    assert keys(ANI | {"deliver_at": "2026-02-01T07:00:00+07:00"}) == keys(ANI | {"deliver_at": "2026-02-01 00:00Z"})


def test_another_batch_is_other_messages():
    assert keys(ANI) != keys(ANI, batch="february")
    assert keys(ANI, batch="february") == keys(ANI, batch="february")


def test_another_source_on_the_command_line_makes_other_messages():
    assert keys(ANI) != keys(ANI, source="migration")


rows = st.builds(
    lambda number, text: {"phone_number": f"08123456789{number}", "message": text},
    st.integers(0, 3),
    st.sampled_from(["a", "b", "1", "a:1"]),
)


@given(st.lists(rows, max_size=20), st.data())
def test_every_row_has_a_key_of_its_own_and_no_order_changes_the_set_of_keys(rows, data):
    made = keys(*rows)
    assert len(set(made)) == len(rows)
    assert set(keys(*data.draw(st.permutations(rows)))) == set(made)


@given(st.lists(rows, max_size=12), st.lists(rows, max_size=12))
def test_more_rows_anywhere_take_no_key_away(rows, more):
    assert set(keys(*rows)) <= set(keys(*more, *rows))


@given(st.lists(st.binary(max_size=2), max_size=50))
def test_a_tally_counts_and_remembers_the_first(digests):
    counts, firsts = Counter(), {}
    with DuplicateCounter() as tally:
        for line, digest in enumerate(digests):
            counts[digest] += 1
            assert tally.count(digest, line) == (counts[digest], firsts.setdefault(digest, line))


def test_progress_is_told_now_and_then():
    told = []
    check = RowCheck(("default",), Defaults("default", "import"), NOW)
    with Spool() as spool:
        survey((Row(line, ANI) for line in range(1_200)), check, spool, on_progress=told.append)
    assert told == [500, 1_000]
