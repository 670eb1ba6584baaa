"""How much of what is in the history: counts for metrics, each from one index."""

from pathlib import Path

from antrian.history.queries import held_query
from antrian.history.queries.reader import Reader
from antrian.history.records import DelayedCount, HeldCount


class DepthCounts:
    """Counts, from any thread.

    Args:
        path: the history's file.
    """

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)

    def waiting(self) -> dict[tuple[str, int], int]:
        """Messages that wait, by lane and priority; priorities from ten up are one."""
        rows = self._reader.rows(
            "SELECT lane, rank, count(*) FROM messages INDEXED BY messages_waiting WHERE state = 'waiting' "
            "GROUP BY lane, rank"
        )
        return {(lane, rank): count for lane, rank, count in rows}

    def dead(self) -> dict[str, int]:
        """Dead letters by failure class."""
        rows = self._reader.rows(
            "SELECT failure_class, count(*) FROM dead INDEXED BY dead_by_cause WHERE is_live GROUP BY failure_class"
        )
        return dict(rows)

    def held(self, now: float) -> dict[str, list[HeldCount]]:
        """The held messages of each lane by their reason."""
        return held_query.held_by_lane(self._reader, now)

    def delayed(self, now: float) -> dict[str, list[DelayedCount]]:
        """The messages of each lane that come back at a time of their own, for no rule of the lane."""
        return held_query.delayed_by_lane(self._reader, now)

    def close(self) -> None:
        """Close this thread's connection."""
        self._reader.close()
