"""When the last message of a lane leaves, what is held included, as far as anybody but a plan can tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from antrian.domain.budget import Budget
from antrian.domain.hold import HoldReason
from antrian.domain.lane_limits import Limits
from antrian.domain.send_window import is_open, next_day_start, next_hour_start
from antrian.domain.usage import Used
from antrian.operations.lane.holds import reason_of
from antrian.operations.lane.status import Status

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: Held messages that a forecast goes through; of more, only a plan can tell.
MOST_FORECAST = 20_000

#: Messages in the queue that are counted through.
_MOST_WAITING = 100_000

#: Seconds between two looks at a window, and for how long at most: after a day every window has closed.
_STEP, _LONGEST = 900.0, 86_400.0


@dataclass(frozen=True, slots=True)
class HeldMessages:
    """What is held in one lane.

    Attributes:
        count: how many messages.
        reasons: why.
        due_times: when the delay ladder gives them back, in order, unix seconds; at most `MOST_FORECAST`.
    """

    count: int = 0
    reasons: frozenset[HoldReason] = frozenset()
    due_times: Sequence[float] = ()


NOTHING_HELD = HeldMessages()


def held_messages(history: "History", lane: str) -> HeldMessages:
    """What is held in a lane now."""
    counts = history.held(lane)
    reasons = frozenset(reason_of(one.reason) for one in counts)
    return HeldMessages(sum(one.count for one in counts), reasons, history.held_due_times(lane, MOST_FORECAST))


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
    if held.count > len(held.due_times) or status.queue_length > _MOST_WAITING:
        return min(held.reasons, default=HoldReason.DAILY_CAP, key=list(HoldReason).index)
    if limits.windows and status.queue_length and _closes(limits, status.at, end):
        return HoldReason.WINDOW
    each, took = status.turns.each, max(0.0, status.turns.each - status.delay - status.jitter / 2)
    last, opens = end, end - took + each if status.queue_length or status.retrying else status.turns.first_in
    for due_at in held.due_times:
        begins = max(opens, due_at - status.at)
        last, opens = begins + took, begins + each
    cap = _first_cap(status, held, limits)
    return last if cap is None else cap


def _first_cap(status: Status, held: HeldMessages, limits: Limits) -> HoldReason | None:
    """The first cap that is reached before the last message has left, at the pace that is to be expected."""
    if status.budget is None or not (status.budget.caps.day or status.budget.caps.hour):
        return None
    counter = _Counter(status.budget.used or Used(), status.budget.caps, limits.timezone, status.at)
    opens = status.at + status.turns.first_in
    dues = [*([0.0] * (status.queue_length + status.retrying)), *held.due_times]
    for due_at in dues:
        begins = max(opens, due_at)
        if (reached := counter.add(begins)) is not None:
            return reached
        opens = begins + status.turns.each
    return None


class _Counter:
    """Counts what is sent in each hour and on each day."""

    def __init__(self, used: Used, caps: Budget, zone: str, now: float) -> None:
        self._caps, self._zone = caps, zone
        self._hour, self._day = used.hour, used.day
        self._hour_ends, self._day_ends = next_hour_start(zone, now), next_day_start(zone, now)

    def add(self, at: float) -> HoldReason | None:
        """Count one more; the cap that does not allow it, if one does not."""
        if at >= self._hour_ends:
            self._hour, self._hour_ends = 0, next_hour_start(self._zone, at)
        if at >= self._day_ends:
            self._day, self._day_ends = 0, next_day_start(self._zone, at)
        if self._caps.day and self._day >= self._caps.day:
            return HoldReason.DAILY_CAP
        if self._caps.hour and self._hour >= self._caps.hour:
            return HoldReason.HOURLY_CAP
        self._hour, self._day = self._hour + 1, self._day + 1
        return None


def _closes(limits: Limits, now: float, seconds: float) -> bool:
    """Whether any window closes before that: then not everything in the queue leaves one after another."""
    if seconds >= _LONGEST:
        return True
    looks = [now + step * _STEP for step in range(int(seconds // _STEP) + 1)] + [now + seconds]
    return any(not is_open(window, limits.timezone, at) for window in limits.windows for at in looks)
