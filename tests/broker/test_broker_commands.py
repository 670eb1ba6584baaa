"""`antrian broker`, as people and programs use it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from antrian_process import ANTRIAN, run_antrian

from antrian.broker.discovery import find_broker, running_broker_url
from antrian.broker.node.private_node import PrivateNode
from antrian.domain.errors import NoBroker
from antrian.domain.settings import load_settings

NOT_RUNNING = "Error: no broker is running: start one with `antrian broker start`, or set AMQP_URL\n"


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="antrian-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        PrivateNode(Path(folder)).stop()


def antrian_broker(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_antrian(["broker", *arguments], env=_environment(home) | variables)


def _environment(home: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "AMQP_URL"} | {"ANTRIAN_HOME": str(home)}


def answer(home: Path, *arguments: str) -> dict[str, object]:
    done = antrian_broker(home, *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_broker_started_by_hand_runs_until_it_is_stopped(home: Path) -> None:
    settings = load_settings({"ANTRIAN_HOME": str(home)})
    # In a process of its own, as all commands once (tests/e2e/test_program_started_by_a_user.py).
    command = [ANTRIAN, "broker", "start", "--json"]
    done = subprocess.run(command, env=_environment(home), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    started = json.loads(done.stdout)
    url = started["url"]
    assert started == {"started": True, "kind": "node", "url": url}
    assert antrian_broker(home, "url").stdout == f"{url}\n"
    assert answer(home, "url") == {"url": url}
    assert running_broker_url(settings) == url

    status = answer(home, "status")
    assert status["running"] is True
    assert status["folder"] == f"{home}/broker"
    for_people = antrian_broker(home, "status").stdout
    assert for_people == f"RabbitMQ {status['version']} runs on port {status['port']}, data in {home}/broker.\n"

    found = find_broker(settings, tied_to_parent=True)
    found.stop()
    assert (found.url, found.kind, found.started) == (url, "node", False)
    assert answer(home, "start") == {"started": False, "kind": "node", "url": url}

    assert answer(home, "stop") == {"stopped": True}
    assert PrivateNode(home).status().pid is None
    assert answer(home, "stop") == {"stopped": False}


def test_without_a_broker(home: Path) -> None:
    assert antrian_broker(home, "status").stdout == "No private broker is running; `antrian broker start` starts one.\n"
    assert answer(home, "status")["running"] is False
    refused = antrian_broker(home, "url")
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", NOT_RUNNING)
    with pytest.raises(NoBroker, match="no broker is running"):
        running_broker_url(load_settings({"ANTRIAN_HOME": str(home)}))


def test_amqp_url_wins(home: Path) -> None:
    named = {"AMQP_URL": "amqp://broker.example:5672/,amqp://other.example:5672/"}
    assert antrian_broker(home, "start", **named).stdout == "AMQP_URL is set, so there is nothing to start.\n"
    assert antrian_broker(home, "url", **named).stdout == f"{named['AMQP_URL']}\n"
    assert "not used, because AMQP_URL is set" in antrian_broker(home, "status", **named).stdout
    found = find_broker(load_settings(named), tied_to_parent=True)
    assert (found.url, found.kind, found.started) == (named["AMQP_URL"], "url", False)
    assert found.stop() is None


@pytest.mark.parametrize("arguments", [["begin"], ["start", "--quickly"], ["url", "there"]])
def test_wrong_use_ends_with_2(home: Path, arguments: list[str]) -> None:
    assert antrian_broker(home, *arguments).returncode == 2


def test_unusable_home_is_one_sentence_and_1(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    refused = antrian_broker(file, "start")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"Error: the private broker's folder {file}/broker cannot be used: Not a directory\n"
