"""The compose file with deploy/production on top: users with few rights, and no secret in any environment."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import requests
from composition import Composition
from engine import ROOT, docker, inspected

from antrian.broker.node.ports import free_ports
from waiting import wait_until

pytestmark = pytest.mark.timeout(600)

FILES = [ROOT / "docker-compose.yml", ROOT / "deploy/production/docker-compose.yml"]
OURS = ("consumer", "admin_api", "receipts", "sandbox")


class Production(Composition):
    """The stack without its monitoring, with secrets of its own."""

    def __init__(self, folder: Path) -> None:
        admin, sandbox, management = map(str, free_ports(3))
        self.admin, self.sandbox = f"http://127.0.0.1:{admin}", f"http://127.0.0.1:{sandbox}"
        self.folder = folder
        variables = {
            "ADMIN_PORT": admin,
            "SANDBOX_PORT": sandbox,
            "RABBITMQ_MANAGEMENT_PORT": management,
            "WHATSAPP_QUEUE_DELAY": "0.2",
            "ANTRIAN_IMAGE": "antrian:test",
            "SECRETS": str(folder),
        }
        super().__init__(FILES, variables, "rabbitmq", *OURS, profile="demo")
        self.variables = variables

    def __enter__(self) -> Self:
        self.ask("build", "admin_api", patience=900)
        self.make_secrets()
        (self.folder / "whatsapp-api-key").chmod(0o644)
        (self.folder / "whatsapp-api-key").write_text("key-of-the-provider")
        super().__enter__()
        return self

    def make_secrets(self) -> None:
        script = ROOT / "deploy/production/make-secrets.sh"
        subprocess.run([script], check=True, env=os.environ | self.variables, timeout=120)

    def files(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.folder.iterdir() if file.is_file()}

    def send(self, text: str) -> None:
        """Publish a message by HTTP, and wait until it reached the sandbox."""
        command = ("antrian", "token", "create", "--role", "publisher", "--json")
        token = json.loads(self.ask("exec", "-T", "admin_api", *command))["token"]
        message, headers = {"phone_number": "081234567890", "message": text}, {"Authorization": f"Bearer {token}"}
        answer = requests.post(f"{self.admin}/messages", json=message, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text
        wait_until(lambda: text in self.texts(), 20, f"{text!r} was sent")

    def texts(self) -> list[str]:
        return [one["message"] for one in requests.get(f"{self.sandbox}/_sandbox/requests", timeout=60).json()]

    def secrets(self) -> set[str]:
        """Everything that must not be seen."""
        lines = (self.folder / "passwords").read_text().split()
        known = {"key-of-the-provider", (self.folder / "webhook-secret").read_text().strip()}
        return {line.partition("=")[2] for line in lines} | known


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with Production(tmp_path_factory.mktemp("secrets")) as running:
        yield running


def test_a_message_goes_through(production: Production) -> None:
    production.send("for real")


def test_the_broker_knows_the_four_users_and_nobody_else(production: Production) -> None:
    [broker] = production.containers("rabbitmq")
    users = json.loads(docker("exec", broker, "rabbitmqctl", "-q", "list_users", "--formatter", "json"))
    assert {user["user"] for user in users} == {"publisher", "consumer", "admin", "receipts"}

    def connected() -> set[str]:
        said = docker("exec", broker, "rabbitmqctl", "-q", "list_connections", "--formatter", "json")
        return {one["user"] for one in json.loads(said)}

    wait_until(lambda: connected() == {"consumer", "admin", "receipts"}, 20, "these three are connected")


def test_no_secret_is_in_an_environment_or_a_command_line(production: Production) -> None:
    for name in (name for service in ("rabbitmq", *OURS) for name in production.containers(service)):
        seen = json.dumps(inspected(name)["Config"])
        assert not [secret for secret in production.secrets() if secret in seen]


def test_making_the_secrets_again_changes_none(production: Production) -> None:
    before = production.files()
    production.make_secrets()
    assert production.files() == before


def test_new_passwords_are_taken_over_at_a_restart(production: Production) -> None:
    old = production.secrets()
    (production.folder / "passwords").unlink()
    production.make_secrets()
    assert len(production.secrets() & old) == 2, "the provider's key and the webhook's secret"
    production.ask("restart", "rabbitmq", "consumer", "admin_api", "receipts", patience=180)
    production.up()
    production.send("with new passwords")
