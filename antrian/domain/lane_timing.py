"""When a lane may send again, as the outcomes stream tells it: what the consumer keeps to, and the admin side shows."""

import math
from dataclasses import dataclass, replace

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.lifecycle import ATTEMPT_ENDS
from antrian.domain.receipt import SessionState, read_session

#: Seconds after which a lane whose sender is not connected tries all the same: the word that it is back may be lost.
SESSION_PROBE = 600.0

_SESSION = EventName.RECEIPT_SESSION
_FAILED, _UNCERTAIN = EventName.FAILED, EventName.UNCERTAIN


#: The provider wants no silence.
NO_WISH: tuple[float, float, str | None] = (0.0, 0.0, None)


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
        session: a `SessionState` while the sender is said not to be connected; empty while it can send.
        session_told_at: when the latest word on that came, unix seconds.
        session_changed_at: and when it happened, by the provider's clock; 0 when that is not known.
        wish: what `held_until`, `held_for` and `held_because` were before the sender lost its connection.
    """

    send_ended_at: float = 0.0
    pause: float = 0.0
    held_until: float = 0.0
    held_for: float = 0.0
    held_because: str | None = None
    failures_in_a_row: int = 0
    source: str = ""
    answered_at: float = 0.0
    session: str = ""
    session_told_at: float = 0.0
    session_changed_at: float = 0.0
    wish: tuple[float, float, str | None] = NO_WISH

    def after(self, event: Event) -> "LaneTimes":
        """The times after one more event of the lane; the end of a call to the provider, and its connection, count."""
        if event.name not in ATTEMPT_ENDS:
            return self._with_session(event) if event.name == _SESSION else self
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
        before = self._without_holds() if held is self else held
        return replace(before, send_ended_at=ended_at, pause=pause, source=event.source, answered_at=answered_at)

    def _without_holds(self) -> "LaneTimes":
        """The provider took a call: whatever was said of the sender's connection before is over."""
        told = self.session_told_at, self.session_changed_at
        return LaneTimes(session_told_at=told[0], session_changed_at=told[1])

    def _with_session(self, event: Event) -> "LaneTimes":
        """These times after a word on the sender's connection; one that is late, or says nothing, changes nothing."""
        notice = read_session(event)
        if notice is None:
            return self
        # A provider whose clock runs ahead must not have all that it tells once the clock is right taken for older.
        changed_at = None if notice.at is None else min(notice.at, event.at)
        if changed_at is not None and changed_at < self.session_changed_at:
            return self
        known = replace(self, session_told_at=event.at, session_changed_at=changed_at or self.session_changed_at)
        held_until, held_for, held_because = wish = self.wish if self.session else self._wish()
        if notice.state is SessionState.CONNECTED:
            if not self.session:
                return known
            return replace(
                known, session="", wish=NO_WISH, held_until=held_until, held_for=held_for, held_because=held_because
            )
        return replace(
            known,
            session=notice.state.value,
            wish=wish,
            held_until=event.at + SESSION_PROBE,
            held_for=SESSION_PROBE,
            held_because=FailureClass.UNAVAILABLE.value,
        )

    def _wish(self) -> tuple[float, float, str | None]:
        return self.held_until, self.held_for, self.held_because

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
            # Who asks for silence is there.
            session=self.session if reason == FailureClass.UNAVAILABLE else "",
        )


def _seconds(value: object) -> float:
    """A number of seconds in an event; 0 for anything that is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    return float(value) if 0 <= value < math.inf else 0.0
