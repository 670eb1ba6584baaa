"""Receipts in the history: late, repeated, in any order, without their message, and for another send of it."""

import csv
import tempfile
from datetime import UTC
from io import StringIO
from pathlib import Path

import pytest
from factories import NOW
from hypothesis import given
from hypothesis import strategies as st
from journal_entries import NAMES, Journal, dump, fold

from antrian.broker.stream.entry import StreamEntry
from antrian.domain.event_name import EventName
from antrian.domain.events import EVENT_PROPERTIES
from antrian.domain.receipt import InboundMessage, SessionNotice, SessionState, UnreadableReport, reported
from antrian.history.possible_arrival import may_have_arrived
from antrian.history.projection import history_file
from antrian.history.projection.writer import PARKED_KEPT, HistoryWriter
from antrian.history.queries import message_query
from antrian.history.queries.counts import DepthCounts, ReceiptCount
from antrian.history.queries.history import History
from antrian.history.queries.report import Period
from antrian.history.queries.report_file import report_csv
from antrian.history.queries.term import Kind, matched_by, meanings
from antrian.history.records import DeliveryState, MessageFilter, MessageRecord, MessageState, SearchState, told_apart


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history-wa.db"


def told(path: Path, journal: Journal, message_id: str = "m1") -> MessageRecord:
    record = fold(path, journal.deliveries).message(message_id)
    assert record is not None
    return record


def parked(history: History) -> int:
    return len(dump(history)["parked"])


def test_a_message_is_handed_over_then_delivered_then_read(path, journal):
    journal.queued()
    assert told(path, journal).delivery is None
    journal.sent(provider="waha")
    assert (told(path, journal).delivery, told(path, journal).provider) == (DeliveryState.HANDED_OVER, "waha")
    sent_at = told(path, journal).sent_at
    journal.receipt("sent")
    assert told(path, journal).delivery is DeliveryState.HANDED_OVER
    journal.receipt("delivered", at=sent_at + 0.5)
    message = told(path, journal)
    assert (message.delivery, message.delivered_at, message.read_at) == (DeliveryState.DELIVERED, sent_at + 0.5, None)
    journal.receipt("read", at=sent_at + 1.5)
    message = told(path, journal)
    assert (message.state, message.delivery, message.read_at) == (MessageState.SENT, DeliveryState.READ, sent_at + 1.5)


def test_what_comes_late_or_again_changes_nothing(path, journal):
    journal.queued()
    journal.sent()
    journal.receipt("read")
    before = told(path, journal)
    for status in ("read", "sent", "accepted", "failed"):
        journal.receipt(status, at=NOW + 400)
    assert told(path, journal) == before
    journal.receipt("delivered", at=before.sent_at)
    assert (told(path, journal).delivery, told(path, journal).delivered_at) == (DeliveryState.READ, before.sent_at)


def test_a_time_before_the_send_or_in_the_future_is_not_believed(path, journal):
    journal.queued()
    journal.sent()
    journal.receipt("delivered", at=5.0)
    heard_at = journal.now
    journal.receipt("read", at=4e9)
    message = told(path, journal)
    assert (message.delivered_at, message.read_at) == (message.sent_at, heard_at)


def test_a_failure_is_told_and_corrected_by_an_arrival(path, journal):
    journal.queued()
    journal.sent()
    journal.receipt("failed", failure_class="rejected", code="131026", detail="not on WhatsApp")
    message = told(path, journal)
    assert (message.state, message.delivery) == (MessageState.SENT, DeliveryState.FAILED)
    assert (message.delivery_class, message.delivery_code) == ("rejected", "131026")
    journal.receipt("delivered")
    message = told(path, journal)
    assert (message.delivery, message.delivery_class, message.undelivered_at) == (DeliveryState.DELIVERED, None, None)


@pytest.mark.parametrize("what_follows", ["dead", "retry"])
def test_an_undelivered_message_is_given_up_or_tried_again(path, journal, what_follows):
    journal.queued()
    journal.sent()
    journal.receipt("failed", failure_class="transient", code="131026")
    journal.outcome("undelivered", failure_class="transient", code="131026", detail="words", provider_id="p-m1")
    message = told(path, journal)
    assert (message.state, message.delivery, message.code) == (MessageState.FAILED, DeliveryState.FAILED, "131026")
    if what_follows == "dead":
        journal.buried()
        journal.outcome("dead", failure_class="transient", code="131026")
        message = told(path, journal)
        assert (message.state, message.delivery) == (MessageState.DEAD, DeliveryState.FAILED)
        journal.receipt("delivered")
        message = told(path, journal)
        assert (message.state, message.delivery) == (MessageState.DEAD, DeliveryState.DELIVERED)
        letter = fold(path, journal.deliveries).dead_letter("m1")
        assert may_have_arrived(letter), "to send it again would be to send it twice"
        return
    journal.outcome("retrying", due_at=4e9)
    message = told(path, journal)
    assert (message.state, message.delivery) == (MessageState.RETRYING, None)
    journal.receipt("delivered")
    assert told(path, journal).delivery is None, "that was the send before"
    journal.outcome("sending", generation=1, attempt=2)
    journal.outcome("sent", generation=1, attempt=2, provider_id="second")
    journal.receipt("read")
    journal.receipt("read", "", correlation_id="m1:0:1")
    assert told(path, journal).delivery is DeliveryState.HANDED_OVER
    journal.receipt("delivered", "second")
    message = told(path, journal)
    assert (message.state, message.delivery) == (MessageState.SENT, DeliveryState.DELIVERED)


def test_an_undelivered_message_counts_once(path, journal):
    journal.queued()
    journal.sent()
    journal.outcome("undelivered", failure_class="rejected", code="131026")
    journal.buried()
    journal.outcome("dead", failure_class="rejected", code="131026")
    tables = dump(fold(path, journal.deliveries))
    assert [row[3:] for row in tables["quarters"]] == [(0, 1)]
    assert [row[3:7] for row in tables["deliveries"]] == [(1, 0, 0, 1)]


@pytest.mark.parametrize(
    "names",
    [
        {"provider_id": "p-m1"},
        {"provider_id": "", "correlation_id": "m1:0:1"},
        {"provider_id": "another", "correlation_id": "m1:0:1"},
        {"provider_id": "", "correlation_id": "own-form"},
    ],
)
@pytest.mark.parametrize("when", ["before the attempt", "before the send", "after"])
@pytest.mark.parametrize("in_one_batch", [False, True])
def test_a_receipt_finds_its_send_by_any_of_its_names_before_or_after(path, journal, names, when, in_one_batch):
    own_form = {"echoed_id": "own-form"} if names.get("correlation_id") == "own-form" else {}
    steps = {
        "before the attempt": journal.queued,
        "before the send": lambda: journal.outcome("sending", **own_form),
        "after": lambda: journal.outcome("sent", provider_id="p-m1"),
    }
    for moment, step in steps.items():
        step()
        if moment == when:
            journal.receipt("delivered", **names)
        if not in_one_batch:
            assert parked(fold(path, journal.deliveries)) > 0 or moment != when or when == "after"
    history = fold(path, journal.deliveries)
    assert history.message("m1").delivery is DeliveryState.DELIVERED
    assert EventName.RECEIPT_STATUS in [entry.name for entry in history.life("m1")]
    assert parked(history) == (1 if when != "after" and names["provider_id"] == "another" else 0)


@pytest.mark.parametrize("is_early", [False, True])
@pytest.mark.parametrize("in_one_batch", [False, True])
def test_a_send_is_found_by_the_name_that_its_provider_gives_it_later(path, journal, in_one_batch, is_early):
    def told_so_far() -> None:
        if not in_one_batch:
            fold(path, journal.deliveries)

    journal.queued()
    journal.sent()
    if is_early:
        journal.receipt("delivered", "stateid:4F2A")
        told_so_far()
    journal.receipt("sent", alias="stateid:4F2A")
    told_so_far()
    if not is_early:
        journal.receipt("delivered", "stateid:4F2A")
    told_so_far()
    journal.receipt("read", "stateid:4F2A", lane="other")
    history = fold(path, journal.deliveries)
    assert history.message("m1").delivery is DeliveryState.DELIVERED
    assert parked(history) == 1


def test_what_names_another_lane_another_attempt_or_nothing_marks_nothing(path, journal):
    journal.queued()
    journal.sent()
    journal.receipt("read", lane="other")
    journal.receipt("read", "", correlation_id="m1:0:1", lane="other")
    journal.receipt("read", "", correlation_id="m1:0:2")
    journal.receipt("read", "", correlation_id="m1:0:one")
    journal.receipt("read", "")
    journal.event("receipt.status", "", status="seen by the cat", provider_id="p-m1")
    journal.event("receipt.status", "m1", status="read", provider_id=7, correlation_id=["m1:0:1"])
    assert told(path, journal).delivery is DeliveryState.HANDED_OVER


def test_parked_receipts_are_dropped_after_a_week(path, journal):
    journal.receipt("delivered", "p1")
    history = fold(path, journal.deliveries)
    writer = HistoryWriter(path, NAMES)
    writer.forget_parked(NOW + PARKED_KEPT - 1)
    assert parked(history) == 1
    writer.forget_parked(NOW + PARKED_KEPT + 60)
    writer.close()
    assert parked(history) == 0


def test_of_too_many_parked_receipts_the_oldest_go(path, journal, monkeypatch):
    monkeypatch.setattr("antrian.history.projection.writer.MOST_PARKED", 2)
    for number in range(5):
        journal.receipt("delivered", f"p{number}")
    history = fold(path, journal.deliveries)
    writer = HistoryWriter(path, NAMES)
    writer.forget_parked(NOW)
    writer.close()
    assert {row[1] for row in dump(history)["parked"]} == {"p3", "p4"}


def test_notices_are_activity_and_what_people_write_is_not_kept(path, journal):
    for number, one in enumerate(
        (
            SessionNotice(state=SessionState.NEEDS_QR, detail="scan"),
            SessionNotice(state=SessionState.CONNECTED),
            InboundMessage(recipient="+62812", text="secret"),
            UnreadableReport(reason="no JSON", raw="{"),
        )
    ):
        event = reported(one, lane="default", provider="waha", sender="62811", at=NOW + number, source="receipts")
        journal.add(NAMES.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
    history = fold(path, journal.deliveries)
    names = [entry.name for entry in history.events(("receipt.",)).items]
    assert names == ["receipt.unreadable", "receipt.session", "receipt.session"]
    session = history.sessions()["default"]
    assert (session.state, session.at, session.detail) == ("connected", NOW + 1, "")


@pytest.fixture
def every_state(path: Path, journal: Journal) -> History:
    """One message of each kind, named as what they are."""
    for name in ("waiting", "handed_over", "delivered", "read", "failed", "dead"):
        journal.queued(name)
        if name != "waiting":
            journal.sent(name)
        if name in {"delivered", "read", "failed"}:
            journal.receipt(name, f"p-{name}")
        if name == "dead":
            journal.outcome("undelivered", name, code="131026")
            journal.buried(name)
    return fold(path, journal.deliveries)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"handed_over"}, {"handed_over"}),
        ({"delivered"}, {"delivered"}),
        ({"read", "waiting"}, {"read", "waiting"}),
        ({"failed"}, {"failed", "dead"}),
        ({"failed", "dead"}, {"failed", "dead"}),
        ({"sent"}, {"handed_over", "delivered", "read", "failed"}),
        ({"sent", "delivered", "failed"}, {"handed_over", "delivered", "read", "failed", "dead"}),
    ],
)
@pytest.mark.parametrize("term", [None, "halo"])
def test_deliveries_are_searched_for_beside_states(every_state, asked, expected, term):
    states, deliveries = told_apart(map(SearchState, asked))
    wanted = MessageFilter(states=states, deliveries=deliveries)
    if term is None:
        found = every_state.messages(wanted).items
        assert every_state.message_count(wanted) == len(expected)
    else:
        found = every_state.search(meanings(term, covered=False), wanted).page(None, 50).items
    assert sorted(one.message_id for one in found) == sorted(expected)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("delivered", {"delivered"}),
        ("sampai", {"delivered"}),
        ("handed over", {"handed_over"}),
        ("not delivered", {"failed", "dead"}),
        ("state:failed", {"failed", "dead"}),
        ("dibaca", {"read"}),
    ],
)
def test_a_delivery_is_found_by_its_word(every_state, term, expected):
    found = meanings(term, covered=True)
    assert {one.message_id for one in every_state.search(found, MessageFilter()).page(None, 50).items} == expected
    assert all(matched_by(every_state.message(one), found)[0] in {Kind.STATE, Kind.ID} for one in expected)


def test_a_search_for_deliveries_goes_by_their_index(every_state):
    [query] = message_query.queries(MessageFilter(deliveries=frozenset({DeliveryState.READ})), None, NOW)
    steps = every_state._reader.rows(f"EXPLAIN QUERY PLAN {query.sql('m.id')}", (*query.values, 50))
    assert "messages_by_delivery" in steps[0][3]
    assert len(steps) == 1


def test_what_can_be_searched_for_is_every_state_and_every_delivery():
    assert {one.value for one in SearchState} == {one.value for one in (*MessageState, *DeliveryState)}


_RECEIPTS = st.lists(st.sampled_from(["sent", "delivered", "read", "failed", "delivered", "accepted"]), max_size=6)


@given(_RECEIPTS, st.data())
def test_receipts_mean_the_same_in_any_order_however_often_and_however_they_are_cut(statuses, data):
    def journal_of(order: list[str], sent_after: int) -> list[StreamEntry]:
        journal = Journal()
        journal.queued()
        journal.outcome("sending", at=NOW + 0.1)
        for number, status in enumerate([*order, None]):
            if number == sent_after:
                journal.outcome("sent", provider_id="p-m1", provider="waha", at=NOW + 0.2)
            if status:
                names = data.draw(st.sampled_from([("p-m1", ""), ("", "m1:0:1"), ("p-m1", "m1:0:1")]))
                at = NOW + 0.3 + len(status) / 100
                failure = {"failure_class": "rejected", "code": "131026"} if status == "failed" else {}
                journal.receipt(status, names[0], correlation_id=names[1], at=at, **failure)
        return journal.deliveries

    order = data.draw(st.permutations(statuses))
    again = [one for status in order for one in [status] * data.draw(st.integers(1, 2))]
    one_way = journal_of(statuses, 0)
    other_way = journal_of(again, data.draw(st.integers(0, len(again))))
    cut = data.draw(st.integers(0, len(other_way)))
    with tempfile.TemporaryDirectory() as folder:
        first = fold(Path(folder) / "a.db", one_way, now=NOW + 10_000)
        second = fold(Path(folder) / "b.db", other_way[:cut], other_way[cut:], now=NOW + 10_000)
        assert first.message("m1") == second.message("m1")
        assert dump(first)["deliveries"] == dump(second)["deliveries"]
        assert {entry.name for entry in first.life("m1")} == {entry.name for entry in second.life("m1")}
        assert not parked(second)


def test_a_report_tells_what_arrived_by_provider_and_by_lane(path, journal):
    for number, (provider, status) in enumerate(
        [("waha", "delivered"), ("waha", "read"), ("waha", "failed"), ("waha", ""), ("mpwa", "")]
    ):
        lane, message_id = "other" if provider == "mpwa" else "default", f"m{number}"
        journal.queued(message_id, lane=lane)
        journal.sent(message_id, provider=provider, lane=lane)
        sent_at = journal.now - 1
        if status == "read":
            journal.receipt("delivered", f"p-{message_id}", at=sent_at)
        if status:
            journal.receipt(status, f"p-{message_id}", at=sent_at)
    report = fold(path, journal.deliveries).report(Period.TODAY, UTC, now=NOW + 600)
    waha, mpwa = report.providers
    counts = (waha.handed_over, waha.delivered, waha.read, waha.failed, waha.unknown)
    assert (waha.name, *counts) == ("waha", 4, 2, 1, 1, 1)
    assert (waha.delivery_rate, waha.read_rate, waha.time.count) == (2 / 3, 0.5, 2)
    assert (mpwa.unknown, mpwa.delivery_rate, mpwa.time) == (1, None, None)
    assert [one.name for one in report.lanes] == ["default", "other"]
    row = next(row for row in csv.DictReader(StringIO(report_csv(report))) if row["name"] == "waha")
    assert (row["section"], row["delivered"], row["unknown"], row["delivery_percent"]) == (
        "provider",
        "2",
        "1",
        "66.67",
    )


def test_missing_receipts_are_counted_of_the_last_day_and_by_their_index(path, journal):
    journal.receipt("delivered", "nobody's")
    for number, hours in enumerate((30, 20, 2, 3, 0.5)):
        journal.outcome("sent", f"m{number}", provider_id=f"p-m{number}", at=NOW - hours * 3600)
    journal.receipt("delivered", "p-m3")
    fold(path, journal.deliveries)
    counts = DepthCounts(path)
    assert counts.receipts(["default", "other"], NOW) == {
        "default": ReceiptCount(3, 2, NOW - 20 * 3600),
        "other": ReceiptCount(0, 0, 0.0),
    }
    assert counts.parked() == {"default": 1}


def test_the_follower_is_told_what_became_of_messages_once(path, journal):
    journal.queued()
    journal.receipt("read")
    journal.sent(provider="waha")
    journal.receipt("delivered")
    journal.receipt("delivered")
    history_file.create(path)
    writer = HistoryWriter(path, NAMES)
    told = writer.take(journal.deliveries, now=NOW + 100)
    assert writer.take(journal.deliveries, now=NOW + 100) == []
    writer.close()
    assert [(one.delivery, one.is_news, one.has_arrived) for one in told] == [
        ("read", True, True),
        ("read", False, False),
    ]
    assert [one.seconds is None for one in told] == [True, False]
