"""`docker compose --profile demo up`, for real: the images are built, every service runs, messages go through it.

Grafana alone is left out: there is nothing to make a stand-in of it from (see prepare.sh); its dashboards are proved by
tests/ops.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Self

import pytest
import requests
from composition import Composition
from engine import ROOT, docker, inspected, log

from admin_api.auth.urls import PREFIX
from antrian.broker.node.ports import free_ports
from waiting import wait_until

pytestmark = pytest.mark.timeout(600)

DELAY = 2.0
OURS = ("consumer", "admin_api", "receipts", "sandbox")
SERVICES = ("rabbitmq", *OURS, "prometheus", "alertmanager")
PORTS = (
    "ADMIN_PORT",
    "SANDBOX_PORT",
    "RECEIPTS_PORT",
    "RABBITMQ_MANAGEMENT_PORT",
    "PROMETHEUS_PORT",
    "ALERTMANAGER_PORT",
)


class Stack(Composition):
    """The project's compose file, with a short pause and free ports."""

    def __init__(self) -> None:
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        settings = {"WHATSAPP_QUEUE_DELAY": str(DELAY), "ANTRIAN_IMAGE": "antrian:test"}
        super().__init__([ROOT / "docker-compose.yml"], self.ports | settings, *SERVICES, profile="demo")

    def __enter__(self) -> Self:
        # They all are one image.
        self.ask("build", "consumer", patience=900)
        return super().__enter__()

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    def token(self, role: str) -> dict[str, str]:
        """Headers with a new token, made as the how-to says."""
        made = self.ask(
            "exec", "-T", "admin_api", "antrian", "token", "create", "--role", role, "--name", role, "--json"
        )
        return {"Authorization": f"Bearer {json.loads(made)['token']}"}

    def arrivals(self) -> list[dict[str, object]]:
        """What reached the sandbox."""
        return list(requests.get(f"{self.url('SANDBOX_PORT')}/_sandbox/requests", timeout=60).json())

    def receipts(self) -> dict[str, int]:
        """What became of the sandbox's receipts."""
        return dict(requests.get(f"{self.url('SANDBOX_PORT')}/_sandbox/webhook", timeout=60).json())

    def texts(self) -> list[str]:
        return [str(arrival["message"]) for arrival in self.arrivals()]

    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in pairwise(float(str(one["at"])) for one in self.arrivals())]

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.texts()) >= count, 20 + count * DELAY, f"{count} messages reached the sandbox")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running


@pytest.fixture(scope="module")
def publisher(stack: Stack) -> dict[str, str]:
    return stack.token("publisher")


def publish(stack: Stack, headers: dict[str, str], *texts: str) -> None:
    for text in texts:
        message = {"phone_number": "081234567890", "message": text}
        answer = requests.post(f"{stack.url('ADMIN_PORT')}/messages", json=message, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text


def test_every_service_runs_and_is_well(stack: Stack) -> None:
    def states() -> dict[str, str]:
        return {name: stack.state(name) for service in SERVICES for name in stack.containers(service)}

    def are_well() -> bool:
        found = states()
        asked = {state for name, state in found.items() if "prom" not in name and "alert" not in name}
        return asked == {"healthy"} and set(found.values()) <= {"healthy", "running"}

    assert len(states()) == len(SERVICES) + 1, "two consumers, one of everything else"
    # Whoever was asked at a busy moment is asked again.
    wait_until(are_well, 60, "all of them are well")


def test_our_processes_have_no_rights_that_they_do_not_need(stack: Stack) -> None:
    for name in (name for service in OURS for name in stack.containers(service)):
        host = inspected(name)["HostConfig"]
        assert docker("exec", name, "id", "-u").strip() == "10001"
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]


def test_nothing_is_reachable_from_other_machines(stack: Stack) -> None:
    containers = docker("ps", "--quiet", "--filter", f"label=com.docker.compose.project={stack.project}").split()
    bindings = [inspected(one)["NetworkSettings"]["Ports"].values() for one in containers]
    published = [place for ports in bindings for places in ports for place in places or ()]
    assert {place["HostIp"] for place in published} == {"127.0.0.1"}
    assert {place["HostPort"] for place in published} == set(stack.ports.values())


def test_a_newcomer_is_told_how_to_log_in(stack: Stack) -> None:
    [admin] = stack.containers("admin_api")
    assert "antrian token create --role admin" in log(admin)


def test_five_messages_leave_a_pause_apart(stack: Stack, publisher: dict[str, str]) -> None:
    publish(stack, publisher, *(f"message {number}" for number in range(5)))
    stack.wait_for(5)
    assert stack.texts() == [f"message {number}" for number in range(5)]
    assert min(stack.gaps()) >= DELAY
    assert median(stack.gaps()) < DELAY * 2, "no pause is kept twice"
    wait_until(lambda: stack.receipts()["taken"] == 15, 30, "the receipts server took sent, delivered and read of each")
    assert stack.receipts()["given_up"] == 0


def test_a_killed_consumer_is_replaced_by_the_standby(stack: Stack, publisher: dict[str, str]) -> None:
    before = len(stack.texts())
    sent = {name: log(name).count("message.sent") for name in stack.containers("consumer")}
    publish(stack, publisher, "first", "second", "third", "fourth")
    stack.wait_for(before + 2)
    active = wait_until(
        lambda: next((name for name in sent if log(name).count("message.sent") > sent[name]), ""), 20, "one has sent"
    )
    docker("kill", active)
    stack.wait_for(before + 4)
    # One more pause, in which a message that was sent twice would show itself.
    settled = time.monotonic() + DELAY * 1.5
    wait_until(lambda: time.monotonic() > settled, DELAY * 2, "a pause has passed")
    assert stack.texts()[before:] == ["first", "second", "third", "fourth"]
    gaps = stack.gaps()[before:]
    sys.stdout.write(f"gap over the kill: {gaps[1]:.3f} s at a delay of {DELAY:g} s\n")
    assert all(gap >= DELAY for gap in gaps)
    # A quiet machine takes some seconds; a standby that waits for a heartbeat takes a minute.
    assert max(gaps) < DELAY + 30
    stack.up()
    assert len(stack.containers("consumer")) == 2


def test_the_tokens_and_the_history_outlive_the_container(stack: Stack, publisher: dict[str, str]) -> None:
    stack.ask("rm", "--stop", "--force", "admin_api")
    stack.up()
    publish(stack, publisher, "after")
    wait_until(lambda: "after" in stack.texts(), 20, "it was sent")
    viewer = stack.token("viewer")
    status = requests.get(f"{stack.url('ADMIN_PORT')}{PREFIX}/status", headers=viewer, timeout=60).json()
    assert status["consumers"] >= 1


def test_the_dashboard_asks_who_is_there(stack: Stack) -> None:
    page = requests.get(f"{stack.url('ADMIN_PORT')}{PREFIX}/login", timeout=60)
    assert page.status_code == 200
    assert "<form" in page.text


def test_prometheus_reads_every_process(stack: Stack) -> None:
    def health() -> dict[str, list[str]]:
        answer = requests.get(f"{stack.url('PROMETHEUS_PORT')}/api/v1/targets", timeout=60).json()
        found: dict[str, list[str]] = {}
        for target in answer["data"]["activeTargets"]:
            found.setdefault(target["labels"]["job"], []).append(target["health"])
        return found

    wait_until(
        lambda: (
            {"antrian-consumer": ["up", "up"], "antrian-admin": ["up"], "rabbitmq": ["up"]}.items() <= health().items()
        ),
        60,
        "all targets are up",
    )


def test_alertmanager_is_known_to_prometheus(stack: Stack) -> None:
    def known() -> list[str]:
        answer = requests.get(f"{stack.url('PROMETHEUS_PORT')}/api/v1/alertmanagers", timeout=60).json()
        return [one["url"] for one in answer["data"]["activeAlertmanagers"]]

    wait_until(lambda: known() == ["http://alertmanager:9093/api/v2/alerts"], 20, "it is known")
