"""What the desk needs of whoever keeps the history up to date."""

from typing import Protocol


class Barrier(Protocol):
    """What lets us wait until the history holds everything that the journal holds now."""

    def barrier(self, timeout: float) -> bool:
        """Wait for it, at most so many seconds; whether it does."""
