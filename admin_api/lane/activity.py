"""What a lane is doing, folded from its events: the present send, its pauses, and what waits for another attempt."""

from broker.events import Event
from broker.lane_times import ENDS_A_SEND, LaneTimes
from broker.wire_headers import LATEST_MILLISECOND

#: Events after which a message no longer waits for its next attempt.
_LEAVES_THE_LADDER = frozenset(
    {"outcome.sending", "outcome.duplicate", "outcome.expired", "outcome.cancelled", "outcome.cleared"},
)

#: Events after which more or fewer messages are on the delay ladder.
CHANGES_THE_LADDER = _LEAVES_THE_LADDER | {"outcome.retrying", "lane.cleared"}


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
    """

    def __init__(self, lane: str) -> None:
        self.times = LaneTimes()
        self.last_sent_at = 0.0
        self.chosen: Event | None = None
        self.sending: Event | None = None
        self.forced_at = 0.0
        self._lane = lane
        self._due: dict[str, float] = {}

    def apply(self, event: Event) -> None:
        """Take one event into account; events come in the order in which they happened."""
        if event.lane != self._lane:
            return
        self.times = self.times.after(event)
        if event.name == "outcome.chosen":
            self.chosen = event
        if event.name == "outcome.sending":
            # A lane sends one at a time, so an attempt before this one is over, whatever became of it.
            self.sending = event
        elif event.name in ENDS_A_SEND:
            self._end_send(event)
        elif event.name == "lane.forced":
            self.forced_at = event.at
        if event.name in _LEAVES_THE_LADDER:
            if self.chosen is not None and self.chosen.message_id == event.message_id:
                self.chosen = None
            self._due.pop(event.message_id, None)
        elif event.name == "outcome.retrying":
            self._begin_wait(event)

    def retries_due(self, now: float) -> list[float]:
        """When each message that waits for another attempt comes back, unix seconds, soonest first."""
        return sorted(due for due in self._due.values() if due > now)

    def _end_send(self, event: Event) -> None:
        if self.sending is not None and self.sending.message_id == event.message_id:
            self.sending = None
        if event.name == "outcome.sent":
            self.last_sent_at = max(self.last_sent_at, event.at)

    def _begin_wait(self, event: Event) -> None:
        due = event.details.get("due_at")
        # Later than any clock can tell, it would be no number of seconds from now.
        if isinstance(due, int | float) and due <= LATEST_MILLISECOND / 1000:
            self._due[event.message_id] = due
        # What is due is in the lane's queue again, and counted there.
        for message_id in [one for one, at in self._due.items() if at < event.at]:
            del self._due[message_id]
