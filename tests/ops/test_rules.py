"""Prometheus's and Alertmanager's own tools check what they will be given."""

import re
from pathlib import Path

import programs
import pytest
import rulebook


def test_prometheus_accepts_its_configuration() -> None:
    said = programs.run("promtool", "check", "config", rulebook.PROMETHEUS / "prometheus.yml")

    assert f"{len(rulebook.rule_files())} rule files found" in said


@pytest.mark.parametrize("path", rulebook.rule_files(), ids=lambda path: path.stem)
def test_prometheus_accepts_the_rules_and_finds_nothing_to_criticise(path: Path) -> None:
    programs.run("promtool", "check", "rules", "--lint=all", "--lint-fatal", path)


@pytest.mark.parametrize("path", sorted(rulebook.RULE_TESTS.glob("*.yml")), ids=lambda path: path.stem)
def test_the_alert_fires_when_it_should_and_only_then(path: Path) -> None:
    programs.run("promtool", "test", "rules", path)


def test_what_replicas_report_is_put_together_as_it_should_be() -> None:
    programs.run("promtool", "test", "rules", Path(__file__).parent / "recordings.yml")


def test_alertmanager_accepts_its_configuration() -> None:
    programs.run("amtool", "check-config", rulebook.ALERTMANAGER)


def test_every_receiver_that_is_offered_as_an_example_is_accepted(tmp_path: Path) -> None:
    text = re.sub(r"^#> ", "  ", rulebook.ALERTMANAGER.read_text(encoding="utf-8"), flags=re.MULTILINE)
    config = tmp_path / "alertmanager.yml"
    config.write_text(text, encoding="utf-8")

    said = programs.run("amtool", "check-config", config)

    assert "4 receivers" in said


def test_nobody_is_called_by_default_and_no_secret_is_in_the_repository() -> None:
    config = rulebook.load(rulebook.ALERTMANAGER)

    assert config["receivers"] == [{"name": config["route"]["receiver"]}]


def test_a_critical_alert_is_told_sooner_and_again_sooner() -> None:
    route = rulebook.load(rulebook.ALERTMANAGER)["route"]
    critical = next(one for one in route["routes"] if one["matchers"] == ['severity="critical"'])

    assert _seconds(critical["group_wait"]) < _seconds(route["group_wait"])
    assert _seconds(critical["repeat_interval"]) < _seconds(route["repeat_interval"])


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_every_severity_finds_its_receiver(severity: str) -> None:
    receiver = rulebook.load(rulebook.ALERTMANAGER)["route"]["receiver"]
    options = (f"--config.file={rulebook.ALERTMANAGER}", f"--verify.receivers={receiver}")

    programs.run("amtool", "config", "routes", "test", *options, f"severity={severity}")


def test_inhibitions_name_alerts_that_exist() -> None:
    names = {alert.name for alert in rulebook.alerts()}
    config = rulebook.load(rulebook.ALERTMANAGER)
    matchers = [
        matcher
        for rule in config["inhibit_rules"]
        for side in ("source", "target")
        for matcher in rule[f"{side}_matchers"]
    ]
    mentioned = {name for matcher in matchers for name in re.findall(r"Antrian\w+", matcher)}

    assert mentioned
    assert mentioned <= names


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]
