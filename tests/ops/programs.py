"""The programs of Prometheus, Alertmanager and systemd, from Debian's packages, installed when the machine has none."""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from antrian.broker.node import debian_package

#: The package that brings each program.
PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "systemd-analyze": "systemd",
}


def program(name: str) -> str:
    """The path of a program; a machine that has none and lets us install none fails the test."""
    with (Path(tempfile.gettempdir()) / "antrian-test-install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes need them at the same moment
        if found := shutil.which(name):
            return found
        _install(PACKAGES[name])
    return shutil.which(name) or pytest.fail(f"{PACKAGES[name]} was installed and brought no {name}")


def run(name: str, *arguments: str | Path, given: bytes | None = None) -> str:
    """What a program says; the test fails with it when the program is not content."""
    done = subprocess.run(
        [program(name), *arguments],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, said
    return said


def _install(package: str) -> None:
    if not debian_package.can_install():
        pytest.fail(f"this test needs {package}: on Debian or Ubuntu, apt-get install {package}")
    with debian_package._no_service_starts(debian_package.POLICY):
        problem = debian_package._apt_get("update") or debian_package._apt_get(
            "install", "--yes", "--no-install-recommends", package
        )
    assert not problem, f"apt-get could not install {package}: {problem}"
