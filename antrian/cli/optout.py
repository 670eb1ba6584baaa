"""`antrian optout`: who does not want messages of a purpose."""

from typing import Annotated

import typer
from rich.table import Table

from antrian.broker.connection import broker_urls
from antrian.broker.topology import Names
from antrian.cli.contacts import Number, checked_number
from antrian.cli.terminal import Json, ShowNumbers, actor, console, print_json, progress, say, tell, which_numbers
from antrian.domain.contact import ALL_PURPOSES
from antrian.domain.errors import CommandFailed, WrongUse
from antrian.domain.human_time import moment
from antrian.domain.settings import Settings, load_settings
from antrian.operations.contacts.contact_view import opt_out_details
from antrian.operations.contacts.contacts_stream import own_book
from antrian.operations.contacts.opt_outs import (
    USUAL_PURPOSE,
    NotOptedOut,
    OptChange,
    OptOuts,
    UnknownPurpose,
    known_purpose,
)

optout_app = typer.Typer(no_args_is_help=True, help="Who wants no messages, or none of a purpose.")

Purpose = Annotated[str, typer.Option("--purpose", help="marketing, reminder, transaction or all.")]


@optout_app.command()
def add(
    number: Number,
    *,
    purpose: Purpose = USUAL_PURPOSE.value,
    words: Annotated[str, typer.Option(help="What the person said; kept as the proof.")] = "",
    as_json: Json = False,
) -> None:
    """Record that a person wants no messages of a purpose any more."""
    settings = load_settings()
    meant = _purpose(purpose)
    outs = _opt_outs(settings)
    change = outs.add(checked_number(number), meant, words=words, by=actor(), channel="cli", source=actor())
    of = "no messages at all" if meant == ALL_PURPOSES else f"no {meant} messages"
    tell(_json(change), f"Recorded: {of} to this number any more.", as_json=as_json)


@optout_app.command()
def remove(number: Number, *, purpose: Purpose = ALL_PURPOSES, as_json: Json = False) -> None:
    """Record that a person wants messages again: of one purpose, or all."""
    settings = load_settings()
    recipient, meant = checked_number(number), _purpose(purpose)
    with progress("entries read", None) as bar, own_book(settings, bar.move_to) as book:
        outs = OptOuts(broker_urls(settings), Names(settings.whatsapp_queue_namespace), book)
        try:
            change = outs.remove(recipient, meant, by=actor(), channel="cli", source=actor())
        except NotOptedOut as error:
            raise CommandFailed(f"nothing was changed: {error}") from error
    what = "messages" if meant == ALL_PURPOSES else f"{meant} messages"
    tell(_json(change), f"Recorded: {what} go to this number again.", as_json=as_json)


@optout_app.command("list")
def list_them(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show at most so many, the newest first.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Of the page before.")] = None,
    show_numbers: ShowNumbers = False,
    as_json: Json = False,
) -> None:
    """List the opt-outs in force, the newest first."""
    settings = load_settings()
    with progress("entries read", None) as bar, own_book(settings, bar.move_to) as book:
        page = book.opt_outs(cursor, limit)
    rows = [opt_out_details(one, masked=not show_numbers) for one in page.rows]
    if as_json:
        numbers = which_numbers(show=show_numbers)
        print_json({"total": page.total, "numbers": numbers, "items": rows, "next_cursor": page.cursor})
        return
    if rows:
        table = Table("number", "purpose", "when", "by", "channel", "words", box=None)
        for row in rows:
            table.add_row(
                row["phone_number"], row["purpose"], moment(row["at"]), row["by"], row["channel"], row["words"]
            )
        console().print(table)
    say(f"{len(rows)} of {page.total} opt-outs.")


def _opt_outs(settings: Settings) -> OptOuts:
    return OptOuts(broker_urls(settings), Names(settings.whatsapp_queue_namespace))


def _purpose(written: str) -> str:
    try:
        return known_purpose(written)
    except UnknownPurpose as error:
        raise WrongUse(f"--purpose: {error}") from error


def _json(change: OptChange) -> dict[str, object]:
    return {
        "phone_number": change.recipient,
        "purpose": change.purpose,
        "opted_out": change.opted_out,
        "at": change.at,
    }
