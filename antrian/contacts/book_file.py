"""The file of a book: each process has its own, and one that cannot be read is made again.

It is only a copy of what the contacts stream says, so it may be deleted at any time.
"""

import contextlib
import fcntl
import os
import sqlite3
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
                self.path = folder / f"contacts.{number}.sqlite"
                return
        raise OSError(f"all {_MOST} files are in use")

    def open(self) -> Store:
        """What it holds; it is made when there is none.

        Raises:
            sqlite3.Error: it is no such file, or cannot be read or written.
            OSError: the folder cannot be written.
        """
        if not self.path.exists():
            self.path.touch(mode=0o600)
        connection = open_file(self.path)
        try:
            return Store(connection)
        except sqlite3.Error:
            connection.close()
            raise

    def remove(self) -> None:
        """Delete what it holds; the file stays ours."""
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                Path(f"{self.path}{suffix}").unlink()

    def release(self) -> None:
        """Let other processes have the file."""
        os.close(self._lock)


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
