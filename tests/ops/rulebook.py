"""The rules and what belongs to them, as they lie in the repository."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
DASHBOARDS = ROOT / "deploy" / "grafana" / "dashboards"
RUNBOOKS = ROOT / "docs" / "runbooks"
RULE_TESTS = Path(__file__).parent / "rules"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `name` is the alert's, or that of the recorded series."""

    name: str
    expression: str
    is_alert: bool
    labels: dict[str, str]
    annotations: dict[str, str]


def rules() -> list[Rule]:
    """Every rule of every file."""
    groups = [group for path in rule_files() for group in load(path)["groups"]]
    return [_rule(raw) for group in groups for raw in group["rules"]]


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.is_alert]


def recordings() -> list[Rule]:
    return [rule for rule in rules() if not rule.is_alert]


def rule_files() -> list[Path]:
    return sorted((PROMETHEUS / "rules").glob("*.yml"))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _rule(raw: dict[str, Any]) -> Rule:
    name = raw.get("alert") or raw["record"]
    return Rule(name, raw["expr"], "alert" in raw, raw.get("labels", {}), raw.get("annotations", {}))
