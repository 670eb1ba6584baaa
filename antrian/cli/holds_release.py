"""`antrian holds release`: held messages go back into their lane, where they are judged anew."""

from dataclasses import asdict
from typing import Annotated

import typer

from antrian.cli.holds import list_holds
from antrian.cli.terminal import Json, Lane, actor, chosen_lane, print_json, progress, say
from antrian.domain.errors import WrongUse
from antrian.domain.settings import load_settings
from antrian.history.records import Job
from antrian.operations.lane.release_filter import NotReleasable, ReleaseFilter
from antrian.operations.lane.release_job import release_now

holds_app = typer.Typer(no_args_is_help=True, help="Messages that a rule of their lane keeps back.")


@holds_app.callback()
def holds() -> None:
    """What messages wait for, and ending such waits."""


holds_app.command("list")(list_holds)


@holds_app.command()
def release(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Messages; without any, all that fit.")] = None,
    *,
    reason: Annotated[
        str | None, typer.Option(help="window, recipient_gap, cold_held, cold_cap or warm_up; else all of them.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only what this service published.")] = None,
    lane: Lane = None,
    yes: Annotated[bool, typer.Option("--yes", help="Really release them.")] = False,
    as_json: Json = False,
) -> None:
    """Put held messages back into their lane before their time.

    What their rule still forbids is held again, with a new time.

    With --reason cold_held the sender may write to new contacts again; only with that. It can be interrupted, and
    repeated; then do so within a day.
    """
    if ids and reason is not None:
        raise WrongUse("give either --reason or the ids of messages")
    settings = load_settings()
    name = chosen_lane(settings, lane)
    try:
        wanted = ReleaseFilter.of(name, reason=reason, ids=ids or None, source=source)
    except NotReleasable as error:
        raise WrongUse(f"--reason {reason}: {error}") from error
    if not yes:
        raise WrongUse(f"this would release what is held in {wanted.in_words()}; say so with --yes")
    with progress("looked at", None) as bar:
        job = release_now(settings, wanted, actor(), watch=lambda work: bar.move_to(work.looked_at))
    _tell(job, name, as_json=as_json)


def _tell(job: Job, lane: str, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(job))
    else:
        if job.detail:
            say(f"{job.detail[0].upper()}{job.detail[1:]}.")
        if job.done or job.state != "done":
            say(f"{_messages(job.done)} back in lane {lane}: each is judged anew when its turn comes.")
        if job.refused:
            say(f"{job.refused} stay where they were: the broker did not accept them. See `antrian topology plan`.")
    if job.state != "done" or job.refused:
        raise typer.Exit(1)


def _messages(count: int) -> str:
    return "1 message is" if count == 1 else f"{count:,} messages are"
