"""The dead-letter service: everything that HTTP and the command line can do with dead letters.

What is there is read from the history; what is done is done in the broker. A selection is frozen before anything is
done: exactly the letters that fitted then, whatever dies meanwhile.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from antrian.broker.topology import Names
from antrian.domain.event_name import EventName
from antrian.domain.failure_class import MALFORMED, UNKNOWN
from antrian.domain.settings import Settings
from antrian.history.dead_letter import DeadLetter
from antrian.history.possible_arrival import may_have_arrived
from antrian.history.records import DeadCause, DeadFilter, DeadGroup, DeadRecord, Job
from antrian.operations.dead_letters.dead_letter_export import ExportFormat, export_lines
from antrian.operations.dead_letters.dead_letters import DeadLetters
from antrian.operations.dead_letters.edited_copy import NO_EDITS, Edits
from antrian.operations.dead_letters.errors import HistoryBehind, LaneGone, LetterGone, UnknownLetter
from antrian.operations.dead_letters.job_registry import JobRegistry, describe
from antrian.operations.dead_letters.recovery import Recovery
from antrian.operations.dead_letters.redrive_job import JobOptions
from antrian.operations.dead_letters.retention_alarm import RetentionAlarm, retention_alarm, warned_before
from antrian.operations.dead_letters.selection import Copy

if TYPE_CHECKING:
    from antrian.history.follower import HistoryFollower
    from antrian.history.queries.history import History

#: Seconds for the history to read all that the journal holds, before a selection is frozen. After that, what it holds
#: is taken: letters that died this moment are not the ones that the operator has just looked at.
PATIENCE = 5.0

#: Classes of letters that may be unreadable; what a provider refused was read before.
_MAYBE_UNREADABLE = frozenset({MALFORMED, UNKNOWN})

_PAGE = 500
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a re-drive would put back.

    Attributes:
        selected: how many letters.
        unreadable: of these; they would stay.
        may_have_arrived: how many of those that fit may have reached their recipient already; left out, they are not
            among the selected.
        groups: of the selected, by what went wrong.
        missing: ids that were asked for and that no dead letter has.
    """

    selected: int
    unreadable: int
    may_have_arrived: int
    groups: list[DeadGroup]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class Redriven:
    """What will be sent.

    Attributes:
        message_id: its id.
        copy_of: the dead letter's own id, when this is an edited copy; None otherwise.
        may_have_arrived: whether the letter may have reached its recipient already.
    """

    message_id: str
    copy_of: str | None
    may_have_arrived: bool


@dataclass(frozen=True, slots=True)
class Purged:
    """What was deleted.

    Attributes:
        purged: how many letters.
        refused: how many stay, because the broker did not accept the record of their removal.
        undo_id: names the purge; it can be undone once.
        missing: ids that were asked for and that no dead letter has.
    """

    purged: int
    refused: int
    undo_id: str
    missing: list[str]


class DeadLetterService:
    """One namespace's dead letters; usable from any thread.

    Args:
        settings: of the process.
        history: what is known of the letters.
        follower: of that history.
    """

    def __init__(self, settings: Settings, history: "History", follower: "HistoryFollower") -> None:
        self._settings = settings
        self._names = Names(settings.whatsapp_queue_namespace)
        self._history = history
        self._follower = follower
        #: All jobs of the process, whatever they do.
        self.registry = self._jobs = JobRegistry(settings, history)
        self._recovery = Recovery(settings, history)

    # Looking

    def dry_run(
        self, meant: DeadFilter, *, limit: int | None = None, skip_uncertain: bool = False, from_queue: bool = False
    ) -> DryRun:
        """What a re-drive of these letters would put back; the arguments are those of `redrive`."""
        self._catch_up()
        queued = self._queued(meant) if from_queue else []
        letters = list(map(_cause_of, queued)) if from_queue else self._history.dead_causes(meant)
        chosen, doubtful = choose(letters, limit, skip_uncertain=skip_uncertain)
        missing = sorted((meant.ids or frozenset()) - {letter.message_id for letter in letters})
        if from_queue:
            copies = frozenset(copies_of(chosen))
            queued = [letter for letter in queued if letter.copy in copies]
            unreadable = sum(letter.message is None for letter in queued)
            return DryRun(len(queued), unreadable, doubtful, groups_of(queued), missing)
        if len(chosen) < len(letters):
            meant = replace(meant, ids=frozenset(letter.message_id for letter in chosen))
        groups = self._history.dead_groups(meant)
        suspects = {group.failure_class for group in groups} & _MAYBE_UNREADABLE
        unreadable = sum(
            bool(one.problem) for name in suspects for one in self._records(replace(meant, failure_class=name))
        )
        return DryRun(sum(group.count for group in groups), unreadable, doubtful, groups, missing)

    def export(self, meant: DeadFilter, form: ExportFormat) -> Iterator[str]:
        """These letters as a file, piece by piece, numbers and texts included, newest first."""
        self._catch_up()
        return export_lines((DeadLetter.recorded(one, self._names) for one in self._records(meant)), form)

    def retention_alarm(self, now: float) -> RetentionAlarm | None:
        """Letters that the history will soon forget; None when there are none."""
        retention = self._settings.whatsapp_queue_retention_days * _DAY
        near = DeadFilter(until=warned_before(retention, now))
        return retention_alarm(self._history.dead_groups(near), retention, now)

    # Changing letters

    def redrive_one(
        self, message_id: str, actor: str, changes: Edits = NO_EDITS, *, from_queue: bool = False
    ) -> Redriven:
        """Put one letter back, with another number, text or priority where that is asked for.

        Raises:
            UnknownLetter: no dead letter has this id, and none had.
            LetterGone: it is no dead letter any more.
            LaneGone: the broker has no lane for it.
            MalformedMessage: with these changes it could not be sent.
            BrokerError: it was interrupted; doing it again goes on.
        """
        letter = self._letter(message_id, from_queue=from_queue)
        copy = letter.message_id, letter.generation
        report, sent_as = DeadLetters(self._settings).redrive_edited(copy, changes, actor)
        if report.refused:
            raise LaneGone(letter.lane)
        if not report.done:
            raise LetterGone(message_id)
        copy_of = None if sent_as == message_id else message_id
        return Redriven(sent_as, copy_of, may_have_arrived(letter))

    def note(self, message_id: str, note: str, actor: str) -> None:
        """Write a note about a letter; an empty one deletes it.

        Raises:
            UnknownLetter: no dead letter has this id, and none had.
            LetterGone: it is no dead letter any more.
        """
        letter = self._letter(message_id)
        DeadLetters(self._settings).note((letter.message_id, letter.generation), letter.lane, note, actor)

    def purge(self, meant: DeadFilter, actor: str) -> Purged:
        """Delete these letters; within retention it can be undone.

        Raises:
            BrokerError: it was interrupted; doing it again goes on, under another `undo_id`.
        """
        self._tidy_up()
        frozen = self._history.dead_ids(meant)
        missing = set(meant.ids or ())
        if not frozen:
            return Purged(0, 0, "", sorted(missing))
        report = DeadLetters(self._settings).purge(frozenset(frozen), actor, lane=meant.lane or "")
        return Purged(report.done, report.refused, report.undo_id, sorted(missing - report.found_ids))

    # Jobs

    def redrive(
        self,
        meant: DeadFilter,
        actor: str,
        *,
        rate: float | None = None,
        limit: int | None = None,
        canary: int | None = None,
        skip_uncertain: bool = False,
        from_queue: bool = False,
    ) -> Job:
        """Begin to put these letters back, oldest first, in the background of this process.

        Args:
            meant: which letters; those that fit now.
            actor: who does it.
            rate: at most so many per second.
            limit: at most so many in all.
            canary: so many go first, and the others only if all of these are sent.
            skip_uncertain: without those that may have reached their recipient already.
            from_queue: as the queue has them, which is scanned once for it, instead of the history. So letters are
                found that no page lists: those that the broker itself gave up, and those older than the journal.

        Raises:
            BrokerError: the broker is away; nothing was begun.
        """
        self._tidy_up()
        letters = list(map(_cause_of, self._queued(meant))) if from_queue else self._history.dead_causes(meant)
        chosen, doubtful = choose(letters, limit, skip_uncertain=skip_uncertain)
        options = {"rate": rate, "limit": limit, "canary": canary, "filter": describe(meant)}
        options |= {"skip_uncertain": skip_uncertain, "may_have_arrived": doubtful}
        return self._jobs.start(copies_of(chosen), actor, JobOptions(rate, canary), options)

    def job(self, job_id: str) -> Job:
        """A job as it is now.

        Raises:
            UnknownJob: there is none of this name.
        """
        return self._jobs.job(job_id)

    def jobs(self, limit: int = 50) -> list[Job]:
        """The latest jobs, newest first, whichever process runs them."""
        return self._jobs.latest(limit)

    def cancel(self, job_id: str, actor: str) -> Job:
        """End a job soon, whichever process runs it; what was put back stays so.

        Raises:
            UnknownJob: there is none of this name.
            JobEnded: it is over.
            BrokerError: the broker is away; a job of this process ends all the same.
        """
        return self._jobs.cancel(job_id, actor)

    def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """A job of this process, once its end is in the journal, or after so many seconds."""
        return self._jobs.wait(job_id, timeout)

    def close(self) -> None:
        """Cancel the jobs of this process, because it ends."""
        self._jobs.close()

    # What all of them need

    def _tidy_up(self) -> None:
        """Have the history know which letters there are now, without those that a crash left behind."""
        self._catch_up()
        if self._recovery.is_needed():
            self._recovery.finish()
            self._catch_up()

    def _catch_up(self) -> None:
        """Have the history know what the journal holds; one that is a little behind will do.

        Raises:
            HistoryBehind: it is still being read for the first time, and would call letters unknown that are there.
        """
        if not self._follower.barrier(PATIENCE) and self._history.position().checked_at is None:
            raise HistoryBehind

    def _queued(self, meant: DeadFilter) -> list[DeadLetter]:
        """The letters in the queue that fit, oldest first."""
        found: list[DeadLetter] = []
        DeadLetters(self._settings).each(meant, found.append)
        return found

    def _letter(self, message_id: str, *, from_queue: bool = False) -> DeadRecord | DeadLetter:
        self._catch_up()
        letter = self._history.dead_letter(message_id)
        if letter is not None:
            return letter
        queued = self._queued(DeadFilter(ids=frozenset({message_id}))) if from_queue else []
        if queued:
            return max(queued, key=lambda one: one.generation)
        was_one = any(entry.name == EventName.BURIED for entry in self._history.life(message_id))
        raise LetterGone(message_id) if was_one else UnknownLetter(message_id)

    def _records(self, meant: DeadFilter) -> Iterator[DeadRecord]:
        cursor: str | None = None
        while True:
            page = self._history.dead_letters(meant, cursor, _PAGE)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return


def choose(letters: Sequence[DeadCause], limit: int | None, *, skip_uncertain: bool) -> tuple[Sequence[DeadCause], int]:
    """The letters to put back, and how many of those that are meant may have reached their recipient already; pure.

    Args:
        letters: all that fit, oldest first.
        limit: at most so many.
        skip_uncertain: leave out those that may have arrived; the limit counts the others.
    """
    if skip_uncertain:
        certain = [letter for letter in letters if not may_have_arrived(letter)]
        return certain[:limit], len(letters) - len(certain)
    chosen = letters[:limit]
    return chosen, sum(map(may_have_arrived, chosen))


def copies_of(letters: Sequence[DeadCause]) -> list[Copy]:
    """What the letters are known by, in their order."""
    return [(letter.message_id, letter.generation) for letter in letters]


def groups_of(letters: Iterable[DeadLetter]) -> list[DeadGroup]:
    """Letters of the queue by what went wrong, the largest group first; pure."""
    groups: dict[tuple[str, str, str], DeadGroup] = {}
    for letter in letters:
        key = letter.failure_class, letter.code, letter.failures[-1].detail if letter.failures else ""
        at = letter.died_at or 0.0
        known = groups.get(key) or DeadGroup(*key, count=0, oldest=at, newest=at)
        groups[key] = replace(known, count=known.count + 1, oldest=min(known.oldest, at), newest=max(known.newest, at))
    return sorted(groups.values(), key=lambda group: -group.count)


def _cause_of(letter: DeadLetter) -> DeadCause:
    return DeadCause(
        letter.message_id, letter.generation, letter.failure_class, letter.code, was_uncertain=letter.was_uncertain
    )
