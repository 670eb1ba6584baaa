"""A process that a benchmark starts, and surely ends."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.errors import BenchmarkFailed
from bench.waiting import wait_until

#: Seconds that a process may take to end after SIGTERM, before it is killed.
STOP_PATIENCE = 15.0

#: The source tree of these benchmarks.
CHECKOUT = Path(__file__).resolve().parent.parent
_LAST_LINES = 8


class Child:
    """One Python process, with its output in a file; as a context manager it is ended at the end.

    Args:
        arguments: of `python`, such as `-m antrian consume`.
        log: takes its output.
        environment: all its variables.
        checkout: the source tree whose code it runs.
    """

    def __init__(
        self, arguments: Sequence[str], log: Path, environment: Mapping[str, str], checkout: Path = CHECKOUT
    ) -> None:
        self._command = [*_tie(), _python(checkout), *arguments]
        self._log = log
        self._checkout = checkout
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it has one."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """The file that takes its output."""
        return self._log

    def start(self) -> Self:
        """Start it, in a session of its own so that a Ctrl-C reaches only us."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._checkout,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def tell(self, line: str) -> None:
        """Write one line to its standard input."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def lines(self) -> list[str]:
        """What it has printed so far, over all its lives; only whole lines."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return text.split("\n")[:-1]

    def wait_for(self, word: str, patience: float, *, times: int = 1) -> str:
        """The line with `word` in it, once it has printed so many of them.

        Raises:
            BenchmarkFailed: it ended, or the time was over, before it did; with its last words.
        """

        def found() -> list[str]:
            # Asked first: what it printed before its end is then in the file.
            ended = self._process is not None and self._process.poll() is not None
            lines = [line for line in self.lines() if word in line]
            if ended and len(lines) < times:
                raise BenchmarkFailed("it ended")
            return lines[times - 1 :]

        try:
            return wait_until(found, patience, f"it printed {word}")[0]
        except BenchmarkFailed as error:
            last = "\n".join(self.lines()[-_LAST_LINES:])
            raise BenchmarkFailed(f"{' '.join(self._command[-4:])}: {error}; its last words:\n{last}") from None

    def kill(self) -> None:
        """`kill -9`; it may be started again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._hang_up()

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL for one that does not listen."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _python(checkout: Path) -> str:
    """The interpreter with the dependencies of that source tree."""
    own = checkout / ".venv" / "bin" / "python"
    return str(own) if checkout != CHECKOUT and own.exists() else sys.executable


def _tie() -> list[str]:
    # If we are killed with -9, nothing of ours may live on (Linux).
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
