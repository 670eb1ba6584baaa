"""One cause, one call: a real Alertmanager with the repository's own configuration holds the consequences back."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import programs
import pytest
import requests
import rulebook

from antrian.broker.node.ports import free_port
from waiting import wait_until


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of its HTTP interface."""
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    address = f"127.0.0.1:{free_port()}"
    command = [
        programs.program("prometheus-alertmanager"),
        f"--config.file={rulebook.ALERTMANAGER}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(f"http://{address}"), 30, "Alertmanager answers")
        yield f"http://{address}/api/v2"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/-/ready", timeout=10).ok
    except requests.RequestException:
        return False


@pytest.mark.parametrize(
    ("cause", "held_back", "told"),
    [
        ("AntrianBrokerDown", ["AntrianNothingSent", "AntrianConsumerAbsent", "AntrianPublishFailing"], []),
        ("AntrianBrokerDiskAlarm", ["AntrianNothingSent", "AntrianPublishFailing"], ["AntrianAdminDown"]),
        ("AntrianBreakerOpen", ["AntrianNothingSent"], ["AntrianDeadLettersGrowing", "AntrianGapViolated"]),
        ("AntrianConsumerAbsent", ["AntrianNothingSent", "AntrianPriorityBacklog"], ["AntrianAdminDown"]),
    ],
)
def test_a_cause_holds_its_consequences_back_and_nothing_else(
    alertmanager: str, cause: str, held_back: list[str], told: list[str]
) -> None:
    lane = cause.lower()  # a lane for each case: they share one Alertmanager
    names = [cause, *held_back, *told]
    labels = [{"alertname": name, "lane": lane, "severity": "critical"} for name in names]
    answer = requests.post(f"{alertmanager}/alerts", json=[{"labels": one} for one in labels], timeout=60)
    assert answer.ok, answer.text

    wait_until(lambda: _inhibited(alertmanager, lane) == set(held_back), 15, f"{held_back} are held back")

    requests.post(
        f"{alertmanager}/alerts", json=[{"labels": one, "endsAt": "2020-01-01T00:00:00Z"} for one in labels], timeout=60
    )
    wait_until(lambda: not _shown(alertmanager, lane), 15, "they are over")


def test_another_lanes_provider_is_no_excuse(alertmanager: str) -> None:
    labels = [
        {"alertname": "AntrianBreakerOpen", "lane": "one", "severity": "critical"},
        {"alertname": "AntrianNothingSent", "lane": "two", "severity": "critical"},
    ]
    requests.post(f"{alertmanager}/alerts", json=[{"labels": one} for one in labels], timeout=60)

    wait_until(lambda: len(_shown(alertmanager, "two")) == 1, 15, "it is shown")

    assert _inhibited(alertmanager, "two") == set()


def _shown(url: str, lane: str) -> list[dict[str, dict[str, object]]]:
    found: list[dict[str, dict[str, object]]] = requests.get(
        f"{url}/alerts", params={"filter": f'lane="{lane}"', "active": "true"}, timeout=60
    ).json()
    return found


def _inhibited(url: str, lane: str) -> set[object]:
    return {one["labels"]["alertname"] for one in _shown(url, lane) if one["status"]["inhibitedBy"]}
