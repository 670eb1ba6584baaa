"""What arrived around a crash; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bench.distribution import gaps


@dataclass(frozen=True, slots=True)
class Story:
    """One trial: the sender was killed after its first send, and started again at once.

    Attributes:
        moments: when each send arrived, in unix seconds, ascending; at least two.
        texts: what each send said; no two messages say the same.
    """

    moments: Sequence[float]
    texts: Sequence[str]

    @property
    def second_sends(self) -> int:
        """How many sends repeat a message that had arrived before."""
        return len(self.texts) - len(set(self.texts))

    @property
    def gap_over_the_crash(self) -> float:
        """Seconds from the last send before the crash to the first one after it."""
        return self.moments[1] - self.moments[0]


@dataclass(frozen=True, slots=True)
class Record:
    """All trials of one sender.

    Attributes:
        trials: how many there were.
        second_sends: in all of them.
        gaps_over_the_crash: of each, in seconds.
        shortest_gap: between any two sends, in seconds.
    """

    trials: int
    second_sends: int
    gaps_over_the_crash: Sequence[float]
    shortest_gap: float

    @classmethod
    def of(cls, stories: Sequence[Story]) -> Self:
        """The sum of at least one trial."""
        return cls(
            trials=len(stories),
            second_sends=sum(story.second_sends for story in stories),
            gaps_over_the_crash=[story.gap_over_the_crash for story in stories],
            shortest_gap=min(gap for story in stories for gap in gaps(story.moments)),
        )

    def keeps(self, delay: float) -> bool:
        """Whether nothing was sent twice and nothing too early."""
        return self.second_sends == 0 and self.shortest_gap >= delay
