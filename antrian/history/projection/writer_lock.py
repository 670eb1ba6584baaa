"""Which of several processes writes the history's file: the one that holds the lock of a file beside it."""

import fcntl
import os
from pathlib import Path


class WriterLock:
    """A lock that ends with its process, however that ends.

    Args:
        path: of the history; the lock is a file beside it.
        suffix: which lock.
    """

    def __init__(self, path: Path, suffix: str = ".lock") -> None:
        self._path = Path(f"{path}{suffix}")
        self._file: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether we hold it."""
        return self._file is not None

    def acquire(self) -> bool:
        """Take it if it is free; whether we hold it now.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._file is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
