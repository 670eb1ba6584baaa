"""Debian's Chromium: found, or installed where we may; a missing one fails the tests."""

import os
import shutil
import subprocess

import pytest

PATH = "/usr/bin/chromium"

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


def find() -> str:
    """The path of a Chromium that can be started."""
    if not os.access(PATH, os.X_OK):
        _install()
    return PATH


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.fail(f"the browser tests need {PATH}: apt-get install chromium")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        # Several test processes may come at once: the lock makes them wait for each other.
        command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"Chromium could not be installed: {done.stderr[-1000:]}")
