"""Keeps the history up to date with the journal, in a thread of its own, whatever happens to file and broker.

Of all followers of one file, in whatever processes, one writes; the others stand by, and one of them takes over when
it ends.
"""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import structlog

from antrian.broker.background_thread import BackgroundThread
from antrian.broker.connection import open_channel
from antrian.broker.stream.entry import StreamEntry, fingerprint
from antrian.broker.stream.feed import SILENCE, StreamFeed
from antrian.broker.stream.lookup import last_entry, stream_channel
from antrian.broker.stream.read_ahead import FAR, ReadAhead, ReaderLost
from antrian.broker.stream.resume import Resumption
from antrian.broker.topology import Names
from antrian.domain.errors import AntrianError
from antrian.domain.settings import Settings
from antrian.history.journal.gap import gap_sentence
from antrian.history.journal.watermark import Watermark
from antrian.history.projection import history_file
from antrian.history.projection.delivery import DeliveryChange
from antrian.history.projection.writer import HistoryWriter, Replaced
from antrian.history.projection.writer_lock import WriterLock
from antrian.history.queries.history import History

#: Seconds without an entry after which other things are seen to.
_TICK = 0.1

#: Seconds between two looks at what is due, what is old, and whether everything was read.
_ROUND = 0.5

#: Seconds until what is too old is looked for again, after there was none.
_FORGET_PERIOD = 15.0

#: Seconds between two tries to become the writer, and after something went wrong.
_TURN = 1.0

#: Seconds between two looks at a history that another process writes.
_GLANCE = 0.05

#: Seconds behind the journal that count as none.
GRACE = 1.0

_SPOILT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_ERROR})

_log = structlog.get_logger("antrian.history")
_silent = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


class HistoryFollower:
    """Follows the journal of some settings.

    Args:
        settings: `whatsapp_queue_namespace` and `whatsapp_queue_retention_days` are used.
        path: of the history.
        urls: the broker's addresses.
        quiet: log nothing; the owner shows what `trouble` says.
        on_delivery: called in the follower's thread with what became of a message, once it is in the history, and once
            only; of what was heard before this follower started, and by one that does not write, never.
    """

    def __init__(
        self,
        settings: Settings,
        path: Path,
        *,
        urls: Sequence[str],
        quiet: bool = False,
        on_delivery: Callable[[DeliveryChange], None] = lambda _change: None,
    ) -> None:
        self._log = _silent if quiet else _log
        self._on_delivery = on_delivery
        self._told_seq = -1
        self._names = Names(settings.whatsapp_queue_namespace)
        self._retention = settings.whatsapp_queue_retention_days * 86_400
        self._path = path
        self._urls = urls
        self._history = History(path)
        self._lock = WriterLock(path)
        self._resumption = Resumption(urls, self._names.journal, name="antrian history")
        self._stopping = threading.Event()
        self._progress = threading.Condition()
        self._trouble = ""
        self._checked_at: float | None = None
        self._checked_on_file = 0.0
        # In monotonic seconds: a clock that is set back must not make old news of a read, nor one that never ends.
        self._wanted_by = self._passed_by = -math.inf
        self._feed: StreamFeed | None = None
        self._forget_at = 0.0
        self._is_alone = False
        self._started_at = time.time()
        self._thread = BackgroundThread(self._run, name="antrian-history", stopping=self._stopping)

    def start(self) -> None:
        """Begin; returns at once."""
        self._started_at = time.time()
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End; another follower may write then."""
        self._stopping.set()
        self._thread.join(timeout)
        self._history.close()

    @property
    def is_well(self) -> bool:
        """Whether the thread runs; false for some seconds after it had to be started again."""
        return self._thread.is_well

    @property
    def is_writer(self) -> bool:
        """Whether this follower is the one that writes."""
        return self._lock.is_held

    @property
    def trouble(self) -> str:
        """Why the history does not go on, in one sentence; empty when it does."""
        return self._trouble

    @property
    def lag_seconds(self) -> float:
        """For how long the history may have missed what happened; 0 while it keeps up, busy or idle."""
        checked_at = self._checked_at if self.is_writer else self._history.position().checked_at
        behind = time.time() - (checked_at or self._started_at)
        return behind if behind > GRACE else 0.0

    @property
    def behind_seconds(self) -> float:
        """How long ago the history last held everything that the journal held; 0 within the time of an idle look."""
        checked_at = self._checked_at if self.is_writer else self._history.position().checked_at
        behind = time.time() - (checked_at or self._started_at)
        return behind if behind > _ROUND + _TICK else 0.0

    def catch_up(self, timeout: float) -> bool:
        """Wait until the history holds everything that the journal held when this was called; whether it does.

        It costs one question on a connection that is open already; those who ask together share it. A follower that
        does not write asks over a connection of its own, as `barrier` does.

        Args:
            timeout: seconds to wait at most. A history that does not go on, because the broker is away or the file
                cannot be written, is not waited for.
        """
        if not self.is_writer:
            return self.barrier(timeout)
        asked_by = time.monotonic()
        deadline = asked_by + timeout
        with self._progress:
            self._wanted_by = max(self._wanted_by, asked_by)
            while self._passed_by < asked_by:
                if (feed := self._feed) is not None:
                    feed.hurry()
                left = deadline - time.monotonic()
                if left <= 0 or self._trouble or self._stopping.is_set():
                    return False
                self._progress.wait(min(left, _GLANCE))
        return True

    def barrier(self, timeout: float) -> bool:
        """Wait until the history holds everything that the journal held when this was called; whether it does."""
        deadline = time.monotonic() + timeout
        mark = self.journal_mark()
        if mark is None:
            return False
        while not mark.is_reached(self._history.position()):
            left = deadline - time.monotonic()
            if left <= 0 or self._stopping.is_set():
                return False
            self.wait_for_progress(min(left, _GLANCE))
        return True

    def journal_mark(self) -> Watermark | None:
        """How far the journal goes now; None when the broker does not tell."""
        before = self._history.position()
        try:
            with stream_channel(self._urls, self._names.journal, name="antrian history barrier") as channel:
                last = last_entry(channel, self._names.journal)
        except AntrianError:
            return None
        if last is not None:
            return Watermark(last.offset, fingerprint(last), before)
        # A journal of which something was read is not empty, so the broker only was not quick enough to say.
        return Watermark(-1, "", before) if before.offset < 0 else None

    def wait_for_progress(self, timeout: float) -> None:
        """Wait until more is in the history, or for so many seconds."""
        with self._progress:
            self._progress.wait(timeout)

    # Everything below runs in the follower's own thread.

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._lock.acquire():
                    self._write()
                else:
                    self._trouble = ""
            except Replaced:
                self._log.warning("history.replaced")
                continue
            except AntrianError as error:
                self._say(str(error))
            except sqlite3.Error as error:
                self._mend(error)
            except OSError as error:
                self._say(f"the history's file cannot be written: {error.strerror}")
            except Exception as error:  # noqa: BLE001 (a thread that dies without a word would leave an old history behind)
                self._log.exception("history.failed")
                self._say(f"an unexpected {type(error).__name__}")
            self._stopping.wait(_TURN)
        self._history.close()
        self._lock.release()

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._log.warning("history.trouble", reason=trouble)
        self._trouble = trouble

    def _mend(self, error: sqlite3.Error) -> None:
        self._say(f"the history's file cannot be written: {error}")
        code = getattr(error, "sqlite_errorcode", None)
        # The lowest byte is the kind; what is above it says more.
        if code is None or code & 0xFF in _SPOILT or isinstance(error, sqlite3.IntegrityError):
            # It is a cache: what cannot be read is made again.
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._checked_at, self._passed_by = None, -math.inf
        history_file.create(self._path)

    def _write(self) -> None:
        """Write until something happens."""
        if history_file.inode(self._path) is None:
            self._begin_anew()
        writer = HistoryWriter(self._path, self._names)
        try:
            start, mark = self._resume(writer), self.journal_mark()
            if mark is not None and mark.offset - writer.place.offset >= FAR and not self._is_alone:
                self._read_ahead(writer, start)
                if self._stopping.is_set():
                    return
                start = self._resume(writer)
            # Where something is known to be, no silence means that there is nothing.
            silence = math.inf if mark is not None and mark.offset >= 0 else SILENCE
            with open_channel(self._urls, name="antrian history feed") as channel:
                self._feed = StreamFeed(channel, self._names.journal, start, bare=self._names.events, silence=silence)
                self._follow(writer, self._feed)
        finally:
            self._feed = None
            writer.close()

    def _read_ahead(self, writer: HistoryWriter, start: int | str) -> None:
        """Catch up with the journal."""
        try:
            with closing(self._ahead(start)) as feed:
                self._follow(writer, feed, to_the_end=True)
        except ReaderLost:
            # Where no process can be started, or where there is no memory for it, this one reads alone.
            self._is_alone = True
            raise

    def _ahead(self, start: int | str) -> ReadAhead:
        names = self._names
        return ReadAhead(self._urls, names.journal, start, bare=names.events, name="antrian history read-ahead")

    def _resume(self, writer: HistoryWriter) -> int | str:
        """Where to read on, once it is on record what was missed."""
        place = writer.place
        point = self._resumption.decide(place.in_stream)
        gap = gap_sentence(place.offset, point)
        if point.is_new_stream:
            writer.begin_journal(gap)
        elif gap:
            writer.add_gap(gap)
        if gap:
            self._log.warning("history.gap", offset=place.offset)
        return point.start

    def _follow(self, writer: HistoryWriter, feed: StreamFeed | ReadAhead, *, to_the_end: bool = False) -> None:
        round_at, passed_at = 0.0, None
        while not self._stopping.is_set() and not (to_the_end and passed_at):
            if self._is_wanted:
                feed.look_for_the_end()
            if taken := feed.take(0 if self._is_wanted else _TICK):
                self._take(writer, taken)
            if time.monotonic() >= round_at:
                round_at = time.monotonic() + _ROUND
                feed.look_for_the_end()
                self._go_round(writer)
            passed_at = feed.end_passed_at()
            self._note(writer, passed_at)

    def _take(self, writer: HistoryWriter, taken: Sequence[StreamEntry]) -> None:
        changed = writer.take(taken)
        for change in changed:
            if change.at >= self._started_at and change.seq >= self._told_seq:
                self._told_seq = change.seq
                self._on_delivery(change)
        self._trouble = ""
        with self._progress:
            self._progress.notify_all()

    @property
    def _is_wanted(self) -> bool:
        """Whether anyone waits for the history, and it can be brought up to date at once."""
        return self._feed is not None and self._wanted_by > self._passed_by

    def _note(self, writer: HistoryWriter, passed_at: float | None) -> None:
        """The history held everything at that time."""
        if passed_at is None:
            return
        self._trouble = ""
        writer.finish()
        if self._checked_at is None or abs(passed_at - self._checked_on_file) > _ROUND:
            writer.checked(passed_at)
            self._checked_on_file = passed_at
        self._checked_at = passed_at
        with self._progress:
            if self._feed is not None:
                self._passed_by = self._feed.passed_by
            self._progress.notify_all()

    def _go_round(self, writer: HistoryWriter) -> None:
        writer.require_its_place()
        now = time.time()
        while writer.release_due(now):
            pass
        self._forget(writer, now)

    def _forget(self, writer: HistoryWriter, now: float) -> None:
        # While it grows there are no indexes to find what is old by, and looking through everything takes all the time.
        if self._checked_at is None or now < self._forget_at:
            return
        writer.forget_parked(now)
        forgotten = writer.forget(now - self._retention)
        self._forget_at = now if forgotten else now + _FORGET_PERIOD
