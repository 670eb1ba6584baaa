"""When the waiting messages will be sent, as far as anybody can tell; pure."""

from antrian.operations.lane.status import Reason, Status

#: What a wait of unknown length has for its cause.
_NOBODY_KNOWS = frozenset({Reason.PAUSED, Reason.NO_CONSUMER, Reason.UNAVAILABLE})


def eta_seconds(status: Status, place: int) -> float | None:
    """Seconds until a waiting message is sent.

    Args:
        status: of its lane.
        place: how many messages go before it.

    Returns:
        None when that cannot be told: the lane is paused, the provider is down, or no consumer is running.
    """
    if status.estimated_time is None or status.next_send_reason in _NOBODY_KNOWS:
        return None
    return status.turns.first_in + place * status.turns.each
