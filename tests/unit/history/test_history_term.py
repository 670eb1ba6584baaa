"""The one search field: what a term may mean, who may find what, and that no search reads the whole history."""

import pytest
from factories import NOW
from journal_entries import Journal, fold

from antrian.history.queries import term_query
from antrian.history.queries.history import History
from antrian.history.queries.term import Kind, matched_by, meanings
from antrian.history.records import MessageFilter, MessageState


@pytest.fixture(params=[2_000, 3], ids=["few are found", "many are found"])
def history(request, tmp_path, monkeypatch) -> History:
    """Forty messages: every fourth sent, every fourth dead, the others waiting; few of them, or many."""
    monkeypatch.setattr("antrian.history.queries.term_search.FEW", request.param)
    journal = Journal()
    for number in range(40):
        fields = {"source": "payment" if number % 2 else "registration", "idempotency_key": f"invoice-{number}"}
        text = f"Bayar tagihan nomor {number} di Café {'Bandung' if number % 5 else 'Jakarta'}"
        phone = f"+62812345670{number:02d}"
        journal.queued(f"m-{number}", text=text, phone=phone, **fields)
        if number % 4 == 0:
            journal.sent(f"m-{number}")
        if number % 4 == 1:
            journal.buried(f"m-{number}", text=text, phone=phone, code="timeout", **fields)
    return fold(tmp_path / "history-wa.db", journal.deliveries)


def search(history, term, *, covered=False, **wanted):
    found = meanings(term, covered=covered, sources=history.sources())
    return history.search(found, MessageFilter(**wanted)), found


def numbers(history, term, **options):
    page = search(history, term, **options)[0].page(None, 100)
    return [int(one.message_id.removeprefix("m-")) for one in page.items]


@pytest.mark.parametrize(
    ("term", "kind"),
    [
        ("+62 812-3456-7007", Kind.NUMBER),
        ("0812-3456-7007", Kind.NUMBER),
        ("62812 3456 7007", Kind.NUMBER),
        ("7007", Kind.NUMBER),
        ("34567007", Kind.NUMBER),
        ("m-7", Kind.ID),
        ("invoice-7", Kind.KEY),
        ("nomor 7", Kind.TEXT),
        ("BANDUNG cafe 7", Kind.TEXT),
    ],
)
def test_a_term_finds_what_it_means_and_says_in_what(history, term, kind):
    searched, found = search(history, term)
    (one,) = [record for record in searched.page(None, 100).items if record.message_id == "m-7"]
    assert matched_by(one, found) == [kind]


def test_the_beginning_of_a_number_an_id_or_a_key_is_enough(history):
    assert numbers(history, "0812") == numbers(history, "62812") == list(reversed(range(40)))
    assert numbers(history, "invoice-1") == [*reversed(range(10, 20)), 1]
    assert numbers(history, "m-3") == [3]
    assert numbers(history, "m-3x") == []


def test_a_source_and_a_state_are_found_by_their_names(history):
    assert numbers(history, "payment") == numbers(history, "PAYM") == [*range(39, 0, -2)]
    for word in ("dead", "Dead letter", "pesan gagal"):
        assert numbers(history, word) == [*range(37, 0, -4)]


@pytest.mark.parametrize(
    "term",
    ["", "  ", "\x00", '"', "*", "%", "____", "\ud800", "x" * 200, "-" * 9, "'; DROP", "\u0667\u0667\u0667\u0667"],
)
def test_what_nobody_has_is_not_found_and_breaks_nothing(history, term):
    assert numbers(history, term) == []
    assert numbers(history, term, source="payment") == []
    assert search(history, term)[0].count(10) == 0


@pytest.mark.parametrize("term", ["bandung", "7007", "3456", "invoice", "invoice-", "812345670", "tagihan 7"])
def test_who_may_not_see_numbers_texts_and_keys_cannot_find_them_piece_by_piece(history, term):
    assert numbers(history, term, covered=True) == []
    assert numbers(history, term, covered=True, source="payment") == []


@pytest.mark.parametrize("term", ["0812-3456-7007", "invoice-7", "m-7"])
def test_who_may_not_see_them_finds_what_they_know_already(history, term):
    assert numbers(history, term, covered=True) == [7]


def test_filters_narrow_a_term_down(history):
    times = {one.message_id: one.queued_at for one in history.messages(MessageFilter(), limit=100).items}
    assert numbers(history, "jakarta", source="payment") == [35, 25, 15, 5]
    assert numbers(history, "jakarta", states=frozenset({MessageState.SENT})) == [20, 0]
    assert numbers(history, "0812", since=times["m-10"], until=times["m-12"]) == [11, 10]
    assert numbers(history, "dead", source="payment", states=frozenset({MessageState.SENT})) == []
    assert numbers(history, "bayar", lane="other") == []


@pytest.mark.parametrize("term", ["0812", "bayar", "payment", "dead", "7007"])
@pytest.mark.parametrize("wanted", [{}, {"source": "payment"}], ids=["alone", "with a filter"])
def test_page_by_page_every_message_comes_once_and_the_count_is_right(history, term, wanted):
    searched, _ = search(history, term, **wanted)
    expected = numbers(history, term, **wanted)
    assert searched.count(100) == len(expected)
    assert searched.count(2) == min(2, len(expected))
    collected, cursor = [], None
    for _ in range(30):
        page = searched.page(cursor, 3)
        collected += [int(one.message_id.removeprefix("m-")) for one in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert collected == expected


def test_messages_without_a_term_are_counted_too(history):
    assert history.count_up_to(MessageFilter(), 100) == 40
    assert history.count_up_to(MessageFilter(), 7) == 7
    assert history.count_up_to(MessageFilter(states=frozenset({MessageState.SENT, MessageState.DEAD})), 100) == 20


def test_sources_are_listed_once(history):
    assert history.sources() == ["payment", "registration"]


def plan(history, statement):
    return " | ".join(row[3] for row in history._reader.rows(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1]))


@pytest.mark.parametrize(
    "term", ["0812-3456-7007", "7007", "34567007", "0812", "m-7", "invoice-7", "payment", "dead", "bayar"]
)
def test_each_meaning_is_answered_out_of_its_own_index(history, term):
    for one in meanings(term, covered=False, sources=history.sources()):
        condition = term_query.condition_of(one)
        for statement in (condition.newest(term_query.LAST_NUMBER, 51), condition.some(51)):
            steps = plan(history, statement)
            assert "USING COVERING INDEX" in steps or "VIRTUAL TABLE INDEX" in steps, (one, steps)


def test_a_message_that_came_later_is_newer_whatever_its_clock_says(tmp_path):
    journal = Journal()
    journal.queued("m-1", now=NOW + 50)
    journal.queued("m-2", now=NOW - 50)
    history = fold(tmp_path / "history-wa.db", journal.deliveries)
    assert numbers(history, "Halo") == [2, 1]
