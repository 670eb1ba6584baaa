"""How much of what is in the history: counts for metrics, each from one index."""

from pathlib import Path

from antrian.history.queries import held_query
from antrian.history.queries.reader import Reader


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

    def held(self, now: float) -> dict[tuple[str, str], tuple[int, float]]:
        """Held messages by lane and reason: how many, and when the oldest was published."""
        return held_query.held_by_lane(self._reader, now)

    def delayed(self, now: float) -> dict[tuple[str, str], int]:
        """Messages that come back at a time of their own, by lane and state; what is held is among the scheduled."""
        rows = self._reader.rows(
            "SELECT lane, state, count(*) FROM messages INDEXED BY messages_delayed "
            "WHERE state IN ('retrying', 'scheduled') AND due_at > ? GROUP BY lane, state",
            (now,),
        )
        return {(lane, state): count for lane, state, count in rows}

    def close(self) -> None:
        """Close this thread's connection."""
        self._reader.close()
