"""A worker at one moment, as a value that another thread may read."""

from dataclasses import dataclass
from enum import StrEnum


class LaneState(StrEnum):
    """What a worker is doing; the first that fits."""

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
    #: The pause after the last send is running.
    PAUSE = "pause"
    #: Nothing keeps it from sending: it waits for a message.
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class LaneView:
    """What is to be seen of a worker.

    Attributes:
        lane: its lane.
        connected: whether the broker can be reached.
        sending: whether the provider is being called.
        paused: whether an admin paused the lane.
        active: whether this consumer is the one at work on the lane, not a standby.
        pause_over_at: end of the pause after the last send, monotonic seconds.
        hold_over_at: end of the provider's silence, monotonic seconds.
        hold_reason: the failure class behind it; empty before the first.
        breaker_open: whether the latest call found the provider unavailable.
        remembered: entries of the ledger.
    """

    lane: str
    connected: bool
    sending: bool
    paused: bool
    active: bool
    pause_over_at: float
    hold_over_at: float
    hold_reason: str
    breaker_open: bool
    remembered: int

    def state(self, now: float) -> LaneState:
        """What it is doing; `now` is monotonic seconds."""
        facts = {
            LaneState.DISCONNECTED: not self.connected,
            LaneState.PAUSED: self.paused,
            LaneState.SENDING: self.sending,
            LaneState.STANDBY: not self.active,
            LaneState.HELD: self.hold_over_at > now,
            LaneState.PAUSE: self.pause_over_at > now,
        }
        return next((state for state, holds in facts.items() if holds), LaneState.WAITING)

    def held_because(self, now: float) -> str:
        """The failure class that keeps the lane silent; empty when none does."""
        return self.hold_reason if self.hold_over_at > now else ""

    def opens_at(self) -> float:
        """When the next send may start, an admin's pause aside; monotonic seconds, minus infinity before the first."""
        return max(self.pause_over_at, self.hold_over_at)
