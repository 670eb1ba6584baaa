"""What has been attempted: the consumer's memory, folded from the outcomes stream.

The ledger is a cache of the broker's record, never a record of its own: every event is confirmed by the broker before
it is applied here, and a starting consumer builds the same ledger by reading the stream.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, takewhile
from typing import TypeVar

from antrian.domain.events import Event
from antrian.domain.lane_timing import LaneTimes
from antrian.providers.contract import Failed, FailureClass
from consumer.lane.permit import Uses
from consumer.lane.retry import Interrupted
from consumer.malformed import MALFORMED

#: The latest messages and cancellations are remembered however old they are: a consumer that was away longer than the
#: window may still find one of them in its queue, sent and never acked.
ALWAYS_REMEMBERED = 1_000


class State(StrEnum):
    """How the latest known copy of a message stands."""

    #: An attempt began and has no outcome yet.
    SENDING = "sending"
    #: The provider accepted it; it is never sent again.
    SENT = "sent"
    #: An attempt failed; its consequence (a retry, a dead letter) is not in the broker yet.
    FAILED = "failed"
    #: The lane had to wait, the message itself did nothing wrong: it is tried again as if for the first time.
    HELD = "held"
    #: A copy for the next attempt is on the ladder; this copy is spent.
    RETRYING = "retrying"
    #: A copy is in the dead-letter queue, or was taken back out; this copy is spent.
    DEAD = "dead"
    #: Not sent on purpose: duplicate, expired, cancelled or cleared.
    CLOSED = "closed"


#: States after which a delivery of the same copy has nothing left to do.
SPENT = frozenset({State.RETRYING, State.DEAD, State.CLOSED})

_STATES = {
    "outcome.sending": State.SENDING,
    "outcome.sent": State.SENT,
    "outcome.failed": State.FAILED,
    "outcome.uncertain": State.FAILED,
    "outcome.retrying": State.RETRYING,
    "outcome.dead": State.DEAD,
    "outcome.redriven": State.DEAD,
    "outcome.duplicate": State.CLOSED,
    "outcome.expired": State.CLOSED,
    "outcome.cancelled": State.CLOSED,
    "outcome.cleared": State.CLOSED,
    # The copy that was taken out stays spent; what an undo put back is the next generation. A cancellation is not
    # taken back: an undo brings back what was there, and that was a message not to be sent.
    "outcome.restored": State.CLOSED,
}

#: Events that end an attempt without a recorded send.
_FAILURES = frozenset({"outcome.failed", "outcome.uncertain"})


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
    """

    generation: int
    attempt: int
    state: State
    at: float
    crashes: int = 0
    failure: Failed | None = None


class Ledger:
    """Every message attempted within the dedupe window, for one lane.

    Args:
        lane: events of other lanes are not counted towards its pace.
        window: seconds that a message and its idempotency key are remembered.
        clock: wall clock; an event from a clock that runs ahead must not make us forget.
    """

    def __init__(self, lane: str, window: float, clock: Callable[[], float] = time.time) -> None:
        self.times = LaneTimes()
        self.uses = Uses()
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

    def sending(self) -> list[str]:
        """The messages of this lane whose attempt has no outcome yet."""
        return [message_id for message_id, entry in self._entries.items() if entry.state is State.SENDING]

    def apply(self, event: Event) -> None:
        """Take one event into account; events come in the stream's order."""
        if event.lane != self._lane or _is_about_garbage(event):
            return
        if event.name == "outcome.cancelling":
            self._cancelled.pop(event.message_id, None)
            self._cancelled[event.message_id] = event.at
            return
        if event.name == "outcome.uncancelled":
            self._cancelled.pop(event.message_id, None)
            return
        self.uses.apply(event)
        if event.name in _STATES:
            if event.name == "outcome.redriven":
                # Whoever puts it back wants it sent, whatever was asked before.
                self._cancelled.pop(event.message_id, None)
            self._remember(event)
            self._forget_older_than(min(event.at, self._clock()) - self._window)

    def _remember(self, event: Event) -> None:
        self.times = self.times.after(event)
        known = self._entries.get(event.message_id)
        if known and _is_overtaken(known, event):
            return
        self._entries[event.message_id] = _fold(known, event)
        self._entries.move_to_end(event.message_id)
        key = event.details.get("key")
        # One key for one message: a second one could never be forgotten.
        if isinstance(key, str) and self._keys.get(event.message_id, key) == key and not self.owner(key, event.at):
            self._owners[key] = event.message_id
            self._keys[event.message_id] = key

    def _forget_older_than(self, oldest: float) -> None:
        _drop_while(self._cancelled, lambda at: at < oldest, keep=ALWAYS_REMEMBERED)
        for message_id in _drop_while(self._entries, lambda entry: entry.at < oldest, keep=ALWAYS_REMEMBERED):
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
    return event.name == "outcome.dead" and event.details.get("reason") == MALFORMED


def _is_overtaken(known: Entry, event: Event) -> bool:
    """Whether an event says nothing new: a consumer that lost its connection in the middle of a send reports late."""
    if known.state is State.SENT or event.name == "outcome.sent":
        return known.state is State.SENT
    if known.generation != event.generation:
        return known.generation > event.generation
    if event.name in _FAILURES:
        return known.state is not State.SENDING or event.attempt != known.attempt
    return event.name == "outcome.sending" and (known.state in SPENT or event.attempt < known.attempt)


def _fold(known: Entry | None, event: Event) -> Entry:
    """The entry after one more event about its message."""
    failure = failure_of(event)
    state = _STATES[event.name]
    # Retries do not make a poisonous message harmless; what follows a dead letter begins anew.
    goes_on = known is not None and (known.state is not State.DEAD or state is State.DEAD)
    crashes = known.crashes if known and goes_on else 0
    if failure and failure.failure_class in {FailureClass.UNAVAILABLE, FailureClass.THROTTLED}:
        state = State.HELD
    if event.name == "outcome.uncertain":
        crashes += 1
    generation = max(event.generation, known.generation if known else 0)
    return Entry(generation, event.attempt, state, event.at, crashes, failure)


def failure_of(event: Event) -> Failed | None:
    """The failure that an event tells of, None where it tells of none."""
    if event.name == "outcome.uncertain":
        return Interrupted()
    if event.name != "outcome.failed":
        return None
    details = event.details
    try:
        failure_class = FailureClass(str(details.get("failure_class")))
    except ValueError:
        # Written by a newer version: the careful reading is that the message may have been sent.
        failure_class = FailureClass.UNCERTAIN
    retry_after = details.get("retry_after")
    return Failed(failure_class, str(details.get("code", "")), str(details.get("detail", "")), retry_after)
