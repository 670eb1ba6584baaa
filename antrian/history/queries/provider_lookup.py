"""Messages by the name that their provider gave them, within one lane: another lane's provider may give the same."""

from pathlib import Path

from antrian.history.queries.reader import Reader

#: A provider may name several messages alike (a gateway that was set up anew); more than these are not looked at.
_MOST = 10

_BY_PROVIDER_ID = "SELECT message_id FROM messages WHERE provider_id = ? AND lane = ? ORDER BY id DESC LIMIT ?"
_BY_ATTEMPT_ID = "SELECT message_id FROM messages WHERE attempt_id = ? AND lane = ? ORDER BY id DESC LIMIT ?"


class ProviderLookup:
    """Finds messages by the names of their latest send.

    Args:
        path: of the history; a file that is missing, or being made again, knows none.
    """

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)

    def message_ids(self, lane: str, provider_id: str, correlation_id: str = "") -> list[str]:
        """The ids of the messages whose latest send has these names; the newest first.

        Args:
            lane: of the messages.
            provider_id: the provider's name for the send; empty where only ours is known.
            correlation_id: ours, in the form that the provider was given.
        """
        found: list[str] = []
        # What a provider calls a send later stands in the place of our name for it.
        wanted = ((_BY_PROVIDER_ID, provider_id), (_BY_ATTEMPT_ID, provider_id), (_BY_ATTEMPT_ID, correlation_id))
        for query, name in wanted:
            if name and not found:
                found = [str(row[0]) for row in self._reader.rows(query, (name, lane, _MOST))]
        return found

    def close(self) -> None:
        """Close this thread's connection; the next question opens another."""
        self._reader.close()
