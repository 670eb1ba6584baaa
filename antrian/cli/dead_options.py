"""Options of the `antrian dead` commands that select dead letters, and the report of what was done with them."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from antrian.cli.terminal import print_json, say
from antrian.domain.errors import CommandFailed, WrongUse
from antrian.history.dead_letter import DeadLetter
from antrian.history.records import DeadFilter
from antrian.operations.dead_letters.dead_letters import EVERYTHING, DeadLetterReport, DeadLetters

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids.")]
All = Annotated[bool, typer.Option("--all", help="All dead letters.")]
Code = Annotated[str | None, typer.Option(help="Only those whose last failure has this code.")]
Class = Annotated[str | None, typer.Option("--class", help="Only those whose last failure is of this class.")]
Source = Annotated[str | None, typer.Option(help="Only those of this publishing service.")]
Lane = Annotated[str | None, typer.Option(help="Only those of this lane.")]


def chosen(ids: Iterable[str] | None, filters: DeadFilter, *, everything: bool) -> DeadFilter:
    """What is meant, and only one thing may be: some ids, a filter, or everything."""
    chosen = frozenset(ids or ())
    filtered = filters != EVERYTHING
    if everything + filtered + bool(chosen) != 1:
        raise WrongUse("say which dead letters: some ids, or a filter such as --code, or --all")
    return DeadFilter(ids=chosen) if chosen else filters


def per_second(rate: str) -> float:
    """A rate as it is written on the command line.

    Raises:
        WrongUse: it is none.
    """
    try:
        number = float(rate.removesuffix("/s"))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise WrongUse(f"--rate {rate}: write a number of letters per second, such as 5/s")
    return number


def total(letters: DeadLetters, meant: DeadFilter) -> int | None:
    """How many will be taken, for the progress bar; None where only the going through them tells."""
    if meant.ids is not None:
        return len(meant.ids)
    return letters.count() if meant == EVERYTHING else None


def newest(letters: DeadLetters, message_id: str) -> DeadLetter:
    """The letter of a message, the latest if there are several.

    Raises:
        CommandFailed: there is none.
    """
    found: list[DeadLetter] = []
    letters.each(DeadFilter(ids=frozenset({message_id})), found.append)
    if not found:
        raise CommandFailed(f"no dead letter has the id {message_id}")
    return max(found, key=lambda one: one.generation)


def tell_report(report: DeadLetterReport, meant: DeadFilter, *, as_json: bool) -> None:
    """Say what a purge has deleted, and end the command.

    Raises:
        Exit: something that was asked for was not done.
    """
    missing = sorted((meant.ids or frozenset()) - report.found_ids)
    if as_json:
        counts = {"selected": report.selected, "purged": report.done, "unreadable": report.unreadable}
        undo = {"undo_id": report.undo_id} if report.undo_id else {}
        print_json(counts | {"refused": report.refused, "missing": missing} | undo)
    else:
        say(f"{report.done} of {report.selected} dead letters were deleted.")
        say_what_stays(report.unreadable, report.refused, missing)
        if report.undo_id and report.done:
            say(f"To take it back: antrian undo {report.undo_id}")
    if report.done < report.selected or missing:
        raise typer.Exit(1)


def say_what_stays(unreadable: int, refused: int, missing: Sequence[str]) -> None:
    """Say which letters stay, and why, where there are any."""
    if unreadable:
        say(f"{unreadable} cannot be read and stay: `antrian dead show` says why.")
    if refused:
        say(f"{refused} stay, because the broker has no such lane: `antrian topology plan`.")
    if missing:
        say(f"No dead letter has the id {', '.join(missing)}.")
