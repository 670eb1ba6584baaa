"""How a job tells the journal that it lives, what it has done and how it ended, and hears that it is to end."""

import threading
import time
from typing import TYPE_CHECKING

import structlog

from antrian.domain.errors import AntrianError
from antrian.domain.event_name import EventName
from antrian.history.records import Job
from antrian.operations.dead_letters.job import RedriveJob
from antrian.operations.dead_letters.journal import Journal

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: Seconds between two reports of a job that goes on, at least; and of one that waits, at most.
PERIOD = 1.0
SIGN_OF_LIFE = 5.0

#: Seconds for which the end of a job is told again and again to a broker that is away.
_LAST_WORDS = 600.0

_log = structlog.get_logger("antrian.desk")


class JobReport:
    """Runs one job to its end and keeps the journal informed, in two threads of its own.

    Args:
        job: what to run.
        journal: where to tell of it.
        history: where a request to cancel it appears, whichever process was asked.
    """

    def __init__(self, job: RedriveJob, journal: Journal, history: "History") -> None:
        self._job = job
        self._journal = journal
        self._history = history
        self._told: tuple[int, ...] = ()
        self._told_at = 0.0
        self._over = threading.Event()
        self._closing = threading.Event()
        name = f"antrian-job-{job.job.job_id[:8]}"
        self._work = threading.Thread(target=self._run, name=name, daemon=True)
        self._report = threading.Thread(target=self._tell, name=f"{name}-report", daemon=True)

    @property
    def job(self) -> Job:
        """The job as it is now."""
        return self._job.job

    def start(self) -> None:
        """Begin."""
        self._told_at = time.monotonic()
        self._work.start()
        self._report.start()

    def cancel(self) -> None:
        """End the job soon."""
        self._job.cancel()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the job has ended and that was told, or for so many seconds."""
        self._report.join(timeout)

    def close(self, timeout: float) -> None:
        """Cancel the job, because the process ends."""
        self._job.cancel()
        self._work.join(timeout)
        self._closing.set()
        self._report.join(timeout)

    def _run(self) -> None:
        try:
            self._job.run()
        finally:
            self._over.set()

    def _tell(self) -> None:
        while not self._over.wait(PERIOD):
            self._listen()
            self._tell_progress()
        deadline = time.monotonic() + _LAST_WORDS
        while (
            not self._record(EventName.JOB_FINISHED) and time.monotonic() < deadline and not self._closing.wait(PERIOD)
        ):
            pass

    def _listen(self) -> None:
        try:
            on_record = self._history.job(self.job.job_id)
        except Exception as error:  # noqa: BLE001 (the history is a cache that may be deleted under us; the job goes on)
            _log.warning("job.deaf", job_id=self.job.job_id, error=type(error).__name__)
            return
        if on_record is not None and on_record.cancelling:
            self._job.cancel()

    def _tell_progress(self) -> None:
        job = self.job
        counts = (job.done, job.refused, job.unreadable, job.failed_again)
        if counts != self._told or time.monotonic() >= self._told_at + SIGN_OF_LIFE - PERIOD:
            self._told, self._told_at = counts, time.monotonic()
            self._record(EventName.JOB_PROGRESS)

    def _record(self, name: str) -> bool:
        job = self.job
        try:
            self._journal.record(name, job.actor, progress_of(job))
        except AntrianError as error:
            _log.warning("job.untold", job_id=job.job_id, reason=str(error))
            return False
        return True


def progress_of(job: Job) -> dict[str, object]:
    """The details of an event about a job."""
    return {
        "job_id": job.job_id,
        "state": job.state,
        "selected": job.selected,
        "done": job.done,
        "refused": job.refused,
        "unreadable": job.unreadable,
        "failed_again": job.failed_again,
        "detail": job.detail,
    }
