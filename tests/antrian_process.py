"""`antrian …` as a process, made by the fork server: used like `subprocess.Popen`, and a tenth of its price.

One test of each command starts it as a user does (tests/e2e/test_program_started_by_a_user.py); so does whatever runs
`ANTRIAN` itself.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

#: The program that a user starts.
ANTRIAN = Path(sys.executable).parent / "antrian"

#: Variables that are read while the interpreter starts or a library is imported: with these a process must do both.
_READ_EARLY = ("PYTHON", "OTEL_", "PROMETHEUS_", "LC_", "LANG", "TERMINAL_WIDTH")

_Stream = int | IO[Any] | None


class _Server:
    """The fork server of this process, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._owner = 0

    def ask(self, request: bytes, descriptors: list[int]) -> None:
        with self._lock:
            if self._control is None or self._owner != os.getpid():
                self._start()
            assert self._control is not None
            socket.send_fds(self._control, [request], descriptors)

    def _start(self) -> None:
        self._control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._owner = os.getpid()
        command = [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(far.fileno()), str(ANTRIAN)]
        environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "USER"}}
        server = subprocess.Popen(
            command,
            env=environment,
            pass_fds=[far.fileno()],
            stdin=subprocess.DEVNULL,
        )
        far.close()
        atexit.register(self._stop, self._control, server, os.getpid())

    @staticmethod
    def _stop(control: socket.socket, server: "subprocess.Popen[bytes]", owner: int) -> None:
        if os.getpid() == owner:
            control.close()
            server.wait(60)


_server = _Server()


class AntrianProcess:
    """One process.

    Args:
        words: of the command line, without the program's name; or `-c`, the text of a Python program, and its words.
        env: all of its variables.
        stdin, stdout, stderr: as for `subprocess.Popen`.
        cwd: its folder.
        text: whether pipes carry text.
    """

    def __init__(
        self,
        words: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        stdin: _Stream = None,
        stdout: _Stream = None,
        stderr: _Stream = None,
        cwd: Path | None = None,
        text: bool = False,
    ) -> None:
        self.args = [str(ANTRIAN), *map(str, words)]
        self.returncode: int | None = None
        self.stdin = self.stdout = self.stderr = None
        self._lock = threading.Lock()
        self._said: dict[str, Any] = {}
        self._reading: set[str] = set()
        theirs: list[int] = []
        try:
            self.stdin, near = self._end_of(stdin, 0, theirs, text=text)
            self.stdout, far = self._end_of(stdout, 1, theirs, text=text)
            self.stderr, error = self._end_of(stderr, 2, theirs, text=text, stdout=far)
            self._status, status = os.pipe()
            theirs.append(status)
            about = {"words": self.args[1:], "environment": dict(env), "folder": str(cwd or Path.cwd())}
            _server.ask(json.dumps(about).encode(), [near, far, error, status])
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self.pid = int.from_bytes(os.read(self._status, 4), "little")
        assert self.pid, "the fork server has ended"

    @staticmethod
    def _end_of(
        wanted: _Stream, number: int, theirs: list[int], *, text: bool, stdout: int = -1
    ) -> tuple[IO[Any] | None, int]:
        """Our end of a pipe, if it is to be one, and the process's descriptor."""
        if wanted is None:
            return None, number
        if wanted == subprocess.STDOUT:
            return None, stdout
        if wanted == subprocess.DEVNULL:
            theirs.append(os.open(os.devnull, os.O_RDWR))
            return None, theirs[-1]
        if wanted == subprocess.PIPE:
            read, write = os.pipe()
            ours, their = (write, read) if number == 0 else (read, write)
            theirs.append(their)
            mode = ("w" if number == 0 else "r") + ("" if text else "b")
            return os.fdopen(ours, mode, encoding="utf-8" if text else None), their
        return None, wanted if isinstance(wanted, int) else wanted.fileno()

    def _has_news(self, timeout: float | None) -> bool:
        poller = select.poll()
        poller.register(self._status, select.POLLIN)
        return bool(poller.poll(None if timeout is None else max(timeout, 0) * 1000))

    def __del__(self) -> None:
        if status := getattr(self, "_status", 0):
            os.close(status)

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _look(self, timeout: float | None) -> int | None:
        # Waited for without the lock: another thread may want to end what this one waits for.
        if self.returncode is None and self._has_news(timeout):
            with self._lock:
                if self.returncode is None:
                    answer = os.read(self._status, 4)
                    assert answer, f"the fork server has ended, and with it {self.args}"
                    self.returncode = int.from_bytes(answer, "little", signed=True)
        return self.returncode

    def communicate(self, given: Any = None, timeout: float | None = None) -> tuple[Any, Any]:
        """Give it its input, and take what it says until its end.

        Raises:
            subprocess.TimeoutExpired: it goes on for longer than `timeout` seconds.
        """
        streams = {"stdout": self.stdout, "stderr": self.stderr}
        threads = [
            threading.Thread(target=lambda name=name, stream=stream: self._said.update({name: stream.read()}))
            for name, stream in streams.items()
            if stream is not None and name not in self._reading
        ]
        self._reading |= streams.keys()
        if self.stdin is not None and not self.stdin.closed:
            threads.append(threading.Thread(target=self._give, args=(given,)))
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join(timeout)
        for stream in streams.values():
            if stream is not None:
                stream.close()
        return self._said.get("stdout"), self._said.get("stderr")

    def _give(self, given: Any) -> None:
        assert self.stdin is not None
        with suppress(BrokenPipeError), self.stdin:  # it may not read, or not to the end
            if given:
                self.stdin.write(given)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe:
                pipe.close()
        self.wait()


def run_antrian(
    words: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    stdin: str = "",
    cwd: Path | None = None,
    timeout: float = 120,
) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end."""
    if any(name.startswith(_READ_EARLY) and os.environ.get(name) != value for name, value in env.items()):
        return subprocess.run(
            [ANTRIAN, *words],
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=cwd,
        )
    pipe = subprocess.PIPE
    process = AntrianProcess(words, env=env, stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd, text=True)
    try:
        stdout, stderr = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate(timeout=60)
        raise
    assert process.returncode is not None
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
