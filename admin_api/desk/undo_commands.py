"""`antrian undo`: taking back a clearing or a purge."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from admin_api.desk.history_session import whole_history
from admin_api.desk.undo import Undo
from admin_api.history.removal import Removal
from broker.human_time import moment
from broker.settings import load_settings
from broker.terminal import Json, actor, console, print_json, say, tell


def undo(
    undo_id: Annotated[
        str | None,
        typer.Argument(metavar="[UNDO_ID]", help="Of the clearing or purge; when left out, they are listed."),
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="List at most so many, the latest first.")] = 20,
    as_json: Json = False,
) -> None:
    """Put back what a clearing or a purge took out; each can be undone once."""
    settings = load_settings()
    with whole_history(settings) as (history, follower):
        if undo_id is None:
            _list(history.removals(limit), as_json=as_json)
            return
        restored = Undo(settings, history, follower).run(undo_id, actor())
    tell({"undo_id": undo_id, "restored": restored}, f"{restored} messages are back.", as_json=as_json)


def _list(removals: list[Removal], *, as_json: bool) -> None:
    if as_json:
        print_json({"removals": [asdict(one) for one in removals]})
    elif removals:
        console().print(_table(removals))
    else:
        say("Nothing was cleared or deleted in the time that the journal keeps.")


def _table(removals: list[Removal]) -> Table:
    table = Table("undo id", "when", "what", "lane", "messages", "by", "undone")
    for one in removals:
        undone = "" if one.undone_at is None else f"{moment(one.undone_at)} by {one.undone_by}"
        table.add_row(one.undo_id, moment(one.at), one.kind, one.lane, str(one.count), Text(one.actor), Text(undone))
    return table
