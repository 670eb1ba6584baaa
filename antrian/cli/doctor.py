"""`antrian doctor`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from antrian.cli.terminal import Json, console, print_json, say
from antrian.doctor.finding import Finding, Severity, count, problem
from antrian.doctor.role import BrokerRole
from antrian.domain.errors import SettingsError
from antrian.domain.settings import load_settings
from antrian.up.run_record import beside_up

if TYPE_CHECKING:
    from collections.abc import Iterator

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.PROBLEM: "bold red"}

_MANAGEMENT_HELP = (
    "Also use RabbitMQ's management API at this address, such as http://127.0.0.1:15672, with AMQP_URL's user."
)


def doctor(
    *,
    role: Annotated[BrokerRole | None, typer.Option(help="Role of this machine; default: all roles.")] = None,
    management: Annotated[str | None, typer.Option(metavar="URL", help=_MANAGEMENT_HELP)] = None,
    as_json: Json = False,
) -> None:
    """Examine settings, broker, lanes, provider, history and machine, changing nothing; exit code 1 on a problem."""
    findings = list(_examine(role, management))
    problems, warnings = count(findings, Severity.PROBLEM), count(findings, Severity.WARNING)
    if as_json:
        print_json(
            {
                "ok": not problems,
                "problems": problems,
                "warnings": warnings,
                "findings": [asdict(one) for one in findings],
            }
        )
    else:
        console().print(_table(findings))
        say(f"{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}.")
    if problems:
        raise typer.Exit(1)


def _examine(role: BrokerRole | None, management: str | None) -> "Iterator[Finding]":
    # Imported late: every other command of the command line would wait for the HTTP library and the database.
    from antrian.doctor.examination import Examination  # noqa: PLC0415

    try:
        settings = beside_up(load_settings())
    except SettingsError as error:
        yield problem("settings", str(error), "Correct it; docs/reference/settings.md explains each variable.")
        return
    yield from Examination(settings, role, management).findings()


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("", "subject", "what was found, and what to do")
    for one in findings:
        text = Text(one.found)
        if one.todo:
            text.append(f"\n→ {one.todo}", style="bold")
        table.add_row(Text(one.state, style=_STYLES[one.state]), one.subject, text)
    return table
