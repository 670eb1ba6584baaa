"""When the next send may start: never less than the delay after the end of the last one.

Everything that changes the pace is here: the lane's own sends, the wish of a provider for silence, an admin's commands,
and what the outcomes stream tells of other consumers and of an earlier life of this one.

All times here are monotonic seconds of this process. What other processes did is known by wall clock; `since` turns
that into monotonic time in the careful direction. Nothing here reads a clock.
"""

import math
import random
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from antrian.domain.control import Command, Control
from antrian.domain.lane_timing import LaneTimes
from consumer.lane.bells import Bells
from consumer.lane.permit import Permit

#: Seconds before the pause is over at which the lane chooses its next message: about what the broker needs to
#: deliver it and to confirm that its sending begins. The send itself never starts before the pause is over.
LEAD = 0.004

#: Seconds between the first sends of the lanes that a process begins with: some three times what a send takes of it.
STAGGER = 0.01


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
        delay: the least pause between two sends, seconds.
        jitter: up to so many seconds more, at random.
        pause_over_at: end of the pause after the last send; monotonic seconds.
        hold_over_at: end of the silence that the provider asked for or made necessary; monotonic seconds.
        hold_reason: the failure class behind the hold, or the `SessionState` of a sender that is not connected.
        paused: an admin paused the lane.
        forced: an admin ended the present wait; spent by the next send.
        bells: urgent messages that announced themselves and have not been delivered yet.
        permit: an admin wants one message sent although the lane is paused; None on a lane that is not.
    """

    delay: float = 0.0
    jitter: float = 0.0
    pause_over_at: float = -math.inf
    hold_over_at: float = -math.inf
    hold_reason: str = ""
    paused: bool = False
    forced: bool = False
    bells: Bells = field(default_factory=Bells)
    permit: Permit | None = None
    _adopted: LaneTimes = field(default_factory=LaneTimes)
    _accounted: set[Hashable] = field(default_factory=set)
    _session: tuple[str, float] = ("", 0.0)

    def next_pause(self) -> float:
        """The pause after one send, in seconds: the delay plus up to the jitter, never less than the delay."""
        return self.delay + random.uniform(0, self.jitter)  # noqa: S311 (not a secret)

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

    # What an admin commands.

    def apply(self, control: Control, has_attempted: Callable[[str, int], bool], *, wall: float, now: float) -> None:
        """Carry out a command for this lane, or take note of an urgent message that announces itself.

        Args:
            control: for this lane.
            has_attempted: tells whether that copy of a message (its id, its generation) was attempted already.
            wall: unix seconds.
            now: monotonic seconds, at the same moment.
        """
        match control.command:
            case Command.PAUSE:
                self.pause()
            case Command.RESUME:
                self.resume()
            case Command.FORCE:
                self.force(now)
            case Command.TRY_ONE:
                # A process that stood still reads what is long out of date.
                if control.permit and not 0 < control.expires_at < wall:
                    self.try_one(control.permit, control.actor, now)
            case Command.WITHDRAW:
                self.withdraw(control.permit)
            case Command.URGENT:
                if not has_attempted(control.message_id, control.generation):
                    self.bells.ring(control.message_id, control.generation)
                # A standby hears every bell, and is never delivered what rang.
                self.bells.look_at_a_few(has_attempted)

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

    # What the lane's own sends do.

    def send_ended(self, at: float, pause: float) -> None:
        """A call to the provider ended at `at`; the next may start `pause` seconds later."""
        self.pause_over_at = max(self.pause_over_at, at + pause)

    def hold(self, until: float, reason: str) -> None:
        """The provider needs silence until then."""
        self.hold_over_at = until
        self.hold_reason = reason

    # What the outcomes stream tells.

    def includes(self, times: LaneTimes) -> bool:
        """Whether these times have been taken over already."""
        return times == self._adopted

    def leave_out(self, times: LaneTimes) -> None:
        """These times need not be taken over: they are our own, and paced by the monotonic clock already."""
        self._adopted = times

    def adopt(self, times: LaneTimes, sending: Iterable[Hashable], *, wall: float, now: float) -> None:
        """Take over the pauses of other consumers, and of our own earlier life.

        Args:
            times: of the lane, by wall clock.
            sending: attempts that have no outcome yet: by more than the message, which may be under way once more.
            wall: unix seconds.
            now: monotonic seconds, at the same moment.
        """
        # Each time is taken over once: read again after the clock was set back, it would count as now for ever.
        has_changed, self._adopted = times != self._adopted, times
        if has_changed and times.send_ended_at:
            self.send_ended(since(times.send_ended_at, wall, now), max(times.pause, self.delay))
            # All consumers of a lane hear an admin's force; the one that has sent since has spent it.
            self.forced = False
        if has_changed and times.held_because is not None:
            left = min(times.held_until - wall, times.held_for)
            self.hold(now + left, times.session or times.held_because)
        self.hear_of_session(times, wall=wall, now=now)
        unfinished = set(sending)
        if unfinished - self._accounted:
            # A send without an outcome may have ended this very moment.
            self.send_ended(now, self.next_pause())
        self._accounted = unfinished

    def hear_of_session(self, times: LaneTimes, *, wall: float, now: float) -> None:
        """Keep to what is said of the sender's connection, each word once; also while the lane is shut.

        Args:
            times: of the lane, by wall clock.
            wall: unix seconds.
            now: monotonic seconds, at the same moment.
        """
        before, self._session = self._session, (times.session, times.session_told_at)
        if before == self._session:
            return
        if not times.session and not before[0]:
            return
        left = min(times.held_until - wall, times.held_for) if times.held_because else -math.inf
        self.hold(now + left, times.session or times.held_because or "")


def stagger(index: int, delay: float) -> float:
    """Seconds for which the lane with this index waits before its first send, when a process begins with many.

    Lanes of one delay that begin in the same instant would send in the same instants for ever, and wait for each other.
    It is never more than half a delay, and nothing for the first lane.
    """
    return min(index * STAGGER, delay / 2)


def since(event_at: float, wall_now: float, monotonic_now: float) -> float:
    """An event's wall-clock time as monotonic time; one that seems to lie in the future counts as now.

    So a clock that was set back can only lengthen a pause.
    """
    return monotonic_now - max(0.0, wall_now - event_at)
