"""The jobs of this process and of all others."""

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from antrian.domain.event_name import EventName
from antrian.domain.settings import Settings
from antrian.history.records import DeadFilter, Job
from antrian.operations.dead_letters.dead_letters import DeadLetters
from antrian.operations.dead_letters.errors import JobEnded, UnknownJob
from antrian.operations.dead_letters.job_progress import JobProgress, progress_of
from antrian.operations.dead_letters.job_work import JobWork, new_job, of_another_process
from antrian.operations.dead_letters.journal import Journal
from antrian.operations.dead_letters.redrive_job import JobOptions, RedriveJob
from antrian.operations.dead_letters.selection import Copy

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: Jobs of this process that are remembered after their end; the history has them all.
_REMEMBERED = 100

#: Seconds for a job that is under way to stop when the process ends.
_FAREWELL = 5.0


class JobRegistry:
    """Runs jobs, and knows those of other processes from the history; usable from any thread.

    Args:
        settings: of the process.
        history: what is known of the jobs of others.
    """

    def __init__(self, settings: Settings, history: "History") -> None:
        self._settings = settings
        self._history = history
        self._journal = Journal(settings)
        self._ours: dict[str, JobProgress] = {}
        self._lock = threading.Lock()

    def start(self, frozen: Sequence[Copy], actor: str, options: JobOptions, asked: Mapping[str, object]) -> Job:
        """Begin to put these letters back, in a thread.

        Args:
            frozen: the letters, oldest first.
            actor: who does it.
            options: how.
            asked: all that was asked for, for the record.

        Raises:
            BrokerError: the broker is away; nothing was begun.
        """
        job = new_job(str(uuid.uuid4()), actor, len(frozen), asked)
        return self.begin(RedriveJob(job, frozen, options, DeadLetters(self._settings), self._history))

    def begin(self, work: JobWork) -> Job:
        """Begin to work, in a thread.

        Raises:
            BrokerError: the broker is away; nothing was begun.
        """
        job = work.job
        self._journal.record(EventName.JOB_STARTED, job.actor, {**progress_of(job), "options": job.options})
        report = JobProgress(work, self._journal, self._history)
        with self._lock:
            self._forget()
            self._ours[job.job_id] = report
        report.start()
        return job

    def job(self, job_id: str) -> Job:
        """A job as it is now.

        Raises:
            UnknownJob: there is none of this name.
        """
        if ours := self._ours.get(job_id):
            return ours.job
        job = self._history.job(job_id)
        if job is None:
            raise UnknownJob
        return of_another_process(job, time.time())

    def latest(self, limit: int) -> list[Job]:
        """The latest jobs, newest first."""
        now = time.time()
        jobs = {job.job_id: of_another_process(job, now) for job in self._history.jobs(limit)}
        with self._lock:
            jobs |= {job_id: report.job for job_id, report in self._ours.items()}
        return sorted(jobs.values(), key=lambda job: -job.started_at)[:limit]

    def cancel(self, job_id: str, actor: str) -> Job:
        """End a job soon.

        Raises:
            UnknownJob: there is none of this name.
            JobEnded: it is over.
            BrokerError: the broker is away; a job of this process ends all the same.
        """
        job = self.job(job_id)
        if job.state != "running":
            raise JobEnded(job.state)
        if ours := self._ours.get(job_id):
            ours.cancel()
        self._journal.record(EventName.JOB_CANCELLING, actor, {"job_id": job_id})
        return replace(job, cancelling=True)

    def close_interrupted(self, job: Job, detail: str) -> None:
        """Write down that a job whose process died is over, and why nobody need look after it.

        Raises:
            BrokerError: the broker is away.
        """
        over = replace(job, state="stopped", detail=detail)
        self._journal.record(EventName.JOB_FINISHED, job.actor, progress_of(over))

    def wait(self, job_id: str, timeout: float | None) -> Job:
        """A job of this process, once its end is in the journal, or after so many seconds."""
        self._ours[job_id].join(timeout)
        return self.job(job_id)

    def close(self) -> None:
        """Cancel the jobs of this process, because it ends."""
        with self._lock:
            running = list(self._ours.values())
        for report in running:
            report.cancel()
        for report in running:
            report.close(_FAREWELL)

    def _forget(self) -> None:
        over = [job_id for job_id, report in self._ours.items() if report.job.state != "running"]
        for job_id in over[: max(0, len(over) - _REMEMBERED)]:
            del self._ours[job_id]


def describe(meant: DeadFilter) -> dict[str, object]:
    """A filter for the journal, without numbers and texts."""
    given = {name: value for name, value in asdict(meant).items() if value is not None}
    hidden = {name: True for name in ("phone_number", "text") if name in given}
    counted = {"ids": len(meant.ids)} if meant.ids is not None else {}
    return given | hidden | counted
