"""The processes that `antrian up` starts, keeps running, and ends."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from antrian.domain.errors import AntrianError

#: Seconds a process may take to end after SIGTERM before it is killed.
STOP_PATIENCE = 50.0

#: A process that ends so many times in a row, each time within so many seconds of its start, is given up.
MOST_QUICK_ENDS = 3
QUICK = 3.0

#: Lines of a process's log to show when it is given up.
_LAST_LINES = 5


class ChildFailed(AntrianError):
    """A process does not stay alive; the text holds its last words."""


class Child:
    """One process of ours, with its output in a file.

    Args:
        name: for people.
        arguments: of the `antrian` command.
        environment: all its variables.
        log: takes its output; begun anew.
    """

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = [*_tie(), sys.executable, "-m", "antrian", *arguments]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._quick_ends = 0
        self._started_at = 0.0
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")

    @property
    def pid(self) -> int | None:
        """The process's id while it has one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, in a session of its own so that a Ctrl-C reaches only us."""
        self._started_at = time.monotonic()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def revive(self) -> str | None:
        """Start it again if it has ended.

        Returns:
            A sentence about that, or None when it is alive.

        Raises:
            ChildFailed: it ends every time.
        """
        code = self._process.poll() if self._process else None
        if code is None:
            return None
        quick = time.monotonic() - self._started_at < QUICK
        self._quick_ends = self._quick_ends + 1 if quick else 0
        if self._quick_ends >= MOST_QUICK_ENDS:
            raise ChildFailed(f"the {self.name} keeps failing:\n{self.last_words()}")
        self.start()
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"the {self.name} {how}; it runs again as process {self.pid}"

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL for one that does not listen."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _tie() -> list[str]:
    # If we are killed with -9, nothing of ours may live on (Linux).
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
