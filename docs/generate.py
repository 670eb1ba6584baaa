"""Write the generated parts of docs/, or with --check say which of them no longer match the code.

A generator is a function without arguments that returns a whole file; to add one, give it a line in DOCUMENTS.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import api_description
import cli_page
import events_page
import http_page
import message_contract
import metrics_page
import provider_matrix
import settings_table
import topology_page

DOCS = Path(__file__).resolve().parent

#: Path below docs/, and what writes it.
DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "architecture.md": topology_page.page,
    "providers/README.md": provider_matrix.page,
    "reference/cli.md": cli_page.page,
    "reference/events.md": events_page.page,
    "reference/http.md": http_page.page,
    "reference/openapi.json": api_description.openapi,
    "reference/message.schema.json": message_contract.json_schema,
    "reference/asyncapi.json": message_contract.asyncapi,
    "reference/message.md": message_contract.page,
    "reference/metrics.md": metrics_page.page,
    "reference/settings.md": settings_table.page,
}


def outdated(folder: Path) -> list[str]:
    """The generated files below `folder` that are missing or differ from what the code says now."""
    return [path for path, generate in DOCUMENTS.items() if _read(folder / path) != generate()]


def write(folder: Path) -> list[str]:
    """Write what is outdated below `folder`, and say which files that were."""
    changed = outdated(folder)
    for path in changed:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(DOCUMENTS[path](), encoding="utf-8")
    return changed


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: list[str]) -> int:
    """Run the command; the exit code is 1 when --check found a difference or a meaning is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if anything differs")
    check = parser.parse_args(arguments).check
    try:
        changed = outdated(DOCS) if check else write(DOCS)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 1
    for path in changed:
        print(f"docs/{path} differs from the code: run `make docs`" if check else f"wrote docs/{path}")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
