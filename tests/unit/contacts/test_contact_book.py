"""The fold of the contacts stream: any order, any repetition, any cut into batches; a file that may break."""

import errno
import sqlite3
from contextlib import closing
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antrian.contacts.book import BATCH, ContactBook, ContactsLost
from antrian.contacts.book_file import BookFile
from antrian.contacts.views import Reach
from antrian.domain.contact import Purpose, Standing
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.opt_out import is_barred

SENDER, OTHER = "628114040707", "628999000111"
BUDI, SITI = "+6281234567890", "+6281298765432"


def event(name, at=1_000.0, *, lane="", message_id="", **details):
    return Event(str(name), at, lane, message_id, source="a", details=details)


def known(recipients, at=1_000.0, sender=SENDER, how="import", **details):
    return event(EventName.CONTACT_KNOWN, at, sender=sender, how=how, recipients=recipients, **details)


def sent(recipient, at=1_000.0, sender=SENDER, *, cold=True):
    return event(EventName.SENT, at, lane="default", message_id="m", sender=sender, recipient=recipient, cold=cold)


def refused(recipient, at=1_000.0, sender=SENDER, until=9_000.0):
    details = {"failure_class": "cold_refused", "cold_held_until": until, "cold": True}
    return event(EventName.FAILED, at, lane="default", message_id="m", sender=sender, recipient=recipient, **details)


def opted(recipient, at=1_000.0, purpose="marketing", *, out=True, words="STOP", by="budi", channel="cli"):
    name = EventName.CONTACT_OPTED_OUT if out else EventName.CONTACT_OPTED_IN
    return event(name, at, recipient=recipient, purpose=purpose, words=words, channel=channel, by=by)


def linked(phone, at=1_000.0, **identities):
    return event(EventName.CONTACT_LINKED, at, recipient=phone, identities=identities)


def held(message_id, slot, at=1_000.0, lane="default"):
    return event(EventName.HELD, at, lane=lane, message_id=message_id, reason="cold_cap", slot=slot)


def book_of(*events, folder=None):
    book = ContactBook(folder)
    for offset, one in enumerate(events):
        book.apply(one, offset)
    return book


def told(book):
    """All that a book answers about the people of this test."""
    people = [BUDI, SITI, "ID.77", "55@lid"]
    return (
        [(book.show(one), [book.standing(sender, one) for sender in (SENDER, OTHER)]) for one in people],
        [(book.opted_out(one), book.timezone_of(one)) for one in people],
        [(book.cold_held_until(sender), book.first_cold_at(sender)) for sender in (SENDER, OTHER)],
        book.opt_outs(limit=100),
        book.count(),
    )


def test_a_contact_is_cold_then_contacted_then_known_and_cold_again_after_a_refusal():
    book = book_of()
    assert book.standing(SENDER, BUDI) is Standing.COLD
    book.apply(sent(BUDI, 10.0), 0)
    assert book.standing(SENDER, BUDI) is Standing.CONTACTED
    assert book.standing(OTHER, BUDI) is Standing.COLD
    book.apply(refused(BUDI, 20.0, until=50.0), 1)
    assert book.standing(SENDER, BUDI) is Standing.COLD
    assert book.cold_held_until(SENDER) == 50.0
    book.apply(known([BUDI], 30.0, how="inbound"), 2)
    assert book.standing(SENDER, BUDI) is Standing.KNOWN
    assert book.show(BUDI).senders[0].since == 30.0
    book.apply(refused(BUDI, 35.0, until=50.0), 3)
    assert book.standing(SENDER, BUDI) is Standing.COLD
    assert book.first_cold_at(SENDER) == 10.0
    assert book.first_cold_at(OTHER) is None
    book.apply(event(EventName.COLD_RELEASED, 40.0, sender=SENDER), 4)
    assert book.cold_held_until(SENDER) is None
    assert book.cold_held_until(OTHER) is None


def test_a_send_to_someone_who_is_no_cold_contact_is_not_a_cold_send():
    book = book_of(sent(BUDI, cold=False))
    assert book.first_cold_at(SENDER) is None


def test_an_opt_out_is_for_a_purpose_or_for_all_and_whose_word_is_later_counts():
    book = book_of(opted(BUDI, 10.0))
    assert book.opted_out(BUDI) == {"marketing"}
    book.apply(opted(BUDI, 20.0, "all"), 1)
    assert book.opted_out(BUDI) == {"all"}
    book.apply(opted(BUDI, 15.0, "all", out=False), 2)
    book.apply(opted(BUDI, 18.0, "all"))
    assert book.opted_out(BUDI) == {"all"}
    assert [(row.purpose, row.at) for row in book.opt_outs().rows] == [("all", 20.0)]
    book.apply(opted(BUDI, 25.0, "reminder", out=False), 3)
    assert book.opted_out(BUDI) == {"marketing", "transaction"}
    assert {(row.purpose, row.at) for row in book.opt_outs().rows} == {("marketing", 20.0), ("transaction", 20.0)}
    book.apply(opted(BUDI, 30.0, "all", out=False), 4)
    assert book.opted_out(BUDI) == frozenset()
    assert (book.opt_outs().rows, book.opt_outs().total) == ((), 0)
    book.apply(opted(BUDI, 40.0, "gambling"), 5)
    assert book.opted_out(BUDI) == frozenset()


@given(st.lists(st.tuples(st.sampled_from(["marketing", "reminder", "transaction", "all"]), st.booleans())))
def test_what_is_barred_is_what_the_latest_word_about_it_says(words):
    book, barred = ContactBook(), dict.fromkeys(Purpose, False)
    for at, (purpose, out) in enumerate(words):
        book.apply(opted(BUDI, 10.0 + at, purpose, out=out))
        barred |= dict.fromkeys(Purpose if purpose == "all" else [Purpose(purpose)], out)
    assert {purpose: is_barred(purpose, book.opted_out(BUDI)) for purpose in Purpose} == barred


def test_all_identities_of_a_person_find_what_any_of_them_did():
    book = book_of(opted("ID.77", 10.0), sent("55@lid", 11.0), linked(BUDI, 12.0, bsuid="ID.77", lid="55"))
    for one in (BUDI, BUDI.removeprefix("+"), "ID.77", "55@lid"):
        assert book.opted_out(one) == {"marketing"}
        assert book.standing(SENDER, one) is Standing.CONTACTED
        assert book.show(one).recipient == BUDI
        assert book.show(one).identities == {"bsuid": "ID.77", "lid": "55@lid"}
    book.apply(linked(SITI, 13.0, bsuid="ID.77"), 3)
    assert book.opted_out(BUDI) == frozenset()
    assert book.opted_out(SITI) == {"marketing"}


def test_the_zone_of_a_person_is_the_one_that_was_told_last_and_exists():
    book = book_of(known([BUDI], 10.0, timezone="Asia/Jayapura"), known([BUDI], 20.0, timezone="Mars/Olympus"))
    assert book.timezone_of(BUDI) == "Asia/Jayapura"
    assert book.timezone_of(SITI) is None


def test_messages_that_never_had_a_slot_leave_nothing_in_the_file(tmp_path):
    book = book_of(folder=tmp_path)
    for number in range(100):
        begun = event(EventName.SENDING, 20.0, lane="default", message_id=f"m{number}", recipient=BUDI, cold=False)
        book.apply(begun)
    book.flush()
    with closing(sqlite3.connect(tmp_path / "contacts.0.sqlite")) as file:
        assert file.execute("SELECT count(*) FROM slots").fetchone() == (0,)


def test_a_slot_is_given_back_when_its_message_leaves():
    book = book_of(held("m1", "2026-12-01", 10.0), held("m2", "2026-12-01", 11.0))
    slots = book.slots("default")
    assert slots.taken_on(date(2026, 12, 1)) == 2
    book.apply(event(EventName.SENDING, 20.0, lane="default", message_id="m1", slot="2026-12-01"), 2)
    book.apply(held("m1", "2026-12-01", 10.0), 3)
    book.apply(held("m2", None, 30.0), 4)
    assert slots.taken_on(date(2026, 12, 1)) == 1
    assert slots.slot_of("m1") is None
    assert len(book.slots("other")) == 0


def test_a_message_that_had_a_slot_and_was_sent_is_known_for_as_long_as_the_stream():
    book = book_of(held("m1", "2026-12-01", 10.0), held("m2", "2026-12-01", 11.0))
    book.apply(event(EventName.SENDING, 20.0, lane="default", message_id="m1", slot="2026-12-01"), 2)
    assert (book.had_slot("default", "m1"), book.sent_at("default", "m1")) == (True, None)
    book.apply(event(EventName.SENT, 21.0, lane="default", message_id="m1", had_slot=True), 3)
    book.flush()
    assert [book.sent_at("default", name) is not None for name in ("m1", "m2", "m3")] == [True, False, False]
    assert [book.had_slot("default", name) for name in ("m1", "m2", "m3")] == [True, True, False]
    assert [message_id for message_id, _ in book.slots("default")] == ["m2"]


def test_opt_outs_come_in_pages_newest_first():
    book = book_of(*[opted(f"+62812345678{number:02}", 100.0 + number) for number in range(25)])
    book.apply(opted("+6281234567803", 200.0, "all", out=False), 25)
    seen, cursor = [], None
    while True:
        page = book.opt_outs(cursor, limit=10)
        seen += [row.at for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [100.0 + number for number in reversed(range(25)) if number != 3]
    assert book.opt_outs("nonsense", limit=1).rows[0].at == 124.0


@pytest.mark.parametrize(
    "nonsense",
    [
        event(EventName.CONTACT_KNOWN, sender=SENDER, recipients="all"),
        event(EventName.CONTACT_KNOWN, sender=SENDER, recipients=[None, 1, "", "x" * 200], timezone="../../etc/passwd"),
        event(EventName.CONTACT_KNOWN, recipients=[BUDI]),
        event(EventName.SENT, sender=[], recipient=BUDI, cold=True),
        event(EventName.FAILED, sender=SENDER, recipient=7, failure_class="cold_refused", cold_held_until=float("nan")),
        event(EventName.CONTACT_OPTED_OUT, recipient=BUDI, purpose=["all"]),
        event(EventName.CONTACT_LINKED, recipient="ID.77", identities={"bsuid": "ID.77"}),
        event(EventName.CONTACT_LINKED, recipient=BUDI, identities=[1]),
        event(EventName.HELD, lane="default", message_id="m", slot="tomorrow"),
        event("contact.of_the_future"),
        event(EventName.CONTACT_OPTED_OUT, recipient="\ud800", purpose="all"),
        event(EventName.HELD, lane="default", message_id="\ud800", slot="2026-12-01"),
        event(EventName.CONTACT_KNOWN, sender="\udfff", recipients=[BUDI]),
        None,
    ],
)
def test_what_says_nothing_changes_nothing_but_the_position(nonsense):
    book = book_of(nonsense)
    assert book.position == 1
    assert book.count() == 0
    assert book.opted_out(BUDI) == frozenset()
    assert len(book.slots("default")) == 0


recipients = st.sampled_from([BUDI, SITI, "ID.77", "55@lid"])
talkers = st.sampled_from([BUDI, "ID.77"])
senders = st.sampled_from([SENDER, OTHER])
times = st.integers(1, 30).map(float)
days = st.sampled_from(["2026-12-01", "2026-12-02", None])
events = st.one_of(
    st.builds(known, st.lists(recipients, max_size=3), times, senders),
    st.builds(
        lambda who, at, zone: known(who, at, timezone=zone),
        st.lists(recipients, max_size=3),
        times,
        st.sampled_from(["Asia/Jakarta", "Asia/Makassar"]),
    ),
    st.builds(
        lambda who, at, sender, cold: sent(who, at, sender, cold=cold), recipients, times, senders, st.booleans()
    ),
    st.builds(refused, recipients, times, senders, times),
    st.builds(
        lambda who, at, purpose, out, by: opted(who, at, purpose, out=out, by=by),
        talkers,
        times,
        st.sampled_from(["marketing", "all"]),
        st.booleans(),
        st.sampled_from("xy"),
    ),
    st.builds(lambda at, bsuid: linked(BUDI if bsuid else SITI, at, bsuid="ID.77", lid="55"), times, st.booleans()),
    st.builds(lambda at, sender: event(EventName.COLD_RELEASED, at, sender=sender), times, senders),
    st.builds(held, st.sampled_from("mn"), days, times),
    st.builds(lambda at: event(EventName.CLEARED, at, lane="default", message_id="m"), times),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(events, min_size=8, max_size=25), st.randoms(use_true_random=False))
def test_any_order_any_repetition_and_any_cut_into_batches_give_the_same_book(tmp_path_factory, history, random):
    plain = book_of(*history)
    other = ContactBook(tmp_path_factory.mktemp("book"))
    mixed = [*history, *random.choices(history, k=len(history))]
    random.shuffle(mixed)
    for offset, one in enumerate(mixed):
        other.apply(one, random.choice([offset, None]))
        if random.random() < 0.3:
            other.flush()
        if random.random() < 0.1:
            other.slots("default")
    assert told(other) == told(plain)
    slots = [(book.slots("default").slot_of("m"), book.slots("default").slot_of("n")) for book in (plain, other)]
    assert slots[0] == slots[1]
    other.close()


def test_a_book_goes_on_where_its_file_ends(tmp_path):
    first = book_of(known([BUDI]), opted(SITI), held("m", "2026-12-01"), folder=tmp_path)
    before = told(first)
    first.close()
    second = ContactBook(tmp_path)
    assert (second.position, told(second)) == (3, before)
    assert second.slots("default").slot_of("m") == date(2026, 12, 1)
    assert second.continues(held("m", "2026-12-01"), 2)
    assert not second.continues(held("n", "2026-12-01"), 2)
    assert not second.continues(held("m", "2026-12-01"), 1)
    second.restart()
    assert second.position == 0
    assert second.opted_out(SITI) == frozenset()
    second.apply(known([BUDI]), 0)
    second.close()
    assert ContactBook(tmp_path).standing(SENDER, BUDI) is Standing.KNOWN


def test_each_process_has_a_file_and_a_new_one_begins_with_what_another_has_read(tmp_path):
    first = ContactBook(tmp_path)
    early = ContactBook(tmp_path)
    first.apply(known([BUDI]), 0)
    first.flush()
    late = ContactBook(tmp_path)
    assert (early.position, late.position) == (0, 1)
    assert late.standing(SENDER, BUDI) is Standing.KNOWN
    late.apply(known([SITI]), 1)
    late.restart()
    assert late.position == 0, "what is read again is not copied"
    first.close()
    assert ContactBook(tmp_path).position == 1, "the file that is free is taken"
    names = sorted(path.name for path in tmp_path.glob("*.sqlite"))
    assert names == [f"contacts.{number}.sqlite" for number in range(3)]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_what_another_process_has_is_not_copied_where_it_is_broken(tmp_path):
    first = book_of(known([BUDI]), folder=tmp_path)
    first.flush()
    for name in ("contacts.0.sqlite", "contacts.0.sqlite-wal"):
        (tmp_path / name).write_bytes(b"no database at all" * 1_000)
    second = ContactBook(tmp_path)
    assert second.position == 0
    second.apply(known([SITI]), 0)
    second.flush()
    assert second.standing(SENDER, SITI) is Standing.KNOWN


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"", b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_broken_file_is_made_again(tmp_path, content):
    book_of(known([BUDI]), folder=tmp_path).close()
    (tmp_path / "contacts.0.sqlite").write_bytes(content)
    book = ContactBook(tmp_path)
    assert book.position == 0
    book.apply(known([BUDI]), 0)
    book.close()
    assert ContactBook(tmp_path).standing(SENDER, BUDI) is Standing.KNOWN


def test_a_file_of_another_version_is_made_again(tmp_path):
    book_of(known([BUDI]), folder=tmp_path).close()
    with sqlite3.connect(tmp_path / "contacts.0.sqlite") as file:
        file.execute("PRAGMA user_version = 99")
    assert ContactBook(tmp_path).position == 0


def test_a_file_that_breaks_while_it_is_in_use_costs_a_reading_of_the_stream_and_no_wrong_answer(tmp_path):
    many = [f"+6281{number:09}" for number in range(5_000)]
    book = book_of(known(many), opted(BUDI), folder=tmp_path)
    book.flush()
    for name in ("contacts.0.sqlite", "contacts.0.sqlite-wal"):
        size = (tmp_path / name).stat().st_size
        (tmp_path / name).write_bytes(b"\xff" * size)
    book._store._connection.execute("PRAGMA shrink_memory")
    with pytest.raises(ContactsLost):
        assert {book.standing(SENDER, one) for one in many} == {Standing.KNOWN}
    for ask in (
        lambda: book.opted_out(BUDI),
        lambda: book.apply(known([BUDI]), 7),
        book.flush,
        lambda: book.slots("a"),
    ):
        with pytest.raises(ContactsLost):
            ask()
    book.restart()
    assert book.position == 0
    book.apply(known([BUDI]), 0)
    assert book.standing(SENDER, BUDI) is Standing.KNOWN
    book.close()


@pytest.mark.parametrize("trouble", ["full", "locked"])
def test_a_file_that_cannot_be_written_costs_the_file_and_no_answer(tmp_path, trouble):
    book = book_of(known([BUDI]), folder=tmp_path)
    book.flush()
    many = [f"+6281{number:09}" for number in range(1_500)]
    book.apply(known(many), 1)
    book.apply(opted(SITI), 2)
    with closing(sqlite3.connect(tmp_path / "contacts.0.sqlite", isolation_level=None)) as stranger:
        if trouble == "full":
            (pages,) = stranger.execute("PRAGMA page_count").fetchone()
            book._store._connection.execute(f"PRAGMA max_page_count = {pages}")
        else:
            stranger.execute("BEGIN IMMEDIATE")
        book.flush()
    book.apply(sent(SITI), 3)
    assert {book.standing(SENDER, one) for one in [BUDI, *many]} == {Standing.KNOWN}
    assert book.standing(SENDER, SITI) is Standing.CONTACTED
    assert book.opted_out(SITI) == {"marketing"}
    assert (book.position, book.count()) == (4, 1_502)
    book.close()
    assert ContactBook(tmp_path).position == 1


def test_a_folder_that_cannot_be_written_leaves_the_memory(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert ContactBook(tmp_path / "file").position == 0

    def denied(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(BookFile, "open", denied)
    book = ContactBook(tmp_path)
    book.apply(known([BUDI]), 0)
    book.flush()
    assert book.standing(SENDER, BUDI) is Standing.KNOWN


def test_what_was_learnt_is_written_when_it_is_much_or_old(tmp_path):
    now = 100.0
    book = ContactBook(tmp_path, clock=lambda: now)
    book.apply(known([BUDI]), 0)
    assert book._store.place()[0] == 0
    now += 6
    book.apply(known([SITI]), 1)
    assert book._store.place()[0] == 2
    for offset in range(2, 24):
        book.apply(known([f"+6281{offset:02}{number:07}" for number in range(1_000)]), offset)
    assert book._store.place()[0] > BATCH // 1_000
    book.close()


def test_what_a_provider_may_want_to_know_of_a_person_beside_the_number():
    book = book_of(known([BUDI], 10.0), linked(BUDI, 20.0, bsuid="ID.77", lid="55"))
    assert book.reach(SENDER, BUDI) == Reach("ID.77", None)
    # Written, by whichever name, to this sender; the latest time counts, and what is written stays.
    book.apply(known(["ID.77"], 40.0, how="inbound"))
    book.flush()
    book.apply(known([BUDI], 30.0, how="inbound"))
    book.apply(known([BUDI], 90.0, how="receipt"))
    for who in (BUDI, "ID.77"):
        assert book.reach(SENDER, who) == Reach("ID.77", 40.0)
    assert book.reach(OTHER, BUDI) == Reach("ID.77", None)
    book.apply(linked(BUDI, 50.0, bsuid="ID.78"))
    assert book.reach(SENDER, BUDI).bsuid == "ID.78"
    assert book.reach(SENDER, SITI) == Reach("", None)


def test_a_file_that_does_not_know_who_wrote_is_made_again(tmp_path):
    book_of(known([BUDI], 10.0, how="inbound"), folder=tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "contacts.0.sqlite")) as file:
        file.executescript("ALTER TABLE contacts DROP COLUMN wrote_last; PRAGMA user_version = 1;")
    book = ContactBook(tmp_path)
    assert (book.position, book.count()) == (0, 0)
    book.apply(known([BUDI], 10.0, how="inbound"), 0)
    book.flush()
    assert book.reach(SENDER, BUDI).wrote_at == 10.0
    book.close()
