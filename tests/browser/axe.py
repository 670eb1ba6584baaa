"""axe-core, which finds what keeps people out; fetched when the tests run, never part of the tree."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

VERSION = "4.14.1"

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_COLOURS = ["color-contrast", "link-in-text-block"]
_RUN = "runOnly => axe.run(document, {runOnly}).then(found => found.violations)"


def source() -> str:
    """The script, from the cache or from npm."""
    cached = Path(tempfile.gettempdir()) / f"antrian-axe-core-{VERSION}-{os.getuid()}.js"
    if not cached.exists():
        _fetch(cached)
    return cached.read_text(encoding="utf-8")


def _fetch(cached: Path) -> None:
    if shutil.which("npm") is None:
        pytest.fail("the browser tests need npm for axe-core: apt-get install npm")
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"axe-core@{VERSION}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.fail(f"npm cannot fetch axe-core: {done.stderr[-1000:]}")
        with tarfile.open(Path(folder) / f"axe-core-{VERSION}.tgz") as package:
            script = package.extractfile("package/axe.min.js")
            assert script is not None
            # Another process may do the same: whoever is last replaces a whole file by an equal one.
            mine = Path(folder) / "axe.js"
            mine.write_bytes(script.read())
        shutil.copy(mine, partial := cached.with_suffix(f".{os.getpid()}"))
        partial.replace(cached)


def violations(page: Page, script: str, *, colours_only: bool = False) -> list[str]:
    """What axe finds on a page: rule and places, one line each.

    Args:
        page: to look at.
        script: axe-core.
        colours_only: whether all else was looked at before in other colours; the script is there then.
    """
    wanted = {"type": "rule", "values": _COLOURS} if colours_only else {"type": "tag", "values": _TAGS}
    if not colours_only:
        # Through the debugger, because the page's own policy lets no foreign script in.
        page.evaluate(f"() => {{ {script} }}")
    found: list[dict[str, Any]] = page.evaluate(_RUN, wanted)
    return [f"{one['id']}: {node['html'][:160]} ({node['any'][:1]})" for one in found for node in one["nodes"][:3]]
