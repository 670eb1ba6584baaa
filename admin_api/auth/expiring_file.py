"""A private file of things that are true until a stated time, shared by all replicas."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from admin_api.auth.errors import explained
from admin_api.auth.private_file import PrivateFile, Stamp

#: Value and time of expiry (unix seconds) by key.
_Entries = dict[str, tuple[str, float]]

_REMEDY = "remove it"


class ExpiringFile:
    """Keys with a value each, which vanish when their time is over. Safe for threads and for several processes.

    Every method may raise AccessUnreadable.
    """

    def __init__(self, path: Path) -> None:
        self._file = PrivateFile(path)
        self._known: tuple[Stamp | None, _Entries] = (None, {})

    def add(self, key: str, value: str, *, until: float, now: float) -> None:
        """Keep a value until then (unix seconds)."""
        with self._changing(now) as entries:
            entries[key] = (value, until)

    def take(self, key: str, now: float) -> str | None:
        """The value, for the first who asks; None for everybody else."""
        with self._changing(now) as entries:
            value, _ = entries.pop(key, (None, 0.0))
        return value

    def get(self, key: str, now: float) -> str | None:
        """The value, which stays; the file is read again only when it changed."""
        with explained(self._file.path, _REMEDY):
            stamp = self._file.stamp()
            if stamp != self._known[0]:
                self._known = (stamp, self._read())
            value, until = self._known[1].get(key, (None, 0.0))
        return value if until > now else None

    @contextmanager
    def _changing(self, now: float) -> Iterator[_Entries]:
        with explained(self._file.path, _REMEDY), self._file.locked():
            before = self._read()
            entries = {key: entry for key, entry in before.items() if entry[1] > now}
            yield entries
            if entries != before:
                self._file.write(json.dumps(entries).encode())

    def _read(self) -> _Entries:
        values = json.loads(self._file.read() or b"{}")
        return {str(key): (str(value), float(until)) for key, (value, until) in values.items()}
