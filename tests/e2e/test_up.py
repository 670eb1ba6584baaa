"""`antrian up`: what a newcomer sees first."""

import json
import os
import re
import signal
import socket
import subprocess

import psutil
import pytest
import requests
from processes import ANTRIAN
from tcp_proxy import proxy_before
from up_process import Up

from waiting import wait_until


@pytest.fixture
def up(settings, tmp_path):
    started = []

    def start(*options, **more):
        started.append(Up(settings, tmp_path, *options, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGINT)
            one.process.wait(120)
        print(one.text())  # noqa: T201 (what pytest shows of a test that failed)


def test_the_demo_shows_five_sends_a_delay_apart_and_ctrl_c_leaves_nothing(up):
    ours = up("--demo", WHATSAPP_QUEUE_DELAY="2")
    wait_until(lambda: "reached the sandbox" in ours.text(), 60, "the demo is over")
    [summary] = re.findall(
        r"5 messages reached the sandbox, never closer than .* the gaps were ([\d., ]+) s", ours.text()
    )
    gaps = [float(gap) for gap in summary.split(", ")]
    assert len(gaps) == 4
    assert min(gaps) >= 2
    # The last answer comes after its event.
    wait_until(lambda: (ours.webhooks()["taken"], ours.webhooks()["given_up"]) == (15, 0), 10, "all are taken")
    assert "Eko: read\n" in ours.text()
    assert "5 were delivered, and 5 of them read." in ours.text()

    family = ours.family()
    ours.process.send_signal(signal.SIGINT)
    assert ours.process.wait(120) == 0
    assert psutil.wait_procs(family, timeout=60)[1] == []


def test_a_killed_consumer_comes_back_and_the_pace_is_kept(up):
    ours = up("--demo", WHATSAPP_QUEUE_DELAY="2")
    wait_until(lambda: "Ayu: sent" in ours.text(), 30, "the first is sent")
    os.kill(ours.consumer().pid, signal.SIGKILL)

    wait_until(lambda: "was ended by signal 9" in ours.text(), 10, "it is said that the consumer was killed")
    wait_until(lambda: "reached the sandbox" in ours.text(), 60, "the demo is over")
    assert "5 messages reached the sandbox, never closer than the delay of 2 s" in ours.text()


def test_a_killed_sandbox_and_a_killed_receipts_server_know_their_webhooks_again(up):
    ours = up()
    wait_until(lambda: "Kill the consumer" in ours.text(), 30, "everything runs")
    for name in ("sandbox", "receipts"):
        os.kill(ours.child(name).pid, signal.SIGKILL)
    wait_until(lambda: ours.text().count("was ended by signal 9") == 2, 10, "it is said that they were killed")

    def wrote():
        body = {"number": "6281234567890", "text": "Halo"}
        return requests.post(f"{ours.sandbox_url}/_sandbox/inbound", json=body, timeout=60).json()["forwarded"]

    wait_until(lambda: succeeds(wrote), 30, "what a person writes is taken", every=0.5)


def succeeds(ask):
    try:
        return ask()
    except requests.ConnectionError:
        return False


def test_when_it_is_killed_itself_nothing_lives_on(up):
    ours = up()
    wait_until(lambda: "Kill the consumer" in ours.text(), 30, "everything runs")
    family = ours.family()
    ours.process.kill()

    assert psutil.wait_procs(family, timeout=60)[1] == []


def test_a_busy_port_is_one_clear_sentence(up):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ours = up(SANDBOX_PORT=str(port))
        assert ours.process.wait(120) == 1
    assert f"port {port} for the sandbox cannot be used" in ours.text()
    assert "Traceback" not in ours.text()


def test_the_demo_is_refused_with_a_real_provider(up):
    ours = up("--demo", WHATSAPP_PROVIDER="mpwa")
    assert ours.process.wait(120) == 2
    assert "WHATSAPP_PROVIDER=sandbox" in ours.text()


def test_doctor_beside_it_finds_no_problem(up):
    ours = up(WHATSAPP_PROVIDER="")
    wait_until(lambda: "Kill the consumer" in ours.text(), 60, "everything runs")

    def doctor():
        done = subprocess.run(
            [ANTRIAN, "doctor", "--json"],
            env=ours.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, [one for one in json.loads(done.stdout)["findings"] if one["state"] == "problem"]

    wait_until(lambda: doctor() == (0, []), 30, "the doctor finds no problem", every=1)


def test_it_says_that_the_broker_went_away_and_came_back(up, broker_url):
    with proxy_before(broker_url) as wire:
        ours = up(AMQP_URL=wire.through(broker_url))
        wait_until(lambda: "Kill the consumer" in ours.text(), 60, "everything runs")
        # It asks for what waits before it watches, once a second.
        known = wire.connections
        wait_until(lambda: wire.connections >= known + 3, 10, "the broker is watched")
    wait_until(lambda: "the broker no longer answers" in ours.text(), 60, "its end is told")
    with proxy_before(broker_url, wire.port):
        wait_until(lambda: "the broker is back" in ours.text(), 60, "its return is told")
