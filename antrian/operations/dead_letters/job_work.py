"""What all jobs have in common: counts that others read while they work, a way to end them soon, and how they ended."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from antrian.domain.errors import AntrianError
from antrian.history.records import Job

#: Seconds without a report after which a job of another process is taken to be gone with its process.
SILENCE = 30.0

_log = structlog.get_logger("antrian.desk")


class JobStopped(Exception):
    """The work found a reason to end early; its text says which."""


class JobWork:
    """The work of one job; `run` is for a thread, everything else for any.

    Args:
        job: as it begins.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._cancelled = threading.Event()

    @property
    def job(self) -> Job:
        """The job as it is now."""
        return replace(
            self._job,
            **self._counted(),
            changed_at=time.time() if self._job.state == "running" else self._job.changed_at,
            cancelling=self._cancelled.is_set(),
        )

    def cancel(self) -> None:
        """End it soon: what is under way is finished, nothing new is begun."""
        self._cancelled.set()

    def run(self) -> None:
        """Run the job to its end; the result, errors included, is in `job` afterwards."""
        try:
            self._work()
        except JobStopped as error:
            self._end("stopped", str(error))
        except AntrianError as error:
            self._end("failed", f"{error}; repeat it to continue where it stopped")
        except Exception as error:  # noqa: BLE001 (a thread that dies without a word leaves a job that never ends)
            _log.error("job.failed", job_id=self._job.job_id, error=type(error).__name__)
            self._end("failed", f"an internal error ({type(error).__name__}); repeat it to continue where it stopped")
        else:
            self._end("cancelled" if self._cancelled.is_set() else "done", self._remark())

    def _work(self) -> None:
        """Do it all; `_cancelled` is looked at often.

        Raises:
            JobStopped: it is to end early.
        """
        raise NotImplementedError

    def _counted(self) -> Mapping[str, Any]:
        """The counts of the job as it is now, by the names of its fields."""
        raise NotImplementedError

    def _remark(self) -> str:
        """One sentence about a job that came to its end; empty where there is nothing to say."""
        raise NotImplementedError

    def _end(self, state: str, detail: str) -> None:
        self._job = replace(self._job, state=state, detail=detail, changed_at=time.time())


def new_job(job_id: str, actor: str, selected: int, options: Mapping[str, object]) -> Job:
    """A job that begins now."""
    now = time.time()
    return Job(
        job_id=job_id,
        state="running",
        actor=actor,
        started_at=now,
        changed_at=now,
        selected=selected,
        done=0,
        refused=0,
        unreadable=0,
        failed_again=0,
        detail="",
        cancelling=False,
        options=options,
    )


def of_another_process(job: Job, now: float) -> Job:
    """A job of another process: one that has been silent for too long is gone with it."""
    return replace(job, state="interrupted") if job.state == "running" and job.changed_at < now - SILENCE else job
