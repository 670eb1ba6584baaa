"""`antrian lanes`: which lanes there are, and having the running consumers serve them."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from antrian.cli.terminal import Json, ShowNumbers, actor, console, print_json, say, which_numbers
from antrian.domain.lane import Lane, Lanes
from antrian.domain.phone_number import shown_sender
from antrian.domain.settings import load_settings
from antrian.history.records import Job
from antrian.operations.lane.lanes_apply import ACCEPTED, REFUSED, AppliedLanes, LanesAnswer, apply_lanes
from antrian.operations.lane.release_filter import ReleaseFilter
from antrian.operations.lane.release_job import release_now
from antrian.up.run_record import beside_up

lanes_app = typer.Typer(invoke_without_command=True, help="The lanes: which there are, and serving others.")

_PATIENCE = 60.0


@lanes_app.callback()
def lanes(context: typer.Context, *, show_numbers: ShowNumbers = False, as_json: Json = False) -> None:
    """List the lanes as lanes.toml or the variables describe them. `apply` has the running consumers serve them."""
    if context.invoked_subcommand is not None:
        return
    known = beside_up(load_settings()).lanes
    if as_json:
        rows = [_described(lane, show_numbers=show_numbers) for lane in known.values()]
        answer = {"origin": known.origin, "digest": known.digest, "numbers": which_numbers(show=show_numbers)}
        print_json(answer | {"lanes": rows})
        return
    console().print(_table(known, show_numbers=show_numbers))
    for sentence in _remarks(known):
        say(sentence)


@lanes_app.command()
def apply(
    *,
    timeout: Annotated[
        float, typer.Option(min=0, max=3600, help="How long to wait for sends that are under way, in seconds.")
    ] = _PATIENCE,
    no_replan: Annotated[
        bool, typer.Option("--no-replan", help="Leave what is held as it was planned by the old limits.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Have the running consumers serve the lanes of lanes.toml.

    Each reads and checks its own file as it is now; a wrong file changes nothing. Exit code 1: a consumer refused it,
    did not answer, or has another file. Exit code 2: the file is wrong. Where limits changed, what is held by them goes
    back into its lane, where it is judged by the new ones.
    """
    settings = load_settings()
    done = apply_lanes(settings, actor(), patience=timeout)
    released = None
    if done.is_done and done.replan and not no_replan:
        released = release_now(settings, ReleaseFilter(done.replan), actor(), because="lanes apply")
    if as_json:
        print_json({"done": done.is_done, **asdict(done), "replanned": asdict(released) if released else None})
    else:
        for sentence in _sentences(done, settings.lanes):
            say(sentence)
        for sentence in _replanned(done, released):
            say(sentence)
    if not done.is_done or (released is not None and (released.state != "done" or released.refused)):
        raise typer.Exit(1)


def _described(lane: Lane, *, show_numbers: bool) -> dict[str, Any]:
    return {
        "name": lane.name,
        "channel": lane.channel,
        "provider": lane.provider,
        "sender": shown_sender(lane.sender, masked=not show_numbers) if lane.sender else None,
        "delay": lane.delay,
        "jitter": lane.jitter,
        "max_attempts": lane.max_attempts,
        "preset": lane.limits.preset,
        "daily_cap": lane.limits.daily_cap,
        "hourly_cap": lane.limits.hourly_cap,
        "cold_daily_cap": lane.limits.cold_daily_cap,
        "warm_up": str(lane.limits.warm_up) if lane.limits.warm_up else None,
        "recipient_gap": lane.limits.recipient_gap,
        "window": [str(window) for window in lane.limits.windows],
        "timezone": lane.limits.timezone,
        "not_kept": list(lane.not_kept),
        "missing": list(lane.missing),
    }


def _table(known: Lanes, *, show_numbers: bool) -> Table:
    table = Table("lane", "provider", "sender", "delay", "webhook secrets")
    for lane in known.values():
        sender = shown_sender(lane.sender, masked=not show_numbers) if lane.sender else ""
        pace = f"{lane.delay:g} s" + (f" to {lane.delay + lane.jitter:g} s" if lane.jitter else "")
        table.add_row(lane.name, lane.provider, sender, pace, str(len(lane.webhook_secrets) or ""))
    return table


def _remarks(known: Lanes) -> Iterator[str]:
    yield from dict.fromkeys(line for lane in known.values() for line in lane.missing)


def _sentences(done: AppliedLanes, known: Lanes) -> Iterator[str]:
    if done.created:
        yield f"{len(done.created)} exchanges and queues were missing and have been created."
    if not done.listening:
        yield f"{known.origin} is right. No consumer is running: each reads the file when it starts."
    for answer in done.answers:
        yield from _answer(answer, done.digest)
    if done.silent:
        yield (
            f"{done.silent} more at the lanes did not answer: {'it is' if done.silent == 1 else 'they are'} older than "
            "this command, or had no connection just now. Run this again, or restart it."
        )
    elif done.listening and not done.answers:
        yield "A consumer is there and did not answer: it is older than this command. Restart it."
    for lane, waiting in done.left.items():
        yield f"Lane {lane} is served no more. Its queue stays; messages in it: {waiting}."


def _answer(answer: LanesAnswer, digest: str) -> Iterator[str]:
    if answer.result == REFUSED:
        yield f"{answer.consumer} refused, and goes on as before:"
        yield from (f"  {reason.strip()}" for reason in answer.reasons)
        return
    changes = "; ".join(
        f"{what} {', '.join(which)}"
        for what, which in (("new:", answer.added), ("changed:", answer.changed), ("gone:", answer.removed))
        if which
    )
    done = "has yet to finish a send" if answer.result == ACCEPTED else "serves them"
    yield f"{answer.consumer} {done}: {len(answer.lanes)} lanes; {changes or 'nothing was different'}."
    if answer.digest != digest:
        yield f"  It read another file than this one ({answer.digest}, not {digest}): look at its own lanes.toml."


def _replanned(done: AppliedLanes, released: Job | None) -> Iterator[str]:
    """What became of the messages that the old limits held."""
    if not done.replan:
        return
    lanes = ", ".join(done.replan)
    if released is None:
        yield f"The limits of {lanes} changed; what is held stays as it was planned: `antrian holds release --lane …`."
    elif released.state != "done" or released.refused:
        yield f"{released.done} held messages of {lanes} are judged by the new limits, not all: {released.detail}."
        yield "Release the rest with `antrian holds release --lane …`."
    elif released.done:
        yield f"The limits of {lanes} changed: {released.done} held messages are judged by the new ones."
