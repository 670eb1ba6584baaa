"""What each waiting message waits for, as an admin sees it: one `Hold` for every message that waits; pure.

A message that is held says itself what for; so do those that come back at a time of their own. Whatever waits in the
lane waits for what its lane waits for.
"""

from antrian.domain.hold import Hold, HoldReason
from antrian.domain.priority import Priority
from antrian.history.records import MessageRecord, MessageState
from antrian.operations.lane.eta import eta_seconds
from antrian.operations.lane.status import Status

#: Holds of a lane that an urgent message passes.
CAPS = frozenset({HoldReason.DAILY_CAP, HoldReason.HOURLY_CAP})

#: What waits in a lane of which the broker tells nothing.
UNKNOWN_LANE = Hold(HoldReason.PACE, None, "the broker does not tell")


def waits_for(record: MessageRecord, lane: Status | None, now: float, place: int | None = None) -> Hold | None:
    """What a message waits for; None for one that does not wait.

    Args:
        record: the message.
        lane: its lane; None when the broker does not tell.
        now: unix seconds.
        place: how many messages of its lane go before it, where that is known.
    """
    match record.state:
        case MessageState.HELD if record.hold_until is None or record.hold_until > now:
            return Hold(reason_of(record.hold_reason), record.hold_until, record.hold_rule or "")
        case MessageState.SCHEDULED:
            return Hold(HoldReason.SCHEDULED, record.due_at)
        case MessageState.RETRYING:
            return Hold(HoldReason.RETRY, record.due_at)
        case MessageState.HELD | MessageState.WAITING:
            return _in_lane(record, lane, place)
    return None


def _in_lane(record: MessageRecord, lane: Status | None, place: int | None) -> Hold:
    """What its lane waits for, or its turn, where that is known."""
    if lane is None:
        return UNKNOWN_LANE
    is_exempt = lane.hold.reason in CAPS and record.priority >= Priority.URGENT
    hold = lane.pace if is_exempt else lane.hold
    if hold.reason is not HoldReason.PACE or not place:
        return hold
    eta = eta_seconds(lane, place)
    return Hold(HoldReason.PACE, None if eta is None else lane.at + eta, hold.rule)


def reason_of(told: str | None) -> HoldReason:
    """The reason that an event told; one of a later version is shown as a time of the message's own."""
    try:
        return HoldReason(told or "")
    except ValueError:
        return HoldReason.SCHEDULED
