"""The tutorial and a how-to, done as they are written."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from antrian_shim import AntrianShim
from doc_runner import Reader
from processes import environment
from queue_fixture import Stock
from up_process import Up

from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.node.ports import free_port
from antrian.broker.topology import topology
from waiting import wait_until


@pytest.fixture
def sandbox_port():
    return str(free_port())


@pytest.fixture
def shim() -> Iterator[Path]:
    """A folder with the `antrian` that is typed; with a short name, because a socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="antrian-") as folder, AntrianShim(Path(folder) / "bin") as ours:
        yield ours.folder


@pytest.fixture
def up(settings, tmp_path, sandbox_port):
    """What `make run` starts, without the demo."""
    ours = Up(settings, tmp_path, SANDBOX_PORT=sandbox_port)
    try:
        wait_until(lambda: "Kill the consumer" in ours.text(), 60, "everything runs")
        yield ours
    finally:
        ours.process.send_signal(signal.SIGINT)
        ours.process.wait(120)


@pytest.mark.timeout(900)  # some thirty commands, one after the other
def test_the_tutorial_can_be_followed(settings, tmp_path, up, sandbox_port, shim):
    variables = environment(settings, ANTRIAN_HOME=str(tmp_path), SANDBOX_PORT=sandbox_port)
    variables = {name: value for name, value in variables.items() if name != "WHATSAPP_PROVIDER" and value}
    known = {"make run": "true", "CONSUMER_PID": str(up.consumer().pid), "8089": sandbox_port}
    reader = Reader(tmp_path, variables, known, [shim])

    reader.follow("tutorial.md", {"antrian publish 081234569001 'Undangan Anda' --wait": [1], "antrian clear": [2]})

    def texts():
        url = f"http://127.0.0.1:{sandbox_port}/_sandbox/requests"
        return [one["message"] for one in requests.get(url, timeout=60).json()]

    wait_until(lambda: {"satu", "dua", "Selamat datang"} <= set(texts()), 20, "everything was sent")
    assert texts().count("Undangan Anda") == 2, "to the wrong number, and to the right one"
    assert texts().count("Bayar di https://example.com/bayar/17") == 1
    assert "was ended by signal 9" in up.text()
    assert "2 messages are back." in reader.answers[f"antrian undo {reader.known['UNDO_ID']}"]
    read = "antrian history search --status read --json"
    wait_until(lambda: "Selamat datang" in reader.type(read, 0), 20, "what was sent is delivered and read")
    assert "0 problems" in reader.answers["WHATSAPP_PROVIDER=sandbox antrian doctor"]


def test_what_waits_survives_a_change_of_its_queue(settings, tmp_path, shim):
    settings = settings.model_copy(update={"whatsapp_queue_type": "classic"})
    stock, wanted = Stock(settings), topology(settings)
    lane = stock.names.lane("default")
    with open_channel(settings.amqp_urls, name="test") as channel:
        channel.queue_delete(lane)
        channel.queue_declare(lane, durable=True, arguments={"x-max-priority": 9})
        for binding in wanted.bindings:
            if binding.destination == lane and binding.to == "queue":
                channel.queue_bind(lane, binding.source, binding.key)
    stock.add_waiting("m1", "m2")
    stock.add_waiting("m3", priority=9)

    reader = Reader(tmp_path, environment(settings), {"wa.lane.default": lane}, [shim])
    reader.follow("howto/change-a-queue.md", {"antrian topology plan": [1]})

    assert [one.message_id for one in stock.in_lane()] == ["m3", "m1", "m2"]
    with open_channel(settings.amqp_urls, name="test") as channel:
        assert {one.status for one in topology_sync.plan(channel.connection, wanted)} == {topology_sync.SyncStatus.SAME}
