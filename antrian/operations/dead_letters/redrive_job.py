"""A re-drive of many dead letters: a frozen selection, a rate, a canary, and an end."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from antrian.broker.queue_scan.publication import Tally
from antrian.history.records import Job
from antrian.operations.dead_letters.canary import Verdict, reason, verdict
from antrian.operations.dead_letters.dead_letters import DeadLetterReport, DeadLetters
from antrian.operations.dead_letters.job_work import JobStopped, JobWork
from antrian.operations.dead_letters.selection import Copy

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: Seconds of one stay at the queue, from the first letter that was taken; then others have their turn.
STAY = 5.0

#: Seconds between two stays: longer than others wait between two tries to get in.
TURN = 0.2

#: Seconds between two looks at what became of the canary.
_LOOK = 0.25


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a job goes about it.

    Attributes:
        rate: at most so many letters per second; None for as many as the broker takes.
        canary: so many letters go first, and the others only if all of these are sent; None for no canary.
    """

    rate: float | None = None
    canary: int | None = None


@dataclass(slots=True)
class _Counts:
    done: int = 0
    refused: int = 0
    unreadable: int = 0
    failed_again: int = 0
    found: int = 0
    under_way: Tally = field(default_factory=Tally)


class RedriveJob(JobWork):
    """Puts the letters of a frozen selection back.

    Args:
        job: as it begins.
        frozen: the letters, oldest first.
        options: how to go about it.
        letters: the dead-letter queue.
        history: tells what became of the canary.
    """

    def __init__(
        self, job: Job, frozen: Sequence[Copy], options: JobOptions, letters: DeadLetters, history: "History"
    ) -> None:
        super().__init__(job)
        self._frozen = frozen
        self._options = options
        self._letters = letters
        self._history = history
        self._counts = _Counts()
        self._first_taken_at: float | None = None

    def _counted(self) -> Mapping[str, Any]:
        counts = self._counts
        return {
            "done": counts.done + counts.under_way.taken,
            "refused": counts.refused + counts.under_way.refused,
            "unreadable": counts.unreadable,
            "failed_again": counts.failed_again,
        }

    def _work(self) -> None:
        ahead = iter(self._frozen)
        self._send_canary(ahead)
        self._put_back(ahead)

    def _end(self, state: str, detail: str) -> None:
        self._settle(DeadLetterReport())
        super()._end(state, detail)

    def _remark(self) -> str:
        missing = len(self._frozen) - self._counts.found
        if not missing or self._cancelled.is_set():
            return ""
        return "1 letter was no longer there" if missing == 1 else f"{missing} letters were no longer there"

    def _send_canary(self, ahead: Iterable[Copy]) -> None:
        """Put the oldest letters back, and wait until each of them was sent.

        Raises:
            JobStopped: one was not.
        """
        wanted = self._options.canary or 0
        while wanted > 0 and not self._cancelled.is_set() and (first := list(islice(ahead, wanted))):
            refused = self._counts.refused
            put = self._put_back(first)
            if self._counts.refused > refused:
                raise JobStopped("the broker has no lane for one of the first letters: see `antrian topology plan`")
            self._wait_for(put)
            # Letters that are unreadable or gone prove nothing: the next ones go first instead.
            wanted -= len(put)

    def _wait_for(self, put: set[Copy]) -> None:
        waiting = set(put)
        while waiting and not self._cancelled.is_set():
            for copy in tuple(waiting):
                record = self._history.message(copy[0])
                match verdict(record, copy[1]):
                    case Verdict.GOOD:
                        waiting.discard(copy)
                    case Verdict.BAD:
                        self._counts.failed_again += 1
                        raise JobStopped(f"one of the first {len(put)} letters was not sent: {reason(record)}")
                    case Verdict.OPEN:
                        pass
            if waiting:
                self._cancelled.wait(_LOOK)

    def _put_back(self, copies: Iterable[Copy]) -> set[Copy]:
        """Put these letters back, in several stays at the queue; those that were."""
        remaining = set(copies)
        put: set[Copy] = set()
        while remaining and not self._cancelled.is_set():
            report = self._stay(remaining)
            remaining -= report.found
            put |= report.put
            if not report.found:
                break
            if remaining:
                self._cancelled.wait(max(TURN, 1 / self._options.rate if self._options.rate else 0))
        return put

    def _stay(self, remaining: set[Copy]) -> DeadLetterReport:
        self._first_taken_at = None
        report = self._letters.redrive(
            remaining,
            self._job.actor,
            per_second=self._options.rate,
            job_id=self._job.job_id,
            is_enough=self._is_stay_over,
            on_progress=self._progressed,
        )
        self._settle(report)
        return report

    def _settle(self, report: DeadLetterReport) -> None:
        """Count what was done; of a stay that was interrupted, what had been done by then."""
        counts = self._counts
        counts.done += counts.under_way.taken
        counts.refused += counts.under_way.refused
        counts.under_way = Tally()
        counts.unreadable += report.unreadable
        counts.found += len(report.found)

    def _is_stay_over(self) -> bool:
        is_long = self._first_taken_at is not None and time.monotonic() > self._first_taken_at + STAY
        return is_long or self._cancelled.is_set()

    def _progressed(self, tally: Tally) -> None:
        self._counts.under_way = tally
        if tally.taken and self._first_taken_at is None:
            self._first_taken_at = time.monotonic()
