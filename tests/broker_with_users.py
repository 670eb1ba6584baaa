"""Brokers that know the publisher, the consumer and the admin of the definitions, each with its own password."""

import json
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from node_tools import rabbitmqctl
from pydantic import SecretStr

from antrian.broker.definitions import ROLES, definitions
from antrian.broker.node.greeting import greet
from antrian.broker.node.private_node import PrivateNode
from antrian.broker.topology import topology
from antrian.domain.settings import Settings
from waiting import wait_until


@dataclass(frozen=True)
class GuardedBroker:
    """A broker with users.

    Attributes:
        where: its host and port.
        passwords: by role.
        root_url: for a user who may do everything.
    """

    where: str
    passwords: dict[str, str]
    root_url: str

    def settings(self, role: str, settings: Settings) -> Settings:
        """The settings as one of the users has them."""
        url = f"amqp://{role}:{self.passwords[role]}@{self.where}/%2F"
        return settings.model_copy(update={"amqp_url": SecretStr(url)})


def new_passwords() -> dict[str, str]:
    return {role: secrets.token_hex(8) for role in ROLES}


def definitions_of(settings: Settings, passwords: dict[str, str]) -> str:
    return json.dumps(definitions(topology(settings), settings.lanes.names, passwords=passwords))


def guarded_node(node: PrivateNode, settings: Settings, folder: Path) -> GuardedBroker:
    """Teach a private node the users."""
    passwords = new_passwords()
    file = folder / "definitions.json"
    file.write_text(definitions_of(settings, passwords))
    rabbitmqctl(node, "import_definitions", str(file))
    url = node.status().url
    return GuardedBroker(urlsplit(url).netloc.rpartition("@")[2], passwords, url)


@contextmanager
def broker_container(image: str, *options: str, port: int = 5672) -> Iterator[tuple[str, str]]:
    """A RabbitMQ container with one port published: its id, and host:port. The user guest may do everything."""
    publish = ("--publish", f"127.0.0.1::{port}")
    container = _docker("run", "--detach", "--tmpfs", "/var/lib/rabbitmq", *publish, *options, image)
    try:
        where = _docker("port", container, str(port)).splitlines()[0]
        number = int(where.rpartition(":")[2])
        if port == 5672:
            wait_until(lambda: greet(number, node="rabbit"), 90, "the container's broker answers")
        yield container, where
    finally:
        _docker("rm", "--force", "--volumes", container)


def import_into(container: str, text: str) -> None:
    """Import definitions with the container's own tool."""
    # From a file: what comes through a pipe is not read by every version.
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        Path(file.name).chmod(0o644)
        _docker("cp", file.name, f"{container}:/definitions.json")
    _docker("exec", container, "rabbitmqctl", "--quiet", "import_definitions", "/definitions.json")


def _docker(*arguments: str) -> str:
    run = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()
