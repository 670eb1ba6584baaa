"""What keeps a lane from sending by itself: the pause after the last send, and the provider's silence; pure."""

from dataclasses import dataclass

from antrian.domain.failure_class import FailureClass
from antrian.operations.lane.activity import Activity


@dataclass(frozen=True, slots=True)
class Waits:
    """What keeps a lane from sending, an admin's pause aside.

    Attributes:
        pause: what is left of the pause after the last send, seconds.
        hold: what is left of the provider's silence, seconds.
        held_because: `throttled` or `unavailable`, while `hold` is not 0.
    """

    pause: float
    hold: float
    held_because: str

    @property
    def reasons(self) -> tuple[str, ...]:
        """The names of those that are not over."""
        return (*(("pause",) if self.pause else ()), *((self.held_because,) if self.hold else ()))


def waits_of(activity: Activity, *, delay: float, now: float) -> Waits:
    """What keeps the lane from sending at that moment, unix seconds."""
    pause, hold = time_left(activity, delay, now)
    throttled = activity.times.held_because == FailureClass.THROTTLED
    return Waits(pause, hold, (FailureClass.THROTTLED if throttled else FailureClass.UNAVAILABLE).value)


def time_left(activity: Activity, delay: float, now: float) -> tuple[float, float]:
    """What is left of the pause after the last send, and of the provider's silence, in seconds."""
    times = activity.times
    if activity.forced_at > times.send_ended_at:
        return 0.0, 0.0
    # A time in the future counts as now, as it does for the consumer: clocks differ.
    # The consumer may have other settings than we; what it chose is on record.
    whole = times.pause or delay
    pause = min(whole, times.send_ended_at + whole - now) if times.send_ended_at else 0.0
    hold = min(times.held_for, times.held_until - now) if times.held_because else 0.0
    return max(0.0, pause), max(0.0, hold)
