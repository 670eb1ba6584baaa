"""`antrian dead redrive` and `dead jobs`: putting dead letters back into their lanes."""

import sys
import time
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from antrian.cli.dead_options import (
    All,
    Class,
    Code,
    Ids,
    Lane,
    Source,
    chosen,
    newest,
    per_second,
    tell_report,
    total,
)
from antrian.cli.history_session import whole_history
from antrian.cli.terminal import Json, actor, console, print_json, progress, say, tell
from antrian.domain.errors import CommandFailed, MalformedMessage, WrongUse
from antrian.domain.human_time import moment
from antrian.domain.settings import Settings, load_settings
from antrian.history.dead_letter import DeadLetter
from antrian.history.possible_arrival import may_have_arrived
from antrian.history.records import DeadFilter, Job
from antrian.operations.dead_letters.dead_letter_view import Groups, group_table
from antrian.operations.dead_letters.dead_letters import DeadLetters, Selection
from antrian.operations.dead_letters.edited_copy import NO_EDITS, Edits
from antrian.operations.dead_letters.service import DeadLetterService

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
    filters = Selection(code=code, failure_class=failure_class, source=source, lane=lane)
    selection = chosen(ids, filters, everything=everything)
    speed = None if rate is None else per_second(rate)
    changes = Edits(phone_number, message, priority)
    settings = load_settings()
    letters = DeadLetters(settings)
    if dry_run and changes == NO_EDITS:
        _show_selected(letters, replace(selection, skip_uncertain=skip_uncertain), limit, as_json=as_json)
        return
    only = _only_one(selection, dry_run or rate or limit or canary or skip_uncertain) if changes != NO_EDITS else ""
    doubtful = _doubtful(letters, selection, limit, skip_uncertain=skip_uncertain, is_agreed=yes)
    # No one has agreed to those that are given up from now on.
    selection = replace(selection, skip_uncertain=skip_uncertain or not doubtful)
    if only:
        _redrive_edited(settings, only, changes, as_json=as_json)
    elif canary is not None:
        _redrive_with_canary(settings, selection, rate=speed, limit=limit, canary=canary, as_json=as_json)
    else:
        _redrive(letters, selection, doubtful, rate=speed, limit=limit, as_json=as_json)


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


def _only_one(selection: Selection, other_options: object) -> str:
    if len(selection.ids) != 1 or other_options:
        raise WrongUse("a number, a text or a priority is changed for one letter: give its id, and no other options")
    return next(iter(selection.ids))


def _doubtful(
    letters: DeadLetters, selection: Selection, limit: int | None, *, skip_uncertain: bool, is_agreed: bool
) -> list[str]:
    """The ids of the letters that are meant and may have arrived already; they are left out, or the operator agrees.

    Raises:
        WrongUse: the operator did not agree.
    """
    found: list[str] = []
    doubtful: list[str] = []

    def look(letter: DeadLetter) -> None:
        found.append(letter.message_id)
        if may_have_arrived(letter):
            doubtful.append(letter.message_id)

    # With those left out, the limit counts the others, so that all have to be looked at.
    most = None if skip_uncertain else limit
    letters.each(selection, look, is_enough=lambda: most is not None and len(found) >= most)
    if not doubtful or skip_uncertain or is_agreed:
        return doubtful
    words = f"{len(doubtful)} of {len(found)} may have arrived already: the person may get it twice"
    if not sys.stdin.isatty():
        raise WrongUse(f"{words}; send them anyway with --yes, or leave them out with --skip-uncertain")
    if not typer.confirm(f"{words}. Put them back anyway?", err=True):
        raise WrongUse("nothing was put back; --skip-uncertain leaves those out that may have arrived")
    return doubtful


def _redrive(
    letters: DeadLetters,
    selection: Selection,
    doubtful: list[str],
    *,
    rate: float | None,
    limit: int | None,
    as_json: bool,
) -> None:
    with progress("re-driven", total(letters, selection, limit)) as bar:
        report = letters.redrive(
            selection,
            actor(),
            per_second=rate,
            limit=limit,
            on_progress=lambda tally: bar.move_to(tally.taken),
        )
    are_left_out = selection.skip_uncertain
    if not as_json and doubtful:
        say(
            f"{len(doubtful)} may have arrived already and " + ("were left out." if are_left_out else "are among them.")
        )
    asked = replace(selection, ids=selection.ids - frozenset(doubtful)) if are_left_out else selection
    more = {"may_have_arrived": len(doubtful)}
    tell_report(report, asked, "redriven", "put back into their lanes", as_json=as_json, more=more)


def _redrive_edited(settings: Settings, message_id: str, changes: Edits, *, as_json: bool) -> None:
    letters = DeadLetters(settings)
    letter = newest(letters, message_id)
    try:
        report, sent_as = letters.redrive_edited(Selection(copies={letter.copy}), changes, actor())
    except MalformedMessage as error:
        raise WrongUse(f"{error.code}: {error.detail}") from error
    if not report.done:
        raise CommandFailed(
            f"message {message_id} stays: " + ("no such lane" if report.refused else "it is no longer there")
        )
    copy_of = None if sent_as == message_id else message_id
    words = f"message {sent_as} is in its lane" + (f", an edited copy of {message_id}" if copy_of else "")
    tell({"message_id": sent_as, "copy_of": copy_of}, f"{words[0].upper()}{words[1:]}.", as_json=as_json)


def _redrive_with_canary(
    settings: Settings, selection: Selection, *, rate: float | None, limit: int | None, canary: int, as_json: bool
) -> None:
    with whole_history(settings) as (history, follower):
        service = DeadLetterService(settings, history, follower)
        meant, skip = _as_filter(selection), selection.skip_uncertain
        job = service.redrive(meant, actor(), rate=rate, limit=limit, canary=canary, skip_uncertain=skip)
        try:
            job = _watched(service, job)
        finally:
            service.close()
    counts = f"{job.done} of {job.selected} dead letters were put back into their lanes"
    tell(asdict(job), f"{counts}: {job.state}. {job.detail}".strip(), as_json=as_json)
    if job.state != "done" or job.done < job.selected:
        raise typer.Exit(1)


def _watched(service: DeadLetterService, job: Job) -> Job:
    with progress("re-driven", job.selected) as bar:
        while job.state == "running":
            job = service.wait(job.job_id, _LOOK)
            bar.move_to(job.done)
    return job


def _as_filter(selection: Selection) -> DeadFilter:
    return DeadFilter(
        ids=selection.ids or None,
        failure_class=selection.failure_class,
        code=selection.code,
        source=selection.source,
        lane=selection.lane,
    )


def _job_table(found: list[Job]) -> Table:
    table = Table("job", "state", "put back", "of", "refused", "unreadable", "by", "began", "")
    for job in found:
        state = f"{job.state}, being cancelled" if job.cancelling and job.state == "running" else job.state
        counts = (str(job.done), str(job.selected), str(job.refused), str(job.unreadable))
        table.add_row(job.job_id, state, *counts, Text(job.actor), moment(job.started_at), Text(job.detail))
    return table


def _show_selected(letters: DeadLetters, selection: Selection, limit: int | None, *, as_json: bool) -> None:
    groups = Groups()
    readable: list[bool] = []
    doubts: list[bool] = []

    def look(letter: DeadLetter) -> None:
        readable.append(letter.message is not None)
        doubts.append(may_have_arrived(letter))
        groups.add(letter)

    letters.each(selection, look, is_enough=lambda: limit is not None and len(readable) >= limit)
    if as_json:
        counts = {"selected": len(readable), "unreadable": readable.count(False), "may_have_arrived": sum(doubts)}
        print_json(counts | {"dry_run": True})
        return
    if readable:
        console().print(group_table(groups.ranked(), time.time()))
    say(f"{readable.count(True)} would be put back, {readable.count(False)} cannot be read and would stay.")
    if any(doubts):
        say(f"{sum(doubts)} of {len(doubts)} may have arrived already: the person may get it twice.")
