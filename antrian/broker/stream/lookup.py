"""Short looks into a stream: what is at a place, what is first, and where its end is."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import ChannelClosedByBroker

from antrian.broker.connection import open_channel
from antrian.broker.stream.entry import OFFSET, PREFETCH, StreamEntry
from antrian.broker.stream.subscription import Subscription
from antrian.domain.errors import AntrianError, BrokerUnreachable

_NOT_FOUND = 404

#: Seconds of one wait for entries.
_MOMENT = 0.05

#: Answers that must agree: what was confirmed just now may take a moment until readers are told of it.
_ANSWERS = 2

#: Seconds after which a stream whose end was not seen grows faster than it can be read.
_LONGEST_LOOK = 10.0


class NoStream(AntrianError):
    """The broker does not have the stream; `antrian topology apply` makes it."""


@contextmanager
def stream_channel(urls: Sequence[str], stream: str, *, name: str) -> Iterator[BlockingChannel]:
    """A channel for looking into a stream.

    Raises:
        NoStream: there is none.
        BrokerError: the broker is away, or does not let us in.
    """
    with open_channel(urls, name=name) as channel:
        try:
            yield channel
        except ChannelClosedByBroker as error:
            if error.reply_code == _NOT_FOUND:
                raise NoStream(f"the broker has no stream {stream}") from error
            raise


def first_from(channel: BlockingChannel, stream: str, start: int | str, patience: float) -> StreamEntry | None:
    """The first entry at or after a place.

    Args:
        channel: in a `stream_channel`.
        stream: its name.
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


def last_entry(channel: BlockingChannel, stream: str, patience: float = 1.0) -> StreamEntry | None:
    """The last entry that there is now; None for an empty stream.

    Args:
        channel: in a `stream_channel`.
        stream: its name.
        patience: seconds to wait for an entry. A broker that is silent for longer is asked until it answers.

    Raises:
        BrokerUnreachable: the stream grows faster than it can be read.
    """
    began_at = time.monotonic()
    look = _Look(channel.connection, stream, "last", prefetch=PREFETCH)
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
            raise BrokerUnreachable(f"the stream {stream} grows faster than it can be read")
    return look.found[-1] if look.found else None


class _Look:
    """A subscription that reads a few entries and keeps them; see `Subscription`."""

    def __init__(self, connection: BlockingConnection, stream: str, start: int | str, prefetch: int) -> None:
        self.found: list[StreamEntry] = []
        self._subscription = Subscription(connection, stream, start, self._found, prefetch=prefetch)
        self.settle, self.allow_more = self._subscription.settle, self._subscription.allow_more

    @property
    def is_held_back(self) -> bool:
        """Whether the broker may wait for an ack."""
        return self._subscription.is_held_back

    def first_from(self, lowest: int) -> StreamEntry | None:
        """The first of what was found at or after an offset."""
        return next((one for one in self.found if one.offset >= lowest), None)

    def hear(self) -> None:
        """Take in what comes within a moment."""
        self._subscription.hear(_MOMENT)

    def _found(self, entry: StreamEntry) -> None:
        # The header is the broker's, and the others are the message's.
        (entry.properties.headers or {}).pop(OFFSET, None)
        self.found.append(entry)
