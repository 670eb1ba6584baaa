"""Debian's Chromium: found, or installed where we may; a missing one fails the tests.

The headless shell is the same engine without a browser's own windows. Those cost more than what is tested: with them,
an empty page takes 1 s of a processor's time, without them 0.1 s.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

#: The shell, and the whole browser for where there is no shell; each is the name of its package, too.
SHELL, BROWSER = "chromium-headless-shell", "chromium"

#: Quiet, without the sandbox that a container cannot have, and without QUIC, which proxies break.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

#: Seconds that each step of an installation may take.
_LONGEST = 300

#: Where apt could not install the shell, it is not asked again: it may be without a network, and takes its time.
_REFUSED = Path(tempfile.gettempdir()) / f"antrian-no-{SHELL}-{os.getuid()}"


def find() -> str:
    """The path of a Chromium that can be started."""
    if found := shutil.which(SHELL):
        return found
    browser = shutil.which(BROWSER)
    if browser and _REFUSED.exists():
        return browser
    trouble = _install(SHELL)
    if not trouble:
        return find()
    if not browser:
        trouble = _install(BROWSER)
        if trouble:
            pytest.fail(f"the browser tests need {SHELL} or {BROWSER}, and neither can be installed: {trouble}")
    _REFUSED.touch()
    return find()


def _install(package: str) -> str:
    """Install a package; what went wrong, or nothing."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"apt-get install {package}"
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        # Several test processes may come at once: the lock makes them wait for each other.
        command = ["apt-get", "-qq", "-o", f"DPkg::Lock::Timeout={_LONGEST}", *words]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=_LONGEST
            )
        except subprocess.TimeoutExpired:
            return f"{' '.join(command)} took more than {_LONGEST} s"
        if done.returncode:
            return done.stderr[-1000:]
    return "" if shutil.which(package) else f"{package} is installed and not in PATH"
