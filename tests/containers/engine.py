"""Talking to the Docker engine. Where there is none, what asks here fails: a test that is skipped proves nothing."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def docker(*arguments: str, patience: float = 120, environment: dict[str, str] | None = None) -> str:
    """What a docker command prints on stdout."""
    run = subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    command = " ".join(arguments[:6])
    assert run.returncode == 0, f"docker {command} … failed (see tests/containers/prepare.sh): {run.stderr[-4_000:]}"
    return run.stdout


def inspected(container: str) -> dict[str, Any]:
    """All that the engine knows about a container."""
    [answer] = json.loads(docker("inspect", container))
    return dict(answer)


def log(container: str) -> str:
    """What a container wrote, on stdout and stderr."""
    run = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True, timeout=120)
    return run.stdout + run.stderr
