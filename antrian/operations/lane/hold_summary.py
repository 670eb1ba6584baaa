"""What all messages of a lane that wait, wait for: counted by reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from antrian.domain.hold import Hold, HoldReason
from antrian.domain.priority import Priority
from antrian.history.records import DelayedCount, HeldCount, MessageState
from antrian.operations.lane.holds import CAPS, UNKNOWN_LANE, reason_of
from antrian.operations.lane.lane_hold import hold_json
from antrian.operations.lane.status import Status

if TYPE_CHECKING:
    from antrian.history.queries.history import History

_ORDER = {reason: place for place, reason in enumerate(HoldReason)}
_OWN_TIME = {MessageState.SCHEDULED: HoldReason.SCHEDULED, MessageState.RETRYING: HoldReason.RETRY}


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """The messages of a lane that wait for one thing.

    Attributes:
        reason: that.
        count: how many messages.
        next_release: when the first of them may go on, unix seconds; None when nobody can tell.
        last_release: when the last of them may.
        rule: what set it; None for nothing that can be changed.
    """

    reason: HoldReason
    count: int
    next_release: float | None
    last_release: float | None
    rule: str | None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "reason": self.reason.value,
            "count": self.count,
            "next_release": self.next_release,
            "last_release": self.last_release,
            "rule": self.rule,
        }


@dataclass(frozen=True, slots=True)
class LaneWaits:
    """What waits in a lane, as the history counts it.

    Attributes:
        normal: messages in the lane's queue that are not urgent.
        urgent: those that are.
        held: what a rule holds.
        delayed: what comes back at a time of its own.
    """

    normal: int
    urgent: int
    held: Sequence[HeldCount] = ()
    delayed: Sequence[DelayedCount] = ()

    @classmethod
    def of(cls, history: "History", lane: str) -> "LaneWaits":
        """What waits in a lane now."""
        normal, urgent = history.waiting(lane)
        return cls(normal, urgent, history.held(lane), history.delayed(lane))


def waits_by_lane(
    depths: Mapping[tuple[str, int], int],
    held: Mapping[str, Sequence[HeldCount]],
    delayed: Mapping[str, Sequence[DelayedCount]],
) -> dict[str, LaneWaits]:
    """What waits in each lane in which anything does.

    Args:
        depths: messages in the lanes' queues, by lane and the broker's priority number.
        held: by lane.
        delayed: by lane.
    """
    normal: Counter[str] = Counter()
    urgent: Counter[str] = Counter()
    for (lane, priority), count in depths.items():
        (urgent if priority >= Priority.URGENT else normal)[lane] += count
    lanes = normal.keys() | urgent.keys() | held.keys() | delayed.keys()
    return {lane: LaneWaits(normal[lane], urgent[lane], held.get(lane, ()), delayed.get(lane, ())) for lane in lanes}


@dataclass(frozen=True, slots=True)
class HoldSummary:
    """What the messages of a lane wait for.

    Attributes:
        lane: which lane.
        lane_hold: what a message in its queue waits for; None when the broker does not tell.
        reasons: each reason that any message has, in their fixed order.
        budget: the lane's caps and what is used of them, as JSON; None when the broker does not tell.
        cold_held_until: until when messages to new contacts are held because WhatsApp refused one, unix seconds; None
            when none is.
    """

    lane: str
    lane_hold: Hold | None
    reasons: Sequence[ReasonCount]
    budget: dict[str, Any] | None
    cold_held_until: float | None

    def only(self, reason: HoldReason) -> "HoldSummary":
        """The same with one reason."""
        return replace(self, reasons=[one for one in self.reasons if one.reason is reason])

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "lane": self.lane,
            "lane_hold": hold_json(self.lane_hold),
            "reasons": [one.as_json() for one in self.reasons],
            "budget": self.budget,
            "cold_held_until": self.cold_held_until,
        }


def summary_of(
    lane: str, status: Status | None, waiting: LaneWaits, now: float, refused_until: float | None = None
) -> HoldSummary:
    """What the messages of a lane wait for.

    Args:
        lane: which lane.
        status: of the lane; None when the broker does not tell.
        waiting: what waits.
        now: unix seconds.
        refused_until: until when WhatsApp refuses new contacts of the lane's sender, unix seconds, as the contacts tell
            it; 0 for not at all. None where they do not tell: then what is held says it.
    """
    # The first of them goes when the hold ends; the others have their slots on the days after it.
    refused = [one.until for one in waiting.held if one.reason == HoldReason.COLD_HELD and one.until]
    if refused_until is not None:
        refused = [refused_until]
    return HoldSummary(
        lane,
        status.hold if status else None,
        reason_counts(status, waiting),
        status.budget.as_json() if status and status.budget else None,
        min((until for until in refused if until > now), default=None),
    )


def reason_counts(status: Status | None, waiting: LaneWaits) -> list[ReasonCount]:
    """Each reason that any message has, in their fixed order."""
    found = [
        *_in_queue(status, waiting),
        *(_held(one) for one in waiting.held),
        *(
            ReasonCount(_OWN_TIME[one.state], one.count, one.first_due_at, one.last_due_at, None)
            for one in waiting.delayed
        ),
    ]
    by_reason: dict[HoldReason, ReasonCount] = {}
    for one in found:
        known = by_reason.get(one.reason)
        by_reason[one.reason] = one if known is None else _together(known, one)
    return sorted(by_reason.values(), key=lambda one: _ORDER[one.reason])


def _in_queue(status: Status | None, waiting: LaneWaits) -> list[ReasonCount]:
    """What waits in the lane's own queue; an urgent message passes its caps."""
    hold = status.hold if status else UNKNOWN_LANE
    if status is None or hold.reason not in CAPS:
        counts = [(hold, waiting.normal + waiting.urgent)]
    else:
        counts = [(hold, waiting.normal), (status.pace, waiting.urgent)]
    return [ReasonCount(one.reason, count, one.until, None, one.rule or None) for one, count in counts if count]


def _held(one: HeldCount) -> ReasonCount:
    return ReasonCount(reason_of(one.reason), one.count, one.first_due_at, one.last_due_at, one.rule or None)


def _together(one: ReasonCount, other: ReasonCount) -> ReasonCount:
    firsts = [at for at in (one.next_release, other.next_release) if at is not None]
    lasts = [at for at in (one.last_release, other.last_release) if at is not None]
    return ReasonCount(
        one.reason,
        one.count + other.count,
        min(firsts, default=None),
        max(lasts, default=None),
        one.rule or other.rule,
    )
