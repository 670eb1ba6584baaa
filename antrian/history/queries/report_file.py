"""A report as rows of a spreadsheet; pure."""

import csv
from collections.abc import Iterator
from io import StringIO

from antrian.domain.spreadsheet import plain_cell
from antrian.history.projection.bucket import WaitFigures
from antrian.history.queries.delivery_report import DeliveryFigures
from antrian.history.queries.report import Report, Totals

COLUMNS = (
    "section",
    "name",
    "sent",
    "failed",
    "success_percent",
    "waited",
    "wait_p50_seconds",
    "wait_p95_seconds",
    "opted_out",
    "held_seconds",
    "handed_over",
    "delivered",
    "read",
    "not_delivered",
    "unknown",
    "delivery_percent",
    "delivery_p50_seconds",
    "delivery_p95_seconds",
)

Row = tuple[str | int | float | None, ...]


def report_csv(report: Report) -> str:
    """The whole report, one row for each figure that has a name; the first column says of what kind it is."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(report):
        cells = [plain_cell(cell) if isinstance(cell, str) else cell for cell in row]
        writer.writerow(cells + [None] * (len(COLUMNS) - len(cells)))
    return text.getvalue()


def _rows(report: Report) -> Iterator[Row]:
    total, before = report.totals, report.before
    yield "total", report.period.value, *_totals(total), *_wait(total.wait), total.opted_out
    if before is not None:
        yield "before", report.period.value, *_totals(before), *_wait(before.wait), before.opted_out
    for priority, figures in report.waits.items():
        yield "priority", priority, figures.count, None, None, *_wait(figures)
    for source in report.sources:
        rate = _percent(source.success_rate)
        yield "source", source.name, source.sent, source.failed, rate, *_wait(None), source.opted_out
    for day in report.days:
        yield "day", day.date, day.sent, day.failed, None, *_wait(None)
    for day in report.days:
        for hour, sent in enumerate(day.hours):
            yield "hour", f"{day.date} {hour:02}:00", sent, None, None, *_wait(None)
    for cause in report.causes:
        yield "cause", f"{cause.failure_class} {cause.code}".strip(), None, cause.count, None, *_wait(None)
    for one in report.held:
        yield "held", one.reason, None, None, None, one.count, None, None, None, round(one.seconds, 1)
    for section, delivery in [
        *(("provider", one) for one in report.providers),
        *(("lane", one) for one in report.lanes),
    ]:
        yield section, delivery.name, *[None] * 8, *_delivery(delivery)


def _delivery(figures: DeliveryFigures) -> Row:
    _, p50, p95 = _wait(figures.time)
    counts = (figures.handed_over, figures.delivered, figures.read, figures.failed, figures.unknown)
    return *counts, _percent(figures.delivery_rate), p50, p95


def _totals(totals: Totals) -> Row:
    return totals.sent, totals.failed, _percent(totals.success_rate)


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(100 * rate, 2)


def _wait(figures: WaitFigures | None) -> Row:
    return (None, None, None) if figures is None else (figures.count, round(figures.p50, 1), round(figures.p95, 1))
