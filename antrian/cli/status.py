"""`antrian status`: how a lane is doing.

Of all commands this one is called most, so it has a module of its own, which imports no more than it needs.
"""

from typing import Annotated

import typer

from antrian.broker.connection import broker_urls, open_channel
from antrian.cli.lane_now import with_history
from antrian.cli.terminal import Json, Lane, chosen_lane, console, print_json, say
from antrian.domain.settings import load_settings
from antrian.operations.lane.lane_reader import LaneReader


def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing it, until Ctrl-C.")] = False,
    lane: Lane = None,
    as_json: Json = False,
) -> None:
    """Show what waits, what is being sent, and when the next send is due."""
    settings = load_settings()
    name = chosen_lane(settings, lane)
    if watch:
        # Imported late: a single look needs none of it.
        from antrian.cli.watch import watch as watch_lane  # noqa: PLC0415

        watch_lane(settings, name, as_json=as_json)
        return
    with open_channel(broker_urls(settings), name="antrian status") as channel:
        reader = LaneReader(channel, settings, name)
        reader.catch_up()
        now = with_history(reader.status(), settings)
    if as_json:
        print_json(now.as_json())
    else:
        # Imported late: programs ask for JSON, again and again.
        from antrian.cli.status_view import status_table  # noqa: PLC0415

        say(f"Lane {name}")
        console().print(status_table(now))
