"""The dashboards in the repository are those that the code writes, and Grafana can place what is on them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import dashboards
import pytest
import rulebook

SOURCES = rulebook.ROOT / "deploy" / "grafana"


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """deploy/grafana/generate.py, which finds its neighbours because it is run as a script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SOURCES)
        yield __import__("generate")
    for neighbour in SOURCES.glob("*.py"):
        sys.modules.pop(neighbour.stem, None)


def test_the_dashboards_match_the_code(generate: ModuleType) -> None:
    assert generate.outdated(rulebook.DASHBOARDS) == []


def test_what_was_changed_by_hand_is_written_again_and_what_nothing_writes_is_removed(
    generate: ModuleType, tmp_path: Path
) -> None:
    generate.write(tmp_path)
    (tmp_path / "antrian-broker.json").write_text("{}", encoding="utf-8")
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")

    assert generate.write(tmp_path) == ["antrian-broker.json", "old.json"]
    assert generate.outdated(tmp_path) == []


@pytest.mark.parametrize("board", dashboards.boards(), ids=lambda board: board["uid"])
def test_no_two_panels_lie_on_each_other_and_none_is_without_words(board: dict[str, Any]) -> None:
    cells = [cell for panel in board["panels"] for cell in _cells(panel["gridPos"])]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert all(panel["type"] == "row" or panel["description"] for panel in board["panels"])
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize("board", dashboards.boards(), ids=lambda board: board["uid"])
def test_whoever_reads_chooses_the_prometheus(board: dict[str, Any]) -> None:
    sources = {target["datasource"]["uid"] for panel in board["panels"] for target in panel.get("targets", [])}

    assert sources == {"${datasource}"}
    assert board["templating"]["list"][0]["type"] == "datasource"


def test_the_first_line_fits_on_any_screen_and_says_whether_it_is_well() -> None:
    operations = next(board for board in dashboards.boards() if board["uid"] == "antrian-operations")
    first = [panel["title"] for panel in operations["panels"] if panel["gridPos"]["y"] == 0]

    assert first[:2] == ["Now", "Next send in"]
    assert {"Last accepted", "Waiting", "Dead letters", "Consumers", "Alerts"} <= set(first)


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        yield from ((x, y) for y in range(place["y"], place["y"] + place["h"]))
