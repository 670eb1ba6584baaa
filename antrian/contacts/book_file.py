"""The file of a book: each process has its own, and one that cannot be read is made again.

It is only a copy of what the contacts stream says, so it may be deleted at any time.
"""

import fcntl
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from antrian.contacts.store import Store, open_file
from antrian.domain.settings import Settings

#: Books on one machine that have a file: consumers, admin processes and commands that run at once.
_MOST = 32


def book_folder(settings: Settings) -> Path:
    """Where the books of these settings have their files."""
    return settings.antrian_home / f"contacts-{settings.whatsapp_queue_namespace}"


class BookFile:
    """One process's file, held by a lock that ends with the process.

    Args:
        folder: of the files.

    Raises:
        OSError: the folder cannot be written, or every file is taken.
    """

    def __init__(self, folder: Path) -> None:
        # Numbers are in it; even the names of the files are nobody else's business.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(_MOST):
            lock = _locked(folder / f"contacts.{number}.lock")
            if lock is not None:
                self._lock = lock
                self._is_to_be_read_again = False
                self.path = folder / f"contacts.{number}.sqlite"
                return
        raise OSError(f"all {_MOST} files are in use")

    def open(self) -> Store:
        """What it holds; it is made when there is none.

        Raises:
            sqlite3.Error: it is no such file, or cannot be read or written.
            OSError: the folder cannot be written.
        """
        is_new = not self.path.exists()
        if is_new:
            self.path.touch(mode=0o600)
            self._copy_the_latest()
        connection = open_file(self.path)
        try:
            return Store(connection)
        except sqlite3.Error:
            connection.close()
            raise

    def _copy_the_latest(self) -> None:
        """Begin with what another process of this machine has read; it may be years of the stream."""
        others = [one for one in self.path.parent.glob("contacts.*.sqlite") if one != self.path]
        latest = max(others, key=_changed_at, default=None)
        if latest is None or self._is_to_be_read_again:
            return
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{latest.as_uri()}?mode=ro", uri=True)) as source:
            with closing(sqlite3.connect(self.path)) as target:
                source.backup(target)
            return
        # Whatever is wrong with the other one, or the disk: then it is read from the stream.
        self.path.write_bytes(b"")

    def remove(self) -> None:
        """Delete what it holds, and copy nothing from others any more; the file stays ours."""
        self._is_to_be_read_again = True
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                Path(f"{self.path}{suffix}").unlink()

    def release(self) -> None:
        """Let other processes have the file."""
        os.close(self._lock)


def _changed_at(path: Path) -> float:
    """When a database was written last, its log included."""
    times = [0.0]
    for name in (path, Path(f"{path}-wal")):
        with suppress(OSError):
            times.append(name.stat().st_mtime)
    return max(times)


def _locked(path: Path) -> int | None:
    """The lock file, open and locked; None while another process has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    except OSError:
        os.close(file)
        raise
    return file
