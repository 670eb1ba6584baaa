"""A lane at one moment, as a value that another thread may read."""

import math
from dataclasses import dataclass
from enum import StrEnum

from antrian.domain.budget import Budget
from antrian.domain.usage import Used
from consumer.lane.port import Phase


class LaneActivity(StrEnum):
    """What a lane is doing, as metrics name it; the first that fits."""

    #: There is no connection to the broker.
    DISCONNECTED = "disconnected"
    #: An admin paused the lane.
    PAUSED = "paused"
    #: The provider is being called.
    SENDING = "sending"
    #: Another consumer of the lane is at work.
    STANDBY = "standby"
    #: The provider asked for silence, or is not there.
    HELD = "held"
    #: As many messages were sent today as may be.
    DAILY_CAP = "daily_cap"
    #: As many messages were sent in this hour as may be.
    HOURLY_CAP = "hourly_cap"
    #: The pause after the last send is running.
    PAUSE = "pause"
    #: Nothing keeps it from sending: it waits for a message.
    WAITING = "waiting"


NOTHING_USED, NO_CAPS = Used(), Budget()


@dataclass(frozen=True, slots=True)
class LaneSnapshot:
    """A lane's state and pace at one moment.

    Attributes:
        lane: its name.
        connected: whether the broker can be reached.
        phase: what its tick is doing.
        paused: whether an admin paused the lane.
        active: whether this consumer is the one at work on the lane, not a standby.
        pause_over_at: end of the pause after the last send, monotonic seconds.
        hold_over_at: end of the provider's silence, monotonic seconds.
        hold_reason: the failure class behind it, or the `SessionState` of the sender; empty before the first.
        breaker_open: whether the latest call found the provider unavailable.
        remembered: entries of the ledger.
        used: what was sent in this hour and on this day.
        budget: the caps in force.
        cap: which of them keeps the lane shut now: a value of `LaneActivity`; empty when none does.
        cold_held: whether the sender may not write to cold contacts.
    """

    lane: str
    connected: bool
    phase: Phase
    paused: bool
    active: bool
    pause_over_at: float
    hold_over_at: float
    hold_reason: str
    breaker_open: bool
    remembered: int
    used: Used = NOTHING_USED
    budget: Budget = NO_CAPS
    cap: str = ""
    cold_held: bool = False

    @classmethod
    def of_an_idle(cls, lane: str) -> "LaneSnapshot":
        """A connected, active lane that has nothing to wait for."""
        return cls(lane, True, Phase.WAITING, False, True, -math.inf, -math.inf, "", False, 0)  # noqa: FBT003

    def activity(self, now: float) -> LaneActivity:
        """What it is doing; `now` is monotonic seconds."""
        facts = {
            LaneActivity.DISCONNECTED: not self.connected,
            LaneActivity.PAUSED: self.paused,
            LaneActivity.SENDING: self.phase is Phase.SENDING,
            LaneActivity.STANDBY: not self.active,
            LaneActivity.HELD: self.hold_over_at > now,
            LaneActivity.DAILY_CAP: self.cap == LaneActivity.DAILY_CAP,
            LaneActivity.HOURLY_CAP: self.cap == LaneActivity.HOURLY_CAP,
            LaneActivity.PAUSE: self.pause_over_at > now,
        }
        return next((activity for activity, holds in facts.items() if holds), LaneActivity.WAITING)

    def held_because(self, now: float) -> str:
        """What keeps the lane silent: a failure class, or a `SessionState`; empty when nothing does."""
        return self.hold_reason if self.hold_over_at > now else ""

    def opens_at(self) -> float:
        """When the next send may start, an admin's pause aside; monotonic seconds, minus infinity before the first."""
        return max(self.pause_over_at, self.hold_over_at)
