"""How fast a ledger is read; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self


@dataclass(frozen=True, slots=True)
class Reading:
    """One length of the outcomes stream, read several times.

    Attributes:
        events: how many the stream holds.
        ready_after: seconds from a consumer's start until it is ready, median.
        reading: of these, the seconds that an empty stream does not take, median; at least a millisecond.
        peer: seconds that bare pika takes to read the same stream and do nothing with it, median.
    """

    events: int
    ready_after: float
    reading: float
    peer: float

    @property
    def rate(self) -> float:
        """Events per second that the consumer reads."""
        return self.events / self.reading

    @property
    def peer_rate(self) -> float:
        """Events per second that bare pika reads."""
        return self.events / self.peer

    @property
    def ratio(self) -> float:
        """The consumer's rate as a part of bare pika's."""
        return self.peer / self.reading

    @classmethod
    def of(cls, events: int, ready: Sequence[float], empty: Sequence[float], peer: Sequence[float]) -> Self:
        """Put together what was measured.

        Args:
            events: how many the stream holds.
            ready: seconds from start to ready, one for each round.
            empty: the same with an empty stream, in the same rounds.
            peer: bare pika's seconds.
        """
        more = median(full - none for full, none in zip(ready, empty, strict=True))
        return cls(events, median(ready), max(more, 0.001), median(peer))
