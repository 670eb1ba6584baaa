"""What a lane is doing, folded from its events: the present send, its pauses, and what waits for another attempt."""

from dataclasses import dataclass

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.headers import LATEST_MILLISECOND
from antrian.domain.lane_timing import LaneTimes
from antrian.domain.lifecycle import ATTEMPT_ENDS, JOINS_LADDER, LEAVES_LADDER
from antrian.operations.lane.lane_budget import UsageTold, usage_after
from antrian.operations.lane.recent_attempts import RecentAttempts

#: Events after which more or fewer messages are on the delay ladder.
CHANGES_THE_LADDER = (
    LEAVES_LADDER | JOINS_LADDER | {EventName.POSTPONED, EventName.HELD, EventName.RELEASED, EventName.LANE_CLEARED}
)

#: Messages that came back for another attempt and were not attempted yet, remembered; of more, the first are forgotten.
_MOST_BACK = 5_000

#: Messages that only a newer consumer can read, remembered; of more, the first are forgotten.
_MOST_TOO_NEW = 5_000


@dataclass(frozen=True, slots=True)
class Comeback:
    """A message that waits for another attempt, or for its turn after that.

    Attributes:
        due_at: when it comes, or came, back into its lane; unix seconds.
        attempt: which attempt comes next.
        priority: the broker's number; 0 when it is not known.
    """

    due_at: float
    attempt: int
    priority: int


class Activity:
    """One lane, as far as its events tell.

    Args:
        lane: events of other lanes are ignored.

    Attributes:
        times: when the lane may send again.
        last_sent_at: when the provider last accepted a message, unix seconds; 0 when that is not known.
        chosen: the one message that a paused lane sends, kept by its consumer until it may go; None when there is none.
        sending: the attempt that has no outcome yet; None when there is none.
        forced_at: when somebody last ended a wait, unix seconds; 0 when nobody did.
        attempts: the latest ones.
        priority: of the latest attempt, the broker's number; 0 when it is not known.
        too_new: messages that only a newer consumer can read, and the version of each.
        usage: what the lane has used of its caps; None when no event tells.
    """

    def __init__(self, lane: str) -> None:
        self.times = LaneTimes()
        self.last_sent_at = 0.0
        self.chosen: Event | None = None
        self.sending: Event | None = None
        self.forced_at = 0.0
        self.attempts = RecentAttempts()
        self.priority = 0
        self.too_new: dict[str, object] = {}
        self.usage: UsageTold | None = None
        self._lane = lane
        self._due: dict[str, Comeback] = {}
        self._back: dict[str, Comeback] = {}

    def apply(self, event: Event) -> None:
        """Take one event into account; events come in the order in which they happened."""
        if event.lane != self._lane:
            return
        self.times = self.times.after(event)
        self.attempts.apply(event)
        self.usage = usage_after(self.usage, event)
        if event.name == EventName.CHOSEN:
            self.chosen = event
        if event.name == EventName.SENDING:
            # A lane sends one at a time, so an attempt before this one is over, whatever became of it.
            self.sending = event
            level = event.details.get("priority")
            self.priority = level if isinstance(level, int) else 0
        elif event.name in ATTEMPT_ENDS:
            self._end_send(event)
        elif event.name == EventName.LANE_FORCED:
            self.forced_at = event.at
        if event.name in LEAVES_LADDER:
            if self.chosen is not None and self.chosen.message_id == event.message_id:
                self.chosen = None
            self._due.pop(event.message_id, None)
            self._back.pop(event.message_id, None)
            self.too_new.pop(event.message_id, None)
        else:
            self._apply_to_waits(event)

    def _apply_to_waits(self, event: Event) -> None:
        if event.name in JOINS_LADDER:
            self._begin_wait(event)
        elif event.name == EventName.POSTPONED and "version" in event.details:
            self.too_new[event.message_id] = event.details["version"]
            while len(self.too_new) > _MOST_TOO_NEW:
                del self.too_new[next(iter(self.too_new))]
        elif event.name == EventName.LANE_CLEARED:
            self._back.clear()
            self.too_new.clear()

    def retries_due(self, now: float) -> list[Comeback]:
        """Each message that waits for another attempt, soonest first."""
        return sorted((one for one in self._due.values() if one.due_at > now), key=lambda one: one.due_at)

    def returned(self, now: float) -> list[Comeback]:
        """Each message that came back for another attempt and waits for its turn, the first to come back first."""
        overdue = [one for one in self._due.values() if one.due_at <= now]
        return sorted((*self._back.values(), *overdue), key=lambda one: one.due_at)

    def _end_send(self, event: Event) -> None:
        if self.sending is not None and self.sending.message_id == event.message_id:
            self.sending = None
        if event.name == EventName.SENT:
            self.last_sent_at = max(self.last_sent_at, event.at)

    def _begin_wait(self, event: Event) -> None:
        due = event.details.get("due_at")
        # Later than any clock can tell, it would be no number of seconds from now.
        if isinstance(due, int | float) and due <= LATEST_MILLISECOND / 1000:
            attempt = event.details.get("next_attempt")
            number = attempt if isinstance(attempt, int) else event.attempt + 1
            # A lane sends one at a time, so it is the latest attempt that this follows.
            self._due[event.message_id] = Comeback(due, number, self.priority)
        # What is due is in the lane's queue again, and counted there.
        for message_id in [name for name, one in self._due.items() if one.due_at < event.at]:
            self._back[message_id] = self._due.pop(message_id)
        while len(self._back) > _MOST_BACK:
            del self._back[next(iter(self._back))]
