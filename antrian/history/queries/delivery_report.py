"""What became of the messages that providers took in a period; pure.

A message belongs to the period in which its provider took it, whenever its receipts came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from antrian.history.projection import wait_histogram
from antrian.history.projection.bucket import WaitFigures
from antrian.history.projection.figures import Wait
from antrian.history.queries.analytics import wait_figures


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """What became of the messages that one provider took, or that were sent from one lane.

    Attributes:
        name: of the provider or the lane; empty where that is not on record.
        handed_over: how many the provider took.
        delivered: of these, how many arrived, those that were read included.
        read: of these, how many were opened, as far as the person lets that be told.
        failed: of these, how many did not arrive.
        unknown: of these, how many nothing more is known of.
        delivery_rate: delivered, as a part of those of which it is known; None where it is known of none.
        read_rate: read, as a part of those delivered; None where none was.
        time: from the provider's acceptance to the arrival; None where nothing arrived, or no time was told.
    """

    name: str
    handed_over: int
    delivered: int
    read: int
    failed: int
    unknown: int
    delivery_rate: float | None
    read_rate: float | None
    time: WaitFigures | None


@dataclass(slots=True)
class _Sum:
    handed_over: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    wait: Wait = field(default_factory=Wait)


#: (lane, provider, handed over, delivered, read, failed, messages with a time, seconds, packed histogram).
DeliveryRows = Sequence[Sequence[Any]]


def by_provider(rows: DeliveryRows) -> list[DeliveryFigures]:
    """The figures of each provider, that of the most messages first."""
    return _figures((row[1], row) for row in rows)


def by_lane(rows: DeliveryRows) -> list[DeliveryFigures]:
    """The figures of each lane, that of the most messages first."""
    return _figures((row[0], row) for row in rows)


def _figures(rows: Iterable[tuple[str, Sequence[Any]]]) -> list[DeliveryFigures]:
    sums: dict[str, _Sum] = {}
    for name, (_, _, handed_over, delivered, read, failed, count, seconds, packed) in rows:
        one = sums.setdefault(name, _Sum())
        one.handed_over += handed_over
        one.delivered += delivered
        one.read += read
        one.failed += failed
        if count:
            one.wait.add(count, seconds, wait_histogram.unpack(packed))
    found = [_of(name, one) for name, one in sums.items() if one.handed_over]
    return sorted(found, key=lambda one: (-one.handed_over, one.name))


def _of(name: str, one: _Sum) -> DeliveryFigures:
    wait, known = one.wait, one.delivered + one.failed
    return DeliveryFigures(
        name=name,
        handed_over=one.handed_over,
        delivered=one.delivered,
        read=one.read,
        failed=one.failed,
        # Receipts of what an earlier program sent are counted without their sends.
        unknown=max(0, one.handed_over - known),
        delivery_rate=one.delivered / known if known > 0 else None,
        read_rate=one.read / one.delivered if one.delivered > 0 else None,
        time=wait_figures(wait.count, wait.seconds, wait.histogram) if wait.count else None,
    )
