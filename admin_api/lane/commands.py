"""How a lane is doing, and what can be done about it.

`antrian status`, `pause`, `resume`, `force`, `try-one`, `clear` and `cancel`.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from admin_api.desk.own_history import whole_history
from admin_api.lane import control
from admin_api.lane.cancelling import check_cancel, check_uncancel
from admin_api.lane.clearing import Clearing, Scope
from admin_api.lane.control_view import forced_in_words, tried_in_words
from admin_api.lane.lane_reader import LaneReader
from admin_api.lane.status import Status
from admin_api.lane.status_view import status_table
from admin_api.lane.try_one import try_one as send_one
from admin_api.lane.watch import watch as watch_lane
from broker.connection import broker_urls, open_channel
from broker.errors import WrongUse
from broker.settings import load_settings
from broker.terminal import Json, Lane, actor, chosen_lane, console, print_json, progress, say, tell


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
    """End the present pause, or the wait for the provider, once; and resume a paused lane (see `try-one`)."""
    settings = load_settings()
    name = chosen_lane(settings, lane)
    done = control.force(settings, name, actor())
    tell(asdict(done), forced_in_words(done), as_json=as_json)
    if not done.forced:
        raise typer.Exit(1)


def try_one(*, lane: Lane = None, as_json: Json = False) -> None:
    """Send exactly one message of a paused lane, which stays paused.

    It is the message that would go next, and it keeps the pause after the last send. Another `antrian pause` stops it
    as long as its sending has not begun. If the consumer dies before that, nothing is sent, unless a standby takes over
    in time. A lane that is not paused needs no such command, and refuses it.
    """
    settings = load_settings()
    done = send_one(settings, chosen_lane(settings, lane), actor())
    tell(asdict(done), tried_in_words(done), as_json=as_json)


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


def cancel(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back, as long as it was not dropped.")] = False,
    lane: Annotated[str | None, typer.Option(help="Its lane; needs not be said, because it is known.")] = None,
    as_json: Json = False,
) -> None:
    """Ask that a waiting message not be sent; while it is being sent that comes too late."""
    settings = load_settings()
    with whole_history(settings) as (history, _follower):
        record = history.message(message_id)
    if lane is not None and record is not None and record.lane != lane:
        raise WrongUse(f"message {message_id} is in lane {record.lane}, not in {lane}")
    known = check_uncancel(record, message_id) if undo else check_cancel(record, message_id)
    (control.uncancel if undo else control.cancel)(settings, known.lane, message_id, actor())
    sentence = (
        f"Message {message_id} is sent when its turn comes."
        if undo
        else f"The consumer drops message {message_id} when its turn comes. "
        f"Until then, `antrian cancel --undo {message_id}` takes it back."
    )
    tell({"lane": known.lane, "message_id": message_id, "cancelling": not undo}, sentence, as_json=as_json)


def _set_paused(lane: str | None, *, paused: bool, as_json: bool) -> None:
    settings = load_settings()
    done = control.set_paused(settings, chosen_lane(settings, lane), actor(), paused=paused)
    word = "paused" if paused else "not paused"
    by = f", by {done.actor}" if done.actor else ""
    sentence = f"Lane {done.lane} is {word} now." if done.changed else f"Lane {done.lane} was {word} already{by}."
    tell(asdict(done), sentence, as_json=as_json)


def _what_would_go(now: Status, scope: Scope) -> str:
    parts = []
    if scope is not Scope.FAILED:
        delayed = now.retrying + now.scheduled
        parts.append(f"{now.waiting} waiting messages and this lane's among {delayed} delayed ones")
    if scope is not Scope.QUEUED:
        parts.append(f"this lane's among {now.failed_messages} dead letters")
    return f"this would take out {', and '.join(parts)}; say so with --yes"
