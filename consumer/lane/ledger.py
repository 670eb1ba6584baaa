"""What has been attempted: the consumer's memory, folded from the outcomes stream.

The ledger is a cache of the broker's record, never a record of its own: every event is confirmed by the broker before
it is applied here, and a starting consumer builds the same ledger by reading the stream.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TypeVar

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import MALFORMED, FailureClass
from antrian.domain.lane_timing import LaneTimes
from antrian.domain.lifecycle import CopyState, copy_after, is_superseded, ordinal
from antrian.domain.usage import Usage
from antrian.providers.contract import Failed
from consumer.lane.cold_outcomes import ColdOutcomes
from consumer.lane.permit import Uses
from consumer.lane.receipts import AttemptReceipts
from consumer.lane.retry import Interrupted

#: The latest messages and cancellations are remembered however old they are: a consumer that was away longer than the
#: window may still find one of them in its queue, sent and never acked.
ALWAYS_REMEMBERED = 1_000


#: How the latest known copy of a message stands.
State = CopyState


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one message.

    Attributes:
        generation: the copy that this is about.
        attempt: the latest attempt.
        state: how it stands.
        at: wall clock of the latest event, unix seconds.
        crashes: attempts that ended in a crash.
        failure: the latest failure, while the state is FAILED or HELD.
        taken_back: `ordinal` of the latest send that did not arrive; -1 for none.
    """

    generation: int
    attempt: int
    state: State
    at: float
    crashes: int = 0
    failure: Failed | None = None
    taken_back: int = -1


#: Events after which a message is to be sent again, whatever was asked before.
_ENDS_A_CANCELLATION = frozenset({EventName.UNCANCELLED, EventName.REDRIVEN})

_FAILED, _UNCERTAIN, _DEAD = EventName.FAILED, EventName.UNCERTAIN, EventName.DEAD
_UNDELIVERED = EventName.UNDELIVERED
_RECEIPT, _SESSION = EventName.RECEIPT_STATUS, EventName.RECEIPT_SESSION

#: States after which no receipt can prove anything: it was sent, or whoever sends it again wants just that. What was
#: cancelled may come back, and an attempt of it may have been made.
_ENDED = frozenset({State.SENT, State.DEAD})


class Ledger:
    """Every message attempted within the dedupe window, for one lane.

    Args:
        lane: events of other lanes are not counted towards its pace.
        window: seconds that a message and its idempotency key are remembered.
        clock: wall clock; an event from a clock that runs ahead must not make us forget.

    Attributes:
        times: when the lane may send again.
        uses: of the permissions to send one message of a paused lane.
        usage: how much was sent.
        cold_outcomes: what became of the latest messages to cold contacts.
        receipts: attempts that a receipt may prove, and those that one has proved.
    """

    def __init__(self, lane: str, window: float, clock: Callable[[], float] = time.time) -> None:
        self.times = LaneTimes()
        self.uses = Uses()
        self.usage = Usage()
        self.cold_outcomes = ColdOutcomes()
        self.receipts = AttemptReceipts()
        self._lane = lane
        self._window = window
        self._clock = clock
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._owners: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._cancelled: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, message_id: str) -> Entry | None:
        """What is known of a message; None if it was never attempted within the window."""
        return self._entries.get(message_id)

    def has_attempted(self, message_id: str, generation: int) -> bool:
        """Whether this copy of a message was attempted or is spent, or a later one."""
        entry = self._entries.get(message_id)
        return entry is not None and entry.generation >= generation

    def owner(self, key: str, now: float) -> str | None:
        """The message that an idempotency key belongs to: of the last window, and it did not come to nothing."""
        message_id = self._owners.get(key)
        entry = self._entries.get(message_id) if message_id else None
        if entry is None or entry.state in {State.DEAD, State.CLOSED} or entry.at < now - self._window:
            return None
        return message_id

    def is_cancelled(self, message_id: str) -> bool:
        """Whether somebody asked that this message not be sent."""
        return message_id in self._cancelled

    def sending(self) -> dict[str, float]:
        """The messages of this lane whose attempt has no outcome yet, and when it began, unix seconds."""
        return {message_id: entry.at for message_id, entry in self._entries.items() if entry.state is State.SENDING}

    def apply(self, event: Event) -> None:
        """Take one event into account; events come in the stream's order."""
        if event.lane != self._lane or _is_about_garbage(event):
            return
        state = copy_after(event)
        if state is None and event.name == EventName.CANCELLING:
            self._cancelled.pop(event.message_id, None)
            self._cancelled[event.message_id] = event.at
        elif event.name in _ENDS_A_CANCELLATION:
            self._cancelled.pop(event.message_id, None)
        elif event.name == _RECEIPT:
            self.receipts.hear(event)
        elif event.name == _SESSION:
            self.times = self.times.after(event)
        self.uses.apply(event)
        self.usage.apply(event, self._clock())
        self.cold_outcomes = self.cold_outcomes.after(event)
        if state is not None:
            self._remember(event, state)
            self._forget_older_than(min(event.at, self._clock()) - self._window)

    def _remember(self, event: Event, state: CopyState) -> None:
        self.times = self.times.after(event)
        known = self._entries.get(event.message_id)
        if known and is_superseded(
            event,
            state=known.state,
            generation=known.generation,
            attempt=known.attempt,
            taken_back=known.taken_back,
        ):
            return
        self._entries[event.message_id] = _fold(known, event, state)
        self._entries.move_to_end(event.message_id)
        if state in _ENDED:
            self.receipts.forget(event.message_id)
        else:
            self.receipts.apply(event)
        key = event.details.get("key")
        # One key for one message: a second one could never be forgotten.
        if isinstance(key, str) and self._keys.get(event.message_id, key) == key and not self.owner(key, event.at):
            self._owners[key] = event.message_id
            self._keys[event.message_id] = key

    def _forget_older_than(self, oldest: float) -> None:
        _drop_while(self._cancelled, lambda at: at < oldest, keep=ALWAYS_REMEMBERED)
        for message_id in _drop_while(self._entries, lambda entry: entry.at < oldest, keep=ALWAYS_REMEMBERED):
            self.receipts.forget(message_id)
            key = self._keys.pop(message_id, None)
            if key is not None and self._owners.get(key) == message_id:
                del self._owners[key]


_T = TypeVar("_T")


def _drop_while(remembered: dict[str, _T], is_old: Callable[[_T], bool], *, keep: int) -> list[str]:
    """Remove and return the leading keys whose values are old, the last `keep` aside; the oldest come first."""
    oldest = islice(remembered.items(), max(0, len(remembered) - keep))
    dropped = [key for key, _ in takewhile(lambda item: is_old(item[1]), oldest)]
    for key in dropped:
        del remembered[key]
    return dropped


def _is_about_garbage(event: Event) -> bool:
    """Whether it tells of a delivery that nobody could read: the id on it may be that of a message which is good."""
    return event.name == _DEAD and event.details.get("reason") == MALFORMED


def _fold(known: Entry | None, event: Event, state: CopyState) -> Entry:
    """The entry after one more event about its message."""
    # Retries do not make a poisonous message harmless; what follows a dead letter begins anew.
    goes_on = known is not None and (known.state is not State.DEAD or state is State.DEAD)
    crashes = known.crashes if known and goes_on else 0
    if event.name == _UNCERTAIN:
        crashes += 1
    generation = max(event.generation, known.generation if known else 0)
    taken_back = known.taken_back if known else -1
    if event.name == _UNDELIVERED:
        taken_back = max(taken_back, ordinal(event.generation, event.attempt))
    return Entry(generation, event.attempt, state, event.at, crashes, failure_of(event), taken_back)


def failure_of(event: Event) -> Failed | None:
    """The failure that an event tells of, None where it tells of none."""
    if event.name == _UNCERTAIN:
        return Interrupted()
    if event.name != _FAILED:
        return None
    details = event.details
    retry_after = details.get("retry_after")
    failure_class = FailureClass.read(details.get("failure_class"))
    return Failed(failure_class, str(details.get("code", "")), str(details.get("detail", "")), retry_after)
