"""How often something was seen, for millions of things in little memory: a table of digests in a temporary file."""

import sqlite3
from typing import Self

#: What stays in memory, in KiB; the rest goes to the temporary file.
_CACHE = 32_000


class DuplicateCounter:
    """Counts digests; what was counted is gone with it."""

    def __init__(self) -> None:
        # An empty name is a database of its own, in a file that no other process can open.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE seen (digest BLOB PRIMARY KEY, count INTEGER NOT NULL, line INTEGER NOT NULL) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def count(self, digest: bytes, line: int) -> tuple[int, int]:
        """Count one more.

        Args:
            digest: of what was seen.
            line: where.

        Returns:
            How many of its kind there are now, this one included; and where the first of them was.
        """
        seen = self._database.execute(
            "INSERT INTO seen VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count, line",
            (digest, line),
        )
        count, first = seen.fetchone()
        return count, first

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
