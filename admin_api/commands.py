"""`antrian status`, `pause`, `resume`, `force`, `clear`: how a lane is doing, and what can be done about it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from pika.adapters.blocking_connection import BlockingChannel

from admin_api.clearing import Clearing, Scope
from admin_api.lane_reader import LaneReader, is_anybody_listening, require_lane
from admin_api.status import Status
from admin_api.status_view import status_table
from admin_api.watch import watch as watch_lane
from broker.connection import broker_urls, open_channel
from broker.control import Command, Control
from broker.events import EVENT_PROPERTIES, Event
from broker.lane_state import read_state, send_control, write_state
from broker.settings import Settings, load_settings
from broker.terminal import Json, Lane, WrongUse, actor, chosen_lane, console, print_json, progress, say, tell
from broker.topology import Names


def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing it, until Ctrl-C.")] = False,
    lane: Lane = None,
    as_json: Json = False,
) -> None:
    """Show what waits, what is being sent, and when the next send is due."""
    settings = load_settings()
    name = chosen_lane(settings, lane)
    if watch:
        watch_lane(settings, name, as_json=as_json)
        return
    with open_channel(broker_urls(settings), name="antrian status") as channel:
        reader = LaneReader(channel, settings, name)
        reader.catch_up()
        now = reader.status()
    if as_json:
        print_json(now.as_json())
    else:
        say(f"Lane {name}")
        console().print(status_table(now))


def pause(*, lane: Lane = None, as_json: Json = False) -> None:
    """Stop before the next send; lasts until `resume`, whatever is restarted meanwhile."""
    _set_paused(lane, paused=True, as_json=as_json)


def resume(*, lane: Lane = None, as_json: Json = False) -> None:
    """Go on sending after a `pause`."""
    _set_paused(lane, paused=False, as_json=as_json)


def force(*, lane: Lane = None, as_json: Json = False) -> None:
    """End the present pause, or the wait for the provider, once; and resume a paused lane."""
    settings = load_settings()
    name = chosen_lane(settings, lane)
    with _lane_channel(settings, name) as channel:
        names = Names(settings.whatsapp_queue_namespace)
        resumed = read_state(channel, names, name).paused
        if resumed:
            write_state(channel, names, name, paused=False, actor=actor())
        heard = is_anybody_listening(channel, names)
        if heard:
            send_control(channel, names, Control(Command.FORCE, name, actor()))
            event = Event("lane.forced", time.time(), name, source=actor())
            channel.basic_publish(names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
    words = "ends its present wait" if heard else "has no wait to end, because no consumer is running"
    answer = {"lane": name, "forced": heard, "resumed": resumed}
    tell(answer, f"Lane {name} {'is not paused any more and ' if resumed else ''}{words}.", as_json=as_json)
    if not heard:
        raise typer.Exit(1)


def clear(
    *,
    scope: Annotated[Scope, typer.Option(help="What waits, the dead letters, or both.")] = Scope.QUEUED,
    lane: Lane = None,
    yes: Annotated[bool, typer.Option("--yes", help="Really take them out.")] = False,
    as_json: Json = False,
) -> None:
    """Take out what waits without sending it; a message that is being sent is not touched."""
    settings = load_settings()
    name = chosen_lane(settings, lane)
    clearing = Clearing(settings, name, actor())
    if not yes:
        raise WrongUse(_what_would_go(clearing.look(), scope))
    with progress("cleared", None) as bar:
        cleared = clearing.run(scope, on_progress=lambda tally: bar.move_to(tally.taken))
    if as_json:
        print_json(asdict(cleared))
    else:
        say(f"{cleared.cleared_queued} waiting messages and {cleared.cleared_failed} dead letters were taken out.")
        say(f"{cleared.in_flight} being sent; not touched. In the journal this is clearing {cleared.undo_id}.")
    if cleared.refused:
        say(f"{cleared.refused} stay, because the broker did not accept the record of their going.")
        raise typer.Exit(1)


def _set_paused(lane: str | None, *, paused: bool, as_json: bool) -> None:
    settings = load_settings()
    name = chosen_lane(settings, lane)
    names = Names(settings.whatsapp_queue_namespace)
    with _lane_channel(settings, name) as channel:
        before = read_state(channel, names, name)
        # Who paused it, and when, is not overwritten by somebody who only says it again.
        changed = before.paused is not paused
        if changed:
            write_state(channel, names, name, paused=paused, actor=actor())
        state = read_state(channel, names, name)
    word = "paused" if paused else "not paused"
    by = f", by {state.actor}" if state.actor else ""
    sentence = f"Lane {name} is {word} now." if changed else f"Lane {name} was {word} already{by}."
    answer = {"lane": name, "paused": state.paused, "changed": changed, "actor": state.actor, "since": state.since}
    tell(answer, sentence, as_json=as_json)


@contextmanager
def _lane_channel(settings: Settings, lane: str) -> Iterator[BlockingChannel]:
    """A channel to a broker that has the lane."""
    with open_channel(broker_urls(settings), name="antrian admin") as channel:
        require_lane(channel, Names(settings.whatsapp_queue_namespace), lane)
        yield channel


def _what_would_go(now: Status, scope: Scope) -> str:
    parts = []
    if scope is not Scope.FAILED:
        delayed = now.retrying + now.scheduled
        parts.append(f"{now.waiting} waiting messages and this lane's among {delayed} delayed ones")
    if scope is not Scope.QUEUED:
        parts.append(f"this lane's among {now.failed_messages} dead letters")
    return f"this would take out {', and '.join(parts)}; say so with --yes"
