"""Finishes re-drives and purges that a crash interrupted: the letter is still queued, but recorded as gone.

A re-drive publishes the event, then the copy, and only then removes the letter; a purge publishes the event, then
removes it. A crash in between leaves the letter where it is, while the history does not list it any more. The journal
tells how far it came, so that it can be finished without sending anything twice, however long ago it was.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from antrian.broker.queue_scan.publication import Publication
from antrian.broker.topology import Names
from antrian.domain.event_name import EventName
from antrian.domain.settings import Settings
from antrian.history.dead_letter import DeadLetter
from antrian.history.records import DeadFilter, LifeEntry
from antrian.operations.dead_letters.dead_letters import DeadLetters
from antrian.operations.dead_letters.redrive_steps import RedriveSteps

if TYPE_CHECKING:
    from antrian.history.queries.history import History

_ABOUT_LETTERS = frozenset({EventName.BURIED, EventName.REDRIVEN, EventName.PURGED})


class Fate(Enum):
    """What a letter needs that is still in its queue."""

    #: Nothing: it is a dead letter like any other.
    STAY = auto()
    #: Its copy is in the broker: only the removal is missing.
    GO = auto()
    #: Its purge was begun, but not finished: it is a dead letter again, and may be purged again.
    RETURN = auto()


def fate(life: Sequence[LifeEntry], generation: int, *, is_copy_known: bool) -> Fate:
    """What a letter needs, by its message's history.

    Args:
        life: what happened to the message, oldest first.
        generation: which copy of the message the letter is.
        is_copy_known: whether the edited copy that the last word about the letter names is on record.
    """
    last = last_word(life, generation)
    if last is None or last.name == EventName.BURIED:
        return Fate.STAY
    if last.name == EventName.PURGED:
        return Fate.RETURN
    if last.details.get("copy"):
        return Fate.GO if is_copy_known else Fate.STAY
    return (
        Fate.GO
        if any(entry.name == EventName.QUEUED and entry.generation > generation for entry in life)
        else (Fate.STAY)
    )


def last_word(life: Sequence[LifeEntry], generation: int) -> LifeEntry | None:
    """The last that is on record about a letter itself."""
    about = (entry for entry in reversed(life) if entry.generation == generation and entry.name in _ABOUT_LETTERS)
    return next(about, None)


class Recovery:
    """Finishes what was interrupted.

    Args:
        settings: of the process.
        history: should hold all that the journal holds now; where it is behind, letters stay as they are.
    """

    def __init__(self, settings: Settings, history: "History") -> None:
        self._settings = settings
        self._names = Names(settings.whatsapp_queue_namespace)
        self._history = history
        self._strangers = 0

    def is_needed(self) -> bool:
        """Whether the broker has more dead letters than the history: then it is worth while to look for them.

        Letters that the broker itself gave up are not in the history, and are looked for once.
        """
        return DeadLetters(self._settings).count() - self._history.dead_count(DeadFilter()) > self._strangers

    def finish(self) -> int:
        """Go through the queue and finish what was begun.

        Returns:
            How many letters were touched.

        Raises:
            BrokerError: it was interrupted; doing it again goes on.
        """
        listed = frozenset(self._history.dead_ids(DeadFilter()))
        strangers = 0

        def replace(letter: DeadLetter) -> Sequence[Publication] | None:
            nonlocal strangers
            if letter.copy in listed:
                return None
            steps = self._rest(letter)
            strangers += steps is None
            return steps

        touched = DeadLetters(self._settings).take(replace).taken
        self._strangers = strangers
        return touched

    def _rest(self, letter: DeadLetter) -> Sequence[Publication] | None:
        life = self._history.life(letter.message_id)
        last = last_word(life, letter.generation)
        match fate(life, letter.generation, is_copy_known=self._is_known(last and last.details.get("copy"))):
            case Fate.GO:
                return ()
            case Fate.RETURN if last is not None:
                undo_id = str(last.details.get("undo_id", ""))
                return RedriveSteps(self._names, last.source).buried_again(letter, undo_id)
        return None

    def _is_known(self, message_id: object) -> bool:
        return isinstance(message_id, str) and bool(self._history.life(message_id))
