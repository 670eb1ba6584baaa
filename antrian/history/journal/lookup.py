"""Short looks into the journal: what is at a place, what is first, and where its end is."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import ChannelClosedByBroker

from antrian.broker.connection import open_channel
from antrian.domain.errors import AntrianError, BrokerUnreachable
from antrian.domain.lenient_headers import readable_key
from antrian.history.journal.entry import JournalDelivery

#: The header that the broker adds to every delivery of a stream.
OFFSET = "x-stream-offset"

_PREFETCH = 1_000
_NOT_FOUND = 404

#: Answers that must agree: what was confirmed just now may take a moment until readers are told of it.
_ANSWERS = 2

#: Seconds after which a journal whose end was not seen grows faster than it can be read.
_LONGEST_LOOK = 10.0


class NoJournal(AntrianError):
    """The broker has no journal; `antrian topology apply` makes it."""


@contextmanager
def journal_channel(urls: Sequence[str], *, name: str) -> Iterator[BlockingChannel]:
    """A channel for looking into the journal.

    Raises:
        NoJournal: there is none.
        BrokerError: the broker is away, or does not let us in.
    """
    with open_channel(urls, name=name) as channel:
        try:
            yield channel
        except ChannelClosedByBroker as error:
            if error.reply_code == _NOT_FOUND:
                raise NoJournal("the broker has no journal") from error
            raise


def first_from(channel: BlockingChannel, stream: str, start: int | str, patience: float) -> JournalDelivery | None:
    """The first entry at or after a place.

    Args:
        channel: in a `journal_channel`.
        stream: the journal's name.
        start: an offset, or `first`.
        patience: seconds to wait for it; where nothing is, nothing ever comes. A broker that is silent for longer is
            asked until it answers.
    """
    lowest = start if isinstance(start, int) else 0
    deadline = time.monotonic() + patience
    look = _Look(channel.connection, stream, start, prefetch=1)
    answers = 0
    while (found := look.first_from(lowest)) is None and answers < _ANSWERS:
        look.allow_more()
        if time.monotonic() < deadline:
            look.hear()
        else:
            look.settle()
            answers += 1
    return found


def last_entry(channel: BlockingChannel, stream: str, patience: float = 1.0) -> JournalDelivery | None:
    """The last entry that there is now; None for an empty journal.

    Args:
        channel: in a `journal_channel`.
        stream: the journal's name.
        patience: seconds to wait for an entry. A broker that is silent for longer is asked until it answers.

    Raises:
        BrokerUnavailable: the journal grows faster than it can be read.
    """
    began_at = time.monotonic()
    look = _Look(channel.connection, stream, "last", prefetch=_PREFETCH)
    while not look.found and time.monotonic() < began_at + patience:
        look.hear()
    # What was there when we ask comes before the answer, unless the broker may send no more until an ack.
    answers = 0
    while answers < _ANSWERS:
        look.settle()
        if look.is_held_back:
            answers = 0
            look.allow_more()
        else:
            answers += 1
        if time.monotonic() > began_at + _LONGEST_LOOK:
            raise BrokerUnreachable("the journal grows faster than it can be read")
    return look.found[-1] if look.found else None


class _Look:
    """A subscription that reads a few entries, over a channel of its own.

    It is never cancelled: the library would reject what is still on its way, and a stream ends the connection for that.
    Without an ack it dries up, and it ends with the connection.

    Args:
        connection: of a `journal_channel`.
        stream: the journal's name.
        start: an offset, `first` or `last`.
        prefetch: entries without an ack at most; of what was written together, a stream sends more all the same.
    """

    def __init__(self, connection: BlockingConnection, stream: str, start: int | str, prefetch: int) -> None:
        self.found: list[JournalDelivery] = []
        self._stream, self._prefetch, self._acked = stream, prefetch, 0
        self._channel = connection.channel()
        self._channel.basic_qos(prefetch_count=prefetch)
        self._channel.basic_consume(stream, self._delivered, arguments={OFFSET: start})

    @property
    def is_held_back(self) -> bool:
        """Whether the broker may wait for an ack."""
        return len(self.found) - self._acked >= self._prefetch

    def first_from(self, lowest: int) -> JournalDelivery | None:
        """The first of what was found at or after an offset."""
        return next((one for one in self.found if one.offset >= lowest), None)

    def hear(self) -> None:
        """Take in what comes within a moment."""
        self._channel.connection.process_data_events(0.05)

    def settle(self) -> None:
        """Take in everything that is on its way: an answer comes after what was sent before it."""
        self._channel.queue_declare(self._stream, passive=True)
        self._channel.connection.process_data_events(0)

    def allow_more(self) -> None:
        """Ack what has come; not in the callback, because the library hears more while it sends an ack."""
        if len(self.found) > self._acked:
            self._acked = len(self.found)
            self._channel.basic_ack(self._acked, multiple=True)

    def _delivered(self, _channel: BlockingChannel, method: Any, properties: Any, body: bytes) -> None:
        offset = (properties.headers or {}).pop(OFFSET, self.found[-1].offset + 1 if self.found else 0)
        self.found.append(JournalDelivery(offset, method.exchange, readable_key(method.routing_key), properties, body))
