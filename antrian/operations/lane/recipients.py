"""Whom messages are for, as far as the history on this machine knows: for screens that name people and not ids."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from antrian.domain.events import Event
from antrian.domain.phone_number import mask
from antrian.history.queries.history import History

#: Messages remembered.
_MOST = 1_000


class Recipients:
    """Masked numbers and services by message id.

    Args:
        path: of the history's file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = {}

    def of(self, events: Iterable[Event]) -> dict[str, str]:
        """What is known of these events' messages, such as `+62 812-••••-7890 · registration`."""
        wanted = {event.message_id for event in events if event.message_id}
        unknown = wanted - self._known.keys()
        if unknown and self._path.exists():
            self._look_up(unknown)
        return {name: self._known[name] for name in wanted & self._known.keys()}

    def _look_up(self, message_ids: Iterable[str]) -> None:
        history = History(self._path)
        try:
            for message_id in message_ids:
                record = history.message(message_id)
                if record is not None and record.phone_number:
                    self._known[message_id] = " · ".join(filter(None, (mask(record.phone_number), record.source)))
        except sqlite3.Error:
            # The history of another version, or one that is being made: the screen shows ids then.
            return
        finally:
            history.close()
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
