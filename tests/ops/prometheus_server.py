"""A real Prometheus with the repository's own configuration, which reads the processes of one test."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import programs
import requests
import rulebook
import yaml

from antrian.broker.node.ports import free_port
from waiting import wait_until


class PrometheusServer:
    """Prometheus, started from deploy/prometheus/ with other addresses and a quicker clock.

    Args:
        folder: for its configuration, its data and its log.
        targets: addresses by job; each job of the configuration must have some.
    """

    def __init__(self, folder: Path, targets: Mapping[str, list[str]]) -> None:
        self._folder = folder
        self._config = folder / "prometheus.yml"
        self._config.write_text(yaml.safe_dump(_adapted(targets)), encoding="utf-8")
        self.url = f"http://127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, path: str, **parameters: Any) -> Any:
        """The data of an answer of its HTTP interface."""
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=60)
        assert answer.ok, answer.text
        return answer.json()["data"]

    def has_data(self, query: str) -> bool:
        """Whether a query gives any number within the last minutes."""
        now = time.time()
        result = self.ask("query_range", query=query, start=now - 300, end=now, step=1)["result"]
        return any(text != "NaN" for series in result for _, text in series["values"])

    def without_data(self, queries: Iterable[str], patience: float) -> list[str]:
        """Those of the queries that give nothing within so many seconds."""
        missing = list(dict.fromkeys(queries))
        with suppress(AssertionError):
            wait_until(
                lambda: not _keep(missing, lambda query: not self.has_data(query)), patience, "all have data", every=1
            )
        return missing

    def alerts(self) -> dict[str, str]:
        """The state of each alert that is pending or firing, by name."""
        return {alert["labels"]["alertname"]: alert["state"] for alert in self.ask("alerts")["alerts"]}

    def targets_that_fail(self) -> list[str]:
        """What is wrong with the addresses that are read; empty when each was read successfully."""
        targets = self.ask("targets")["activeTargets"]
        failing = [
            f"{one['scrapeUrl']}: {one['lastError'] or one['health']}" for one in targets if one["health"] != "up"
        ]
        # It takes some seconds until it knows of any.
        return failing if targets else ["nothing is read yet"]

    def rules_that_fail(self) -> list[str]:
        """What is wrong with the rules that could not be evaluated."""
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        return [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] == "err"]

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            return requests.get(f"{self.url}/-/ready", timeout=10).ok
        except requests.RequestException:
            return False

    def __enter__(self) -> Self:
        command = [
            programs.program("prometheus"),
            f"--config.file={self._config}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(self._answers, 30, "Prometheus is ready")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(60)


def _keep(these: list[str], wanted: Callable[[str], bool]) -> list[str]:
    these[:] = [one for one in these if wanted(one)]
    return these


def _adapted(targets: Mapping[str, list[str]]) -> dict[str, Any]:
    config: dict[str, Any] = rulebook.load(rulebook.PROMETHEUS / "prometheus.yml")
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(rulebook.PROMETHEUS / pattern) for pattern in config["rule_files"]]
    del config["alerting"]
    assert {job["job_name"] for job in config["scrape_configs"]} == targets.keys()
    config["scrape_configs"] = [_job(job, targets[job["job_name"]]) for job in config["scrape_configs"]]
    return config


def _job(job: dict[str, Any], targets: list[str]) -> dict[str, Any]:
    kept = {name: job[name] for name in ("job_name", "metrics_path", "params") if name in job}
    return kept | {"static_configs": [{"targets": targets}]}
