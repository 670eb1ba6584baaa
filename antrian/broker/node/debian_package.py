"""The distribution's own RabbitMQ, installed without letting its service start."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from antrian.domain.errors import NoBroker

#: Debian's maintainer scripts ask this program before they start a service; 101 means "you may not".
POLICY = Path("/usr/sbin/policy-rc.d")
_FORBIDDEN = 101
_OURS = "# Put here by Antrian while it installs rabbitmq-server; remove it if you find it at any other time."

#: Where apt keeps what its mirrors offer.
LISTS = Path("/var/lib/apt/lists")


def can_install() -> bool:
    """Whether this is Debian or one of its children, and we are root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def install_rabbitmq(say: Callable[[str], None], *, policy: Path = POLICY, lists: Path = LISTS) -> None:
    """Install the package `rabbitmq-server`; its service is not started, and another one's policy is not touched.

    Args:
        say: takes one sentence for people before anything is done.
        policy: the path of `policy-rc.d`.
        lists: the folder of apt's package lists.

    Raises:
        NoBroker: the text has the package manager's own words.
    """
    say("installing RabbitMQ from the distribution (apt-get install rabbitmq-server), without starting its service …")
    with _no_service_starts(policy), _terminated_like_interrupted():
        problem = "the package lists are missing"
        if any(lists.glob("*_Packages*")):
            problem = _install()
        if problem:
            # Old lists name packages that the mirror no longer has.
            problem = _apt_get("update") or _install()
    if problem:
        raise NoBroker(f"apt-get could not install rabbitmq-server: {problem}")


def _install() -> str:
    return _apt_get("install", "--yes", "--no-install-recommends", "rabbitmq-server")


def _apt_get(*arguments: str) -> str:
    """Run apt-get to its end, Ctrl-C or not; the last of what it complained about, empty when all went well."""
    # A signal that comes after its start waits until it is watched over.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        process = subprocess.Popen(
            ["apt-get", "--quiet", "--option", "DPkg::Lock::Timeout=120", *arguments],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before),  # noqa: PLW1509 (no thread runs yet)
        )
        complaints = _complaints_of(process, before)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if process.returncode == 0:
        return ""
    lines = [line.removeprefix("E: ") for line in complaints.splitlines() if line.strip()]
    return lines[-1] if lines else f"it ended with code {process.returncode}"


def _complaints_of(process: subprocess.Popen[str], signals: Iterable[int]) -> str:
    """What it says on stderr until it ends; from now on, `signals` alone are blocked."""
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
        _, complaints = process.communicate()
    except BaseException:
        # It gives up while it fetches, and finishes the package that it is unpacking: killed there, it would leave
        # the machine's packages broken, and an unwatched service could start.
        process.send_signal(signal.SIGINT)
        process.communicate()
        raise
    return complaints


@contextmanager
def _no_service_starts(policy: Path) -> Iterator[None]:
    saved = policy.with_name(policy.name + ".saved-by-antrian")
    _clear_leftovers(policy, saved)
    if _forbids(policy):
        yield
        return
    try:
        if policy.exists():
            policy.rename(saved)
        policy.write_text(f"#!/bin/sh\n{_OURS}\nexit {_FORBIDDEN}\n", encoding="utf-8")
        policy.chmod(0o755)
        yield
    finally:
        _clear_leftovers(policy, saved)


def _clear_leftovers(policy: Path, saved: Path) -> None:
    # Also what an installation that was killed has left.
    if policy.is_file() and _OURS in policy.read_text(encoding="utf-8", errors="replace"):
        policy.unlink()
    if saved.exists() and not policy.exists():
        saved.rename(policy)


def _forbids(policy: Path) -> bool:
    try:
        answer = subprocess.run([policy, "rabbitmq-server", "start"], check=False, capture_output=True)
    except OSError:
        return False
    return answer.returncode == _FORBIDDEN


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Turn SIGTERM into an exception, as Ctrl-C is one, so that what was put in place is taken away again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
