"""How much of what is in the history: counts for metrics, each from one index."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from antrian.history.projection.figures import QUARTER
from antrian.history.queries import held_query
from antrian.history.queries.reader import Reader
from antrian.history.records import DelayedCount, HeldCount

#: Seconds after which a receipt is missed, and for which.
_PATIENCE, _OLDEST = 3_600.0, 86_400.0


class ReceiptCount(NamedTuple):
    """What is known of the receipts of one lane, of messages that its provider took from a day to an hour ago.

    Attributes:
        expected: how many the provider took.
        missing: how many of them are without a receipt.
        oldest_at: when it took the first of these, unix seconds; 0 for none.
    """

    expected: int
    missing: int
    oldest_at: float


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

    def receipts(self, lanes: Iterable[str], now: float) -> dict[str, ReceiptCount]:
        """What is known of the receipts of some lanes."""
        return {lane: self._receipts(lane, now - _OLDEST, now - _PATIENCE) for lane in lanes}

    def _receipts(self, lane: str, since: float, until: float) -> ReceiptCount:
        # Without its index, a history that is still being read would be gone through for it.
        position = self._reader.row("SELECT is_indexed FROM position")
        missing = (
            self._reader.row(
                "SELECT count(*), ifnull(min(sent_at), 0) FROM messages INDEXED BY messages_unanswered "
                "WHERE delivery = 'handed_over' AND lane = ? AND sent_at >= ? AND sent_at < ?",
                (lane, since, until),
            )
            if position and position[0]
            else None
        )
        expected = self._reader.row(
            "SELECT ifnull(sum(handed_over), 0) FROM deliveries WHERE quarter >= ? AND quarter < ? AND lane = ?",
            (int(since // QUARTER), int(until // QUARTER), lane),
        )
        return ReceiptCount(expected[0] if expected else 0, *(missing or (0, 0.0)))

    def parked(self) -> dict[str, int]:
        """Receipts whose messages are not known, by lane."""
        return dict(self._reader.rows("SELECT lane, count(DISTINCT seq) FROM parked GROUP BY lane"))

    def close(self) -> None:
        """Close this thread's connection."""
        self._reader.close()
