"""The pauses of other processes, and of our own earlier life, taken over from the stream."""

from collections.abc import Iterable

from antrian.domain.lane import Lane
from antrian.domain.lane_timing import LaneTimes
from consumer.pace import Pace, since


class AdoptedPace:
    """Turns what the stream tells by wall clock into the worker's pace, which is monotonic; has no clock of its own.

    Args:
        pace: of the worker.
        lane: how long a pause is.
    """

    def __init__(self, pace: Pace, lane: Lane) -> None:
        self._pace = pace
        self._lane = lane
        self._adopted = LaneTimes()
        self._accounted: set[str] = set()

    def includes(self, times: LaneTimes) -> bool:
        """Whether these times have been taken over already."""
        return times == self._adopted

    def leave_out(self, times: LaneTimes) -> None:
        """These times need not be taken over: they are our own, and paced by the monotonic clock already."""
        self._adopted = times

    def adopt(self, times: LaneTimes, sending: Iterable[str], *, wall: float, now: float) -> None:
        """Take over what the ledger says.

        Args:
            times: of the lane.
            sending: messages whose attempt has no outcome yet.
            wall: unix seconds.
            now: monotonic seconds, at the same moment.
        """
        # Each time is taken over once: read again after the clock was set back, it would count as now for ever.
        is_news, self._adopted = times != self._adopted, times
        if is_news and times.send_ended_at:
            pause = max(times.pause, self._lane.delay)
            self._pace.send_ended(since(times.send_ended_at, wall, now), pause)
            # All consumers of a lane hear an admin's force; whoever has sent since has spent it.
            self._pace.forced = False
        if is_news and times.held_because is not None:
            left = min(times.held_until - wall, times.held_for)
            self._pace.hold(now + left, times.held_because)
        unfinished = set(sending)
        if unfinished - self._accounted:
            # A send without an outcome may have ended this very moment.
            self._pace.send_ended(now, self._lane.pause())
        self._accounted = unfinished
