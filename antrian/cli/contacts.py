"""`antrian contacts`: who is known to a sender, and a file of people who are."""

import shlex
from typing import Annotated, Any

import typer
from rich.table import Table

from antrian.cli.import_view import refused_rows, rows_in_words
from antrian.cli.terminal import Json, actor, chosen_lane, console, print_json, progress, say
from antrian.domain.errors import CommandFailed, InvalidPhoneNumber, WrongUse
from antrian.domain.human_time import moment
from antrian.domain.phone_number import display, normalize
from antrian.domain.settings import Settings, load_settings
from antrian.operations.bulk_import.columns import UnknownColumns, split_columns
from antrian.operations.bulk_import.publish import stopped_by_signals
from antrian.operations.bulk_import.row import UnreadableFile
from antrian.operations.bulk_import.source_file import FileFormat, format_of, opened, spoken
from antrian.operations.contacts.contact_file import CONTACT_COLUMNS, ContactFindings, survey_contacts
from antrian.operations.contacts.contact_view import contact_details
from antrian.operations.contacts.contacts_stream import own_book
from antrian.operations.contacts.import_contacts import ContactImport

contacts_app = typer.Typer(no_args_is_help=True, help="Who is known to a sender; import people who are.")

#: What the standings are called.
_STANDINGS = {"cold": "new", "contacted": "was written to", "known": "known"}

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="In any usual spelling.")]
OfLane = Annotated[str | None, typer.Option("--lane", help="Only what this lane's sender knows.")]


@contacts_app.command()
def show(number: Number, *, lane: OfLane = None, as_json: Json = False) -> None:
    """Show what each sender knows of a person, and their opt-outs."""
    settings = load_settings()
    recipient = checked_number(number)
    named = None if lane is None else chosen_lane(settings, lane)
    with progress("entries read", None) as bar, own_book(settings, bar.move_to) as book:
        details = contact_details(book.show(recipient), settings.lanes, named)
    if as_json:
        print_json(details)
    else:
        _print(details)


@contacts_app.command("import")
def import_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A .csv or .jsonl file; - reads stdin.")],
    *,
    form: Annotated[FileFormat | None, typer.Option("--format", help="Where the file's name does not say.")] = None,
    lane: Annotated[str | None, typer.Option(help="Whose sender knows them; needed only for several lanes.")] = None,
    sender: Annotated[str | None, typer.Option(help="The sender itself, instead of a lane.")] = None,
    ignore_columns: Annotated[
        str, typer.Option("--ignore-columns", metavar="A,B", help="Leave these columns out.")
    ] = "",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out what is wrong and import the rest.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file.")] = False,
    as_json: Json = False,
) -> None:
    """Import people whom a sender knows already: they are no strangers.

    The file has a column phone_number and, if you like, timezone. If a row is wrong, nothing is imported. Repeating
    is safe: who is known already stays known.
    """
    settings = load_settings()
    key = _sender_key(settings, lane, sender)
    findings = _survey(file, form, ignore_columns)
    is_refused = bool(findings.wrong) and not skip_bad
    imported = 0
    if not (is_refused or dry_run or not findings.right):
        imported = _hand_over(settings, key, findings)
    if as_json:
        print_json(_report(findings, key, imported, is_refused=is_refused, is_dry=dry_run))
        raise typer.Exit(2 if is_refused else 0)
    _tell(findings, file, imported, is_refused=is_refused, is_dry=dry_run)


def checked_number(number: str) -> str:
    """The number in its one spelling.

    Raises:
        WrongUse: it is none.
    """
    try:
        return normalize(number)
    except InvalidPhoneNumber as error:
        raise WrongUse(f"NUMBER: {error}") from error


def _sender_key(settings: Settings, lane: str | None, sender: str | None) -> str:
    if sender is None:
        return settings.lanes[chosen_lane(settings, lane)].sender_key
    if lane is not None:
        raise WrongUse("give either --lane or --sender")
    keys = {one.sender_key for one in settings.lanes.values()}
    digits = "".join(character for character in sender if character not in "+-. ()")
    if not ({sender, digits} & keys):
        raise WrongUse("--sender: no lane has this sender")
    return sender if sender in keys else digits


def _survey(file: str, form: FileFormat | None, ignored: str) -> ContactFindings:
    try:
        source = opened(file, form or format_of(file), split_columns(ignored), CONTACT_COLUMNS)
        with source as rows, progress("rows checked", None) as bar:
            return survey_contacts(rows, bar.move_to)
    except UnknownColumns as error:
        hint = f"To leave them out: --ignore-columns {shlex.quote(','.join(error.names))}"
        raise WrongUse(f"nothing was imported from {spoken(file)}: {error}.\n{hint}") from error
    except UnreadableFile as error:
        raise WrongUse(f"nothing was imported from {spoken(file)}: {error}") from error
    except KeyboardInterrupt:
        raise CommandFailed("interrupted; nothing was imported") from None


def _hand_over(settings: Settings, sender: str, findings: ContactFindings) -> int:
    work = ContactImport(settings, sender, actor())
    with stopped_by_signals(work.stop), progress("contacts", findings.right) as bar:
        is_whole = work.run(findings, bar.move_to)
    if not is_whole:
        raise CommandFailed("interrupted: some are imported. Run the same command again for the rest")
    return findings.right


def _report(findings: ContactFindings, sender: str, imported: int, *, is_refused: bool, is_dry: bool) -> dict[str, Any]:
    return {
        "sender": sender,
        "dry_run": is_dry,
        "refused": is_refused,
        "read": findings.read,
        "right": findings.right,
        "wrong": findings.wrong,
        "imported": imported,
        "errors": [{"line": one.line, "field": one.field, "reason": one.reason} for one in findings.refusals.first],
    }


def _tell(findings: ContactFindings, file: str, imported: int, *, is_refused: bool, is_dry: bool) -> None:
    rows = list(refused_rows(findings.refusals))
    if is_refused:
        read = rows_in_words(findings.read)
        heading = f"nothing was imported: {findings.wrong:,} of {read} in {spoken(file)} are wrong"
        raise WrongUse("\n".join([heading, *rows, "Correct them, or leave them out with --skip-bad."]))
    if rows:
        for line in (f"{rows_in_words(findings.wrong)} left out as wrong:", *rows):
            typer.echo(line, err=True)
    if not findings.right:
        say("The file names nobody: nothing was imported.")
    elif is_dry:
        say(f"{rows_in_words(findings.read)} read; {_contacts(findings.right)} would be imported.")
    else:
        say(f"{_contacts(imported)} {'is' if imported == 1 else 'are'} known now. It is safe to import them again.")


def _contacts(count: int) -> str:
    return "1 contact" if count == 1 else f"{count:,} contacts"


def _print(details: dict[str, Any]) -> None:
    say(display(details["phone_number"]) + (f"  {details['timezone']}" if details["timezone"] else ""))
    table = Table("sender", "lane", "standing", "since", "first sent", "refused", box=None)
    for one in details["senders"]:
        times = (one[name] for name in ("since", "first_sent_at", "refused_at"))
        table.add_row(
            one["sender"],
            one["lane"] or "",
            _STANDINGS[one["standing"]],
            *("" if at is None else moment(at) for at in times),
        )
    console().print(table)
    for one in details["opt_outs"]:
        words = f": {one['words']!r}" if one["words"] else ""
        say(f"Opted out of {one['purpose']} on {moment(one['at'])}, recorded by {one['by']} ({one['channel']}){words}")
    if not details["opt_outs"]:
        say("Opted out of nothing.")
