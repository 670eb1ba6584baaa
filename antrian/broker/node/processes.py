"""The processes of one private node: found by the mark in their environment, never by their name."""

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import psutil

from antrian.broker.node.files import FOLDER_MARK, TIED_MARK

_KILL_PATIENCE = 5.0


def spawn(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, output: BinaryIO, tied: bool
) -> psutil.Process:
    """Start a program in a session of its own, so that no Ctrl-C in our terminal reaches it.

    Args:
        command: the program and its arguments.
        environment: all its variables.
        folder: its working folder.
        output: takes what it prints.
        tied: end it when the calling *thread* ends, however it ends (where the system can do that: Linux).

    Raises:
        OSError: it could not be started.
    """
    tie = ["setpriv", "--pdeathsig", "TERM"] if tied and shutil.which("setpriv") else []
    child = subprocess.Popen(
        [*tie, *command],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    # It is waited for by its process id, perhaps from another process: this object has done its work.
    child.returncode = 0
    return psutil.Process(child.pid)


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every living process of the node in `folder`; other users' processes only if we are root."""
    return [process for process in psutil.process_iter() if _environment(process).get(FOLDER_MARK) == str(folder)]


def main_process(processes: Sequence[psutil.Process]) -> psutil.Process | None:
    """The server among a node's processes: the one that none of the others started, the port mapper aside."""
    ids = {process.pid for process in processes}
    return next((process for process in processes if not _is_epmd(process) and _parent(process) not in ids), None)


def tied_to(process: psutil.Process) -> int | None:
    """The process id with which `process` is to end, or None if it outlives its starter."""
    return int(_environment(process).get(TIED_MARK) or 0) or None


def has_lost_its_parent(process: psutil.Process) -> bool:
    """Whether the process was to end with another that is gone: it is ending, or ought to be."""
    return tied_to(process) not in (None, _parent(process))


def has_ended(process: psutil.Process) -> bool:
    """Whether `process` has ended; a child of ours is then cleared away, another's zombie counts as ended."""
    try:
        process.wait(timeout=0)
    except psutil.TimeoutExpired:
        return _is_zombie(process)
    return True


def end(processes: Sequence[psutil.Process], *, patience: float) -> None:
    """Stop a node's processes: the server in good order, then by force whatever is left, the port mapper last.

    Args:
        processes: all that belong to the node.
        patience: how long the server may take before it is killed, in seconds.
    """
    server = main_process(processes)
    mappers = [process for process in processes if _is_epmd(process)]
    others = [process for process in processes if process not in mappers]
    _signal(psutil.Process.terminate, [server] if server else [])
    _signal(psutil.Process.kill, _wait_for(others, patience))
    _signal(psutil.Process.terminate, mappers)
    _signal(psutil.Process.kill, _wait_for(mappers, _KILL_PATIENCE))
    _wait_for(processes, _KILL_PATIENCE)


def _wait_for(processes: Sequence[psutil.Process], patience: float) -> list[psutil.Process]:
    """Wait until all have ended, `patience` seconds at most; those that have not."""
    deadline = time.monotonic() + patience
    while (alive := [process for process in processes if not has_ended(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def _signal(send: Callable[[psutil.Process], None], processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        # psutil compares the start time first, so a process id that was given to another process is never hit.
        with suppress(psutil.NoSuchProcess):
            send(process)


def _environment(process: psutil.Process) -> Mapping[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):  # ended meanwhile, a zombie, or of another user
        return {}


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None


def _is_epmd(process: psutil.Process) -> bool:
    try:
        return process.name() == "epmd"
    except psutil.NoSuchProcess:
        return False
