"""Reads what a report is made from: a few thousand rows, however many messages there are."""

import math
from collections.abc import Callable
from datetime import tzinfo

from antrian.history.projection.figures import QUARTER
from antrian.history.projection.message_row import OPEN
from antrian.history.queries import report
from antrian.history.queries.reader import Reader
from antrian.history.queries.reader import Rows as Table
from antrian.history.queries.report import Period, Report, Rows, Stretch
from antrian.history.records import MessageState

Counts = Callable[[str | None], dict[MessageState, int]]


def read_report(
    reader: Reader, counts: Counts, period: Period, place: tzinfo, *, now: float, lane: str | None = None
) -> Report:
    """The report on a period.

    Args:
        reader: of the history.
        counts: how many messages are in each state, in a lane or in all.
        period: which.
        place: whose days these are.
        now: unix seconds.
        lane: only this one.
    """
    ours, before = report.stretches(period, now, place)
    (first,) = reader.row("SELECT min(quarter) FROM quarters") or (None,)
    states = counts(lane)
    return report.compose(
        period,
        place,
        now,
        rows=_rows(reader, ours, lane),
        before=_sums(reader, before, lane),
        waiting=sum(states[state] for state in OPEN),
        first=None if first is None else first * QUARTER,
    )


def _rows(reader: Reader, stretch: Stretch, lane: str | None) -> Rows:
    condition, values = _condition(stretch, lane)
    ends = reader.rows(
        f"SELECT quarter, source, sum(sent), sum(failed) FROM quarters WHERE {condition} GROUP BY quarter, source",  # noqa: S608
        values,
    )
    causes = reader.rows(f"SELECT cause, sum(count) FROM causes WHERE {condition} GROUP BY cause", values)  # noqa: S608
    opt_outs = reader.rows(f"SELECT source, sum(count) FROM opt_outs WHERE {condition} GROUP BY source", values)  # noqa: S608
    holds = reader.rows(
        f"SELECT reason, sum(count), sum(seconds) FROM holds WHERE {condition} GROUP BY reason",  # noqa: S608
        values,
    )
    deliveries = reader.rows(
        "SELECT lane, provider, handed_over, delivered, read, failed, count, seconds, bins FROM deliveries "  # noqa: S608
        f"WHERE {condition}",
        values,
    )
    return Rows(ends, _waits(reader, condition, values), causes, opt_outs, holds, deliveries)


def _sums(reader: Reader, stretch: Stretch, lane: str | None) -> Rows:
    condition, values = _condition(stretch, lane)
    ends = reader.rows(
        f"SELECT 0, '', ifnull(sum(sent), 0), ifnull(sum(failed), 0) FROM quarters WHERE {condition}",  # noqa: S608
        values,
    )
    opt_outs = reader.rows(f"SELECT '', ifnull(sum(count), 0) FROM opt_outs WHERE {condition}", values)  # noqa: S608
    return Rows(ends, _waits(reader, condition, values), opt_outs=opt_outs)


def _waits(reader: Reader, condition: str, values: tuple[object, ...]) -> Table:
    return reader.rows(f"SELECT priority, count, seconds, bins FROM quarter_waits WHERE {condition}", values)  # noqa: S608


def _condition(stretch: Stretch, lane: str | None) -> tuple[str, tuple[object, ...]]:
    # The running quarter counts on both sides of a comparison.
    bounds = (int(stretch.since // QUARTER), math.ceil(stretch.until / QUARTER))
    condition = "quarter >= ? AND quarter < ?"
    return (condition, bounds) if lane is None else (f"{condition} AND lane = ?", (*bounds, lane))
