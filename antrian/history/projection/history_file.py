"""The history's file: its name, and how another file takes its place while others read and write it.

The name is a symbolic link to the file itself, and a file never gets another name while it is open: SQLite keeps a
write-ahead log beside the file, under the file's name, and a log must never meet another file than its own. So a
new file is complete before the link is turned to it, in one step; a process that has the old one open notices that the
inode is another.
"""

import contextlib
import os
import re
import secrets
import sqlite3
import time
from pathlib import Path

from antrian.domain.settings import Settings
from antrian.history.projection import schema

Inode = tuple[int, int]

#: Seconds: an empty file that is older than that is not about to be swapped in.
_LONGEST_CREATION = 60.0


def history_path(settings: Settings) -> Path:
    """Where the history of these settings is."""
    return settings.antrian_home / f"history-{settings.whatsapp_queue_namespace}.db"


def inode(path: Path) -> Inode | None:
    """What tells one file from another under the same name; None when there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 (asked before every query; pathlib takes thrice as long)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing file.

    Raises:
        sqlite3.Error: there is none, or it is no database.
    """
    quoted = path.resolve().as_uri()
    return sqlite3.connect(f"{quoted}?mode=rw", uri=True, isolation_level=None, timeout=10, check_same_thread=False)


def create(path: Path) -> None:
    """Put an empty history in the place of whatever is there.

    Raises:
        OSError: the folder cannot be written.
        sqlite3.Error: as well.
    """
    # Numbers and texts are in the files; other users must not even see their names.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for orphan in _files(path):
        _remove(orphan)
    swap(path, build(path))


def build(path: Path) -> Path:
    """A new empty history beside `path`, to be filled and then swapped in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.stem}.{secrets.token_hex(4)}.new")
    # Other users must not read the texts of messages.
    fresh.touch(mode=0o600)
    connection = sqlite3.connect(fresh, isolation_level=None)
    try:
        schema.create(connection)
    finally:
        connection.close()
    return fresh


def swap(path: Path, fresh: Path) -> None:
    """Put a file that no process has open in the place of `path`, in one step.

    Raises:
        OSError: the folder cannot be written.
        sqlite3.Error: the file is no database, or another process has it open.
    """
    _fold_log(fresh)
    target = fresh.with_suffix(".db")
    fresh.rename(target)
    old = path.resolve() if path.is_symlink() else None
    link = target.with_suffix(".link")
    link.symlink_to(target.name)
    link.replace(path)
    if old is not None and old != target:
        _remove(old)


def _fold_log(fresh: Path) -> None:
    """Bring the write-ahead log into the file: it would not follow it to another name."""
    connection = connect(fresh)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    finally:
        connection.close()
    if mode != "delete":
        raise sqlite3.OperationalError("the new file is still in use")


def discard(fresh: Path) -> None:
    """Remove a file that was begun with `build` and is not wanted."""
    _remove(fresh)


def discard_orphans(path: Path) -> None:
    """Remove what was begun with `build` by processes that were killed: it holds numbers and texts."""
    for orphan in _files(path, "new"):
        with contextlib.suppress(OSError):
            if orphan.stat().st_mtime < time.time() - _LONGEST_CREATION:
                _remove(orphan)
                Path(f"{orphan}.lock").unlink()


def _files(path: Path, suffix: str = "db") -> list[Path]:
    """Files that the link may have led to, or may have been meant to."""
    name = re.compile(rf"{re.escape(path.stem)}\.[0-9a-f]{{8}}\.{suffix}")
    return [file for file in path.parent.iterdir() if name.fullmatch(file.name)]


def _remove(file: Path) -> None:
    for one in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        with contextlib.suppress(OSError):
            one.unlink()
