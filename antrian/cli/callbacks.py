"""`antrian callbacks`: what the owner's services could not be told."""

from typing import Annotated

import typer
from rich.table import Table

from antrian.broker.connection import broker_urls
from antrian.broker.topology import Names
from antrian.cli.terminal import Json, console, print_json, say, tell
from antrian.domain.errors import WrongUse
from antrian.domain.settings import Settings, load_settings
from antrian.operations.callbacks.dead_callbacks import DeadCallbacks

callbacks_app = typer.Typer(no_args_is_help=True, help="What the owner's services are told.")
dead_callbacks_app = typer.Typer(no_args_is_help=True, help="Callbacks that were given up: look, put back, delete.")
callbacks_app.add_typer(dead_callbacks_app, name="dead")

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="As `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All that there are.")]


@callbacks_app.callback()
def callbacks() -> None:
    """What the owner's services are told: messages of people, and how their own messages fare."""


@dead_callbacks_app.command("list")
def list_them(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show at most so many, the oldest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List them, without what they say."""
    dead = _dead_callbacks(load_settings())
    found = dead.oldest(limit)
    rows = [
        {"webhook_id": one.webhook_id, "type": one.kind, "source": one.target, "problem": one.problem} for one in found
    ]
    total = dead.count()
    if as_json:
        print_json({"total": total, "callbacks": rows})
        return
    if rows:
        table = Table("id", "type", "source", "problem", box=None)
        for row in rows:
            table.add_row(*row.values())
        console().print(table)
    say(f"{len(rows)} of {total} callbacks that were given up.")


@dead_callbacks_app.command()
def retry(ids: Ids = None, *, everything: All = False, as_json: Json = False) -> None:
    """Put them back into the queue: they are tried again as if for the first time."""
    count = _dead_callbacks(load_settings()).retry(_chosen(ids, everything=everything))
    tell({"retried": count}, f"{count} will be tried again.", as_json=as_json)


@dead_callbacks_app.command()
def purge(
    ids: Ids = None,
    *,
    everything: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Really delete them.")] = False,
    as_json: Json = False,
) -> None:
    """Delete them; what they say is told to nobody."""
    chosen = _chosen(ids, everything=everything)
    if not yes:
        raise WrongUse("this would delete them for good; say so with --yes")
    count = _dead_callbacks(load_settings()).purge(chosen)
    tell({"purged": count}, f"{count} deleted.", as_json=as_json)


def _chosen(ids: list[str] | None, *, everything: bool) -> frozenset[str] | None:
    if bool(ids) == everything:
        raise WrongUse("name callbacks by their ids, or all of them by --all")
    return None if everything else frozenset(ids or ())


def _dead_callbacks(settings: Settings) -> DeadCallbacks:
    return DeadCallbacks(broker_urls(settings), Names(settings.whatsapp_queue_namespace))
