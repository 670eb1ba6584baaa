"""A Python that has imported the product once, and forks for every `antrian …` that a test starts.

Each of them is a process of its own, with its own environment, descriptors, signals and exit code; it only need not
import anything, which is nine tenths of what a short command does. See `antrian_process`, its client.
"""

import atexit
import contextlib
import gc
import io
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import IO, Any

#: Longest request: words, variables and a folder.
_LONGEST = 1 << 17


class ForkServer:
    """Forks on request; single-threaded, so that a fork copies no lock that another thread holds.

    Args:
        control: where requests come from, each with the descriptors 0 to 2 of the new process and one for its status.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._statuses: dict[int, int] = {}

    def serve(self) -> list[str] | None:
        """Fork until the client is gone.

        Returns:
            In a new process its words; None in the server, at its end.
        """
        # A handler that reaps by itself would be interrupted by the next end, and wait for a process already reaped.
        ended, wake_up = os.pipe()
        os.set_blocking(ended, False)
        os.set_blocking(wake_up, False)
        signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the client's business, which ends us
        while True:
            readable, _, _ = select.select([self._control, ended], [], [])
            if ended in readable:
                os.read(ended, 4096)
                self._reap()
            if self._control in readable:
                message, descriptors, _, _ = socket.recv_fds(self._control, _LONGEST, 4)
                if not message:
                    break
                request = json.loads(message)
                if (pid := os.fork()) == 0:
                    _become(request, descriptors)
                    return list(request["words"])
                self._statuses[pid] = descriptors.pop()
                _tell(self._statuses[pid], pid)
                for descriptor in descriptors:
                    os.close(descriptor)
        self._end()
        return None

    def _reap(self) -> None:
        for pid in list(self._statuses):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                descriptor = self._statuses.pop(pid)
                _tell(descriptor, os.waitstatus_to_exitcode(status))
                os.close(descriptor)

    def _end(self) -> None:
        for pid in list(self._statuses):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _tell(descriptor: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # the client may have lost its interest
        os.write(descriptor, number.to_bytes(4, "little", signed=True))


def _become(request: dict[str, object], descriptors: list[int]) -> None:
    """Make this process what one that the request's client starts by itself would be."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for target, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, target)
    os.closerange(3, max(int(one.name) for one in Path("/proc/self/fd").iterdir()) + 1)
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[arg-type]
    time.tzset()
    _open_streams()


def _open_streams() -> None:
    """As the interpreter does when it starts: by what is behind the descriptors."""
    sys.stdin = sys.__stdin__ = _stream(0, "rb", sys.stdin)
    sys.stdout = sys.__stdout__ = _stream(1, "wb", sys.stdout, line_buffering=os.isatty(1))
    sys.stderr = sys.__stderr__ = _stream(2, "wb", sys.stderr, line_buffering=True)


def _stream(descriptor: int, mode: str, like: Any, *, line_buffering: bool = False) -> io.TextIOWrapper:
    raw: IO[Any] = os.fdopen(descriptor, mode, closefd=False)
    return io.TextIOWrapper(raw, encoding=like.encoding, errors=like.errors, line_buffering=line_buffering)


def _import_product() -> None:
    """Everything: commands import what they need when they are called."""
    for package in map(import_module, ("antrian", "publisher", "consumer", "admin_api")):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    import_module("rich.progress")  # for the errors, and what takes long


def main() -> None:
    """Serve the client at the descriptor that is the first argument; in a new process, be `antrian`."""
    control = socket.socket(fileno=int(sys.argv[1]))
    program = sys.argv[2]
    sys.path.pop(0)  # the tests' folder is none of the product's
    _import_product()
    gc.collect()
    gc.freeze()  # a collection would touch, and so copy, all of it in each new process
    words = ForkServer(control).serve()
    if words is not None:
        control.detach()
        sys.argv[:] = [program, *words]
        try:
            _run(words)
        except SystemExit as end:
            _leave(end)
            raise


def _run(words: list[str]) -> None:
    """What `antrian …` does, or `python -c …` where a test has a program of its own."""
    if words[:1] == ["-c"]:
        sys.argv[:] = ["-c", *words[2:]]
        exec(compile(words[1], "<a test's program>", "exec"), {"__name__": "__main__"})  # noqa: S102
        raise SystemExit
    from antrian.cli.index import main as antrian  # noqa: PLC0415

    antrian()


def _leave(end: SystemExit) -> None:
    """End as the interpreter does, but leave the modules to the kernel: taking them down costs more than the rest."""
    if end.code is not None and not isinstance(end.code, int):
        return
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):  # if one cannot be written to, the interpreter says so itself
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code or 0)


if __name__ == "__main__":
    main()
