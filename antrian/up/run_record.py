"""What a running `antrian up` was started with, for commands that are called beside it.

`up` chooses the sandbox where no provider is set; a `doctor` in another shell cannot know that. The file counts only
while the process that wrote it holds its lock, so one that was killed leaves nothing behind that could mislead.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from antrian.domain.settings import Settings

#: Settings that `up` may choose by itself.
_CHOSEN: Final = ("whatsapp_provider",)


def _path(settings: Settings) -> Path:
    return settings.antrian_home / "up.json"


@contextmanager
def recorded(settings: Settings) -> Iterator[None]:
    """Keep the record for as long as the block runs."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        is_first = _lock(file.fileno(), fcntl.LOCK_EX)
        if is_first:
            file.truncate(0)
            json.dump({name: getattr(settings, name) for name in _CHOSEN}, file)
            file.flush()
        try:
            yield
        finally:
            if is_first:
                path.unlink(missing_ok=True)


def is_running(settings: Settings) -> bool:
    """Whether an `antrian up` runs with the same folder."""
    return _record(settings) is not None


def beside_up(settings: Settings) -> Settings:
    """The settings, completed by those of an `antrian up` that runs with the same folder.

    Only what is not set anywhere else is taken from there.
    """
    record = _record(settings) or {}
    chosen = {name: record[name] for name in _CHOSEN if name in record and name not in settings.model_fields_set}
    return settings.model_copy(update=chosen)


def _record(settings: Settings) -> dict[str, str] | None:
    with suppress(OSError, ValueError, TypeError), _path(settings).open() as file:
        if not _lock(file.fileno(), fcntl.LOCK_SH):
            return {str(name): str(value) for name, value in dict(json.load(file)).items()}
    return None


def _lock(file: int, kind: int) -> bool:
    """Lock the file; False when another living process holds it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
