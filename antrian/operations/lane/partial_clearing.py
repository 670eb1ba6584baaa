"""Clearing a part of a lane: the history counts and searches, and tells afterwards what was out of reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antrian.broker.queue_scan.publication import Tally
from antrian.domain.settings import Settings
from antrian.history.projection.changes import sequence
from antrian.history.records import PENDING, MessageFilter, MessageState
from antrian.operations.dead_letters.errors import HistoryBehind
from antrian.operations.lane.clear_filter import ClearFilter, PartlyUnclearable
from antrian.operations.lane.clearing import Cleared, Clearing, Scope

if TYPE_CHECKING:
    from antrian.history.follower import HistoryFollower
    from antrian.history.queries.history import History

#: Seconds for the history to read what the journal holds.
PATIENCE = 30.0

#: Messages out of reach that are cancelled at most: there are as many as a consumer holds, and its retries meanwhile.
_MOST_STRAGGLERS = 100


@dataclass(frozen=True, slots=True)
class PendingChoice:
    """Which of the messages that wait are meant: those that fit everything that is given.

    Attributes:
        source: the publishing service, exactly.
        key_prefix: how the idempotency key begins.
        priority: low, normal, high or urgent.
        ids: message ids.
        states: any of these, out of `PENDING`.
        phone_number: any usual spelling, or a part of the digits.
        text: words of the text.
    """

    source: str | None = None
    key_prefix: str | None = None
    priority: str | None = None
    ids: frozenset[str] | None = None
    states: frozenset[MessageState] | None = None
    phone_number: str | None = None
    text: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everything that waits is meant."""
        return self == PendingChoice()

    def in_history(
        self, lane: str, *, states: frozenset[MessageState] | None = None, arrived_by: int | None = None
    ) -> MessageFilter:
        """As the history understands it."""
        return MessageFilter(
            lane=lane,
            source=self.source,
            key_prefix=self.key_prefix,
            priority=self.priority,
            ids=self.ids,
            phone_number=self.phone_number,
            text=self.text,
            states=states or self.states or PENDING,
            arrived_by=arrived_by,
        )

    @property
    def _is_searched(self) -> bool:
        """Whether only the history can tell what fits."""
        return any(one is not None for one in (self.states, self.phone_number, self.text))

    def in_queue(self, history: "History", lane: str) -> ClearFilter:
        """As a filter for the queue scan."""
        ids = frozenset(history.message_ids(self.in_history(lane))) if self._is_searched else self.ids
        return ClearFilter(self.source, self.key_prefix, self.priority, ids)


class PartialClearing:
    """Clears a part of one lane, once.

    Args:
        settings: of the process.
        history: of the namespace.
        follower: of that history.
        lane: which lane.
        actor: who does it, for the journal.
    """

    def __init__(
        self, settings: Settings, history: "History", follower: "HistoryFollower", lane: str, actor: str
    ) -> None:
        self._clearing = Clearing(settings, lane, actor)
        self._is_quorum = settings.whatsapp_queue_type == "quorum"
        self._history = history
        self._follower = follower
        self._lane = lane

    def count(self, choice: PendingChoice) -> int:
        """How many messages wait that are meant.

        Raises:
            PartlyUnclearable: the lane can only be cleared as a whole.
            HistoryBehind: the history does not hold everything yet.
        """
        self._prepare(choice)
        return self._history.message_count(choice.in_history(self._lane))

    def run(self, choice: PendingChoice, *, on_progress: Callable[[Tally], None] = lambda _tally: None) -> Cleared:
        """Take out what is there now.

        Raises:
            PartlyUnclearable: the lane can only be cleared as a whole.
            HistoryBehind: the history does not hold everything yet; nothing was taken out.
            BrokerError: it was interrupted; doing it again goes on where it ended.
        """
        self._prepare(choice)
        position = self._history.position()
        here = sequence(position.journal, position.offset)
        wanted = choice.in_queue(self._history, self._lane)
        chosen = PendingChoice(choice.source, choice.key_prefix, choice.priority, wanted.ids)

        def stragglers() -> Sequence[str]:
            return self._left(chosen, here)

        return self._clearing.run(Scope.QUEUED, wanted, stragglers=stragglers, on_progress=on_progress)

    def _left(self, choice: PendingChoice, here: int) -> Sequence[str]:
        """What was there when it began, and still is: a consumer holds it, or put it on the ladder meanwhile."""
        if not self._follower.barrier(PATIENCE):
            return ()
        there = choice.in_history(self._lane, states=PENDING | {MessageState.SENDING}, arrived_by=here)
        found = self._history.messages(there, limit=_MOST_STRAGGLERS).items
        # What is being cancelled already stays so, whatever becomes of this clearing.
        return [one.message_id for one in found if not one.cancelling]

    def _prepare(self, choice: PendingChoice) -> None:
        if self._is_quorum and not choice.is_empty:
            raise PartlyUnclearable(self._lane)
        if not self._follower.barrier(PATIENCE):
            raise HistoryBehind
