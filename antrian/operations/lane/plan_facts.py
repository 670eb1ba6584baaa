"""What a plan begins with: a lane, and what waits in it, as broker and history tell them. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from antrian.domain.hold import Candidate, HoldReason
from antrian.domain.lane import Lane
from antrian.domain.priority import Priority
from antrian.domain.send_window import day_of, day_start
from antrian.domain.usage import Used
from antrian.operations.lane.forecast import Tempo
from antrian.operations.lane.hold_summary import LaneWaits
from antrian.operations.lane.plan import MOST_PLANNED
from antrian.operations.lane.plan_play import PlayedMessage, PlayStart
from antrian.operations.lane.recent_attempts import Terms
from antrian.operations.lane.status import Status

_COLD = frozenset({HoldReason.COLD_HELD, HoldReason.COLD_CAP, HoldReason.WARM_UP})

#: What a plan assumes of a lane that is not as it should be; shown to people.
NO_BROKER: Final = "nothing is known of what waits and what was sent today, because the broker does not tell"
NO_HISTORY: Final = "of what waits only the number in the queue is known, and not what is held"
IS_PAUSED: Final = "the lane is paused, and is resumed now"
NO_CONSUMER: Final = "no consumer runs, and one is started now"
IS_DOWN: Final = "the provider cannot be reached, and can be again now"
BACKLOG_KNOWN: Final = "what waits already in the queue goes to people whom the sender knows"


def start_of(lane: Lane, status: Status | None, waiting: LaneWaits | None, now: float) -> PlayStart:
    """The lane as it is.

    Args:
        lane: what is set for it.
        status: as the broker tells it; None when it does not.
        waiting: as the history tells it; None when it does not.
        now: unix seconds.
    """
    tempo = Tempo([], Terms(lane.delay, lane.jitter))
    if status is None:
        return PlayStart(now=now, limits=lane.limits, tempo=tempo)
    opens_at = now if status.hold.reason is HoldReason.PROVIDER_AWAY else now + status.turns.first_in
    budget = status.budget
    return PlayStart(
        now=now,
        limits=lane.limits,
        tempo=status.tempo or tempo,
        opens_at=opens_at,
        used=budget.used if budget and budget.used else Used(),
        first_cold_at=_first_cold_at(lane, budget.caps.warm_up_day if budget else None, now),
        cold_held_until=_cold_held_until(waiting),
    )


def _first_cold_at(lane: Lane, warm_up_day: int | None, now: float) -> float | None:
    """The first moment of the ramp's first day; on that day itself nobody knows whether it has begun."""
    if warm_up_day is None or warm_up_day <= 1:
        return None
    zone = lane.limits.timezone
    today = day_of(zone, now)
    return day_start(zone, today.fromordinal(max(1, today.toordinal() - warm_up_day + 1)))


def _cold_held_until(waiting: LaneWaits | None) -> float | None:
    ends = [one.until for one in waiting.held if one.reason == HoldReason.COLD_HELD] if waiting else []
    return min((until for until in ends if until is not None), default=None)


def backlog_of(lane: Lane, status: Status | None, waiting: LaneWaits | None, now: float) -> list[PlayedMessage]:
    """What the lane has to send already; at most as many messages as a plan plays through.

    Args:
        lane: what is set for it.
        status: as the broker tells it; None when it does not.
        waiting: as the history tells it; None when it does not.
        now: unix seconds.
    """
    return [message for message, _ in zip(_backlog(lane, status, waiting, now), range(MOST_PLANNED), strict=False)]


def _backlog(lane: Lane, status: Status | None, waiting: LaneWaits | None, now: float) -> Iterator[PlayedMessage]:
    zone = lane.limits.timezone
    if waiting is None:
        count = status.waiting if status else 0
        yield from (_message(zone, f"waiting {number}") for number in range(count))
        return
    # The broker counts what waits at this moment; the history may be a little behind, and knows the priorities.
    urgent = waiting.urgent if status is None else min(waiting.urgent, status.waiting)
    others = waiting.normal if status is None else status.waiting - urgent
    for number in range(urgent):
        yield _message(zone, f"urgent {number}", priority=Priority.URGENT)
    for number in range(others):
        yield _message(zone, f"waiting {number}")
    for held in waiting.held:
        is_cold = held.reason in _COLD
        for due_at in _spread(held.count, held.first_due_at, held.last_due_at):
            yield _message(zone, f"{held.reason} {due_at} {is_cold}", max(due_at, now), is_cold=is_cold)
    for delayed in waiting.delayed:
        for due_at in _spread(delayed.count, delayed.first_due_at, delayed.last_due_at):
            yield _message(zone, f"{delayed.state} {due_at}", max(due_at, now))


def _spread(count: int, first: float, last: float) -> Sequence[float]:
    """So many moments, evenly spread; each is another one."""
    step = (last - first) / max(1, count - 1)
    return [first + number * step + number * 1e-6 for number in range(count)]


def _message(
    zone: str, name: str, due_at: float = 0.0, *, priority: int = Priority.NORMAL, is_cold: bool = False
) -> PlayedMessage:
    candidate = Candidate(message_id=name, recipient="", priority=priority, is_cold=is_cold, timezone=zone)
    return PlayedMessage(candidate, due_at, slot=day_of(zone, due_at) if is_cold else None)


def doubts(status: Status | None, waiting: LaneWaits | None, backlog: Sequence[PlayedMessage]) -> list[str]:
    """What the plan assumes of the lane, a sentence each."""
    if status is None:
        return [NO_BROKER]
    facts = {
        NO_HISTORY: waiting is None,
        IS_PAUSED: status.paused,
        NO_CONSUMER: not status.running,
        IS_DOWN: status.hold.reason is HoldReason.PROVIDER_AWAY,
        BACKLOG_KNOWN: any(not one.due_at for one in backlog),
    }
    return [sentence for sentence, holds in facts.items() if holds]
