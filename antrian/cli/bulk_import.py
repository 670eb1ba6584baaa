"""`antrian import`: a file of messages, all of them or none."""

import shlex
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated

import typer

from antrian.cli.import_view import refusal, remarks, sentences
from antrian.cli.terminal import Json, chosen_lane, print_json, progress, say
from antrian.domain.errors import AntrianError, CommandFailed, MalformedMessage, WrongUse
from antrian.domain.settings import Settings, load_settings
from antrian.operations.bulk_import.already_queued import known_messages
from antrian.operations.bulk_import.columns import UnknownColumns, split_columns
from antrian.operations.bulk_import.new_orders import new_orders, rehearse
from antrian.operations.bulk_import.publish import ImportPublisher, require_broker, stopped_by_signals
from antrian.operations.bulk_import.report import WRONG, ImportSummary
from antrian.operations.bulk_import.row import UnreadableFile
from antrian.operations.bulk_import.row_check import Defaults, RowCheck, checked_defaults
from antrian.operations.bulk_import.source_file import FileFormat, format_of, opened, spoken
from antrian.operations.bulk_import.spool import Spool
from antrian.operations.bulk_import.validate import Findings, survey
from publisher.client import Publisher

#: Seconds that a broker may be away in the middle: long enough for one that is started again.
_PATIENCE = 60.0


def import_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A .csv or .jsonl file; - reads stdin.")],
    *,
    form: Annotated[FileFormat | None, typer.Option("--format", help="Where the file's name does not say.")] = None,
    lane: Annotated[str | None, typer.Option(help="For rows that name none; needed only for several lanes.")] = None,
    source: Annotated[str, typer.Option(help="The sending service, for rows that name none.")] = "import",
    priority: Annotated[str, typer.Option(help="low, normal, high or urgent, for rows that do not say.")] = "normal",
    batch: Annotated[
        str, typer.Option(metavar="NAME", help="Rows of another batch are other messages, even with the same content.")
    ] = "",
    ignore_columns: Annotated[
        str, typer.Option("--ignore-columns", metavar="A,B", help="Leave these columns out.")
    ] = "",
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Leave out what is wrong and queue the rest; exit code 1.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check, and say what would be queued.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0, max=86_400, help="How long to wait for the broker if it goes away, in seconds.")
    ] = _PATIENCE,
    as_json: Json = False,
) -> None:
    """Put the messages of a CSV or JSONL file into the queue, once all of it is checked.

    If a row is wrong, nothing is queued. Repeating is safe, whatever happened in between: what is in the queue, or
    was sent in the last WHATSAPP_QUEUE_DEDUPE_HOURS, is not queued again. For that, rows without an idempotency key
    get one from their content; two equal rows of one file are two messages.
    """
    settings = load_settings()
    check = RowCheck(settings.lanes.names, _defaults(settings, lane, source, priority), datetime.now(UTC))
    with Spool() as spool:
        findings = _survey(file, form, check, spool, batch=batch, ignored=split_columns(ignore_columns))
        hours = settings.whatsapp_queue_dedupe_hours
        report = ImportSummary(findings, len(spool), hours, is_dry=dry_run, skips=skip_invalid)
        if not report.is_refused:
            _hand_over(settings, spool, report, timeout)
    _tell(report, file, as_json=as_json)


def _defaults(settings: Settings, lane: str | None, source: str, priority: str) -> Defaults:
    try:
        named = chosen_lane(settings, lane) if lane is not None or len(settings.lanes) == 1 else None
        return checked_defaults(named, source, priority)
    except MalformedMessage as error:
        option = f"--priority {priority}" if error.code == "unknown-priority" else "--source"
        raise WrongUse(f"{option}: {error}") from error


def _survey(
    file: str, form: FileFormat | None, check: RowCheck, spool: Spool, *, batch: str, ignored: Collection[str]
) -> Findings:
    try:
        with opened(file, form or format_of(file), ignored) as records, progress("rows checked", None) as bar:
            return survey(records, check, spool, batch=batch, on_progress=bar.move_to)
    except UnknownColumns as error:
        hint = f"To leave them out: --ignore-columns {shlex.quote(','.join(error.names))}"
        raise WrongUse(f"nothing was queued from {spoken(file)}: {error}.\n{hint}") from error
    except UnreadableFile as error:
        raise WrongUse(f"nothing was queued from {spoken(file)}: {error}") from error
    except KeyboardInterrupt:
        raise CommandFailed("interrupted; nothing was queued") from None


def _hand_over(settings: Settings, spool: Spool, report: ImportSummary, timeout: float) -> None:
    try:
        if report.is_dry:
            _rehearse(settings, spool, report)
            return
        require_broker(settings)
        with known_messages(settings, progress) as known, Publisher(settings, source="import") as publisher:
            handover = ImportPublisher(publisher, timeout)
            report.outcome = handover.outcome
            with stopped_by_signals(handover.stop), progress("messages", len(spool)) as bar:
                handover.run(new_orders(known, spool, report, bar.move_to))
    except KeyboardInterrupt:
        after = "run the same command again: what is in the queue is not sent twice"
        raise CommandFailed(f"interrupted; {after if report.outcome else 'nothing was queued'}") from None


def _rehearse(settings: Settings, spool: Spool, report: ImportSummary) -> None:
    """Count what would be handed over; without a broker, too."""
    try:
        with known_messages(settings, progress) as known, progress("messages", len(spool)) as bar:
            rehearse(known, spool, report, bar.move_to)
    except AntrianError as error:
        report.blind = str(error)


def _tell(report: ImportSummary, file: str, *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_json())
    elif report.exit_code == WRONG:
        raise WrongUse("\n".join(refusal(report, spoken(file))))
    else:
        for line in remarks(report):
            typer.echo(line, err=True)
        for sentence in sentences(report):
            say(sentence)
    raise typer.Exit(report.exit_code)
