"""A RabbitMQ container of our own, for machines that have a Docker engine and no RabbitMQ."""

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from antrian.broker.node.files import Identity, container_files
from antrian.broker.node.ports import free_port, is_free
from antrian.domain.errors import NoBroker

IMAGE = "rabbitmq:4.3-management"

#: Fetching the image may take minutes; starting it takes seconds (seconds).
_RUN_PATIENCE = 900.0
_START_PATIENCE = 90.0
_ANSWER_PATIENCE = 15.0


def engine_answers() -> bool:
    """Whether there is a `docker` program and an engine behind it."""
    try:
        return _docker("version", "--format", "{{.Server.Version}}").returncode == 0
    except NoBroker:
        return False


class BrokerContainer:
    """The RabbitMQ container of one home folder; its port is on 127.0.0.1, its messages in a named volume.

    Args:
        home: Antrian's folder (`settings.antrian_home`); the container and the volume are named after it.
        say: takes a sentence for people before something that takes long.
    """

    def __init__(self, home: Path, *, say: Callable[[str], None]) -> None:
        self._files = container_files(home)
        self._name = f"antrian-{hashlib.sha256(os.fsencode(self._files.folder)).hexdigest()[:8]}"
        self._say = say
        #: Whether the last `start` found the container running, and so started nothing.
        self.adopted = False

    def start(self) -> str:
        """Run the container and wait until it accepts AMQP; one that runs already is left as it is.

        Returns:
            The AMQP address, password included.

        Raises:
            NoBroker: the text has Docker's own words.
        """
        try:
            self._files.create()
            with self._files.locked():
                identity = self._files.identity() or replace(Identity.new(), name=self._name)
                self.adopted = identity.greeting() is not None
                if not self.adopted:
                    self._files.remember(identity := _with_a_free_port(identity))
                    self._run(identity)
        except OSError as error:
            raise NoBroker(f"{self._files.folder} cannot be used: {error.strerror or error}") from error
        return identity.url

    def stop(self) -> bool:
        """Stop and remove the container; the volume with the messages stays.

        Returns:
            Whether there was anything to stop.

        Raises:
            NoBroker: Docker does not answer.
        """
        _docker("stop", self._name, patience=60)
        # The name comes back when something was removed, and `--force` makes a missing container no error.
        return self._name in _docker("rm", "--force", self._name).stdout

    def _run(self, identity: Identity) -> None:
        self._say(f"starting RabbitMQ in a container ({IMAGE}); fetching it the first time may take minutes")
        _docker("rm", "--force", self._name)
        command = (
            *("run", "--detach", "--name", self._name, "--hostname", self._name),
            *("--publish", f"127.0.0.1:{identity.amqp_port}:5672"),
            *("--volume", f"{self._name}:/var/lib/rabbitmq"),
            # Values that docker takes from its own environment cannot be read in the list of processes.
            *("--env", "RABBITMQ_NODENAME", "--env", "RABBITMQ_DEFAULT_USER", "--env", "RABBITMQ_DEFAULT_PASS", IMAGE),
        )
        try:
            _check(_docker(*command, patience=_RUN_PATIENCE, environment=_variables(identity)))
            self._wait_until_it_answers(identity)
        except BaseException:  # Ctrl-C included: nothing half started stays behind
            self.stop()
            raise

    def _wait_until_it_answers(self, identity: Identity) -> None:
        deadline = time.monotonic() + _START_PATIENCE
        while not identity.greeting():
            running = _docker("inspect", "--format", "{{.State.Running}}", self._name).stdout.strip()
            if running != "true" or time.monotonic() > deadline:
                said = _docker("logs", "--tail", "20", self._name)
                raise NoBroker(f"the container {self._name} did not start: {_last_line(said.stdout + said.stderr)}")
            time.sleep(0.2)


def _with_a_free_port(identity: Identity) -> Identity:
    return identity if is_free(identity.amqp_port) else replace(identity, amqp_port=free_port())


def _variables(identity: Identity) -> dict[str, str]:
    return {
        "RABBITMQ_NODENAME": f"{identity.name}@localhost",
        "RABBITMQ_DEFAULT_USER": "antrian",
        "RABBITMQ_DEFAULT_PASS": identity.password,
    }


def _check(run: subprocess.CompletedProcess[str]) -> None:
    if run.returncode != 0:
        # The cause is on a line of this form, among advice that differs from version to version.
        errors = [line for line in run.stderr.splitlines() if line.startswith(("docker:", "Error", "ERROR"))]
        raise NoBroker(f"Docker could not run {IMAGE}: {_last_line(chr(10).join(errors) or run.stderr)}")


def _docker(
    *arguments: str, patience: float = _ANSWER_PATIENCE, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["docker", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=patience,
            stdin=subprocess.DEVNULL,
            env=os.environ | (environment or {}),
        )
    except FileNotFoundError:
        raise NoBroker("Docker is not installed on this machine") from None
    except subprocess.TimeoutExpired:
        raise NoBroker(f"docker {arguments[0]} did not answer within {patience:.0f} s") from None


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
