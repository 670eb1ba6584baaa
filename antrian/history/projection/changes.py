"""What a batch of journal entries changes in the history, as values; `writer` carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from antrian.history.dead_letter import DeadLetter
from antrian.history.projection.delivery import DeliveryChange, Matched, ParkedReceipt
from antrian.history.projection.figures import Figures
from antrian.history.projection.message_row import MessageRow

#: Which journal an entry is of is in the bits above these; the journal's own offset is in them.
OFFSET_BITS = 44


def sequence(journal: int, offset: int) -> int:
    """One number for a place in the journal, which grows even when the journal was made again."""
    return (journal << OFFSET_BITS) + offset


class EventRow(NamedTuple):
    """One line of a life, or of the lanes' activity.

    Attributes:
        seq: `sequence(journal, offset)`.
        message: number of the message; None for none.
        is_activity: whether it is about a lane, a job, an action, and not about one message's way.
        name: of the event or arrival.
        at: unix seconds.
        body: the event as JSON; None for the plain arrival of a new message.
    """

    seq: int
    message: int | None
    is_activity: int
    name: str
    at: float
    body: bytes | None


class LetterBuried(NamedTuple):
    """A dead letter came."""

    seq: int
    message: int
    letter: DeadLetter
    died_at: float
    headers: str
    body: bytes
    is_live: bool


class LettersGone(NamedTuple):
    """A message's dead letters of generations below this one are not in the queue any more."""

    message: int
    below: int


class LetterPurged(NamedTuple):
    """An admin deleted a dead letter."""

    message: int
    generation: int


class Noted(NamedTuple):
    """An admin wrote a note about a dead letter."""

    message: int
    generation: int
    note: str


class TakenOut(NamedTuple):
    """A clearing or a purge took a message out."""

    undo_id: str
    seq: int
    at: float
    actor: str
    lane: str
    message: int
    generation: int
    kind: str
    queue: str
    due_at: float | None
    letter: str | None


class PutBack(NamedTuple):
    """An undo put a message back."""

    undo_id: str
    message: int
    generation: int


class RemovalEnded(NamedTuple):
    """A clearing or a purge is complete."""

    undo_id: str
    at: float
    actor: str
    kind: str
    lane: str
    messages: int


class RemovalUndone(NamedTuple):
    """The undo of a clearing or a purge is complete."""

    undo_id: str
    at: float
    actor: str


class LaneEmptied(NamedTuple):
    """A whole lane was purged without a list: everything that waits in it is cleared."""

    undo_id: str
    seq: int
    at: float
    actor: str
    lane: str


class JobTold(NamedTuple):
    """An event of a job."""

    job_id: str
    name: str
    at: float
    actor: str
    details: Mapping[str, Any]


class SessionTold(NamedTuple):
    """A provider told how a lane's sender is connected."""

    lane: str
    state: str
    at: float
    detail: str
    provider: str


Step = (
    LetterBuried
    | LettersGone
    | LetterPurged
    | Noted
    | TakenOut
    | PutBack
    | RemovalEnded
    | RemovalUndone
    | LaneEmptied
    | JobTold
    | SessionTold
)


@dataclass(slots=True)
class Minute:
    """What happened in one minute of one lane.

    `opened` is by how much the messages without an end grew, and `peak` by how much they had grown when they were most.
    """

    queued: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0
    opened: int = 0
    peak: int = 0

    def open(self, change: int) -> None:
        """So many more messages have no end."""
        self.opened += change
        if self.opened > self.peak:  # noqa: PLR1730 (called for every entry; max takes twice as long)
            self.peak = self.opened


@dataclass(slots=True)
class Changes:
    """All that a batch changes.

    Attributes:
        rows: the messages that it touches, by id, as they are now.
        events: lines of lives and activity, in the journal's order.
        steps: everything rarer, in the journal's order.
        minutes: by (minute since 1970, lane).
        figures: for charts and reports.
        parked: receipts whose sends are not known yet.
        deliveries: messages of which more is known, in the journal's order.
        matched: parked receipts, of this batch or before, whose sends are known now.
        entries: how many journal entries were taken into account.
        offset: of the last of them; -1 for none.
        at: when that was written.
        clock: the latest time that any entry named.
        next_id: number for the next new message.
    """

    rows: dict[str, MessageRow]
    clock: float
    next_id: int
    events: list[EventRow] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    minutes: dict[tuple[int, str], Minute] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)
    parked: list[ParkedReceipt] = field(default_factory=list)
    deliveries: list[DeliveryChange] = field(default_factory=list)
    matched: list[Matched] = field(default_factory=list)
    entries: int = 0
    offset: int = -1
    at: float = 0.0
