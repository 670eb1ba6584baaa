"""A release of held messages as a job: in the background, with progress in the journal, and a way to end it soon."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from antrian.broker.queue_scan.publication import Tally
from antrian.domain.errors import AntrianError
from antrian.domain.event_name import EventName
from antrian.domain.hold import LADDER_HOLDS, HoldReason
from antrian.domain.settings import Settings
from antrian.history.records import Job
from antrian.operations.dead_letters.job_progress import JobProgress, progress_of
from antrian.operations.dead_letters.job_registry import JobRegistry
from antrian.operations.dead_letters.job_work import JobWork, new_job
from antrian.operations.dead_letters.journal import Journal
from antrian.operations.lane.release import Release
from antrian.operations.lane.release_filter import ReleaseFilter

if TYPE_CHECKING:
    from antrian.history.follower import HistoryFollower

#: What tells such a job from a re-drive, among its options.
RELEASE: Final = "release"

#: Seconds between two looks at a job.
_LOOK = 0.25

#: Seconds after which an interrupted release is not gone on with. The consumers remember a message for a little longer;
#: later, what was left in the lane and on the ladder would be sent twice by it.
_LATEST = 86_400.0

#: Seconds between two looks for interrupted releases, and for the history to read all that there is.
_LOOK_FOR_INTERRUPTED, _BARRIER = 10.0, 5.0

#: Jobs among which interrupted ones are looked for.
_LISTED = 50

_log = structlog.get_logger("antrian.desk")


class ReleaseJob(JobWork):
    """Releases held messages.

    Args:
        job: as it begins.
        release: what it does.
        wanted: what was asked for.
    """

    def __init__(self, job: Job, release: Release, wanted: ReleaseFilter) -> None:
        super().__init__(job)
        self._release = release
        self._wanted = wanted
        self._tally = Tally()

    @property
    def looked_at(self) -> int:
        """How many messages of the ladder it has looked at, of all lanes."""
        return self._tally.seen

    def _work(self) -> None:
        self._progressed(self._release.run(is_enough=self._cancelled.is_set, on_progress=self._progressed))

    def _counted(self) -> Mapping[str, Any]:
        return {"selected": self._release.found, "done": self._tally.taken, "refused": self._tally.refused}

    def _remark(self) -> str:
        if self._release.found or self._cancelled.is_set():
            return ""
        return f"nothing is held in {self._wanted.in_words()}"

    def _progressed(self, tally: Tally) -> None:
        self._tally = tally


def release_job(settings: Settings, wanted: ReleaseFilter, actor: str, **more: object) -> ReleaseJob:
    """A job that is yet to begin.

    Args:
        settings: of the process.
        wanted: which messages.
        actor: who does it.
        more: what else is to be on record about it.

    Raises:
        BrokerError: the broker lacks a lane that is meant, or is not there.
    """
    job_id = str(uuid.uuid4())
    release = Release(settings, wanted, actor, job_id)
    asked = {"kind": RELEASE, **wanted.as_details(), "on_ladder": release.on_ladder(), **more}
    return ReleaseJob(new_job(job_id, actor, 0, asked), release, wanted)


def release_now(
    settings: Settings,
    wanted: ReleaseFilter,
    actor: str,
    *,
    watch: Callable[[ReleaseJob], None] = lambda _job: None,
    **more: object,
) -> Job:
    """Release held messages, and wait until that is done; an interrupt from the keyboard ends it in order.

    Args:
        settings: of the process.
        wanted: which messages.
        actor: who does it.
        watch: called every now and then, to show how far it is.
        more: what else is to be on record about it.

    Raises:
        BrokerError: the broker lacks a lane that is meant, or is not there; nothing was begun.
    """
    work, journal = release_job(settings, wanted, actor, **more), Journal(settings)
    journal.record(EventName.JOB_STARTED, actor, {**progress_of(work.job), "options": work.job.options})
    progress = JobProgress(work, journal, None)
    progress.start()
    try:
        while progress.job.state == "running":
            progress.join(_LOOK)
            watch(work)
        progress.join()
    finally:
        progress.cancel()
        progress.join()
    return work.job


class HeldReleases:
    """Begins releases in the background of this process; usable from any thread.

    Args:
        settings: of the process.
        jobs: of the process.
    """

    def __init__(self, settings: Settings, jobs: JobRegistry) -> None:
        self._settings = settings
        self._jobs = jobs

    def start(self, wanted: ReleaseFilter, actor: str, settings: Settings | None = None, **more: object) -> Job:
        """Begin to release these messages.

        Args:
            wanted: which messages.
            actor: who does it.
            settings: with the lanes as they are now; None for those of the start.
            more: what else is to be on record about it.

        Raises:
            BrokerError: the broker lacks a lane that is meant, or is not there; nothing was begun.
        """
        return self._jobs.begin(release_job(settings or self._settings, wanted, actor, **more))

    def go_on(self, now: float | None = None) -> list[Job]:
        """Begin anew what a process that died left unfinished: it may have left messages on the ladder and in the lane.

        Raises:
            BrokerError: the broker is not there; what was not begun is unfinished as before.
        """
        begun = []
        for job, wanted in self.unfinished(time.time() if now is None else now):
            begun.append(self.start(wanted, job.actor, continues=job.job_id))
            self._jobs.close_interrupted(job, f"goes on as job {begun[-1].job_id}")
        return begun

    def unfinished(self, now: float) -> list[tuple[Job, ReleaseFilter]]:
        """The releases whose process died within a day, as far as the history has read, and what they were for."""
        late = (job for job in self._jobs.latest(_LISTED) if job.state == "interrupted")
        asked = ((job, _asked_for(job.options)) for job in late if now - job.started_at < _LATEST)
        return [(job, wanted) for job, wanted in asked if wanted is not None]


class ReleaseResumption:
    """Goes on with releases that were interrupted, in whichever process, as long as this one lives.

    Args:
        releases: of the process.
        follower: of the history that knows the jobs.
    """

    def __init__(self, releases: HeldReleases, follower: "HistoryFollower") -> None:
        self._releases = releases
        self._follower = follower
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="antrian-releases", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; a job that was begun is the registry's."""
        self._stopping.set()
        self._thread.join(_BARRIER)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                # A history that is behind calls a job silent that has ended since.
                if self._releases.unfinished(time.time()) and self._follower.barrier(_BARRIER):
                    for job in self._releases.go_on():
                        _log.info("release.continued", job_id=job.job_id)
            except AntrianError as error:
                _log.warning("release.not_continued", reason=str(error))
            except Exception as error:  # noqa: BLE001 (the history is a cache that may be deleted under us)
                _log.warning("release.not_continued", error=type(error).__name__)
            self._stopping.wait(_LOOK_FOR_INTERRUPTED)


def _asked_for(options: Mapping[str, Any]) -> ReleaseFilter | None:
    """What an interrupted release was asked for; None for other jobs."""
    lanes, ids, source = options.get("lanes"), options.get("ids"), options.get("source")
    if options.get("kind") != RELEASE or not isinstance(lanes, Mapping):
        return None
    return ReleaseFilter(
        {str(lane): _reasons(reasons) for lane, reasons in lanes.items()},
        # More of them than are on record are not told apart: all that are held are judged anew, which does no harm.
        ids=frozenset(map(str, ids)) if isinstance(ids, list) else None,
        source=source if isinstance(source, str) else None,
        # A refusal of WhatsApp is not ended a second time: another one may have come since.
        ends_refusal=False,
    )


def _reasons(names: object) -> frozenset[HoldReason] | None:
    if not isinstance(names, list):
        return None
    return frozenset(HoldReason(name) for name in names if name in LADDER_HOLDS)
