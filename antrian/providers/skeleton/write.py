"""Writes the files of a new adapter into a folder of its author's."""

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from antrian.domain.errors import WrongUse
from antrian.domain.provider_catalog import PROVIDERS

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")

#: Where each template goes, below the folder of the adapter.
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "package.py": "{package}/__init__.py",
    "client.py": "{package}/client.py",
    "payload.py": "{package}/payload.py",
    "answers.py": "{package}/answers.py",
    "receipts.py": "{package}/receipts.py",
    "conformance.py": "{package}/conformance.py",
    "test_conformance.py": "tests/test_conformance.py",
}


def write_skeleton(name: str, into: Path) -> list[Path]:
    """Write the skeleton of an adapter.

    Args:
        name: of the provider, as lanes are to name it.
        into: the folder in which `antrian-NAME` is made.

    Returns:
        the files, in the order in which they are best read.

    Raises:
        WrongUse: the name cannot be used, or the folder is there already.
    """
    if not _NAME.fullmatch(name):
        raise WrongUse(
            f"{name[:40]!r} cannot be a provider's name: small letters, digits and _, at most 31, a letter first"
        )
    if name in PROVIDERS:
        raise WrongUse(f"{name} is a provider already")
    folder = into / f"antrian-{name.replace('_', '-')}"
    words = {
        "name": name,
        "title": name.replace("_", " ").title(),
        "slug": folder.name,
        "package": f"antrian_{name}",
        "classname": "".join(part.title() for part in name.split("_")),
    }
    try:
        folder.mkdir(parents=True)
        return [_write(template, folder / place.format(**words), words) for template, place in _FILES.items()]
    except FileExistsError:
        raise WrongUse(f"{folder} is there already: nothing was written") from None
    except OSError as error:
        raise WrongUse(f"{folder} cannot be written: {error.strerror}") from error


def _write(template: str, path: Path, words: dict[str, str]) -> Path:
    text = (files(__package__) / f"{template}.template").read_text(encoding="utf-8")
    path.parent.mkdir(exist_ok=True)
    path.write_text(Template(text).substitute(words), encoding="utf-8")
    return path
