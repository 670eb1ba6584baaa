"""What `antrian doctor` finds, for HTTP: one examination at a time, in a thread of its own, for everybody who asks."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import structlog

#: Seconds for which an examination serves all; and those who ask for a new one.
SHARED_FOR, AT_LEAST = 15.0, 2.0

#: Seconds that a request waits for an examination; then it gets what was found so far.
PATIENCE = 15.0

_log = structlog.get_logger("antrian.web")


class HasFinding(Protocol):
    """What is said about one thing."""

    @property
    def subject(self) -> str:
        """A bounded word, such as `topology`."""

    @property
    def state(self) -> str:
        """`ok`, `warning` or `problem`."""

    @property
    def found(self) -> str:
        """One sentence."""

    @property
    def todo(self) -> str:
        """What to do about it; empty when it is as it should be."""


class RunsExamination(Protocol):
    """One examination; `antrian.doctor.examination.Examination` is one."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of other programs, as far as they are known by now."""

    def findings(self) -> Iterable[HasFinding]:
        """Everything that there is to say, bit by bit."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What an examination found.

    Attributes:
        at: when it began, unix seconds.
        findings: in the order of the examination.
        versions: of other programs.
        is_complete: whether it has ended.
    """

    at: float
    findings: tuple[HasFinding, ...]
    versions: Mapping[str, str]
    is_complete: bool


class Checkups:
    """Examines when asked, and not more often than is good.

    Args:
        start: makes an examination.
        patience: seconds that the caller waits for it.
    """

    def __init__(self, start: Callable[[], RunsExamination], *, patience: float = PATIENCE) -> None:
        self._start = start
        self._patience = patience
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._latest: Checkup | None = None

    async def latest(self, *, most_seconds_old: float = SHARED_FOR) -> Checkup:
        """The latest examination; a new one when that is older."""
        with self._lock:
            known = self._latest
            if known is not None and 0 <= time.time() - known.at < max(most_seconds_old, AT_LEAST):
                return known
            if self._running is None:
                self._running = _Running(self._start(), self._keep)
                self._running.begin()
            running = self._running
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(running.done)), self._patience)
        except TimeoutError:
            return running.so_far(is_complete=False)

    def _keep(self, checkup: Checkup) -> None:
        with self._lock:
            self._latest, self._running = checkup, None


class _Running:
    """An examination under way."""

    def __init__(self, examination: RunsExamination, keep: Callable[[Checkup], None]) -> None:
        self.done: Future[Checkup] = Future()
        self._at = time.time()
        self._examination = examination
        self._found: list[HasFinding] = []
        self._keep = keep

    def begin(self) -> None:
        threading.Thread(target=self._run, name="doctor", daemon=True).start()

    def so_far(self, *, is_complete: bool) -> Checkup:
        return Checkup(self._at, tuple(self._found), dict(self._examination.versions), is_complete)

    def _run(self) -> None:
        is_complete = False
        try:
            for one in self._examination.findings():
                self._found.append(one)
            is_complete = True
        except Exception as error:  # noqa: BLE001 (whatever it trips over, it has said something already)
            _log.error("doctor.failed", error=type(error).__name__)
        checkup = self.so_far(is_complete=is_complete)
        self._keep(checkup)
        self.done.set_result(checkup)
