"""How a person calls the `antrian` command on this machine."""

import shutil
import sys
from contextlib import suppress
from pathlib import Path


def spoken_name() -> str:
    """`antrian` where the shell finds this installation's command by that name, else its path.

    Relative to the working folder where it is below that, as in a checkout: `.venv/bin/antrian`.
    """
    program = Path(sys.executable).parent / "antrian"
    found = shutil.which("antrian")
    if not program.exists() or (found and Path(found).resolve() == program.resolve()):
        return "antrian"
    with suppress(ValueError):
        return str(program.relative_to(Path.cwd()))
    return str(program)
