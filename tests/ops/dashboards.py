"""The queries of the dashboards, as Grafana would send them."""

import json
import re
from dataclasses import dataclass
from typing import Any

import rulebook

#: What Grafana puts in for its variables: everything is chosen, and a short time is shown.
_VARIABLES = {
    "$__rate_interval": "20s",
    "$__range": "300s",
    "$lane": ".*",
    "$instance": ".*",
    "$queue": ".*",
}


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query of one panel."""

    dashboard: str
    panel: str
    expression: str

    def __str__(self) -> str:
        return f"{self.dashboard}, {self.panel}: {self.expression}"


def panel_queries() -> list[PanelQuery]:
    """Every query of every panel of every dashboard."""
    return [
        PanelQuery(board["title"], panel["title"], _filled_in(target["expr"]))
        for board in boards()
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]


def looked_up_labels() -> list[tuple[str, str]]:
    """Selector and label of each choice at the top of a dashboard."""
    texts = [
        variable["query"]["query"]
        for board in boards()
        for variable in board["templating"]["list"]
        if variable["type"] == "query"
    ]
    found = [re.fullmatch(r"label_values\((.+), (\w+)\)", text) for text in texts]
    return [(match[1], match[2]) for match in found if match]


def boards() -> list[dict[str, Any]]:
    """The dashboards as they lie in the repository."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(rulebook.DASHBOARDS.glob("*.json"))]


def _filled_in(expression: str) -> str:
    for name, value in _VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, f"the test does not know a variable of {expression}"
    return expression
