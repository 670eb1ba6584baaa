"""Runs one job; writes its progress and its end to the journal, and watches for a request to cancel it."""

import threading
import time
from typing import TYPE_CHECKING

import structlog

from antrian.domain.errors import AntrianError
from antrian.domain.event_name import EventName
from antrian.history.records import Job
from antrian.operations.dead_letters.job_work import JobWork
from antrian.operations.dead_letters.journal import Journal

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: Seconds between two reports of a job that goes on, at least; and of one that waits, at most.
PERIOD = 1.0
SIGN_OF_LIFE = 5.0

#: Seconds for which writing the end of a job is retried while the broker is away.
_END_RETRIES = 600.0

_log = structlog.get_logger("antrian.desk")


class JobProgress:
    """Runs one job to its end and keeps the journal informed, in two threads of its own.

    Args:
        job: what to run.
        journal: where its progress is written.
        history: where a request to cancel it appears, whichever process was asked; None for a job that only its own
            process can cancel.
    """

    def __init__(self, job: JobWork, journal: Journal, history: "History | None") -> None:
        self._job = job
        self._journal = journal
        self._history = history
        self._recorded: tuple[int, ...] = ()
        self._recorded_at = 0.0
        self._over = threading.Event()
        self._closing = threading.Event()
        name = f"antrian-job-{job.job.job_id[:8]}"
        self._work = threading.Thread(target=self._run, name=name, daemon=True)
        self._report = threading.Thread(target=self._report_until_over, name=f"{name}-report", daemon=True)

    @property
    def job(self) -> Job:
        """The job as it is now."""
        return self._job.job

    def start(self) -> None:
        """Begin."""
        self._recorded_at = time.monotonic()
        self._work.start()
        self._report.start()

    def cancel(self) -> None:
        """End the job soon."""
        self._job.cancel()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the end of the job is in the journal, or for so many seconds."""
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

    def _report_until_over(self) -> None:
        while not self._over.wait(PERIOD):
            self._look_for_cancellation()
            self._record_progress()
        deadline = time.monotonic() + _END_RETRIES
        while (
            not self._record(EventName.JOB_FINISHED) and time.monotonic() < deadline and not self._closing.wait(PERIOD)
        ):
            pass

    def _look_for_cancellation(self) -> None:
        if self._history is None:
            return
        try:
            on_record = self._history.job(self.job.job_id)
        except Exception as error:  # noqa: BLE001 (the history is a cache that may be deleted under us; the job goes on)
            _log.warning("job.deaf", job_id=self.job.job_id, error=type(error).__name__)
            return
        if on_record is not None and on_record.cancelling:
            self._job.cancel()

    def _record_progress(self) -> None:
        job = self.job
        counts = (job.selected, job.done, job.refused, job.unreadable, job.failed_again)
        if counts != self._recorded or time.monotonic() >= self._recorded_at + SIGN_OF_LIFE - PERIOD:
            self._recorded, self._recorded_at = counts, time.monotonic()
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
