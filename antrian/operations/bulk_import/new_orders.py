"""Which orders of a file no earlier import has queued."""

from collections import deque
from collections.abc import Callable, Iterator

from antrian.operations.bulk_import.already_queued import Known
from antrian.operations.bulk_import.report import ImportSummary
from antrian.operations.bulk_import.spool import Order, Spool

#: Orders from one word about the progress to the next.
_STEP = 100


def new_orders(
    known: Known, spool: Spool, report: ImportSummary, on_progress: Callable[[int], None] = lambda _done: None
) -> Iterator[Order]:
    """What no earlier import has queued; the rest is counted in the report.

    Args:
        known: what earlier imports have queued.
        spool: the orders.
        report: gets the counts.
        on_progress: takes the number of orders that were looked up so far.
    """
    report.blind = known.trouble
    report.already.clear()
    for done, (order, place) in enumerate(known.places(spool), 1):
        if done % _STEP == 0:
            on_progress(done)
        if place is None:
            yield order
        else:
            report.already[place] += 1


def rehearse(
    known: Known, spool: Spool, report: ImportSummary, on_progress: Callable[[int], None] = lambda _done: None
) -> None:
    """Count what would be handed over."""
    deque(new_orders(known, spool, report, on_progress), maxlen=0)
