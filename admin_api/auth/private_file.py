"""A small file that only its owner may read, replaced whole, shared by several processes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: When it was changed, its inode and its size: another triple is another content, because every write makes a new file.
Stamp = tuple[int, int, int]

_OWNER_ONLY = 0o600
_ANYBODY_WRITES = 0o002


class PrivateFile:
    """One file and its lock beside it. Every method may raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> Stamp | None:
        """What changes with the content; None while there is no file."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def read(self) -> bytes | None:
        """The content; None while there is no file.

        Raises:
            PermissionError: anybody on this machine may change it, so nothing in it can be believed.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return None
        with file:
            if os.fstat(file.fileno()).st_mode & _ANYBODY_WRITES:
                raise PermissionError(0, "every user of this machine can change it")
            return file.read()

    def write(self, content: bytes) -> None:
        """Replace the content: whole or not at all, and on disk when this returns. Hold the lock."""
        draft = self.path.with_name(f"{self.path.name}.new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder if it is missing, and keep every other process and thread waiting meanwhile."""
        if not self.path.parent.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The system drops the lock when its holder dies, so it can never be left behind.
        lock = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
