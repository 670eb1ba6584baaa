"""Connections that read the history's file: one for each thread, and a new one when the file was replaced."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from antrian.history.projection import history_file, schema

Rows = list[tuple[Any, ...]]


class Reader:
    """Answers queries from whatever file is under the name at that moment.

    Args:
        path: the file; it may be missing, and then every answer is empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    def rows(self, sql: str, values: Sequence[object] = ()) -> Rows:
        """All rows of an answer; none when there is no history to ask."""
        for is_last_try in (False, True):
            connection = self._connection()
            if connection is None:
                return []
            try:
                return connection.execute(sql, values).fetchall()
            except sqlite3.DatabaseError:
                # The file was replaced in the middle of it, or destroyed, and will be made again.
                self.close()
                if is_last_try and history_file.inode(self.path) is not None and self._is_sound():
                    raise
        return []

    def row(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """The first row of an answer."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def _is_sound(self) -> bool:
        """Whether the file itself is in order, so that the question must be wrong."""
        connection = self._connection()
        try:
            return connection is not None and bool(connection.execute("SELECT journal FROM position").fetchall())
        except sqlite3.DatabaseError:
            return False

    def _connection(self) -> sqlite3.Connection | None:
        now = history_file.inode(self.path)
        if now != getattr(self._local, "inode", None):
            self.close()
        if now is None:
            return None
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        return known or self._open(now)

    def _open(self, inode: history_file.Inode) -> sqlite3.Connection | None:
        try:
            connection = history_file.connect(self.path)
        except sqlite3.Error:
            return None
        try:
            if not schema.is_usable(connection):
                connection.close()
                return None
            schema.prepare_reader(connection)
        except sqlite3.Error:
            connection.close()
            return None
        self._local.connection, self._local.inode = connection, inode
        return connection

    def close(self) -> None:
        """Close this thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = self._local.inode = None
