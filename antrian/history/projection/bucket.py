"""What a chart shows of one stretch of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WaitFigures:
    """How long messages waited from publish until the provider accepted them, in seconds.

    Attributes:
        count: of how many messages.
        mean: exact.
        p50: half waited no longer; within 5 %.
        p95: of twenty, nineteen waited no longer; within 5 %.
    """

    count: int
    mean: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """What happened in one stretch of time; figures are None where nothing is known of it.

    Attributes:
        start: of the stretch.
        end: of the stretch.
        queued: messages published.
        sent: accepted by the provider.
        failed: attempts that failed.
        dead: messages given up.
        waiting: messages neither sent nor ended otherwise, at the end of the stretch.
        most_waiting: the same when they were most.
        waits: by the name of the priority.
    """

    start: float
    end: float
    queued: int | None = None
    sent: int | None = None
    failed: int | None = None
    dead: int | None = None
    waiting: int | None = None
    most_waiting: int | None = None
    waits: Mapping[str, WaitFigures] = field(default_factory=dict)
