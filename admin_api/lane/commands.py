"""What can be done about a lane: `antrian pause`, `resume`, `force`, `try-one`, `clear` and `cancel`."""

from dataclasses import asdict
from typing import Annotated

import typer

from admin_api.desk.history_session import whole_history
from admin_api.lane import control
from admin_api.lane.cancelling import check_cancel, check_uncancel
from admin_api.lane.clearing import Cleared, Clearing, Scope
from admin_api.lane.control_view import forced_in_words, tried_in_words
from admin_api.lane.partial_clearing import PartialClearing, PendingChoice
from admin_api.lane.status import Status
from admin_api.lane.try_one import try_one as send_one
from broker.errors import MalformedMessage, WrongUse
from broker.priority import Priority
from broker.settings import Settings, load_settings
from broker.terminal import Json, Lane, actor, chosen_lane, print_json, progress, say, tell


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
    source: Annotated[str | None, typer.Option(help="Only what this service published.")] = None,
    key_prefix: Annotated[str | None, typer.Option(help="Only keys that begin with this.")] = None,
    priority: Annotated[str | None, typer.Option(help="Only low, normal, high or urgent.")] = None,
    lane: Lane = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Really take them out.")] = False,
    as_json: Json = False,
) -> None:
    """Take out what waits without sending it; a message that is being sent is not touched."""
    settings = load_settings()
    name = chosen_lane(settings, lane)
    choice = _choice(scope, source, key_prefix, priority)
    if choice is not None:
        _clear_part(settings, name, choice, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    clearing = Clearing(settings, name, actor())
    if dry_run or not yes:
        _look(clearing.look(), scope, dry_run=dry_run, as_json=as_json)
        return
    with progress("cleared", None) as bar:
        cleared = clearing.run(scope, on_progress=lambda tally: bar.move_to(tally.taken))
    _tell_cleared(cleared, as_json=as_json)


def _choice(scope: Scope, source: str | None, key_prefix: str | None, priority: str | None) -> PendingChoice | None:
    """Which part of what waits is meant; None for all of it."""
    choice = PendingChoice(source=source, key_prefix=key_prefix, priority=_priority_name(priority))
    if choice.is_empty:
        return None
    if scope is not Scope.QUEUED:
        raise WrongUse(f"--scope {scope}: --source, --key-prefix and --priority choose among what waits only")
    return choice


def _priority_name(priority: str | None) -> str | None:
    try:
        return None if priority is None else Priority.parse(priority).name.lower()
    except MalformedMessage as error:
        raise WrongUse(f"--priority {priority}: {error}") from error


def _clear_part(
    settings: Settings, lane: str, choice: PendingChoice, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    with whole_history(settings) as (history, follower):
        clearing = PartialClearing(settings, history, follower, lane, actor())
        if dry_run or not yes:
            count = clearing.count(choice)
            if not dry_run:
                raise WrongUse(f"this would take out {_messages(count)}; say so with --yes")
            answer = {"lane": lane, "dry_run": True, "matching": count}
            tell(answer, f"{_messages(count)} would be taken out of lane {lane}. Nothing was changed.", as_json=as_json)
            return
        with progress("cleared", None) as bar:
            cleared = clearing.run(choice, on_progress=lambda tally: bar.move_to(tally.taken))
    _tell_cleared(cleared, as_json=as_json)


def _tell_cleared(cleared: Cleared, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(cleared))
    else:
        say(f"{cleared.cleared_queued} waiting messages and {cleared.cleared_failed} dead letters were taken out.")
        say(f"{cleared.in_flight} being sent; not touched. In the journal this is clearing {cleared.undo_id}.")
        if cleared.cancelling:
            say(f"{_messages(cleared.cancelling)} that a consumer holds will not be sent, if it is not too late.")
        if cleared.cleared_queued or cleared.cleared_failed:
            say(f"To put them back: antrian undo {cleared.undo_id}")
    if cleared.refused:
        say(f"{cleared.refused} stay, because the broker did not accept the record of their removal.")
        raise typer.Exit(1)


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def cancel(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back, as long as it was not dropped.")] = False,
    lane: Annotated[str | None, typer.Option(help="Its lane; optional, because it is known.")] = None,
    as_json: Json = False,
) -> None:
    """Cancel a waiting message; once it is being sent, it is too late."""
    settings = load_settings()
    with whole_history(settings) as (history, _follower):
        record = history.message(message_id)
    if lane is not None and record is not None and record.lane != lane:
        raise WrongUse(f"message {message_id} is in lane {record.lane}, not in {lane}")
    known = check_uncancel(record, message_id) if undo else check_cancel(record, message_id)
    (control.uncancel if undo else control.cancel)(settings, known.lane, message_id, actor())
    sentence = (
        f"Message {message_id} will be sent when its turn comes."
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


def _look(now: Status, scope: Scope, *, dry_run: bool, as_json: bool) -> None:
    """Say what would be taken out; without `--dry-run`, as the refusal of a command without `--yes`."""
    what = _what_would_go(now, scope)
    if not dry_run:
        raise WrongUse(f"this would take out {what}; say so with --yes")
    counts = {"waiting": now.waiting, "retrying": now.retrying, "scheduled": now.scheduled}
    answer = {"lane": now.lane, "dry_run": True, **counts, "failed": now.failed_messages}
    tell(answer, f"This would take out {what}. Nothing was changed.", as_json=as_json)


def _what_would_go(now: Status, scope: Scope) -> str:
    parts = []
    if scope is not Scope.FAILED:
        delayed = now.retrying + now.scheduled
        parts.append(f"{now.waiting} waiting messages and this lane's among {delayed} delayed ones")
    if scope is not Scope.QUEUED:
        parts.append(f"this lane's among {now.failed_messages} dead letters")
    return ", and ".join(parts)
