"""Plants each fault of `faults.py` in a copy of the tree, and requires that a test notices it: `make planted`.

It is no part of the suite: it takes minutes, and what it checks changes only when tests are taken away.
"""

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path

from faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]

#: Seconds for the tests of one fault.
PATIENCE = 900

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", flags=re.MULTILINE)


class Copy:
    """The tree once more, with a virtual environment in which the product is the copy's.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        self._make_environment()
        self._time = time.time() - 1_000_000

    def _make_environment(self) -> None:
        """The libraries are those of the running environment; its editable installation of the product is not seen."""
        home = self.folder / ".venv"
        venv.create(home, with_pip=False, symlinks=True)
        libraries = sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)})
        Path(libraries, "copy.pth").write_text(f"{self.folder}\n{sysconfig.get_path('purelib')}\n")
        python = home / "bin" / "python"
        for program in ("antrian", "schemathesis"):
            text = (Path(sys.executable).parent / program).read_text()
            (home / "bin" / program).write_text(f"#!{python}\n" + text.partition("\n")[2])
            (home / "bin" / program).chmod(0o755)
        self._python = python

    def write(self, file: Path, text: str) -> None:
        """Write a file of ours, at a time of its own: compiled files are told apart by that."""
        file.write_text(text)
        self._time += 10
        os.utime(file, (self._time, self._time))

    def first_failure(self, tests: str, *, but: set[str]) -> str | None:
        """The first test that fails and is none of `but`; None when none does."""
        command = [self._python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests]
        command += [f"--deselect={one}" for one in but]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode == 0:
            return None
        found = _FAILED.search(done.stdout)
        if done.returncode != 1 or not found:
            sys.exit(f"pytest itself failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        return found[1]


def file_of(module: str, folder: Path) -> Path:
    """A module's file in a copy."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        sys.exit(f"there is no module {module}")
    return folder / Path(spec.origin).resolve().relative_to(ROOT)


class Field:
    """Where faults are planted, one after the other.

    Args:
        copy: of the tree.
    """

    def __init__(self, copy: Copy) -> None:
        self._copy = copy
        #: Tests that fail without any fault: they have noticed nothing.
        self._broken: set[str] = set()

    def plant(self, fault: Fault) -> str | None:
        """Plant one fault, and take it out again; the test that notices it, None if it survives."""
        file = file_of(fault.module, self._copy.folder)
        text = file.read_text()
        planted = text.replace(fault.before, fault.after)
        compile(planted, str(file), "exec")
        for tests in fault.tests:
            while True:
                self._copy.write(file, planted)
                found = self._copy.first_failure(f"tests/{tests}", but=self._broken)
                self._copy.write(file, text)
                if found is None:
                    break
                if self._copy.first_failure(found, but=set()) is None:
                    return found
                self._broken.add(found)
                print(f"fails without any fault: {found}", flush=True)  # noqa: T201
        return None


def main() -> None:
    """Plant all, or those that are named by a part of their name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="only say what there is")
    parser.add_argument("names", nargs="*", help="parts of names; all faults without any")
    wanted = parser.parse_args()
    chosen = [one for one in FAULTS if not wanted.names or any(part in one.name for part in wanted.names)]
    if wanted.list:
        for fault in chosen:
            print(f"{fault.name}  ({fault.module})")  # noqa: T201
        return
    if stale := [fault for fault in chosen if file_of(fault.module, ROOT).read_text().count(fault.before) != 1]:
        sys.exit("\n".join(f"not there exactly once, in {one.module}: {one.before}" for one in stale))
    survived = 0
    with tempfile.TemporaryDirectory(prefix="antrian-planted-", ignore_cleanup_errors=True) as folder:
        field = Field(Copy(Path(folder)))
        for fault in chosen:
            found = field.plant(fault)
            survived += found is None
            print(f"found: {fault.name}: {found}" if found else f"SURVIVES: {fault.name}", flush=True)  # noqa: T201
    if survived:
        sys.exit(f"{survived} of {len(chosen)} faults survive")


if __name__ == "__main__":
    main()
