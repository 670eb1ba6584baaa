import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

COMMAND = [sys.executable, "-c", "import typer; from antrian.cli.sandbox import sandbox; typer.run(sandbox)"]


@contextmanager
def running(*options: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    return line.split(" listens on ", 1)[1].split(";", 1)[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sandbox_listens_until_it_is_told_to_stop(number: signal.Signals) -> None:
    with running("--port", "0") as process:
        healthy = requests.get(f"{address(process)}/healthz", timeout=60).json()
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)

    assert (healthy, process.returncode, output, errors) == ({"status": "ok"}, 0, "", "")


def test_port_comes_from_the_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with running(SANDBOX_PORT=str(port)) as process:
        assert address(process) == f"http://127.0.0.1:{port}"


def test_busy_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with running("--port", str(port)) as process:
            output, errors = process.communicate(timeout=60)

    assert (process.returncode, output) == (1, "")
    assert errors == f"The sandbox cannot listen on http://127.0.0.1:{port}: Address already in use.\n"


def test_host_that_is_none_is_one_sentence() -> None:
    with running("--host", "host.invalid", "--port", "0") as process:
        _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors.count("\n")) == (1, 1)
    assert errors.startswith("The sandbox cannot listen on http://host.invalid:0: ")
