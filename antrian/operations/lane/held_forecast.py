"""When the last message of a lane leaves, what is held included, as far as anybody but a plan can tell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from antrian.domain.budget import Budget
from antrian.domain.hold import HoldReason
from antrian.domain.lane_limits import Limits
from antrian.domain.send_window import is_open, next_day_start, next_hour_start
from antrian.domain.usage import Used
from antrian.operations.lane.holds import reason_of
from antrian.operations.lane.lane_budget import LaneBudget
from antrian.operations.lane.status import Status

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: Moments at which held messages come back that a forecast goes through; of more, only a plan can tell.
MOST_MOMENTS = 20_000

#: Seconds between two looks at a window, and for how long at most: after a day every window has closed.
_STEP, _LONGEST = 900.0, 86_400.0


@dataclass(frozen=True, slots=True)
class HeldMessages:
    """What is held in one lane.

    Attributes:
        count: how many messages.
        reasons: why.
        due_times: when the delay ladder gives them back, in order, unix seconds, and how many then.
    """

    count: int = 0
    reasons: frozenset[HoldReason] = frozenset()
    due_times: Sequence[tuple[float, int]] = ()


NOTHING_HELD = HeldMessages()


def held_messages(history: "History", lane: str) -> HeldMessages:
    """What is held in a lane now."""
    counts = history.held(lane)
    reasons = frozenset(reason_of(one.reason) for one in counts)
    return HeldMessages(sum(one.count for one in counts), reasons, history.held_due_times(lane, MOST_MOMENTS))


def with_held(status: Status, held: HeldMessages | None, limits: Limits) -> Status:
    """The status with what is held in its forecast.

    Args:
        status: as the broker tells it.
        held: as the history tells it; None when it does not.
        limits: the lane's.
    """
    known = status if held is None else replace(status, held=held.count)
    held = held or NOTHING_HELD
    end = status.estimated_time if status.estimate_after_resume is None else status.estimate_after_resume
    if end is None or not (status.queue_length or status.retrying or held.count):
        return known
    told = _end(status, end, held, limits)
    if isinstance(told, HoldReason):
        return replace(known, estimated_time=None, estimate_after_resume=None, estimate_needs_plan=told)
    if status.estimate_after_resume is not None:
        return replace(known, estimate_after_resume=told)
    return replace(known, estimated_time=told)


def _end(status: Status, end: float, held: HeldMessages, limits: Limits) -> float | HoldReason:
    """Seconds until the last message has been sent; or what makes a plan necessary."""
    # Who is known by then, and who has a place on which day, follows from what is sent until then.
    if HoldReason.COLD_HELD in held.reasons:
        return HoldReason.COLD_HELD
    if held.count > sum(count for _, count in held.due_times):
        return min(held.reasons, default=HoldReason.COLD_CAP, key=list(HoldReason).index)
    if limits.windows and status.queue_length and _closes(limits, status.at, end):
        return HoldReason.WINDOW
    waiting, each = status.queue_length + status.retrying, status.turns.each
    took = max(0.0, each - status.delay - status.jitter / 2)
    counter = _Counter(status.budget, limits.timezone, status.at)
    opens = status.at + status.turns.first_in
    if waiting:
        if (reached := counter.add(opens, waiting, each)) is not None:
            return reached
        opens = status.at + end - took + each
    for due_at, count in held.due_times:
        begins = max(opens, due_at)
        if (reached := counter.add(begins, count, each)) is not None:
            return reached
        opens = begins + count * each
        end = opens - each + took - status.at
    return end


class _Counter:
    """Counts what is sent in each hour and on each day.

    Args:
        budget: of the lane; None counts nothing.
        zone: the lane's.
        now: unix seconds.
    """

    def __init__(self, budget: LaneBudget | None, zone: str, now: float) -> None:
        used, self._zone = (budget.used if budget else None) or Used(), zone
        self._caps = budget.caps if budget else Budget()
        self._hour, self._day = used.hour, used.day
        self._hour_ends = next_hour_start(zone, now) if self._caps.hour else math.inf
        self._day_ends = next_day_start(zone, now) if self._caps.day else math.inf

    def add(self, at: float, count: int, each: float) -> HoldReason | None:
        """Count so many more, one every `each` seconds from then on; the cap that does not allow it, if any."""
        while count:
            self._turn(at)
            left = min(self._hour_ends, self._day_ends) - at
            fitting = count if each <= 0 or math.isinf(left) else min(count, math.ceil(left / each))
            self._hour, self._day = self._hour + fitting, self._day + fitting
            if self._caps.day and self._day > self._caps.day:
                return HoldReason.DAILY_CAP
            if self._caps.hour and self._hour > self._caps.hour:
                return HoldReason.HOURLY_CAP
            at, count = at + fitting * each, count - fitting
        return None

    def _turn(self, at: float) -> None:
        """Begin the hour and the day of a moment, if they are new."""
        if at >= self._hour_ends:
            self._hour, self._hour_ends = 0, next_hour_start(self._zone, at)
        if at >= self._day_ends:
            self._day, self._day_ends = 0, next_day_start(self._zone, at)


def _closes(limits: Limits, now: float, seconds: float) -> bool:
    """Whether any window closes before that: then not everything in the queue leaves one after another."""
    if seconds >= _LONGEST:
        return True
    looks = [now + step * _STEP for step in range(int(seconds // _STEP) + 1)] + [now + seconds]
    return any(not is_open(window, limits.timezone, at) for window in limits.windows for at in looks)
