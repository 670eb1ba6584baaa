"""`antrian topology`: the difference between what Antrian needs and what the broker has, and closing it."""

import json
from dataclasses import asdict, replace
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from dotenv import dotenv_values
from pika.adapters.blocking_connection import BlockingChannel
from rich.table import Table

from antrian.broker import queue_replacement, topology_sync
from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.definitions import ROLES
from antrian.broker.definitions import definitions as rabbitmq_definitions
from antrian.broker.topology import Queue, Topology, topology
from antrian.broker.topology_sync import SyncStatus, TopologyDifference
from antrian.cli.terminal import Json, console, print_json, say
from antrian.domain.errors import TopologyConflict, WrongUse
from antrian.domain.settings import load_settings

topology_app = typer.Typer(
    no_args_is_help=True,
    help="The exchanges and queues that Antrian needs, compared with the broker's.",
)

_WORDS = {
    SyncStatus.SAME: "as it should be",
    SyncStatus.MISSING: "will be created",
    SyncStatus.CHANGED: "differs",
    SyncStatus.UNCHECKED: "this user may not compare it",
}

_PASSWORDS_HELP = "Lines publisher=…, consumer=…, admin=…; users that are not listed cannot log in by password."

_REPLACE_HELP = "First recreate this empty, unused queue, because its arguments differ; may be repeated."


@topology_app.command()
def plan(*, as_json: Json = False) -> None:
    """Show what `apply` would do, and change nothing. Exit code 1: an object differs and must be migrated."""
    settings = load_settings()
    wanted = topology(settings)
    with open_channel(broker_urls(settings), name="antrian topology plan") as channel:
        differences = topology_sync.plan(channel.connection, wanted)
    changed = [one for one in differences if one.status is SyncStatus.CHANGED]
    if as_json:
        print_json({"differs": bool(changed), "objects": [_described(one) for one in differences]})
    else:
        _show(differences, changed)
    if changed:
        raise typer.Exit(1)


@topology_app.command()
def apply(
    *,
    replaced: Annotated[list[str] | None, typer.Option("--replace", metavar="QUEUE", help=_REPLACE_HELP)] = None,
    as_json: Json = False,
) -> None:
    """Create what is missing, and bind everything. Changes nothing if an object differs: it says how to migrate."""
    settings = load_settings()
    wanted = topology(settings)
    queues = [_queue(wanted, name) for name in dict.fromkeys(replaced or ())]
    with open_channel(broker_urls(settings), name="antrian topology apply") as channel:
        for queue in queues:
            _replace(channel, queue, wanted)
        found = topology_sync.apply(channel.connection, wanted)
    created = [one.name for one in found if one.status is SyncStatus.MISSING]
    if as_json:
        print_json({"created": created, "replaced": [queue.name for queue in queues]})
        return
    for queue in queues:
        say(f"Queue {queue.name} was recreated.")
    say(_what_was_done(len(created), len(found)))


@topology_app.command()
def definitions(
    *,
    passwords: Annotated[Path | None, typer.Option(metavar="FILE", help=_PASSWORDS_HELP)] = None,
    vhost: Annotated[str, typer.Option(help="The virtual host that all of it is in.")] = "/",
) -> None:
    """Print definitions for `rabbitmqctl import_definitions`. They hold exchanges, queues, three users."""
    settings = load_settings()
    given = _passwords(passwords) if passwords else {}
    made = rabbitmq_definitions(topology(settings), settings.lanes.names, vhost=vhost, passwords=given)
    typer.echo(json.dumps(made, indent=2))


def _passwords(path: Path) -> dict[str, str]:
    try:
        lines = dotenv_values(stream=StringIO(path.read_text(encoding="utf-8")), interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"--passwords {path} cannot be read: {error}") from error
    if unknown := lines.keys() - ROLES.keys():
        raise WrongUse(f"--passwords {path} names {', '.join(sorted(unknown))}; the users are {', '.join(ROLES)}")
    return {role: password for role, password in lines.items() if password}


def _queue(wanted: Topology, name: str) -> Queue:
    for queue in wanted.queues:
        if queue.name == name:
            return queue
    raise WrongUse(f"--replace {name}: the topology has no such queue; `antrian topology plan` lists all of them")


def _replace(channel: BlockingChannel, queue: Queue, wanted: Topology) -> None:
    for one in topology_sync.plan(channel.connection, replace(wanted, queues=())):
        if one.status is SyncStatus.CHANGED:
            raise TopologyConflict(one.sentence())
    queue_replacement.replace(channel.connection, queue, wanted)


def _described(difference: TopologyDifference) -> dict[str, str]:
    described = {key: str(value) for key, value in asdict(difference).items()}
    return described | ({"migration": difference.sentence()} if difference.status is SyncStatus.CHANGED else {})


def _show(differences: list[TopologyDifference], changed: list[TopologyDifference]) -> None:
    table = Table("object", "name", "state")
    for one in differences:
        if one.status is not SyncStatus.SAME:
            table.add_row(one.kind, one.name, _WORDS[one.status])
    if table.row_count:
        console().print(table)
    for one in changed:
        say(one.sentence())
    same = sum(one.status is SyncStatus.SAME for one in differences)
    if same == len(differences):
        say(f"All {same} exchanges and queues are as they should be: nothing to do.")
    else:
        say(f"{same} of {len(differences)} exchanges and queues are as they should be.")


def _what_was_done(created: int, wanted: int) -> str:
    if not created:
        return f"Nothing to do: all {wanted} exchanges and queues are there, and everything is bound."
    return f"{created} of {wanted} exchanges and queues were missing and have been created; everything is bound."
