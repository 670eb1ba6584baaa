"""Every test in this folder needs a Docker engine; `make test-containers` runs them, and `make test` does not."""

import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent

# Our processes are started here as they are there.
sys.path.append(str(_HERE.parent / "e2e"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them all, so that none can be forgotten."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.containers)
