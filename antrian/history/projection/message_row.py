"""What the history keeps of one message, and how one more thing that happened changes it; no I/O.

The rules are those of the consumer's ledger: a message that was sent stays sent; of different copies the latest
generation counts; a consumer that lost its connection in the middle of a send may report late, and says nothing new.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from antrian.history.records import MessageState

#: States in which a copy has had its end: an attempt of this copy cannot begin any more.
SPENT = frozenset(
    {
        MessageState.DEAD,
        MessageState.PURGED,
        MessageState.EXPIRED,
        MessageState.CANCELLED,
        MessageState.CLEARED,
        MessageState.DUPLICATE,
    }
)

#: States that a message has not come to an end in.
OPEN = frozenset({MessageState.SCHEDULED, MessageState.WAITING, MessageState.SENDING, MessageState.RETRYING})

#: Events that end an attempt without a recorded send.
FAILURES = frozenset({"outcome.failed", "outcome.uncertain"})

#: Events that end a message, and how.
ENDS = {
    "outcome.dead": MessageState.DEAD,
    "outcome.duplicate": MessageState.DUPLICATE,
    "outcome.expired": MessageState.EXPIRED,
    "outcome.cancelled": MessageState.CANCELLED,
    "outcome.cleared": MessageState.CLEARED,
    "outcome.purged": MessageState.PURGED,
}


@dataclass(slots=True)
class MessageRow:
    """One message; as `MessageRecord`, and what only the projection needs.

    Attributes:
        id: its number in the history; grows with every new message.
        is_new: whether the history does not have it yet.
        was_known: whether its contents are in the history already.
        before: lane and state as the history has them; None for a new one.
        born_at: when it was queued, or when it was first heard of.
        entered_at: when it entered the lane that it waits in.
        entered_seq: what came into the lane after that, at the same time, has a larger one.
        failed_at: when it was given up, or its time was over; None once it is on its way again, or was sent.
        failed_as: what it failed of, as the figures name it.
        source: the publishing service; empty while it is not known.
        presumed: whether its clearing is only concluded from the purge of the whole lane.
        cancelling: whether somebody asked that it not be sent; kept to by the consumer whatever else becomes of it.
        contents: what it says, by column; None while nothing is known, or the history has it.
    """

    id: int
    message_id: str
    lane: str
    state: MessageState = MessageState.WAITING
    priority: int = 0
    queued_at: float | None = None
    born_at: float = 0.0
    entered_at: float = 0.0
    entered_seq: int = 0
    due_at: float | None = None
    generation: int = 0
    attempt: int = 0
    provider_id: str | None = None
    failure_class: str | None = None
    code: str | None = None
    detail: str | None = None
    sent_at: float | None = None
    changed_at: float = 0.0
    copied_to: str | None = None
    undo_id: str | None = None
    presumed: int = 0
    is_known: int = 0
    cancelling: int = 0
    failed_at: float | None = None
    failed_as: str | None = None
    source: str = ""
    is_new: bool = False
    was_known: int = 0
    before: tuple[str, MessageState] | None = None
    contents: Mapping[str, object] | None = None

    def is_old_news(self, name: str, generation: int, attempt: int) -> bool:
        """Whether an event says nothing new about this message."""
        if self.state is MessageState.SENT or name == "outcome.sent":
            return self.state is MessageState.SENT
        if generation != self.generation:
            return generation < self.generation
        if name in FAILURES:
            begun = self.state is MessageState.SENDING and attempt == self.attempt
            # A gap may have swallowed the beginning of an attempt, but never an attempt that is over.
            return not begun and not (self.state is MessageState.WAITING and attempt > self.attempt)
        if name == "outcome.sending":
            return (self.state in SPENT and not self.presumed) or attempt < self.attempt
        return False
