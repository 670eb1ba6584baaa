"""One contender's turn, and how contenders compare over many rounds; pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Self, TypeVar

from bench.distribution import Distribution

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """What one contender did in one round.

    Attributes:
        started_at: when the first message was handed over, by the machine's monotonic clock, in seconds.
        ended_at: when the last confirm was in.
        cpu_seconds: what the contender's own process used of the processor meanwhile.
        latencies: for each message, seconds from handing it over to its confirm.
    """

    started_at: float
    ended_at: float
    cpu_seconds: float
    latencies: Sequence[float]

    @property
    def rate(self) -> float:
        """Messages per second."""
        return len(self.latencies) / (self.ended_at - self.started_at)

    @property
    def cpu_per_message(self) -> float:
        """Seconds of processor time that the client used for each message."""
        return self.cpu_seconds / len(self.latencies)

    def as_json(self) -> dict[str, Any]:
        """The run as JSON values; latencies to the microsecond."""
        return asdict(self) | {"latencies": [round(latency, 6) for latency in self.latencies]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The run that `as_json` has written."""
        return cls(**values)


def together(runs: Sequence[Run]) -> Run:
    """Several processes that published at the same time, as one run."""
    return Run(
        started_at=min(run.started_at for run in runs),
        ended_at=max(run.ended_at for run in runs),
        cpu_seconds=sum(run.cpu_seconds for run in runs),
        latencies=[latency for run in runs for latency in run.latencies],
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """A contender after all rounds.

    Attributes:
        rate: messages per second, median over the rounds.
        ratios: its rate as a part of the reference's in the same round; least, median and greatest of the rounds.
        latency: of one publish, in seconds, over all rounds.
        cpu_per_message: seconds of the client's processor time, median over the rounds.
        cpu_ratio: the reference's processor time per message as a part of this one's, median over the rounds; it
            hardly changes when other programs keep the machine busy.
    """

    rate: float
    ratios: tuple[float, float, float]
    latency: Distribution
    cpu_per_message: float
    cpu_ratio: float

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return self.ratios[1]

    @classmethod
    def of(cls, runs: Sequence[Run], reference: Sequence[Run]) -> Self:
        """Compare a contender with a reference, round by round.

        Args:
            runs: the contender's, one for each round.
            reference: the reference's, in the same rounds.
        """
        pairs = list(zip(runs, reference, strict=True))
        ratios = [ours.rate / theirs.rate for ours, theirs in pairs]
        return cls(
            rate=median(run.rate for run in runs),
            ratios=(min(ratios), median(ratios), max(ratios)),
            latency=Distribution.of([latency for run in runs for latency in run.latencies]),
            cpu_per_message=median(run.cpu_per_message for run in runs),
            cpu_ratio=median(theirs.cpu_per_message / ours.cpu_per_message for ours, theirs in pairs),
        )


def turns(contenders: Sequence[T], round_number: int) -> list[T]:
    """The order of one round: each begins with another contender, so that nobody always follows the same one."""
    start = round_number % len(contenders)
    return [*contenders[start:], *contenders[:start]]
