"""All that is known of the people whom messages are sent to: the fold of the contacts stream.

What was learnt is in memory until it is written, some of it at once. So a disk that is full costs the file, which is a
copy of the stream, and never an answer: the book goes on in memory. Where the file cannot even be read, everything
raises `ContactsLost` until the stream is read again.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import structlog

from antrian.contacts.book_file import BookFile
from antrian.contacts.cursor import read_cursor, write_cursor
from antrian.contacts.facts import (
    SLOT_OF_CANCELLED,
    SLOT_OF_SENT,
    ContactFacts,
    Facts,
    OptWord,
    SlotWord,
    in_force,
    seconds,
)
from antrian.contacts.fold import learn, slot_word
from antrian.contacts.identity import written
from antrian.contacts.lookup import Lookup
from antrian.contacts.store import Store, open_memory
from antrian.contacts.views import ContactView, OptOut, OptOutPage, Reach, SenderView
from antrian.domain.contact import Standing
from antrian.domain.errors import AntrianError
from antrian.domain.events import Event
from antrian.domain.slots import Slots

#: Facts that are written together at most, and seconds after which the first of them is written. A consumer that sends
#: waits for it: 40 ms among a million contacts; five times as many take 160 ms, and save a twentieth of the work.
BATCH = 2_000
LONGEST_UNWRITTEN = 5.0

#: Seconds for which the book remembers that a message has no slot any more.
_SLOT_MEMORY = 2 * 86_400.0

#: Messages of a lane that have no slot any more, in memory; of more, all are forgotten.
_MOST_SLOT_WORDS = 10_000

_log = structlog.get_logger("antrian.contacts")


class ContactsLost(AntrianError):
    """The book's file could not be read any more: call `restart`, and read the stream again before any decision."""


class ContactBook:
    """What the contacts stream says, kept by SQLite in a file that may be deleted, or in memory.

    Recipients are E.164 with +, or another identity of a person (BSUID, LID); each finds all that is known of them.
    Facts belong to a sender (`Lane.sender_key`), opt-outs to the person. Safe to use from several threads.

    How to read the stream into it: from `position - 1` where that is not negative, else from the first entry. Where
    `continues` denies the first entry that comes, or none comes, the stream was made again: `restart`, and read from
    the first entry.

    Args:
        folder: for the file (`antrian.contacts.book_file.book_folder`); None for memory only. Each book has a file of
            its own: the first `contacts.<n>.sqlite` that no other process has open.
        clock: monotonic seconds.
    """

    def __init__(self, folder: Path | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._file: BookFile | None = None
        self._is_lost = False
        self._store = self._open(folder)
        self._begin()

    def _open(self, folder: Path | None) -> Store:
        if folder is None:
            return Store(open_memory())
        try:
            self._file = BookFile(folder)
            return self._open_file(self._file)
        except (OSError, sqlite3.Error) as error:
            self._say("contacts.in_memory", error)
            self._give_up_the_file()
            return Store(open_memory())

    def _open_file(self, file: BookFile) -> Store:
        try:
            store = file.open()
            store.forget_slots(round((time.time() - _SLOT_MEMORY) * 1_000))
        except sqlite3.Error as error:
            # Broken, or of another version.
            self._say("contacts.made_again", error)
            file.remove()
            store = file.open()
        return store

    def _begin(self) -> None:
        self._pending = Facts()
        self._pending_since: float | None = None
        self._last: Event | str | None
        self._position, self._last = self._store.place()
        self._slots: dict[str, Slots] = {}
        self._slot_words: dict[str, dict[str, SlotWord]] = {}

    # The stream

    @property
    def position(self) -> int:
        """The offset of the entry that comes next; 0 while nothing was read."""
        return self._position

    @property
    def latest(self) -> Event | None:
        """The event at `position - 1`; None where nothing was read, or that is none."""
        return Event.decode(_as_json(self._last).encode())

    def continues(self, event: Event | None, offset: int) -> bool:
        """Whether the stream's entry at `position - 1` is the one that was taken from there; else it is another stream.

        Args:
            event: what the entry says; None for one that is no event.
            offset: where it is.
        """
        return offset == self._position - 1 and _as_json(event) == _as_json(self._last)

    def restart(self) -> None:
        """Forget everything: the stream was made again, and is read from its first entry."""
        with self._lock:
            self._is_lost = False
            self._store.close()
            self._store = self._empty()
            self._begin()

    def _empty(self) -> Store:
        if self._file is not None:
            self._file.remove()
            try:
                return self._file.open()
            except (OSError, sqlite3.Error) as error:
                self._say("contacts.in_memory", error)
                self._give_up_the_file()
        return Store(open_memory())

    def apply(self, event: Event | None, offset: int | None = None) -> None:
        """Learn of an event; one that was learnt before, at this offset or at another, changes nothing.

        Args:
            event: any event; those that say nothing about contacts only move the position. None for an entry of the
                stream that is no event.
            offset: of its entry in the contacts stream; None for one that was just written and confirmed, and will come
                through the stream later.

        Raises:
            ContactsLost: see there.
        """
        with self._lock:
            self._check()
            if offset is not None:
                if offset < self._position:
                    return
                self._position, self._last = offset + 1, event
            if event is not None:
                self._learn(event)
            if self._pending_since is None:
                self._pending_since = self._clock()
            elif len(self._pending) >= BATCH or self._clock() - self._pending_since >= LONGEST_UNWRITTEN:
                self.flush()

    def _learn(self, event: Event) -> None:
        learn(self._pending, event)
        words = self._slot_words.get(event.lane)
        if words is not None and (word := slot_word(event)) is not None:
            self._take_slot(event, word, words)

    def _take_slot(self, event: Event, word: SlotWord, words: dict[str, SlotWord]) -> None:
        """Told by time, as the facts are: an event that comes late, or again, brings no slot back."""
        known = words.get(event.message_id)
        if known is not None and known >= word:
            return
        words[event.message_id] = word
        if word.is_day:
            self._slots[event.lane].give(event.message_id, date.fromisoformat(word.day))
            return
        self._slots[event.lane].give_back(event.message_id)
        if len(words) > len(self._slots[event.lane]) + _MOST_SLOT_WORDS:
            self._slot_words[event.lane] = {message_id: one for message_id, one in words.items() if one.is_day}

    def flush(self) -> None:
        """Write what was learnt into the file; a file that cannot be written costs only the file.

        Raises:
            ContactsLost: see there.
        """
        with self._lock:
            self._check()
            if self._pending_since is None:
                return
            try:
                self._write()
            except sqlite3.Error as error:
                self._move_to_memory(error)
                self._write()
            self._pending, self._pending_since = Facts(), None

    def _write(self) -> None:
        self._store.write(self._pending, self._position, _as_json(self._last))

    def _move_to_memory(self, error: sqlite3.Error) -> None:
        with self._reading():
            memory = Store(self._store.copy())
        self._say("contacts.in_memory", error)
        self._store.close()
        self._store = memory
        self._give_up_the_file()

    def _give_up_the_file(self) -> None:
        if self._file is not None:
            self._file.release()
            self._file = None

    def close(self) -> None:
        """Write what was learnt, and give the file back."""
        with self._lock:
            try:
                self.flush()
            except ContactsLost:
                pass
            finally:
                self._store.close()
                self._give_up_the_file()

    @property
    def is_lost(self) -> bool:
        """Whether the stream must be read again, after `restart`."""
        return self._is_lost

    def _check(self) -> None:
        if self._is_lost:
            raise ContactsLost("the contacts must be read again")

    @contextmanager
    def _looking_up(self) -> Iterator[Lookup]:
        with self._reading():
            yield Lookup(self._store, self._pending)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What is read in it is read safely; a file that cannot be read is given up."""
        with self._lock:
            self._check()
            try:
                yield
            except sqlite3.Error as error:
                self._say("contacts.lost", error)
                self._is_lost = True
                raise ContactsLost(f"the contacts must be read again: {error}") from error

    def _say(self, what: str, error: Exception) -> None:
        _log.warning(what, file=str(self._file.path) if self._file else None, reason=str(error))

    # What the sender asks

    def standing(self, sender: str, recipient: str) -> Standing:
        """How well a sender knows a recipient.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            return look.contact(sender, look.keys(recipient)).standing

    def reach(self, sender: str, recipient: str) -> Reach:
        """What a provider may want to know of a person beside the number: two statements, so only where one does.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            keys = look.keys(recipient)
            bsuid = look.identity(keys[0], "bsuid") if keys and isinstance(keys[0], int) else ""
            return Reach(bsuid, seconds(look.contact(sender, keys).wrote_last))

    def timezone_of(self, recipient: str) -> str | None:
        """The person's own time zone, an IANA name; None where it is not known.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            zone = look.zone(look.keys(recipient))
            return None if zone is None else zone.name

    def opted_out(self, recipient: str) -> frozenset[str]:
        """The purposes of which the person wants no messages; `all` stands for every one.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            return frozenset(in_force(look.opt_words(look.keys(recipient))))

    def cold_held_until(self, sender: str) -> float | None:
        """Until when the provider lets this sender write to no cold contact, unix seconds; may be over.

        None where it never refused one, or an admin has ended the wait since.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            return seconds(look.sender(sender).cold_held_until)

    def first_cold_at(self, sender: str) -> float | None:
        """When a provider first took a message of this sender for a cold contact, unix seconds: day 1 of its ramp.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            return seconds(look.sender(sender).cold_first)

    def slots(self, lane: str) -> Slots:
        """The days that the lane's held messages were given; it goes on learning, until the book is read again.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            if lane not in self._slots:
                words = self._slot_words[lane] = look.slots(lane)
                given = (
                    (message_id, date.fromisoformat(word.day)) for message_id, word in words.items() if word.is_day
                )
                self._slots[lane] = Slots(given)
            return self._slots[lane]

    def had_slot(self, lane: str, message_id: str) -> bool:
        """Whether a message was ever given a day, as far as that is remembered.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            return look.slot(lane, message_id) is not None

    def sent_at(self, lane: str, message_id: str) -> float | None:
        """When a message that had a day was sent, unix seconds: another copy may come back from the ladder days later.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            word = look.slot(lane, message_id)
            return seconds(word.at) if word is not None and word.day == SLOT_OF_SENT else None

    def cancelled_at(self, lane: str, message_id: str) -> float | None:
        """When an admin cancelled a message that nothing is known to have become of since, unix seconds.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            word = look.slot(lane, message_id)
            return seconds(word.at) if word is not None and word.day == SLOT_OF_CANCELLED else None

    # What people ask

    def show(self, recipient: str) -> ContactView:
        """All that is known of a person.

        Raises:
            ContactsLost: see there.
        """
        with self._looking_up() as look:
            keys = look.keys(recipient)
            phone = keys[0] if keys and isinstance(keys[0], int) else None
            zone = look.zone(keys)
            opted_out = in_force(look.opt_words(keys))
            return ContactView(
                recipient=written(phone) if phone is not None else recipient,
                senders=tuple(_sender_view(name, facts) for name, facts in look.contacts(keys).items()),
                opt_outs=tuple(_opt_out(purpose, word) for purpose, word in sorted(opted_out.items())),
                timezone=None if zone is None else zone.name,
                identities={} if phone is None else {kind: one for one, kind in look.identities(phone).items()},
            )

    def opt_outs(self, cursor: str | None = None, limit: int = 50) -> OptOutPage:
        """The opt-outs in force, newest first.

        Args:
            cursor: of the page before; one that no page gave shows the first page.
            limit: rows at most, give or take what one person said at once.

        Raises:
            ContactsLost: see there.
        """
        self.flush()
        rows: list[OptOut] = []
        last = read_cursor(cursor)
        with self._looking_up() as look:
            while len(rows) < limit:
                found = look.store.opted_out(last, limit)
                for person, purpose, word in found:
                    last = (word.at, person, purpose)
                    counting = in_force(look.opt_words(look.keys(written(person))))
                    # One of all purposes may count for some of them still.
                    rows += [_opt_out(one, told) for one, told in counting.items() if told == word]
                    if len(rows) >= limit:
                        break
                if len(found) < limit:
                    break
            total = look.store.count_opted_out()
        return OptOutPage(tuple(rows), total, write_cursor(last) if last and len(rows) >= limit else None)

    def count(self) -> int:
        """How many pairs of sender and person are known.

        Raises:
            ContactsLost: see there.
        """
        self.flush()
        with self._looking_up() as look:
            return look.store.count_contacts()


def _as_json(event: Event | str | None) -> str:
    """An event as the file keeps it, to be known again; one that comes from the file stays as it is."""
    if event is None or isinstance(event, str):
        return event or ""
    try:
        return event.encode().decode()
    except UnicodeEncodeError:
        # JSON can hold halves of characters, and nothing else can.
        return ""


def _sender_view(sender: str, facts: ContactFacts) -> SenderView:
    return SenderView(
        sender=sender,
        standing=facts.standing,
        since=seconds(facts.since),
        first_sent_at=seconds(facts.sent_first),
        last_sent_at=seconds(facts.sent_last),
        refused_at=seconds(facts.refused),
    )


def _opt_out(purpose: str, word: OptWord) -> OptOut:
    return OptOut(word.recipient, purpose, word.at / 1_000, word.by, word.words, word.channel)
