"""What the history keeps of one message; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

from antrian.domain.events import Event
from antrian.domain.lifecycle import OPEN, STATES, CopyState, MessageState, is_superseded

__all__ = ["OPEN", "MessageRow", "told_state"]

_SCHEDULED = MessageState.SCHEDULED.value
# Every event of a message passes here, and a member of an enum is found slowly by its name.
_HELD, _RETRYING, _WAITING = MessageState.HELD, MessageState.RETRYING, CopyState.WAITING
#: As the file has them, in plain text: SQLite's adapter takes ten times as long for an enum.
_FILED = {state: _SCHEDULED if state is MessageState.HELD else state.value for state in MessageState}


def told_state(filed: str, hold_reason: str | None) -> MessageState:
    """The state of a message as the file has it."""
    return _HELD if hold_reason is not None and filed == _SCHEDULED else MessageState(filed)


@dataclass(slots=True)
class MessageRow:
    """One message; as `MessageRecord`, and what only the projection needs.

    Attributes:
        id: its number in the history; grows with every new message.
        is_new: whether the history does not have it yet.
        was_known: whether its contents are in the history already.
        before: lane and state as the file has them; None for a new one.
        born_at: when it was queued, or when it was first heard of.
        entered_at: when it entered the lane that it waits in.
        entered_seq: what came into the lane after that, at the same time, has a larger one.
        hold_reason: why it is held; only while it is, as `hold_until` and `hold_rule`.
        failed_at: when it was given up, or its time was over; None once it is on its way again, or was sent.
        failed_as: what it failed of, as the figures name it.
        delivery: how far its latest copy has come that a provider took, a `DeliveryState`; None where none did.
        provider: which provider that was; None where the consumer did not say.
        attempt_id: our name for that attempt, where it does not follow from generation and attempt.
        source: the publishing service; empty while it is not known.
        presumed: whether its end is only concluded: its clearing from the purge of the whole lane, or its death from an
            unreadable letter, which may have its id from a good message.
        cancelling: whether its cancellation was requested; the consumer obeys that whatever else becomes of it.
        taken_back: `ordinal` of the latest send that did not arrive; None for none.
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
    hold_reason: str | None = None
    hold_until: float | None = None
    hold_rule: str | None = None
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
    taken_back: int | None = None
    delivery: str | None = None
    delivered_at: float | None = None
    read_at: float | None = None
    undelivered_at: float | None = None
    delivery_class: str | None = None
    delivery_code: str | None = None
    delivery_detail: str | None = None
    provider: str | None = None
    attempt_id: str | None = None
    source: str = ""
    is_new: bool = False
    was_known: int = 0
    before: tuple[str, str] | None = None
    contents: Mapping[str, object] | None = None

    @property
    def filed_state(self) -> str:
        """The state as the file has it, in plain text.

        What is held comes back at a time of its own, and is filed as such: a program that knows no holds can live with
        the file. The reason of the hold makes the difference.
        """
        return _FILED[self.state]

    @property
    def copy_state(self) -> CopyState:
        """What the latest copy of the message can still do."""
        # What is only concluded spends no copy.
        return _WAITING if self.presumed else STATES[self.state].copy

    def is_ahead_of(self, event: Event) -> bool:
        """Whether an event says nothing new about this message: the rule of the consumer's ledger."""
        # What waits for another attempt is another copy, and no attempt of that is known.
        attempt = 0 if self.state is _RETRYING else self.attempt
        taken_back = -1 if self.taken_back is None else self.taken_back
        return is_superseded(
            event, state=self.copy_state, generation=self.generation, attempt=attempt, taken_back=taken_back
        )
