"""The real command line, as a user runs it."""

import json
import os
import pty
import re
import signal
import subprocess
from types import TracebackType
from typing import Any, Self

from antrian_process import AntrianProcess, run_antrian
from processes import environment

from antrian.domain.settings import Settings
from waiting import wait_until

_CONTROL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Cli:
    """Runs `antrian` with the settings of one test."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def environment(self, **more: str) -> dict[str, str]:
        return environment(self._settings, **more) | {"USER": "ani", "LOGNAME": "ani"}

    def run(self, *words: str, stdin: str | None = None, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run one command to its end."""
        return run_antrian(words, env=self.environment(**more), stdin=stdin or "")

    def say(self, *words: str, stdin: str | None = None, code: int = 0, **more: str) -> str:
        """What a command prints that ends with `code`."""
        done = self.run(*words, stdin=stdin, **more)
        assert done.returncode == code, done.stderr + done.stdout
        assert "\x1b" not in done.stdout + done.stderr
        return done.stdout

    def json(self, *words: str, code: int = 0, **more: str) -> Any:
        """What a command prints for programs."""
        return json.loads(self.say(*words, "--json", code=code, **more))


class TerminalCommand:
    """`antrian` on a terminal of its own."""

    def __init__(self, cli: Cli, *words: str, **more: str) -> None:
        self._near, far = pty.openpty()
        os.set_blocking(self._near, False)
        self.process = AntrianProcess(
            words,
            env=cli.environment(TERM="xterm", COLUMNS="120", LINES="40", **more),
            stdin=far,
            stdout=far,
            stderr=far,
        )
        os.close(far)
        self._bytes = b""

    def text(self) -> str:
        """Everything on the terminal since the last `forget`, without colours and cursor movements."""
        try:
            while piece := os.read(self._near, 65536):
                self._bytes += piece
        except OSError:
            pass  # nothing more for now, or the other end is closed
        return _CONTROL_CODES.sub("", self._bytes.decode(errors="replace"))

    def forget(self) -> None:
        self.text()
        self._bytes = b""

    def wait_for(self, words: str, timeout: float = 10) -> None:
        wait_until(lambda: words in self.text(), timeout, f"{words!r} is on the terminal")

    def write(self, keys: str) -> None:
        """What a person types."""
        os.write(self._near, keys.encode())

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        os.close(self._near)
