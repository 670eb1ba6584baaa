"""When the waiting messages will be sent, as far as anybody can tell; pure."""

from antrian.domain.hold import HoldReason
from antrian.domain.lane_limits import Limits
from antrian.domain.priority import Priority
from antrian.domain.send_window import is_open, window_for
from antrian.operations.lane.status import Reason, Status

#: What a wait of unknown length has for its cause.
_NOBODY_KNOWS = frozenset({Reason.PAUSED, Reason.NO_CONSUMER, Reason.UNAVAILABLE})


def eta_seconds(status: Status, place: int) -> float | None:
    """Seconds until a waiting message is sent.

    Args:
        status: of its lane.
        place: how many messages go before it.

    Returns:
        None when that cannot be told: the lane is paused, the provider is down, no consumer is running, or a cap may
        hold it by then.
    """
    is_known = status.estimated_time is not None or status.estimate_needs_plan is not None
    if not is_known or status.next_send_reason in _NOBODY_KNOWS or place >= _left(status):
        return None
    return status.turns.first_in + place * status.turns.each


def eta_of(priority: int, status: Status, limits: Limits, place: int) -> float | None:
    """Seconds until a waiting message is sent, if its window is open then.

    Args:
        priority: of the message, the broker's number.
        status: of its lane.
        limits: of its lane.
        place: how many messages go before it.
    """
    eta = eta_seconds(status, place)
    window = window_for(limits.windows, priority) if priority < Priority.URGENT else None
    if eta is None or window is None or is_open(window, limits.timezone, status.at + eta):
        return eta
    return None


def _left(status: Status) -> float:
    """How many messages may be sent until the first cap is reached; after the one that is reached now, if one is."""
    budget = status.budget
    if budget is None:
        return float("inf")
    caps = {"hour": HoldReason.HOURLY_CAP, "day": HoldReason.DAILY_CAP}
    left = {name: budget.left(name) for name in caps}
    # A new day is a new hour as well.
    anew = {HoldReason.HOURLY_CAP: {"hour"}, HoldReason.DAILY_CAP: {"hour", "day"}}.get(status.hold.reason, set())
    for name in anew:
        left[name] = getattr(budget.caps, name) or None
    return min((count for count in left.values() if count is not None), default=float("inf"))
