"""The private node, with real servers, real signals and real users. Each start takes some five seconds."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from pika import BasicProperties

from antrian.broker.connection import open_channel
from antrian.broker.discovery import running_broker_url
from antrian.broker.node.files import Identity, private_node_files
from antrian.broker.node.private_node import PrivateNode
from antrian.broker.node.processes import main_process, processes_of
from antrian.domain.settings import load_settings
from waiting import wait_until

PERSISTENT = BasicProperties(delivery_mode=2)

#: A program that starts the node of a home (its 1st argument), prints the address and lives until its input ends.
STARTER = """
import sys
from pathlib import Path
from antrian.broker.node.private_node import PrivateNode
print(PrivateNode(Path(sys.argv[1])).start(tied_to_parent=sys.argv[2] == "tied"), flush=True)
sys.stdin.read()
"""

#: The same as an unprivileged user. The interpreter may lie where only root can read: everything it needs is
#: imported before the change of user.
UNPRIVILEGED_STARTER = """
import encodings.idna, os, sys
from pathlib import Path
from antrian.broker.node.private_node import PrivateNode
from antrian.domain.errors import NoBroker
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    print(PrivateNode(Path(sys.argv[1])).start(tied_to_parent=True), flush=True)
except NoBroker as error:
    print(error, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder whose node, if any, is stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="antrian $test; 'é' ", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        PrivateNode(Path(folder)).stop()


def start_process(home: Path, how: str = "tied", *, program: str = STARTER) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(home), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def started_by_another(home: Path, how: str = "tied", *, program: str = STARTER) -> Iterator[subprocess.Popen[str]]:
    with start_process(home, how, program=program) as process:
        try:
            yield process
        finally:
            process.kill()


def processes(home: Path) -> list[psutil.Process]:
    return processes_of(private_node_files(home).folder)


def listening_addresses(home: Path) -> set[str]:
    found: set[str] = set()
    for process in processes(home):
        # The node has short-lived helpers, which may be gone by now.
        with suppress(psutil.NoSuchProcess):
            connections = process.net_connections("tcp")
            found |= {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
    return found


def names(home: Path) -> list[str]:
    found: list[str] = []
    for process in processes(home):
        with suppress(psutil.NoSuchProcess):
            found.append(process.name())
    return found


def suspend(home: Path) -> bool:
    """Have every process of the node stand still; whether one still moved."""
    moved = False
    for process in processes(home):
        with suppress(psutil.NoSuchProcess):
            moved = moved or process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
            process.suspend()
    return moved


def port_of(url: str) -> int | None:
    return urlsplit(url).port


def publish(url: str, body: bytes) -> None:
    with open_channel((url,), name="test") as channel:
        channel.queue_declare("kept", durable=True)
        channel.basic_publish("", "kept", body, PERSISTENT, mandatory=True)


def waiting(url: str) -> int:
    with open_channel((url,), name="test") as channel:
        return int(channel.queue_declare("kept", passive=True).method.message_count)


def server_of(home: Path) -> psutil.Process:
    server = main_process(processes(home))
    assert server is not None
    return server


def test_messages_and_address_survive_stop_and_kill(home: Path) -> None:
    node = PrivateNode(home)
    url = node.start(tied_to_parent=True)
    publish(url, b"kept")
    assert all(ip_address(address).is_loopback for address in listening_addresses(home))

    assert node.stop()
    assert processes(home) == []
    assert not node.status().running
    assert not node.stop()

    assert node.start(tied_to_parent=True) == url
    assert waiting(url) == 1

    server_of(home).kill()  # its port mapper and its helpers are left, as after the kernel killed it for its memory
    wait_until(lambda: not node.status().running, 10, "the server was gone")
    assert node.start(tied_to_parent=True) == url
    assert waiting(url) == 1


def test_node_ends_with_its_parent_however_that_ends(home: Path) -> None:
    with started_by_another(home) as parent:
        url = parent.stdout.readline().strip()
        status = PrivateNode(home).status()
        assert (status.running, status.url, status.tied_to) == (True, url, parent.pid)
        parent.kill()
        wait_until(lambda: not processes(home), 20, "no process of the node was left")


def test_a_start_killed_half_way_then_two_starts_at_once_make_one_node(home: Path) -> None:
    with started_by_another(home, "detached") as killed:
        wait_until(lambda: main_process(processes(home)), 20, "the server process was there")
        killed.kill()
    # Left alone it would be a healthy node in some seconds, and be kept, should the others come that late.
    wait_until(lambda: not suspend(home), 20, "the orphan stands still")
    orphan = server_of(home)

    with started_by_another(home, "detached") as one, started_by_another(home, "detached") as other:
        assert one.stdout.readline() == other.stdout.readline() != ""
    assert server_of(home) != orphan
    assert names(home).count("beam.smp") == 1

    # Both starters are gone, and the node is not; whoever comes now leaves it as it is.
    node = PrivateNode(home)
    node.start(tied_to_parent=True)
    assert node.adopted
    assert node.status().tied_to is None


def test_unprivileged_user_beside_another_node(broker_url: str, home: Path) -> None:
    if os.geteuid() == 0:
        os.chown(home, 65534, 65534)
    with started_by_another(home, program=UNPRIVILEGED_STARTER) as starter:
        url = starter.stdout.readline().strip()
        assert url, starter.stderr.read()
        assert url != broker_url
        publish(url, b"one")
        assert server_of(home).uids().real != 0
        assert (private_node_files(home).folder.stat().st_mode & 0o777) == 0o700


def test_taken_port_is_answered_with_a_new_one_and_a_sentence(home: Path) -> None:
    files = private_node_files(home)
    files.create()
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as intruder:
        taken = intruder.getsockname()[1]
        files.remember(replace(Identity.new(), amqp_port=taken))
        node = PrivateNode(home, say=said.append)
        url = node.start(tied_to_parent=True)
    assert f":{taken}/" not in url
    assert said == [f"port {taken} is taken by another program: the private broker moves to port {port_of(url)}"]
    assert running_broker_url(load_settings({"ANTRIAN_HOME": str(home)})) == url


def test_folder_of_another_user_is_one_sentence(home: Path) -> None:
    home.chmod(0o500)
    with started_by_another(home, program=UNPRIVILEGED_STARTER) as starter:
        assert "broker cannot be used: Permission denied" in starter.stdout.readline()
