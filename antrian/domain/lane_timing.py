"""When a lane may send again, as the outcomes stream tells it: what the consumer keeps to, and the admin side shows."""

import math
from dataclasses import dataclass, replace

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.lifecycle import ATTEMPT_ENDS

_FAILED, _UNCERTAIN = EventName.FAILED, EventName.UNCERTAIN


@dataclass(frozen=True, slots=True)
class LaneTimes:
    """What the stream says about when the lane may send again; wall clock, unix seconds.

    Attributes:
        send_ended_at: the end of the latest call to the provider; 0 when there was none.
        pause: seconds that follow that call before the next, as the consumer chose them (delay and jitter); 0 unknown.
        held_until: the provider asked for silence, or is not there, until then.
        held_for: how long that was meant to be when it began, seconds.
        held_because: the failure class that holds the lane; None when nothing does.
        failures_in_a_row: calls in a row that found the provider unavailable; they make the probes rarer.
        source: the consumer that made that call.
        answered_at: the end of the latest call that the provider answered; the end that a crash is given is none.
    """

    send_ended_at: float = 0.0
    pause: float = 0.0
    held_until: float = 0.0
    held_for: float = 0.0
    held_because: str | None = None
    failures_in_a_row: int = 0
    source: str = ""
    answered_at: float = 0.0

    def after(self, event: Event) -> "LaneTimes":
        """The times after one more event of the lane; only the end of a call to the provider changes them."""
        if event.name not in ATTEMPT_ENDS:
            return self
        if event.details.get("settled_by"):
            # The provider was called long ago. In doubt that call ends only now; what it wanted since stands.
            return replace(self, send_ended_at=max(self.send_ended_at, event.at), pause=0.0, source=event.source)
        if event.at < self.send_ended_at and event.source != self.source:
            # A consumer that was replaced reports late: what came after it stands. (One consumer's own events come in
            # order, whatever becomes of its clock.) But its successor may only have found that the attempt has no
            # outcome, and not heard of the provider since.
            return self._held(event) if event.at >= self.answered_at else self
        ended_at = max(self.send_ended_at, event.at)
        pause = _seconds(event.details.get("pause"))
        answered_at = self.answered_at if event.name == _UNCERTAIN else event.at
        held = self._held(event)
        before = LaneTimes() if held is self else held
        return replace(before, send_ended_at=ended_at, pause=pause, source=event.source, answered_at=answered_at)

    def _held(self, event: Event) -> "LaneTimes":
        """These times with the silence that a failure leads to; itself where it leads to none."""
        hold = _seconds(event.details.get("hold"))
        if event.name != _FAILED or not hold:
            return self
        reason = str(event.details.get("failure_class"))
        return replace(
            self,
            held_until=event.at + hold,
            held_for=hold,
            held_because=reason,
            failures_in_a_row=self.failures_in_a_row + (reason == FailureClass.UNAVAILABLE),
        )


def _seconds(value: object) -> float:
    """A number of seconds in an event; 0 for anything that is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    return float(value) if 0 <= value < math.inf else 0.0
