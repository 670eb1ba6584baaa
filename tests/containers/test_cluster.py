"""Three nodes of RabbitMQ 4.3, quorum queues, and `kill -9` of the node that leads while messages are sent.

Publisher and consumers are our processes on this machine; their addresses name the node that is to die first.
"""

import json
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest
from arrivals import Arrivals
from cleanup import sweep
from composition import Composition
from engine import ROOT, docker
from processes import ConsumerProcess
from records import Records

from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.node.ports import free_ports
from antrian.broker.topology import Names, topology
from antrian.domain.settings import Settings, load_settings
from antrian.sandbox.server import SandboxServer
from publisher import Publisher, PublisherError
from waiting import elapsed, wait_until

pytestmark = pytest.mark.timeout(600)

DELAY = 0.5
NODES = ("rabbit1", "rabbit2", "rabbit3")
#: Seconds within which sending must go on. What its settings make slow is slow every time; a busy machine is not.
LONGEST_STALL, TRIES = 10.0, 3


class Cluster(Composition):
    """The cluster of deploy/cluster/, on free ports."""

    def __init__(self) -> None:
        self.ports = dict(zip(NODES, free_ports(3), strict=True))
        self._password = secrets.token_hex(8)
        variables = {f"{node.upper()}_PORT": str(port) for node, port in self.ports.items()}
        variables |= {"RABBITMQ_ERLANG_COOKIE": secrets.token_hex(16), "RABBITMQ_PASSWORD": self._password}
        super().__init__([ROOT / "deploy/cluster/docker-compose.yml"], variables)

    def url(self, *order: str) -> str:
        """The addresses, those of `order` first."""
        nodes = [*order, *(node for node in NODES if node not in order)]
        return ",".join(f"amqp://antrian:{self._password}@127.0.0.1:{self.ports[node]}/%2F" for node in nodes)

    def ask_node(self, *command: str, node: str) -> str:
        return docker("exec", f"{self.project}-{node}-1", *command)

    def members(self, node: str) -> set[str]:
        status = json.loads(self.ask_node("rabbitmqctl", "cluster_status", "--formatter", "json", node=node))
        return set(status["running_nodes"])

    def leader(self, queue: str, node: str) -> str:
        """The node that leads a queue, as another node knows it."""
        answer = self.ask_node("rabbitmqctl", "-q", "list_queues", "name", "leader", "--formatter", "json", node=node)
        leaders = {one["name"]: one["leader"] for one in json.loads(answer)}
        return str(leaders[queue]).partition("@")[2]

    def kill(self, node: str) -> None:
        docker("kill", "--signal", "KILL", f"{self.project}-{node}-1")

    def revive(self, node: str) -> None:
        docker("start", f"{self.project}-{node}-1")
        wait_until(lambda: len(self.members(_another(node))) == 3, 90, f"{node} is a member again", every=1)


def _another(node: str) -> str:
    return next(one for one in NODES if one != node)


class Registrations:
    """Publishes one message after the other, each until it is confirmed, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.confirmed: list[str] = []
        self.longest_wait = 0.0
        self._settings = settings
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with Publisher(self._settings, source="test") as publisher:
            while not self._ended.wait(0.25):
                text, began = f"message {len(self.confirmed)}", time.monotonic()
                while not self._is_accepted(publisher, text):
                    pass
                self.longest_wait = max(self.longest_wait, time.monotonic() - began)
                self.confirmed.append(text)

    def _is_accepted(self, publisher: Publisher, text: str) -> bool:
        try:
            # With the same key, as a service does that got no answer: it is sent once.
            publisher.queue_message("081234567890", text, idempotency_key=text, timeout=2)
        except PublisherError:
            return False
        return True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(120)
        assert not self._thread.is_alive(), "the last message was confirmed"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        wait_until(lambda: len(running.members("rabbit1")) == 3, 60, "all three nodes are members", every=1)
        yield running


@pytest.fixture
def lane(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[tuple[Settings, str, Arrivals]]:
    """Settings whose first address is the node that leads the lane, that node, and what arrives."""
    variables = {
        "AMQP_URL": cluster.url(),
        "ANTRIAN_HOME": str(tmp_path),
        "WHATSAPP_QUEUE_NAMESPACE": namespace,
        "WHATSAPP_QUEUE_TYPE": "quorum",
        "WHATSAPP_QUEUE_DELAY": str(DELAY),
        "WHATSAPP_QUEUE_RETRY_DELAYS": "2",
    }
    with open_channel(load_settings(variables).amqp_urls, name="test") as channel:
        topology_sync.apply(channel.connection, topology(load_settings(variables)))
    leader = cluster.leader(Names(namespace).lane("default"), "rabbit1")
    with SandboxServer() as sandbox:
        more = {"AMQP_URL": cluster.url(leader), "WHATSAPP_API_URL": sandbox.url}
        yield load_settings(variables | more), leader, Arrivals(sandbox)
    sweep(load_settings(variables))


def test_queues_are_replicated_and_dead_letter_at_least_once(cluster, lane):
    settings, leader, _ = lane
    items = ("name", "type", "members", "arguments")
    answer = cluster.ask_node("rabbitmqctl", "-q", "list_queues", *items, "--formatter", "json", node=leader)
    ours = [one for one in json.loads(answer) if one["name"].startswith(settings.whatsapp_queue_namespace)]
    assert {one["type"] for one in ours} == {"quorum", "stream"}
    assert {len(one["members"]) for one in ours} == {3}
    ladder = [{key: value for key, _, value in one["arguments"]} for one in ours if ".delay." in one["name"]]
    assert {one["x-dead-letter-strategy"] for one in ladder} == {"at-least-once"}


@pytest.mark.parametrize("replicas", [1, 2])
def test_the_leader_is_killed_and_sending_goes_on(cluster, lane, tmp_path, replicas):
    settings, leader, arrivals = lane
    stalls: list[float] = []
    with ExitStack() as running:
        running.callback(lambda: cluster.revive(leader))
        for number in range(replicas):
            running.enter_context(ConsumerProcess(settings, tmp_path / f"consumer-{number}.log"))
        with Registrations(settings) as registrations:
            arrivals.wait_for(4, 60)
            while not stalls or (stalls[-1] > LONGEST_STALL and len(stalls) < TRIES):
                if stalls:
                    cluster.revive(leader)
                    leader = cluster.leader(Names(settings.whatsapp_queue_namespace).lane("default"), leader)
                before = len(arrivals.texts())
                cluster.kill(leader)
                arrivals.wait_for(before + 6, 60)
                stalls.append(max(arrivals.gaps()[before - 1 :]))
        count = len(registrations.confirmed)
        arrivals.wait_for(count, 30 + DELAY * 2 * count)
        wait_until(elapsed(DELAY * 3), DELAY * 4, "some more pauses are over")
        sys.stdout.write(
            f"{replicas} consumers, {count} messages: longest pause {stalls[-1]:.2f} s at a delay of {DELAY:g} s, "
            f"longest publish {registrations.longest_wait:.2f} s\n"
        )
        assert sorted(arrivals.texts()) == sorted(registrations.confirmed), "none lost, none twice"
        assert min(arrivals.gaps()) >= DELAY
        assert min(stalls) <= LONGEST_STALL


def test_a_retry_on_the_ladder_survives_the_loss_of_a_node(cluster, lane, tmp_path):
    settings, leader, arrivals = lane
    records = Records(settings)
    with ConsumerProcess(settings, tmp_path / "consumer.log"), Publisher(settings, source="test") as publisher:
        publisher.queue_message("081234569003", "fails twice")
        records.wait_for_event("outcome.retrying", 60)
        cluster.kill(leader)
        try:
            arrivals.wait_for(3, 60)
            # Recorded a second time where the confirm was lost with the node.
            sent = records.wait_for_event("outcome.sent", 60)
            assert {event.attempt for event in sent} == {3}
        finally:
            cluster.revive(leader)
