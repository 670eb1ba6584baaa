"""The dead-letter queue: look through it, put letters back into their lanes, or delete them for good.

A letter is put back as a copy with the next generation, and deleted only once the broker has the copy. If that is
interrupted, the letter is still there, and putting it back again makes a copy of the *same* generation: the consumer
sends a message of one generation once, however many copies of it arrive.

A scan of the queue holds the letters it has seen, and other readers do not see them meanwhile. So only one scan runs
at a time, in whichever process; the others wait for their turn.
"""

import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.queue_scan.publication import Found, Publication, Tally
from antrian.broker.queue_scan.scan import ACKS_IN_DOUBT, QueueScan, scan_despite_broken_connections
from antrian.broker.topology import Names
from antrian.domain.event_name import EventName
from antrian.domain.settings import Settings
from antrian.history.dead_letter import DeadLetter
from antrian.history.records import DeadFilter
from antrian.operations.dead_letters.edited_copy import Edits
from antrian.operations.dead_letters.journal import Journal
from antrian.operations.dead_letters.redrive_steps import RedriveSteps
from antrian.operations.dead_letters.selection import EVERYTHING, Copy, Which, is_meant

__all__ = ["EVERYTHING", "DeadLetterReport", "DeadLetters"]

#: Seconds to wait for our turn at the queue: a pass over many letters may take a while.
PATIENCE = 60.0

#: Letters looked at after the last of a frozen selection: a crash of a consumer may have made two of one letter, and
#: the second lies close behind the first.
MARGIN = 500

_Replace = Callable[[DeadLetter], Sequence[Publication] | None]


@dataclass(slots=True)
class DeadLetterReport:
    """What was done with the selected letters.

    Attributes:
        selected: how many were selected.
        done: how many were put back, or deleted.
        unreadable: how many cannot be put back because they are unreadable; they stay.
        refused: how many the broker did not accept (no such lane); they stay.
        found: the selection's letters that were there, where it names them.
        put: those of them that were put back, or deleted, unless the broker refused it.
        undo_id: names a purge in the journal; empty for everything else.
    """

    selected: int = 0
    done: int = 0
    unreadable: int = 0
    refused: int = 0
    found: set[Copy] = field(default_factory=set)
    put: set[Copy] = field(default_factory=set)
    undo_id: str = ""

    @property
    def found_ids(self) -> set[str]:
        """The ids of the letters that were there."""
        return {message_id for message_id, _ in self.found}


class DeadLetters:
    """The dead letters of a namespace.

    Args:
        settings: of the process.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
    """

    def __init__(self, settings: Settings) -> None:
        self._urls = broker_urls(settings)
        self._names = Names(settings.whatsapp_queue_namespace)
        self._journal = Journal(settings)

    def count(self) -> int:
        """How many there are now, without those that a scan holds at this moment."""
        with open_channel(self._urls, name="antrian dead letters") as channel:
            return int(channel.queue_declare(self._names.dead, passive=True).method.message_count)

    def each(
        self,
        which: Which,
        look: Callable[[DeadLetter], object],
        *,
        is_enough: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
    ) -> int:
        """Look at every selected letter, oldest first; all keep their place.

        Returns:
            How many were selected.

        Raises:
            BrokerError: it was interrupted.
        """
        selected = 0

        def decide(found: Found) -> None:
            nonlocal selected
            letter = self._letter(found)
            if is_meant(letter, which):
                selected += 1
                look(letter)

        self._pass(decide, is_enough=is_enough, on_progress=on_progress).run()
        return selected

    def redrive(
        self,
        which: Which,
        actor: str,
        *,
        per_second: float | None = None,
        limit: int | None = None,
        job_id: str = "",
        is_enough: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
    ) -> DeadLetterReport:
        """Put the selected letters that are there now back into their lanes, oldest first, as if for the first attempt.

        Args:
            which: a filter, or exactly these.
            actor: who does it, for the journal.
            per_second: at most so many per second.
            limit: at most so many in all.
            job_id: of the job that does it, for the journal.
            is_enough: asked before each letter; True ends the pass.
            on_progress: called after each letter.

        Raises:
            BrokerError: it was interrupted; doing it again goes on where it ended.
        """
        replacement = RedriveSteps(self._names, actor)
        return self._take(
            which,
            lambda letter: replacement.back_in_lane(letter, job_id),
            per_second=per_second,
            limit=limit,
            is_enough=is_enough,
            on_progress=on_progress,
        )

    def redrive_edited(self, copy: Copy, changes: Edits, actor: str) -> tuple[DeadLetterReport, str]:
        """Put one letter back with another number, text or priority, as a new message; without a change, as itself.

        Returns:
            What was done, and the id of the message that will be sent.

        Raises:
            MalformedMessage: with these changes it could not be sent; nothing was done.
            BrokerError: it was interrupted; doing it again goes on where it ended.
        """
        replacement = RedriveSteps(self._names, actor)
        sent_as = ""

        def replace(letter: DeadLetter) -> Sequence[Publication] | None:
            nonlocal sent_as
            sent_as, steps = replacement.edited(letter, changes)
            return steps

        return self._take({copy}, replace), sent_as

    def purge(
        self,
        which: Which,
        actor: str,
        *,
        lane: str = "",
        undo_id: str | None = None,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
    ) -> DeadLetterReport:
        """Delete the selected letters that are there now; the journal tells of each, so that it can be undone.

        Args:
            which: a filter, or exactly these.
            actor: who does it, for the journal.
            lane: the only lane that they are of, for the journal; empty for any.
            undo_id: of the clearing that this is a part of; None for a purge of its own.
            on_progress: called after each letter.

        Raises:
            BrokerError: it was interrupted; doing it again goes on where it ended, under another `undo_id`.
        """
        name = undo_id or str(uuid.uuid4())
        replacement = RedriveSteps(self._names, actor)
        report = self._take(which, lambda letter: replacement.purged(letter, name), on_progress=on_progress)
        report.undo_id = name
        if undo_id is None and report.done:
            self._journal.record(EventName.DEAD_PURGED, actor, {"undo_id": name, "count": report.done}, lane=lane)
        return report

    def note(self, copy: Copy, lane: str, note: str, actor: str) -> None:
        """Keep a note about a letter; an empty one deletes it."""
        message_id, generation = copy
        self._journal.record(
            EventName.NOTED, actor, {"note": note}, lane=lane, message_id=message_id, generation=generation
        )

    def take(self, replace: _Replace, *, is_enough: Callable[[], bool] = lambda: False) -> Tally:
        """Go through all letters and replace those for which `replace` says by what; None leaves a letter."""

        def start(before: QueueScan | None) -> QueueScan:
            return self._pass(lambda found: replace(self._letter(found)), is_enough=is_enough, after=before)

        return scan_despite_broken_connections(start)

    def _take(
        self,
        which: Which,
        replace: _Replace,
        *,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
        is_enough: Callable[[], bool] = lambda: False,
        per_second: float | None = None,
        limit: int | None = None,
    ) -> DeadLetterReport:
        report = DeadLetterReport()
        last = 0
        recent: deque[Copy] = deque(maxlen=ACKS_IN_DOUBT)
        frozen = None if isinstance(which, DeadFilter) else len(which)
        is_listed = not isinstance(which, DeadFilter) or which.ids is not None

        def decide(found: Found) -> Sequence[Publication] | None:
            nonlocal last
            letter = self._letter(found)
            if not is_meant(letter, which):
                return None
            report.selected += not scan.is_counted(found)
            last = scan.tally.seen
            steps = replace(letter)
            report.unreadable += steps is None
            if is_listed:
                report.found.add(letter.copy)
                recent.append(letter.copy)
                if steps is not None:
                    report.put.add(letter.copy)
            return steps

        def enough() -> bool:
            complete = frozen is not None and len(report.found) >= frozen
            reached = limit is not None and report.selected >= limit
            return reached or (complete and scan.tally.seen >= last + MARGIN) or is_enough()

        scan: QueueScan

        def start(before: QueueScan | None) -> QueueScan:
            nonlocal scan, last
            # What was not taken out before the connection broke is found again.
            if before is not None:
                last, report.selected, report.unreadable = 0, before.tally.taken, 0
                report.found -= set(recent) - set(before.latest)
            scan = self._pass(decide, is_enough=enough, per_second=per_second, on_progress=on_progress, after=before)
            return scan

        tally = scan_despite_broken_connections(start)
        report.done, report.refused = tally.taken, tally.refused
        return report

    def _pass(
        self,
        decide: Callable[[Found], Sequence[Publication] | None],
        *,
        is_enough: Callable[[], bool],
        per_second: float | None = None,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
        after: QueueScan | None = None,
    ) -> QueueScan:
        return QueueScan(
            self._urls,
            [self._names.dead],
            decide,
            is_enough=is_enough,
            per_second=per_second,
            on_progress=on_progress,
            lock=self._names.dead_lock,
            patience=PATIENCE,
            after=after,
        )

    def _letter(self, found: Found) -> DeadLetter:
        return DeadLetter.of(found, self._names, now=time.time())
