"""Where a reader that was away goes on reading a stream: the decision, and the look-ups that it needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from antrian.broker.stream.entry import StreamEntry, StreamPlace, place_of
from antrian.broker.stream.lookup import first_from, last_entry, stream_channel
from antrian.domain.errors import BrokerUnreachable

#: Seconds after which an unanswered look into the stream means that there is nothing.
_PATIENCE = 5.0

#: Looks in a row that must find a stream shorter than what was read of it. In a cluster, one node may be behind for a
#: moment; to take that for a new stream would read everything a second time.
_DOUBTS = 2


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where to read on.

    Attributes:
        start: an offset, or `first`.
        missed: offsets of the first and the last entry that were deleted before they could be read; None for none.
        is_new_stream: whether the stream was made again, so that its offsets mean something else.
    """

    start: int | str
    missed: tuple[int, int] | None = None
    is_new_stream: bool = False


def is_same(found: StreamEntry | None, place: StreamPlace) -> bool:
    """Whether the stream has, at that place, what was read there."""
    return found is not None and place_of(found) == place


def resume_point(place: StreamPlace, found: StreamEntry | None, first: StreamEntry | None) -> ResumePoint:
    """Decide from what the stream shows.

    Args:
        place: how far the reader has read, at least one entry.
        found: the stream's first entry at or after that place.
        first: the stream's first entry; None for an empty stream.
    """
    if is_same(found, place):
        return ResumePoint(place.offset)
    if first is not None and first.offset > place.offset:
        # Where one of a stream's files ends and the next one begins, an offset may be left out.
        is_nothing = first.offset <= place.offset + 2
        return ResumePoint("first", None if is_nothing else (place.offset + 1, first.offset - 1))
    return ResumePoint("first", is_new_stream=True)


class Resumption:
    """Decides for one reader, as often as it must go on.

    Args:
        urls: the broker's addresses.
        stream: its name.
        name: what the broker shows as the connection's name.
    """

    def __init__(self, urls: Sequence[str], stream: str, *, name: str) -> None:
        self._urls = urls
        self._stream = stream
        self._name = name
        self._doubts = 0

    def decide(self, place: StreamPlace) -> ResumePoint:
        """Where to read on, and what was missed.

        Args:
            place: how far the reader has read.

        Raises:
            NoStream: there is none.
            BrokerUnreachable: the broker does not tell, or tells something that is believed only when it is said again.
        """
        with stream_channel(self._urls, self._stream, name=self._name) as channel:
            channel.queue_declare(self._stream, passive=True)
            found = first_from(channel, self._stream, place.offset, _PATIENCE) if place.offset >= 0 else None
            if place.offset < 0 or is_same(found, place):
                self._doubts = 0
                return ResumePoint("first" if place.offset < 0 else place.offset)
            first = first_from(channel, self._stream, "first", _PATIENCE)
            if found is None:
                self._doubt(place, first, last_entry(channel, self._stream, _PATIENCE))
        self._doubts = 0
        return resume_point(place, found, first)

    def _doubt(self, place: StreamPlace, first: StreamEntry | None, last: StreamEntry | None) -> None:
        if (first is None) != (last is None) or (last is not None and last.offset >= place.offset):
            raise BrokerUnreachable(f"the stream {self._stream} does not answer")
        self._doubts += 1
        if self._doubts < _DOUBTS:
            raise BrokerUnreachable(f"the stream {self._stream} ends earlier than expected; looking for it again")
