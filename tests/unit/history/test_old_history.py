"""A history that an earlier program made: read without loss, and gone on with, by that program, too."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from factories import NOW
from journal_entries import NAMES, Journal

from antrian.history.projection import columns, schema
from antrian.history.projection.writer import HistoryWriter
from antrian.history.queries.history import History
from antrian.history.records import DeliveryState, MessageFilter, MessageState

RECORDED = Path(__file__).with_name("history-2.sql")
OLD_NAMES = (
    "id, message_id, lane, state, priority, queued_at, born_at, entered_at, entered_seq, due_at, generation, attempt, "
    "provider_id, failure_class, code, detail, sent_at, changed_at, copied_to, undo_id, presumed, is_known, "
    "cancelling, failed_at, failed_as, phone_number, source, idempotency_key, metadata, expires_at, text"
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("old") / "history.db"
    connection = sqlite3.connect(path)
    connection.executescript(RECORDED.read_text(encoding="utf-8"))
    connection.close()
    return path


@pytest.fixture
def path(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(recorded, tmp_path / "history-wa.db"))


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    tables = ("events", "dead", "tallies", "minutes", "waits", "quarters", "quarter_waits", "causes", "jobs")
    found = {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}  # noqa: S608
    found["messages"] = connection.execute(f"SELECT {OLD_NAMES} FROM messages ORDER BY id").fetchall()  # noqa: S608
    connection.close()
    return found


def test_an_older_file_is_read_as_it_is(path):
    before = rows(path)
    history = History(path)
    message = history.message("m1")
    assert message is not None
    assert (message.text, message.metadata, message.idempotency_key) == ("Halo Ani", {"invoice": 17}, "invoice-17")
    assert (message.state, message.provider_id, message.sent_at) == (MessageState.SENT, "p-m1", NOW + 2)
    assert (message.purpose, message.correlation_id, message.deliver_at) == (None, None, None)
    assert (message.delivery, message.delivered_at) == (DeliveryState.HANDED_OVER, None)
    assert [entry.name for entry in history.life("m1")] == ["message.queued", "outcome.sending", "outcome.sent"]
    letter = history.dead_letter("m2")
    assert letter is not None
    assert (letter.message_id, letter.text, letter.code) == ("m2", "Halo Budi", "not-on-whatsapp")
    assert json.loads(letter.body)["message"] == "Halo Budi"
    [removed] = history.removed("u1")
    assert (removed.message.message_id, removed.queue, removed.dead) == ("m4", "wa.default", None)
    job = history.job("j1")
    assert job is not None
    assert (job.selected, job.options) == (2, {"rate": 5})
    assert [one.message_id for one in history.next_messages("default")] == ["m3"]
    assert [one.message_id for one in history.messages(MessageFilter(text="citra")).items] == ["m3"]
    assert rows(path) == before


def test_an_older_file_is_gone_on_with_where_it_ended(path):
    journal = Journal()
    for _ in range(History(path).position().offset + 1):
        journal.add(NAMES.events, "x", b"read before")
    journal.queued("m5", purpose="payment", correlation_id="order-4711")
    journal.sent("m3")
    writer = HistoryWriter(path, NAMES)
    writer.take(journal.deliveries, now=NOW + 10_000)
    writer.close()

    history = History(path)
    counts = history.counts()
    assert (counts[MessageState.SENT], counts[MessageState.WAITING]) == (2, 1)
    message = history.message("m5")
    assert message is not None
    assert (message.purpose, message.correlation_id) == ("payment", "order-4711")


def test_the_earlier_program_goes_on_with_a_file_that_got_new_columns(path):
    """It names the columns that it knows, and asks for nothing but its own version."""
    assert History(path).message("m1") is not None
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    places = ", ".join("?" for _ in OLD_NAMES.split(", "))
    old = connection.execute(f"SELECT {OLD_NAMES} FROM messages WHERE id = 3").fetchone()  # noqa: S608
    connection.execute(f"INSERT INTO messages ({OLD_NAMES}) VALUES ({places})", (9, "m9", *old[2:]))  # noqa: S608
    connection.commit()
    connection.close()
    message = History(path).message("m9")
    assert message is not None
    assert (message.text, message.purpose) == ("Halo Citra", None)


def test_what_an_older_file_does_not_have_is_made_once(path):
    assert History(path).held("default") == []
    journal = Journal()
    for _ in range(History(path).position().offset + 1):
        journal.add(NAMES.events, "x", b"read before")
    journal.outcome("held", "m3", reason="window", until=4e9, due_at=4e9, rule="window low=08:00-20:00 Asia/Jakarta")
    journal.outcome("opted_out", "m3", purpose="marketing")
    for end, expected in ((-1, MessageState.HELD), (None, MessageState.OPTED_OUT)):
        writer = HistoryWriter(path, NAMES)
        writer.take(journal.deliveries[:end], now=NOW + 10_000)
        writer.close()
        assert History(path).counts()[expected] == 1
        # To the earlier program it is a message that comes back at a time of its own.
        connection = sqlite3.connect(path)
        state = connection.execute("SELECT state FROM messages WHERE message_id = 'm3'").fetchone()[0]
        assert state == {MessageState.HELD: "scheduled"}.get(expected, expected.value)
        connection.close()


def test_every_column_that_came_later_does_without_a_value(recorded):
    connection = sqlite3.connect(recorded)
    old = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('messages')")}
    connection.close()
    assert not [name for name in columns.MESSAGES.columns.keys() - old if "NOT NULL" in columns.MESSAGES.columns[name]]


def test_two_programs_may_open_an_older_file_at_once(path):
    first, second = (sqlite3.connect(path, isolation_level=None) for _ in range(2))
    assert schema.is_usable(first)
    assert schema.is_usable(second)
    assert schema.is_usable(first)
    first.close()
    second.close()
