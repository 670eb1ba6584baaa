"""What a clearing or a purge took out, and whether it was put back."""

from dataclasses import dataclass

from antrian.history.records import DeadRecord, MessageRecord


@dataclass(frozen=True, slots=True)
class Removal:
    """A clearing or a purge, which can be undone once.

    Attributes:
        undo_id: its name.
        at: when it ended (a `lane.cleared` or `dead.purged` event).
        actor: who did it.
        kind: `clear` or `purge`.
        lane: of the clearing; empty for a purge of several lanes.
        count: messages taken out.
        undone_at: when it was undone; None when it was not.
        undone_by: who undid it.
    """

    undo_id: str
    at: float
    actor: str
    kind: str
    lane: str
    count: int
    undone_at: float | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class Removed:
    """One message that a clearing or a purge took out.

    Attributes:
        message: as it is on record (state cleared or purged).
        generation: the copy that was taken out.
        queue: the queue that it was taken out of; empty when that is not on record.
        due_at: when it would have come back from the delay ladder; None when it waited in its lane.
        dead: the dead letter, for a purge; None for a clearing.
        restored: whether an `outcome.restored` event of this undo is on record already.
    """

    message: MessageRecord
    generation: int
    queue: str
    due_at: float | None
    dead: DeadRecord | None
    restored: bool
