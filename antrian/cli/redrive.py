"""`antrian dead redrive` and `dead jobs`: putting dead letters back into their lanes."""

import sys
import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from antrian.cli.dead_options import All, Class, Code, Ids, Lane, Source, chosen, per_second, say_what_stays
from antrian.cli.history_session import whole_history
from antrian.cli.terminal import Json, actor, console, print_json, progress, say, tell
from antrian.domain.errors import MalformedMessage, WrongUse
from antrian.domain.human_time import moment
from antrian.domain.settings import load_settings
from antrian.history.records import DeadFilter, Job
from antrian.operations.dead_letters.dead_letter_view import group_table
from antrian.operations.dead_letters.edited_copy import NO_EDITS, Edits
from antrian.operations.dead_letters.service import DeadLetterService, DryRun

#: Seconds between two looks at a job.
_LOOK = 0.25


def redrive(
    ids: Ids = None,
    *,
    everything: All = False,
    code: Code = None,
    failure_class: Class = None,
    source: Source = None,
    lane: Lane = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be put back.")] = False,
    rate: Annotated[str | None, typer.Option(metavar="N/s", help="At most so many per second, such as 5/s.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many, the oldest first.")] = None,
    canary: Annotated[
        int | None,
        typer.Option(min=1, metavar="K", help="First the K oldest; the others only if all of these are sent."),
    ] = None,
    phone_number: Annotated[str | None, typer.Option(help="Send one letter to this number instead.")] = None,
    message: Annotated[str | None, typer.Option(help="Send one letter with this text instead.")] = None,
    priority: Annotated[str | None, typer.Option(help="Send one letter with this priority instead.")] = None,
    skip_uncertain: Annotated[
        bool, typer.Option("--skip-uncertain", help="Leave out those that may have arrived already.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also those that may have arrived, without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Put dead letters back into their lanes. Each starts again at attempt 1; an interrupted run can be repeated."""
    filters = DeadFilter(code=code, failure_class=failure_class, source=source, lane=lane)
    meant = chosen(ids, filters, everything=everything)
    speed = None if rate is None else per_second(rate)
    edits = Edits(phone_number, message, priority)
    if edits != NO_EDITS:
        _require_one(meant, dry_run or rate or limit or canary or skip_uncertain)
    settings = load_settings()
    with whole_history(settings) as (history, follower):
        service = DeadLetterService(settings, history, follower)
        would = service.dry_run(meant, limit=limit, skip_uncertain=skip_uncertain, from_queue=True)
        if dry_run:
            _show(would, are_left_out=skip_uncertain, as_json=as_json)
            return
        if not skip_uncertain:
            _require_agreement(would, is_agreed=yes)
        if edits != NO_EDITS:
            _redrive_edited(service, next(iter(meant.ids or ())), edits, as_json=as_json)
            return
        # No one has agreed to those that are given up from now on.
        skip = skip_uncertain or not would.may_have_arrived
        job = service.redrive(
            meant, actor(), rate=speed, limit=limit, canary=canary, skip_uncertain=skip, from_queue=True
        )
        try:
            job = _watched(service, job)
        finally:
            service.close()
    _tell(job, would, are_left_out=skip, as_json=as_json)


def jobs(
    *,
    cancel: Annotated[str | None, typer.Option(metavar="JOB", help="End this job soon.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many, the latest first.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the re-drives and how they ended. Those of all processes are listed."""
    settings = load_settings()
    with whole_history(settings) as (history, follower):
        service = DeadLetterService(settings, history, follower)
        found = service.jobs(limit) if cancel is None else [service.cancel(cancel, actor())]
    if as_json:
        print_json({"jobs": [asdict(job) for job in found]})
    elif found:
        console().print(_job_table(found))
    else:
        say("There are no jobs.")


def _require_one(meant: DeadFilter, other_options: object) -> None:
    if len(meant.ids or ()) != 1 or other_options:
        raise WrongUse("a number, a text or a priority is changed for one letter: give its id, and no other options")


def _require_agreement(would: DryRun, *, is_agreed: bool) -> None:
    """Ask whether letters that may have arrived are put back all the same.

    Raises:
        WrongUse: the operator did not agree.
    """
    if not would.may_have_arrived or is_agreed:
        return
    words = f"{would.may_have_arrived} of {would.selected} may have arrived already: the person may get it twice"
    if not sys.stdin.isatty():
        raise WrongUse(f"{words}; send them anyway with --yes, or leave them out with --skip-uncertain")
    if not typer.confirm(f"{words}. Put them back anyway?", err=True):
        raise WrongUse("nothing was put back; --skip-uncertain leaves those out that may have arrived")


def _redrive_edited(service: DeadLetterService, message_id: str, edits: Edits, *, as_json: bool) -> None:
    try:
        redriven = service.redrive_one(message_id, actor(), edits, from_queue=True)
    except MalformedMessage as error:
        raise WrongUse(f"{error.code}: {error.detail}") from error
    edited = f", an edited copy of {redriven.copy_of}" if redriven.copy_of else ""
    words = f"message {redriven.message_id} is in its lane{edited}"
    answer = {"message_id": redriven.message_id, "copy_of": redriven.copy_of}
    tell(answer, f"{words[0].upper()}{words[1:]}.", as_json=as_json)


def _tell(job: Job, would: DryRun, *, are_left_out: bool, as_json: bool) -> None:
    """Say what a job has done, and end the command.

    Raises:
        Exit: something that was asked for was not done.
    """
    if as_json:
        more = {"redriven": job.done, "missing": would.missing, "may_have_arrived": would.may_have_arrived}
        print_json(asdict(job) | more)
    else:
        if would.may_have_arrived:
            left_out = "were left out" if are_left_out else "are among them"
            say(f"{would.may_have_arrived} may have arrived already and {left_out}.")
        say(f"{job.done} of {job.selected} dead letters were put back into their lanes.")
        say_what_stays(job.unreadable, job.refused, would.missing)
        if job.state != "done" or job.detail:
            say(f"Job {job.job_id}, {job.state}: {job.detail}")
    if job.state != "done" or job.done < job.selected or would.missing:
        raise typer.Exit(1)


def _watched(service: DeadLetterService, job: Job) -> Job:
    with progress("re-driven", job.selected) as bar:
        while job.state == "running":
            job = service.wait(job.job_id, _LOOK)
            bar.move_to(job.done)
    return job


def _job_table(found: list[Job]) -> Table:
    table = Table("job", "state", "put back", "of", "refused", "unreadable", "by", "began", "")
    for job in found:
        state = f"{job.state}, being cancelled" if job.cancelling and job.state == "running" else job.state
        counts = (str(job.done), str(job.selected), str(job.refused), str(job.unreadable))
        table.add_row(job.job_id, state, *counts, Text(job.actor), moment(job.started_at), Text(job.detail))
    return table


def _show(would: DryRun, *, are_left_out: bool, as_json: bool) -> None:
    if as_json:
        counts = {"selected": would.selected, "unreadable": would.unreadable}
        print_json(counts | {"may_have_arrived": would.may_have_arrived, "dry_run": True})
        return
    if would.groups:
        console().print(group_table(would.groups, time.time()))
    readable = would.selected - would.unreadable
    say(f"{readable} would be put back, {would.unreadable} cannot be read and would stay.")
    if would.may_have_arrived:
        left_out = " and would be left out" if are_left_out else ": the person may get it twice"
        say(f"{would.may_have_arrived} may have arrived already{left_out}.")
