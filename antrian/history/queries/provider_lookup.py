"""Messages by the name that their provider gave them, within one lane: another lane's provider may give the same."""

from pathlib import Path

from antrian.history.queries.reader import Reader

#: A provider may name several messages alike (a gateway that was set up anew); more than these are not looked at.
_MOST = 10


class ProviderLookup:
    """Finds messages by their provider's id.

    Args:
        path: of the history; a file that is missing, or being made again, knows none.
    """

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)

    def message_ids(self, lane: str, provider_id: str) -> list[str]:
        """The ids of the messages whose latest send has this provider id; the newest first."""
        rows = self._reader.rows(
            "SELECT message_id FROM messages WHERE provider_id = ? AND lane = ? ORDER BY id DESC LIMIT ?",
            (provider_id, lane, _MOST),
        )
        return [str(row[0]) for row in rows]

    def close(self) -> None:
        """Close this thread's connection; the next question opens another."""
        self._reader.close()
