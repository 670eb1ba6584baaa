"""Broker and history compared: since when they differ, and what was told last; no I/O, the clock is an argument."""

from typing import NamedTuple

#: Seconds without a look after which it is unknown whether a difference has lasted.
_LONGEST_GAP = 5.0

#: Seconds for which a list must not contradict a count that was told.
_REMEMBERED = 2.0


class CountDifference(NamedTuple):
    """What the broker counts, minus what the history knows."""

    waiting: int
    failed: int


class _Look(NamedTuple):
    difference: CountDifference
    since: float
    at: float


class Comparison:
    """Remembers the latest comparisons of all lanes; for the readers of one process, from any thread."""

    def __init__(self) -> None:
        self._looks: dict[str, _Look] = {}
        self._told: tuple[int, float] | None = None

    def look(self, lane: str, difference: CountDifference, now: float) -> float | None:
        """Take one comparison into account.

        Args:
            lane: of the comparison.
            difference: what was found.
            now: unix seconds.

        Returns:
            Since when the same difference has lasted, unix seconds; None when the two agree.
        """
        last = self._looks.get(lane)
        goes_on = last is not None and last.difference == difference and now - last.at <= _LONGEST_GAP
        since = last.since if last is not None and goes_on else now
        self._looks[lane] = _Look(difference, since, now)
        return since if any(difference) else None

    def tell_failed(self, count: int, now: float) -> None:
        """So many dead letters were told to someone."""
        self._told = count, now

    def told_failed(self, now: float) -> int | None:
        """How many dead letters were told a moment ago; None when that is too long ago to be remembered."""
        told = self._told
        return told[0] if told is not None and 0 <= now - told[1] <= _REMEMBERED else None
