"""Which rows an earlier import has queued: the history knows, for as long as the journal goes back.

The consumer would notice a copy, too, but only while it remembers the key. A file of ten thousand rows takes longer
to send than that, and the copies would come to the front after all.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from antrian.broker.connection import broker_urls
from antrian.broker.gc_tuning import collect_rarely
from antrian.broker.stream.lookup import last_entry, stream_channel
from antrian.broker.topology import Names
from antrian.domain.errors import AntrianError, BrokerRefused
from antrian.domain.settings import Settings
from antrian.history.follower import HistoryFollower
from antrian.history.projection.history_file import history_path
from antrian.history.queries.history import History
from antrian.history.rebuild import catch_up, wait_until_checked
from antrian.history.records import KeyUse, MessageState
from antrian.operations.bulk_import.spool import Order

#: Seconds without progress after which the history is given up.
_PATIENCE = 5.0

#: Seconds that a history of millions may need to make its indexes.
_INDEXING = 120.0

#: Orders that are looked up at once.
_AT_ONCE = 1_000


class KnownPlace(StrEnum):
    """Where the message of an earlier import is."""

    #: It waits, or is being sent.
    QUEUED = "queued"
    #: It was sent, within the time for which its key is remembered.
    SENT = "sent"
    #: Its dead letter waits for an operator's decision.
    DEAD = "dead"
    #: It was cancelled, within the same time.
    CANCELLED = "cancelled"


_PLACES = {
    MessageState.SCHEDULED: KnownPlace.QUEUED,
    MessageState.WAITING: KnownPlace.QUEUED,
    MessageState.SENDING: KnownPlace.QUEUED,
    MessageState.RETRYING: KnownPlace.QUEUED,
    MessageState.SENT: KnownPlace.SENT,
    # Its dead letter, or its copy for another attempt, is about to come.
    MessageState.FAILED: KnownPlace.DEAD,
    MessageState.DEAD: KnownPlace.DEAD,
    MessageState.CANCELLED: KnownPlace.CANCELLED,
}

#: What is over.
_PAST = frozenset({KnownPlace.SENT, KnownPlace.CANCELLED})


def place_of(use: KeyUse, since: float) -> KnownPlace | None:
    """Where the message is; None if it does not matter any more: cleared, purged, expired, or sent long ago.

    Args:
        use: what the history says.
        since: unix seconds; what was sent before that is long ago.
    """
    place = _PLACES.get(use.state)
    if place in _PAST:
        return place if use.changed_at >= since else None
    return place if use.is_current else None


@dataclass(frozen=True, slots=True)
class Known:
    """What the history knows.

    Args:
        history: None if it cannot be read.
        since: unix seconds; what was sent before that may be sent again.
        trouble: why it cannot be read.
    """

    history: History | None
    since: float = 0.0
    trouble: str = ""

    def places(self, orders: Iterable[Order]) -> Iterator[tuple[Order, KnownPlace | None]]:
        """Each order, and where its message is already; None for nowhere."""
        part: list[Order] = []
        for order in orders:
            part.append(order)
            if len(part) >= _AT_ONCE:
                yield from self._look_up(part)
                part = []
        yield from self._look_up(part)

    def _look_up(self, part: list[Order]) -> Iterator[tuple[Order, KnownPlace | None]]:
        found = self._found(part)
        for order in part:
            request = order.request
            yield order, found.get((request.lane, request.source, request.idempotency_key))

    def _found(self, part: list[Order]) -> Mapping[tuple[str, str | None, str | None], KnownPlace]:
        if self.history is None:
            return {}
        keys = {order.request.idempotency_key or "" for order in part}
        places = ((use, place_of(use, self.since)) for use in self.history.by_keys(keys))
        return {(use.lane, use.source, use.key): place for use, place in places if place}


class Moves(Protocol):
    """A progress bar."""

    def move_to(self, done: int) -> None:
        """So many are done."""


#: Opens a progress bar with a title, for a total that may be unknown.
ShowsProgress = Callable[[str, int | None], AbstractContextManager[Moves]]


@contextmanager
def known_messages(settings: Settings, progress: ShowsProgress) -> Iterator[Known]:
    """What the history knows, once it is up to date; it is brought up to date here if no other process does that.

    Args:
        settings: of the process.
        progress: opens a progress bar.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
    """
    history = History(history_path(settings))
    try:
        trouble = _bring_up_to_date(settings, history, progress)
        since = time.time() - settings.whatsapp_queue_dedupe_hours * 3_600
        yield Known(None, trouble=trouble) if trouble else Known(history, since)
    finally:
        history.close()


def known_here(settings: Settings, history: History, follower: HistoryFollower) -> Known:
    """What the history of a process that follows the journal knows."""
    if not follower.barrier(_PATIENCE):
        return Known(None, trouble=follower.trouble or "the history has not read the whole journal yet")
    return Known(history, time.time() - settings.whatsapp_queue_dedupe_hours * 3_600)


def _bring_up_to_date(settings: Settings, history: History, progress: ShowsProgress) -> str:
    """Why that is not possible; empty when it is done."""
    urls = broker_urls(settings)
    try:
        # A user who may only publish is told so at once, and not after a long silence.
        journal = Names(settings.whatsapp_queue_namespace).journal
        with stream_channel(urls, journal, name="antrian import") as channel:
            last_entry(channel, journal)
    except BrokerRefused:
        return "this user may not read the journal"
    except AntrianError as error:
        return str(error)
    collect_rarely()
    started_at = time.time()
    follower = HistoryFollower(settings, history.path, urls=urls, quiet=True)
    follower.start()
    try:
        with progress("history entries read", None) as bar:
            is_read = catch_up(follower, history, bar.move_to, _PATIENCE)
        # A history of a journal that was made again has read further than that goes, until that is noticed.
        is_complete = is_read and wait_until_checked(
            follower, history, since=started_at, patience=_INDEXING, in_trouble=_PATIENCE
        )
        return "" if is_complete else follower.trouble or "the journal does not answer"
    finally:
        follower.stop()
