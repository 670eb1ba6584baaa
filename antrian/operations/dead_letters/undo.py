"""Taking back a clearing or a purge: what it took out is put back from the journal, exactly once."""

import re
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import structlog

from antrian.broker.broken_connection import despite_broken_connections
from antrian.broker.connection import broker_urls
from antrian.broker.queue_scan.bulk_publish import BulkPublish
from antrian.broker.queue_scan.pipelined_operation import Busy
from antrian.broker.queue_scan.publication import Publication, Tally, event_publication
from antrian.broker.topology import Names
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.history.projection.message_row import OPEN
from antrian.history.records import LifeEntry, MessageState
from antrian.history.removal import Removed
from antrian.operations.dead_letters.errors import (
    AlreadyUndone,
    HistoryBehind,
    UndoIncomplete,
    UndoRunning,
    UnknownRemoval,
)
from antrian.operations.dead_letters.recovery import Recovery
from antrian.operations.dead_letters.undo_steps import is_back, restoration

if TYPE_CHECKING:
    from antrian.history.follower import HistoryFollower
    from antrian.history.queries.history import History

#: Seconds for the history to read all that the journal holds.
PATIENCE = 30.0

#: Seconds to wait for the lock after the connection that had it broke.
LOCK_PATIENCE = 10.0

#: What an undo_id may look like, before it becomes a part of a queue's name.
_UNDO_ID = re.compile(r"[A-Za-z0-9-]{1,64}")

_log = structlog.get_logger("antrian.desk")


class Undo:
    """Takes back clearings and purges; usable from any thread.

    Only one does it at a time, in whichever process: the messages are published on the connection that holds the lock.
    And each is published before its event (`outcome.restored`), so an undo that is interrupted goes on where it
    ended when it is done again: the history then knows every copy that is in the broker already.

    Args:
        settings: of the process.
        history: what was taken out.
        follower: of that history.
    """

    def __init__(self, settings: Settings, history: "History", follower: "HistoryFollower") -> None:
        self._settings = settings
        self._history = history
        self._follower = follower

    def run(self, undo_id: str, actor: str) -> int:
        """Put everything back that this clearing or purge took out.

        Returns:
            How many messages are back, those of an interrupted undo included.

        Raises:
            UnknownRemoval: no such clearing or purge is on record.
            AlreadyUndone: it was undone before.
            UndoRunning: another request is undoing it.
            UndoIncomplete: some messages have no lane any more; doing it again goes on.
            HistoryBehind: the history does not hold everything yet.
            BrokerError: it was interrupted; doing it again goes on where it ended.
        """
        if not _UNDO_ID.fullmatch(undo_id):
            raise UnknownRemoval(self._settings.whatsapp_queue_retention_days)
        patience = 0.0

        def undo() -> int:
            nonlocal patience
            one = _OneUndo(self._settings, self._history, self._follower, undo_id=undo_id, actor=actor)
            # The broker may not have seen yet that the connection with the lock broke.
            seconds, patience = patience, LOCK_PATIENCE
            return one.run(seconds)

        return despite_broken_connections(undo)


class _OneUndo:
    def __init__(
        self, settings: Settings, history: "History", follower: "HistoryFollower", *, undo_id: str, actor: str
    ) -> None:
        self._settings = settings
        self._names = Names(settings.whatsapp_queue_namespace)
        self._history = history
        self._follower = follower
        self._undo_id = undo_id
        self._actor = actor
        self._unknown = 0
        self._restored = 0
        self._only_recorded: list[str] = []
        self._publishing: BulkPublish | None = None

    def run(self, patience: float) -> int:
        self._require_history()
        self._require_removal()
        self._finish_interrupted_purge()
        lock = self._names.undo_lock(self._undo_id)
        urls = broker_urls(self._settings)
        self._publishing = BulkPublish(urls, self._groups(), name="antrian undo", lock=lock, patience=patience)
        try:
            self._publishing.run()
        except Busy as error:
            raise UndoRunning from error
        if self._unknown:
            _log.warning("undo.unknown", undo_id=self._undo_id, messages=self._unknown)
        return self._restored

    def _groups(self) -> Iterator[Sequence[Publication] | None]:
        """The whole undo, in its order; runs while the lock is held."""
        self._require_history()
        self._require_removal()
        yield [self._event(EventName.UNDO_BEGAN)]
        yield None
        begun = self._tally.taken
        for removed, life in self._taken_out():
            yield from self._put_back(removed, life)
        for message_id in self._history.cancelled_by(self._undo_id):
            yield from self._uncancel(message_id)
        yield None
        self._restored += self._tally.taken - begun
        yield from self._put_back_what_was_dropped_meanwhile()
        if self._tally.refused:
            raise UndoIncomplete(self._restored, self._tally.refused)
        yield [self._event(EventName.UNDO_DONE, restored=self._restored, unknown=self._unknown)]

    @property
    def _tally(self) -> Tally:
        return self._publishing.tally if self._publishing else Tally()

    def _taken_out(self) -> Iterator[tuple[Removed, Sequence[LifeEntry]]]:
        """Everything that was taken out, and what is known of it.

        A history that is deleted or made again meanwhile seems to end early, and knows less: then it is asked again.
        """
        seen: set[tuple[str, int]] = set()
        while True:
            self._require_history()
            file = self._history.file
            if file is None:
                raise HistoryBehind
            for removed in self._history.removed(self._undo_id):
                life = () if removed.restored else self._history.life(removed.message.message_id)
                if file != self._history.file:
                    break
                copy = removed.message.message_id, removed.generation
                # Twice there, it was a duplicate of a crashed consumer's; one is enough.
                if copy not in seen:
                    seen.add(copy)
                    yield removed, life
            if file == self._history.file:
                return

    def _put_back(self, removed: Removed, life: Sequence[LifeEntry]) -> Iterator[Sequence[Publication]]:
        if removed.restored:
            self._restored += 1
            return
        if is_back(removed, life):
            yield [self._restored_event(removed)]
            return
        copy = restoration(self._names, removed, life, self._undo_id, time.time())
        if copy is None:
            self._unknown += 1
        else:
            yield [copy, self._restored_event(removed)]

    def _uncancel(self, message_id: str) -> Iterator[Sequence[Publication]]:
        """Take a cancellation back that a clearing asked for; what was dropped because of it is made anew."""
        record = self._history.message(message_id)
        if record is None:
            self._unknown += 1
            return
        event = self._event(
            EventName.UNCANCELLED, lane=record.lane, message_id=message_id, generation=record.generation
        )
        if record.state in OPEN:
            self._only_recorded.append(message_id)
            yield [event]
        elif record.state is MessageState.CANCELLED:
            life = self._history.life(message_id)
            dropped = Removed(record, record.generation, "", None, None, restored=False)
            copy = restoration(self._names, dropped, life, self._undo_id, time.time())
            self._unknown += copy is None
            yield [event] if copy is None else [event, copy]

    def _put_back_what_was_dropped_meanwhile(self) -> Iterator[Sequence[Publication] | None]:
        """A consumer may have dropped one before it read that its cancellation is taken back."""
        if not self._only_recorded:
            return
        self._require_history()
        for message_id in self._only_recorded[:]:
            record = self._history.message(message_id)
            if record is not None and record.state is MessageState.CANCELLED:
                yield from self._uncancel(message_id)
        yield None

    def _finish_interrupted_purge(self) -> None:
        """A purge that was interrupted left letters in their queue: they are not to be published a second time."""
        # A clearing of everything took out what waits first, and the letters after that.
        if any(removed.dead is not None for removed in self._history.removed(self._undo_id)):
            recovery = Recovery(self._settings, self._history)
            if recovery.is_needed():
                recovery.finish()

    def _require_history(self) -> None:
        if not self._follower.barrier(PATIENCE):
            raise HistoryBehind

    def _require_removal(self) -> None:
        removal = self._history.removal(self._undo_id)
        if removal is not None and removal.undone_at is not None:
            raise AlreadyUndone
        # One that was interrupted before its last event has no record of its own, but took out messages.
        if removal is None and next(iter(self._history.removed(self._undo_id)), None) is None:
            raise UnknownRemoval(self._settings.whatsapp_queue_retention_days)

    def _restored_event(self, removed: Removed) -> Publication:
        queue = removed.queue or (self._names.dead if removed.dead else self._names.lane(removed.message.lane))
        details: dict[str, object] = {"queue": queue}
        if removed.due_at is not None:
            details["due_at"] = removed.due_at
        return self._event(
            EventName.RESTORED,
            lane=removed.message.lane,
            message_id=removed.message.message_id,
            generation=removed.generation,
            **details,
        )

    def _event(
        self, name: str, *, lane: str = "", message_id: str = "", generation: int = 0, **details: object
    ) -> Publication:
        about = {"undo_id": self._undo_id, **details}
        event = Event(name, time.time(), lane, message_id, generation, source=self._actor, details=about)
        return event_publication(self._names, event)
