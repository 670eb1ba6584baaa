"""Write the dashboards as JSON, or with --check say which of them are not what this code would write.

To change a dashboard, change its module and run this; what is changed in the browser is not kept.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import broker_dashboard
import operations_dashboard
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

FOLDER = Path(__file__).resolve().parent / "dashboards"

#: File below dashboards/, and what builds it.
DASHBOARDS: Mapping[str, Callable[[], Dashboard]] = {
    "antrian-operations.json": operations_dashboard.dashboard,
    "antrian-broker.json": broker_dashboard.dashboard,
}


def text(build: Callable[[], Dashboard]) -> str:
    """A dashboard as Grafana reads it."""
    dashboard = build().build()
    for number, panel in enumerate(dashboard.panels or [], 1):
        panel.id_val = number
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def outdated(folder: Path) -> list[str]:
    """The files in `folder` that are missing or differ from what the code says now, and those that nothing writes."""
    expected = {name: text(build) for name, build in DASHBOARDS.items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def write(folder: Path) -> list[str]:
    """Write what is outdated in `folder`, and say which files that were."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = outdated(folder)
    for name in changed:
        if name in DASHBOARDS:
            (folder / name).write_text(text(DASHBOARDS[name]), encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def main(arguments: list[str]) -> int:
    """Run the command; the exit code is 1 when --check found a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if anything differs")
    check = parser.parse_args(arguments).check
    for name in (changed := outdated(FOLDER) if check else write(FOLDER)):
        differs = f"dashboards/{name} is not what the code writes: run `python deploy/grafana/generate.py`"
        print(differs if check else f"wrote dashboards/{name}")  # noqa: T201 (a command's answer)
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
