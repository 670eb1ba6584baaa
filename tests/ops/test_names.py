"""Alerts, runbooks and rule tests belong together by name."""

import re
from typing import Any

import pytest
import rulebook

ALERTS = rulebook.alerts()
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
by_name = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    pages = {path.stem for path in rulebook.RUNBOOKS.glob("*.md")} - {"README"}

    assert pages == {alert.name for alert in ALERTS}


def test_every_alert_has_tests_and_every_test_an_alert() -> None:
    assert {path.stem for path in rulebook.RULE_TESTS.glob("*.yml")} == {alert.name for alert in ALERTS}


def test_the_list_of_runbooks_names_all_of_them() -> None:
    listed = re.findall(r"\]\((Antrian\w+)\.md\)", (rulebook.RUNBOOKS / "README.md").read_text(encoding="utf-8"))

    assert sorted(listed) == sorted(alert.name for alert in ALERTS)


@by_name
def test_an_alert_is_tested_both_ways(alert: rulebook.Rule) -> None:
    groups = rulebook.load(rulebook.RULE_TESTS / f"{alert.name}.yml")["tests"]
    checks: list[dict[str, Any]] = [check for group in groups for check in group["alert_rule_test"]]

    assert {check["alertname"] for check in checks} == {alert.name}
    assert {bool(check["exp_alerts"]) for check in checks} == {True, False}


@by_name
def test_an_alert_says_how_bad_it_is_what_it_means_and_where_to_read_on(alert: rulebook.Rule) -> None:
    assert alert.labels["severity"] in {"critical", "warning"}
    assert alert.annotations["summary"]
    assert alert.annotations["description"]
    assert alert.annotations["runbook_url"] == f"{{{{ $externalLabels.runbooks }}}}/{alert.name}.md"


@by_name
def test_a_runbook_has_its_four_parts_and_something_to_type(alert: rulebook.Rule) -> None:
    page = (rulebook.RUNBOOKS / f"{alert.name}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)

    assert page.startswith(f"# {alert.name}\n")
    assert parts[1::2] == SECTIONS
    assert all(part.strip() for part in parts[2::2])
    assert "```sh" in page
