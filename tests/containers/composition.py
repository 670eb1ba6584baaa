"""A compose project of one test: started, looked into, and taken away with its volumes."""

import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from engine import docker, inspected, log


class Composition:
    """The services of a compose project under a project name of the test's own.

    Args:
        files: the compose file, and others that change it.
        environment: variables that it reads.
        services: which to start; all of them without.
        profile: a profile to switch on.
    """

    def __init__(self, files: Sequence[Path], environment: dict[str, str], *services: str, profile: str = "") -> None:
        self.project = f"antrian-test-{secrets.token_hex(4)}"
        # The engine would otherwise read the .env of whoever runs the tests.
        self._compose = ["compose", "--env-file", "/dev/null", "--project-name", self.project]
        self._compose += [word for file in files for word in ("--file", str(file))]
        self._compose += ["--profile", profile] if profile else []
        self._environment = environment
        self._services = services

    def ask(self, *arguments: str, patience: float = 120) -> str:
        """What a compose command prints."""
        return docker(*self._compose, *arguments, patience=patience, environment=self._environment)

    def up(self) -> None:
        """Start what is not running, and wait until all of it is well."""
        self.ask("up", "--detach", "--wait", "--wait-timeout", "300", *self._services, patience=600)

    def containers(self, service: str) -> list[str]:
        """Names of a service's running containers."""
        return sorted(self.ask("ps", "--format", "{{.Name}}", service).split())

    def state(self, container: str) -> str:
        """`healthy`, or `running` where nobody asks after its health."""
        state = inspected(container)["State"]
        return str(state.get("Health", {}).get("Status", state["Status"]))

    def __enter__(self) -> Self:
        try:
            self.up()
        except BaseException:
            self._down(tell=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._down(tell=error is not None)

    def _down(self, *, tell: bool) -> None:
        if tell:
            for name in self.ask("ps", "--all", "--format", "{{.Name}}").split():
                sys.stderr.write(f"--- {name}\n{log(name)[-3_000:]}\n")
        self.ask("down", "--volumes", "--timeout", "5", patience=180)
