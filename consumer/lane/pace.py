"""When the next send may start: never less than the delay after the end of the last one.

All times here are monotonic seconds of this process. What other processes did is known by wall clock; `since` turns
that into monotonic time in the careful direction.
"""

import math
from dataclasses import dataclass, field

from consumer.lane.bells import Bells
from consumer.lane.permit import Permit

#: Seconds before the pause is over at which the lane chooses its next message: about what the broker needs to
#: deliver it and to confirm that its sending begins. The send itself never starts before the pause is over.
LEAD = 0.004


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the lane may send.

    Attributes:
        opens_at: monotonic seconds; infinite while nobody can tell.
        reason: what keeps it shut: `pause`, `throttled`, `unavailable`, `paused`; or `open`.
    """

    opens_at: float
    reason: str

    def wait(self, now: float) -> float:
        """Seconds until it opens, 0 when it is open."""
        return max(0.0, self.opens_at - now)

    def is_open_to_choose(self, now: float) -> bool:
        """Whether it is time to have the next message delivered."""
        return now >= self.opens_at - LEAD


@dataclass(slots=True)
class Pace:
    """What keeps the lane shut at the moment.

    Attributes:
        pause_over_at: end of the pause after the last send; monotonic seconds.
        hold_over_at: end of the silence that the provider asked for or made necessary; monotonic seconds.
        hold_reason: the failure class behind the hold.
        paused: an admin paused the lane.
        forced: an admin ended the present wait; spent by the next send.
        bells: urgent messages that announced themselves and have not been delivered yet.
        permit: an admin wants one message sent although the lane is paused; None on a lane that is not.
    """

    pause_over_at: float = -math.inf
    hold_over_at: float = -math.inf
    hold_reason: str = ""
    paused: bool = False
    forced: bool = False
    bells: Bells = field(default_factory=Bells)
    permit: Permit | None = None

    def gate(self, *, urgent: bool = False) -> Gate:
        """Whether the lane may send now; `urgent` asks for a message that needs not wait for the pause."""
        if self.paused:
            return Gate(math.inf, "paused")
        if self.forced:
            return Gate(-math.inf, "open")
        return self._waits(-math.inf if urgent else self.pause_over_at)

    def gate_for_the_one(self) -> Gate:
        """Whether the one message that a paused lane sends may go now: it keeps every wait, urgent or not."""
        return self._waits(self.pause_over_at)

    def _waits(self, pause_over_at: float) -> Gate:
        if self.hold_over_at > pause_over_at:
            return Gate(self.hold_over_at, self.hold_reason)
        return Gate(pause_over_at, "pause")

    def gate_to_choose(self) -> Gate:
        """Whether it is time to have the next message delivered: an urgent one that waits opens the gate.

        The one message that a paused lane sends is chosen at once, because an admin waits to hear which it is.
        """
        if self.permit is not None:
            return Gate(-math.inf, "open")
        return self.gate(urgent=bool(self.bells))

    def pause(self) -> None:
        """An admin pauses the lane; again, when it was paused already: then nothing that was permitted is sent."""
        self.paused, self.permit = True, None

    def resume(self) -> None:
        """Messages leave by themselves again, so that none needs a permission."""
        self.paused, self.permit = False, None

    def try_one(self, permit_id: str, asked_by: str, now: float) -> None:
        """An admin permits one message; on a lane that is not paused there is nothing to permit."""
        if not self.paused:
            return
        if self.permit is not None and not self.permit.has_expired(now):
            self.permit.ask_again(permit_id, asked_by, now)
        else:
            self.permit = Permit.asked(permit_id, asked_by, now)

    @property
    def wants_a_choice(self) -> bool:
        """Whether an admin waits to hear which message a paused lane sends."""
        return self.permit is not None and not self.permit.message_id

    def drop_expired_permit(self, now: float) -> None:
        """Forget a permission that nobody could use in time."""
        if self.permit is not None and self.permit.has_expired(now):
            self.permit = None

    def withdraw(self, permit_id: str) -> None:
        """Nobody waits for the answer to this command any more; what has been chosen is sent all the same."""
        if self.permit is not None and not self.permit.message_id:
            self.permit = self.permit.without(permit_id)

    def force(self, now: float) -> None:
        """End the present wait, if there is one, and any pause by an admin."""
        self.resume()
        self.forced = self.forced or self.gate().wait(now) > 0

    def send_ended(self, at: float, pause: float) -> None:
        """A call to the provider ended at `at`; the next may start `pause` seconds later."""
        self.pause_over_at = max(self.pause_over_at, at + pause)

    def hold(self, until: float, reason: str) -> None:
        """The provider needs silence until then."""
        self.hold_over_at = until
        self.hold_reason = reason


def since(event_at: float, wall_now: float, monotonic_now: float) -> float:
    """An event's wall-clock time as monotonic time; one that seems to lie in the future counts as now.

    So a clock that was set back can only lengthen a pause.
    """
    return monotonic_now - max(0.0, wall_now - event_at)
