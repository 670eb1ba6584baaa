"""Searching, paging and counting; and that no question reads more than it must."""

import sqlite3

import pytest
from factories import NOW
from journal_entries import NAMES, Journal, fold

from antrian.history.projection.writer import HistoryWriter
from antrian.history.queries import dead_query, message_query
from antrian.history.queries.history import BadCursor, History
from antrian.history.queries.reader import Reader
from antrian.history.records import PENDING as PENDING_STATES
from antrian.history.records import DeadFilter, MessageFilter, MessageState


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history-wa.db"


@pytest.fixture
def history(path) -> History:
    """Forty messages: every fourth sent, every fourth dead, the others waiting."""
    journal = Journal()
    for number in range(40):
        fields = {"source": "payment" if number % 2 else "registration", "idempotency_key": f"k{number}"}
        text = f"Bayar tagihan nomor {number} di Café {'Bandung' if number % 5 else 'Jakarta'}"
        phone = f"+62812345670{number:02d}"
        journal.queued(f"m{number}", text=text, phone=phone, priority=[5, 1, 9, 10][number % 4], **fields)
        if number % 4 == 0:
            journal.sent(f"m{number}")
        if number % 4 == 1:
            journal.buried(f"m{number}", text=text, phone=phone, code=f"code{number % 3}", **fields)
    return fold(path, journal.deliveries)


def found(history, **wanted):
    return {one.message_id for one in history.messages(MessageFilter(**wanted), limit=100).items}


@pytest.mark.parametrize("spelling", ["+6281234567007", "0812-3456-7007", "62 812 3456 7007", "081234567007"])
def test_a_number_is_found_in_any_usual_spelling(history, spelling):
    assert found(history, phone_number=spelling) == {"m7"}


@pytest.mark.parametrize("part", ["7007", "67007", "4567007", "45670 07"])
def test_a_number_is_found_by_a_part_of_its_digits(history, part):
    assert found(history, phone_number=part) == {"m7"}


@pytest.mark.parametrize("key", ["k8", "m8", "p-m8"])
def test_a_message_is_found_by_its_key_its_id_and_the_providers_id(history, key):
    assert found(history, key=key) == {"m8"}


@pytest.mark.parametrize("text", ["nomor 7", "NOMOR 7", "cafe nomor 7", "7 bandung", "tagihan 7 band"])
def test_a_text_is_found_by_words_in_any_case_and_without_accents(history, text):
    assert "m7" in found(history, text=text)


@pytest.mark.parametrize("text", ["mor", "nomor 99", "\x00", '"', "* OR NEAR(", "ไทย", "é", "\ud800"])
def test_what_no_text_holds_is_not_found_and_breaks_nothing(history, text):
    assert found(history, text=text) in (set(), {f"m{number}" for number in range(40)} if text == "é" else set())


def test_filters_narrow_each_other_down(history):
    assert found(history, text="jakarta", source="payment") == {"m5", "m15", "m25", "m35"}
    assert found(history, text="jakarta", states=frozenset({MessageState.SENT})) == {"m0", "m20"}
    assert found(history, phone_number="0812-3456-7000", text="jakarta") == {"m0"}
    assert found(history, phone_number="6700", source="payment") == {f"m{number}" for number in (1, 3, 5, 7, 9)}
    assert found(history, key="k3", states=frozenset({MessageState.SENT})) == set()
    assert found(history, lane="other") == set()


def test_a_time_is_from_and_until(history):
    times = {one.message_id: one.queued_at for one in history.messages(MessageFilter(), limit=100).items}
    assert found(history, since=times["m10"], until=times["m12"]) == {"m10", "m11"}


@pytest.mark.parametrize(
    "wanted",
    [
        MessageFilter(),
        MessageFilter(states=frozenset({MessageState.SENT, MessageState.WAITING, MessageState.RETRYING})),
        MessageFilter(text="tagihan"),
        MessageFilter(source="payment"),
        MessageFilter(phone_number="81234567"),
    ],
)
def test_pages_hold_everything_once_newest_first(history, wanted):
    everything = [one.message_id for one in history.messages(wanted, limit=100).items]
    assert everything == sorted(everything, key=lambda one: -int(one[1:]))
    paged, cursor = [], None
    while True:
        page = history.messages(wanted, cursor=cursor, limit=7)
        paged += [one.message_id for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert paged == everything


def test_dead_letters_are_paged_and_filtered(history):
    everything = [one.message_id for one in history.dead_letters(limit=100).items]
    assert everything == [f"m{number}" for number in range(37, 0, -4)]
    first = history.dead_letters(limit=4)
    second = history.dead_letters(cursor=first.next_cursor, limit=100)
    assert [one.message_id for one in (*first.items, *second.items)] == everything
    assert history.dead_count(DeadFilter(code="code1")) == 4
    assert history.dead_ids(DeadFilter(ids=frozenset({"m1", "m5", "m2"}))) == [("m1", 1), ("m5", 1)]
    assert history.dead_count(DeadFilter(phone_number="0812-3456-7005")) == 1
    assert history.dead_count(DeadFilter(text="jakarta")) == 2
    assert history.dead_count(DeadFilter(source="registration")) == 0


def test_dead_letters_are_grouped_by_their_cause(history):
    groups = history.dead_groups()
    assert (groups[0].code, groups[0].count) == ("code1", 4)
    assert sum(group.count for group in groups) == 10
    assert {group.detail for group in groups} == {"the provider's words"}


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "W10", "WzEsMl0x", "é", "WzFlOTk5LDJd", "bnVsbA"])
def test_a_cursor_that_was_not_made_here_is_refused(history, cursor):
    for ask in (history.messages, history.dead_letters):
        with pytest.raises(BadCursor):
            ask(DeadFilter() if ask == history.dead_letters else MessageFilter(), cursor=cursor)
    with pytest.raises(BadCursor):
        history.events(("audit.",), cursor=cursor)


def test_what_waits_is_told_in_the_order_of_sending(history):
    ids = [one.message_id for one in history.next_messages("default", 20)]
    assert ids == [f"m{number}" for number in (*range(3, 40, 4), *range(2, 40, 4))]
    assert history.next_messages("default", 3)[0].message_id == "m3"


def test_a_retry_keeps_its_priority_and_queues_behind_what_came_before(path):
    journal = Journal()
    journal.queued("m1")
    journal.outcome("retrying", "m1", due_at=NOW + 2.5)
    journal.queued("m2")
    journal.queued("m3")
    journal.queued("m4", priority="high")
    history = fold(path, journal.deliveries)
    writer = HistoryWriter(path, NAMES)
    assert (writer.release_due(NOW + 2), writer.release_due(NOW + 3), writer.release_due(NOW + 4)) == (0, 1, 0)
    writer.close()
    assert [one.message_id for one in history.next_messages("default")] == ["m4", "m2", "m1", "m3"]
    assert history.counts() == fold(path).counts() | {MessageState.WAITING: 4}
    assert history.message("m1").generation == 1


def test_events_are_found_by_the_beginning_of_their_names(path):
    journal = Journal()
    journal.queued("m1")
    for number in range(5):
        journal.event("audit.allowed", "", action=f"POST {number}", source="api:x")
        journal.event("lane.paused", "")
        journal.outcome("sending", "m1")
    history = fold(path, journal.deliveries)
    page = history.events(("audit.",), limit=3)
    assert [entry.details["action"] for entry in page.items] == ["POST 4", "POST 3", "POST 2"]
    rest = history.events(("audit.",), cursor=page.next_cursor, limit=3)
    assert [entry.details["action"] for entry in rest.items] == ["POST 1", "POST 0"]
    assert {entry.name for entry in history.events(("lane.", "audit.")).items} == {"lane.paused", "audit.allowed"}
    assert {entry.name for entry in history.events(("outcome.",)).items} == {"outcome.sending"}


def test_minutes_are_summed_into_stretches(path):
    journal = Journal(tick=60)
    for number in range(3):
        journal.queued(f"m{number}", priority="high")
    journal.sent("m0")
    history = fold(path, journal.deliveries)
    buckets = history.analytics([NOW + 60 * minute for minute in range(7)])
    assert [bucket.queued for bucket in buckets] == [1, 1, 1, 0, 0, 0]
    assert [bucket.waiting for bucket in buckets] == [1, 2, 3, 3, 2, 2]
    assert [bucket.sent for bucket in buckets] == [0, 0, 0, 0, 1, 0]
    assert buckets[4].waits["high"].mean == 240.0
    [whole] = history.analytics([NOW, NOW + 360])
    assert (whole.queued, whole.sent, whole.waiting) == (3, 1, 2)
    assert history.analytics([NOW]) == []


def test_a_history_that_is_not_there_gives_empty_answers(path):
    history = History(path)
    assert history.message("m1") is None
    assert history.life("m1") == history.jobs() == history.removals() == history.dead_groups() == []
    assert history.messages(MessageFilter(text="x", states=frozenset(MessageState))).items == ()
    assert list(history.removed("u1")) == []
    assert set(history.counts().values()) == {0}
    assert history.position().offset == -1


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + b"\x00" * 200])
def test_a_file_that_is_no_history_gives_empty_answers(path, content):
    path.write_bytes(content)
    assert History(path).messages(MessageFilter()).items == ()


def _plan(history: History, sql: str, values) -> str:
    connection = sqlite3.connect(history.path)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    connection.close()
    return "\n".join(row[3] for row in rows)


class _Listening(Reader):
    """Remembers what was asked."""

    def rows(self, sql, values=()):
        self.asked = [*getattr(self, "asked", []), (sql, values)]
        return super().rows(sql, values)


@pytest.mark.parametrize(
    "ask",
    [
        lambda history: history.next_messages("default"),
        lambda history: history.counts("default"),
        lambda history: history.message("m1"),
        lambda history: history.life("m1"),
        lambda history: history.dead_letter("m1"),
        lambda history: history.dead_letters(),
        lambda history: history.dead_letters(DeadFilter(code="code1")),
        lambda history: history.dead_letters(DeadFilter(lane="default", since=NOW)),
        lambda history: history.dead_ids(DeadFilter(ids=frozenset({"m1"}))),
        lambda history: history.dead_groups(DeadFilter(until=NOW)),
        lambda history: history.dead_count(DeadFilter(source="payment")),
        lambda history: history.messages(MessageFilter(key="k1")),
        lambda history: history.messages(MessageFilter(phone_number="081234567001")),
        lambda history: history.messages(MessageFilter(states=frozenset(MessageState), lane="default")),
        lambda history: history.messages(MessageFilter(states=PENDING_STATES, key_prefix="k", source="payment")),
        lambda history: history.message_count(MessageFilter(states=PENDING_STATES, key_prefix="k")),
        lambda history: history.messages(MessageFilter(text="tagihan", source="payment")),
        lambda history: history.messages(MessageFilter(source="payment", since=NOW)),
        lambda history: history.removal("u1"),
        lambda history: list(history.removed("u1")),
    ],
)
def test_no_question_goes_through_a_whole_table_or_sorts_one(history, ask):
    history._reader = _Listening(history.path)
    ask(history)
    for sql, values in history._reader.asked:
        plan = _plan(history, sql, values)
        scans = [line for line in plan.splitlines() if line.startswith("SCAN") and "VIRTUAL TABLE" not in line]
        # Some read a whole index of what is rare (dead letters, counters), but none reads the messages.
        assert not any(line.split()[1] in {"m", "messages", "events", "e", "taken_out", "t"} for line in scans), plan
        if "ORDER BY m.born_at" in sql and "IN (SELECT id" not in sql:
            assert "TEMP B-TREE" not in plan, plan


PENDING = {f"m{number}" for number in range(40) if number % 4 > 1}


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, PENDING),
        ({"key_prefix": "k1"}, {f"m{number}" for number in (10, 11, 14, 15, 18, 19)}),
        ({"key_prefix": "k%"}, set()),
        ({"key_prefix": "k3", "source": "payment"}, {"m3", "m31", "m35", "m39"}),
        ({"priority": "high"}, {f"m{number}" for number in range(2, 40, 4)}),
        ({"priority": "urgent", "key_prefix": "k1"}, {"m11", "m15", "m19"}),
        ({"ids": frozenset({"m2", "m4", "m3"})}, {"m2", "m3"}),
        ({"phone_number": "+6281234567003", "source": "payment"}, {"m3"}),
        ({"text": "jakarta", "key_prefix": "k1"}, {"m10", "m15"}),
        ({"phone_number": "0"}, set()),
        ({"text": "!"}, set()),
    ],
)
def test_what_waits_is_found_and_counted_by_what_clears_it(history, wanted, ids):
    wanted = MessageFilter(**{"states": PENDING_STATES} | wanted)
    assert {one.message_id for one in history.messages(wanted, limit=100).items} == ids
    assert set(history.message_ids(wanted)) == ids
    assert history.message_count(wanted) == len(ids)


def test_sources_of_what_waits_are_counted(history):
    assert [(one.source, one.count) for one in history.pending_sources("default")] == [
        ("payment", 10),
        ("registration", 10),
    ]
    assert history.pending_sources("other") == []


def test_the_queries_are_made_without_a_file():
    assert message_query.queries(MessageFilter(states=frozenset()), None, NOW) == []
    assert "is_live" in dead_query.dead_query(DeadFilter()).sql("1")
    assert NAMES.journal == "wa.journal"
