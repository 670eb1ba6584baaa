"""`antrian report`: what was sent in a period, and how long it took."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from antrian.cli.history import open_history
from antrian.cli.terminal import Json, console, print_json, say
from antrian.domain.errors import WrongUse
from antrian.domain.human_time import duration, moment
from antrian.domain.settings import load_settings
from antrian.history.queries import time_axis
from antrian.history.queries.delivery_report import DeliveryFigures
from antrian.history.queries.report import Period, Report
from antrian.history.queries.report_file import report_csv

_PERIODS = {
    Period.TODAY: "Today",
    Period.YESTERDAY: "Yesterday",
    Period.WEEK: "In the last 7 days",
    Period.MONTH: "In the last 30 days",
}


def report(
    *,
    period: Annotated[Period, typer.Option(help="Which days.")] = Period.TODAY,
    timezone: Annotated[str | None, typer.Option(help="Time zone, e.g. Asia/Jakarta; default: this machine's.")] = None,
    lane: Annotated[str | None, typer.Option(help="Only this lane.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: Json = False,
) -> None:
    """Show what was sent and failed, and how long it took."""
    if as_csv and as_json:
        raise WrongUse("use either --csv or --json")
    try:
        place = time_axis.zone(timezone)
    except time_axis.UnknownZone as error:
        raise WrongUse(f"--timezone: {error}") from error
    with open_history(load_settings()) as history:
        found = history.report(period, place, lane=lane)
    if as_json:
        print_json(asdict(found))
    elif as_csv:
        typer.echo(report_csv(found), nl=False)
    else:
        _print(found)


def sentence(report: Report) -> str:
    """The whole report in one breath; pure."""
    period, totals = _PERIODS[report.period], report.totals
    if totals.success_rate is None:
        return f"{period}: nothing was sent."
    first = f"{period}: {totals.sent:,} sent, {_percent(totals.success_rate)} succeeded."
    if totals.wait is None:
        return first
    return f"{first} Half waited under {duration(totals.wait.p50)}, 95 % under {duration(totals.wait.p95)}."


def _percent(rate: float | None) -> str:
    # Never rounded up to all of it.
    return "-" if rate is None else f"{int(rate * 1000) / 10:g} %"


def _print(report: Report) -> None:
    say(sentence(report))
    say(f"{report.waiting:,} waiting now. Days of {report.timezone}.")
    if report.known_since is not None:
        say(f"The figures begin at {moment(report.known_since)}.")
    if report.before is not None:
        before = report.before
        rate = _percent(before.success_rate)
        say(f"The period before: {before.sent:,} sent, {before.failed:,} failed, {rate} succeeded.")
    if report.totals.opted_out:
        say(f"{report.totals.opted_out:,} not sent, because their recipients opted out.")
    deliveries = (_deliveries("provider", report.providers), _deliveries("lane", report.lanes))
    tables = (_waits(report), _sources(report), _causes(report), _holds(report), *deliveries)
    for table in tables:
        if table.row_count:
            console().print(table)


def _waits(report: Report) -> Table:
    table = Table("priority", "sent", "half waited under", "95 % under")
    for priority, figures in report.waits.items():
        table.add_row(priority, f"{figures.count:,}", duration(figures.p50), duration(figures.p95))
    return table


def _sources(report: Report) -> Table:
    table = Table("source", "sent", "failed", "succeeded", "opted out")
    for source in report.sources:
        name = Text(source.name or "unknown")
        opted_out = f"{source.opted_out:,}"
        table.add_row(name, f"{source.sent:,}", f"{source.failed:,}", _percent(source.success_rate), opted_out)
    return table


def _deliveries(what: str, figures: Sequence[DeliveryFigures]) -> Table:
    table = Table(
        what, "handed over", "delivered", "read", "not delivered", "unknown", "of known", "half within", "95 % within"
    )
    for one in figures:
        counts = (one.handed_over, one.delivered, one.read, one.failed, one.unknown)
        times = (duration(one.time.p50), duration(one.time.p95)) if one.time else ("-", "-")
        table.add_row(
            Text(one.name or "unknown"), *(f"{count:,}" for count in counts), _percent(one.delivery_rate), *times
        )
    return table


def _causes(report: Report) -> Table:
    table = Table("failed because of", "messages")
    for cause in report.causes:
        table.add_row(Text(f"{cause.failure_class} {cause.code}".strip()), f"{cause.count:,}")
    return table


def _holds(report: Report) -> Table:
    table = Table("held because of", "times", "on average")
    for one in report.held:
        table.add_row(Text(one.reason), f"{one.count:,}", duration(one.seconds / one.count if one.count else 0.0))
    return table
