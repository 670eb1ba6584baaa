"""The page "Add a provider", done as it is written: skeleton, edits, checks; then the package is installed and used."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from antrian.domain.errors import WrongUse
from antrian.providers.skeleton.write import write_skeleton

ROOT = Path(__file__).parents[2]
#: Without a plugin that is there for other tests and takes long to start.
PYTEST = ("pytest", "-q", "-p", "no:schemathesis")
PAGE = (ROOT / "docs" / "providers" / "add-a-provider.md").read_text(encoding="utf-8")

#: A process that knows the provider from its name alone.
USED = """
from pydantic import SecretStr
from antrian.domain.lane import Lane
from antrian.domain.provider_catalog import PROVIDERS, why_unknown
from antrian.providers.receipt_readers import READERS
from antrian.providers.registry import make_provider

print(why_unknown("kabaar"))
lane = Lane(name="default", provider="kabar", url="http://127.0.0.1:9", key=SecretStr("k"), sender="628114040707")
provider = make_provider(lane, sandbox_port=9)
print(PROVIDERS["kabar"].title, provider.name, "kabar" in READERS, "kabaar" in READERS)
"""


def run(*command, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def edit(folder, old, new):
    """Replace in whichever files of the adapter have it."""
    found = [path for path in sorted(folder.rglob("*.py")) if old in path.read_text(encoding="utf-8")]
    for path in found:
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return found


def names():
    return re.findall(r"^\| `([^`]*TODO[^`]*|x-todo-signature)` \| `([^`]+)` \|", PAGE, flags=re.MULTILINE)


def differences():
    for block in re.findall(r"^```diff\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL):
        lines = block.splitlines(keepends=True)
        yield "".join(one[1:] for one in lines if one[0] != "+"), "".join(one[1:] for one in lines if one[0] != "-")


def made(into):
    """The adapter of the page, as its reader has it in the end; on the way, what the page says that the checks say."""
    done = run("antrian", "provider", "new", "kabar", cwd=into)
    assert done.returncode == 0, done.stderr
    folder = into / "antrian-kabar"
    before = run(*PYTEST, "-k", "left", cwd=folder)
    assert "TODO is left in the description" in before.stdout
    assert "1 failed" in before.stdout, before.stdout
    # The longest first: some begin with others.
    for old, new in sorted(names(), key=lambda pair: -len(pair[0])):
        assert edit(folder, old, new), f"{old} of the page is not in the skeleton"
    *changes, last = differences()
    for old, new in changes:
        assert len(edit(folder, old, new)) == 1, f"this change of the page fits no file, or two:\n{old}"
    untold = run(*PYTEST, "-k", "each and case", cwd=folder)
    assert "(provider-down), and must say transient" in untold.stdout
    assert len(edit(folder, *last)) == 1
    assert "TODO" not in "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    return folder


def test_the_page_leads_to_an_adapter_that_is_installed_and_passes_every_check(tmp_path):
    adapter, installed = made(tmp_path), tmp_path / "installed"
    for command in (("check",), ("format", "--check")):
        done = run("ruff", *command, "--no-cache", ".", cwd=adapter)
        assert done.returncode == 0, done.stdout + done.stderr
    with pytest.raises(WrongUse, match="nothing was written"):
        write_skeleton("kabar", tmp_path)

    pip = ("pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target")
    done = run(*pip, str(installed), str(adapter), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "used.py").write_text(USED, encoding="utf-8")
    path = f"{installed}{os.pathsep}{ROOT}"
    used = run("used", cwd=tmp_path, PYTHONPATH=path)
    unknown, known = used.stdout.splitlines() or [used.stderr, ""]
    assert unknown.startswith("'kabaar' is not known; did you mean kabar?; known providers: mpwa, ")
    assert (unknown.rpartition(", ")[2], known) == ("kabar", "Kabar kabar True False")

    checks = ("-p", "antrian.providers.conformance.options", "--pyargs", "antrian.providers.conformance")
    checked = run(*PYTEST, "-W", "error", *checks, "--provider", "kabar", cwd=tmp_path, PYTHONPATH=path)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["waha", "Kabar", "1kabar", "ka-bar", "../kabar", "k" * 40])
def test_a_name_that_cannot_be_used_is_refused(name, tmp_path):
    with pytest.raises(WrongUse, match=re.escape(name)):
        write_skeleton(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
