"""Options of the `antrian dead` commands that select dead letters, and the report of what was done with them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated

import typer

from antrian.cli.terminal import print_json, say
from antrian.domain.errors import CommandFailed, WrongUse
from antrian.history.dead_letter import DeadLetter
from antrian.operations.dead_letters.dead_letters import EVERYTHING, DeadLetterReport, DeadLetters, Selection

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids.")]
All = Annotated[bool, typer.Option("--all", help="All dead letters.")]
Code = Annotated[str | None, typer.Option(help="Only those whose last failure has this code.")]
Class = Annotated[str | None, typer.Option("--class", help="Only those whose last failure is of this class.")]
Source = Annotated[str | None, typer.Option(help="Only those of this publishing service.")]
Lane = Annotated[str | None, typer.Option(help="Only those of this lane.")]


def chosen(ids: Iterable[str] | None, filters: Selection, *, everything: bool) -> Selection:
    """What is meant, and only one thing may be: some ids, a filter, or everything."""
    chosen = frozenset(ids or ())
    filtered = filters != EVERYTHING
    if everything + filtered + bool(chosen) != 1:
        raise WrongUse("say which dead letters: some ids, or a filter such as --code, or --all")
    return Selection(ids=chosen) if chosen else filters


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


def total(letters: DeadLetters, selection: Selection, limit: int | None) -> int | None:
    """How many will be taken, for the progress bar; None where only the going through them tells."""
    if selection.ids:
        return len(selection.ids)
    if replace(selection, skip_uncertain=False) != EVERYTHING:
        return limit
    there = letters.count()
    return min(there, limit or there)


def newest(letters: DeadLetters, message_id: str) -> DeadLetter:
    """The letter of a message, the latest if there are several.

    Raises:
        CommandFailed: there is none.
    """
    found: list[DeadLetter] = []
    letters.each(Selection(ids=frozenset({message_id})), found.append)
    if not found:
        raise CommandFailed(f"no dead letter has the id {message_id}")
    return max(found, key=lambda one: one.generation)


def tell_report(
    report: DeadLetterReport,
    selection: Selection,
    key: str,
    words: str,
    *,
    as_json: bool,
    more: Mapping[str, object] | None = None,
) -> None:
    """Say what was done, and end the command.

    Args:
        report: what was done.
        selection: what was meant.
        key: what the count of done letters is called for programs.
        words: what was done with them, for people.
        as_json: whether a program asks.
        more: further fields for programs.

    Raises:
        Exit: something that was asked for was not done.
    """
    missing = sorted(selection.ids - report.found_ids)
    if as_json:
        counts = {"selected": report.selected, key: report.done, "unreadable": report.unreadable}
        undo = {"undo_id": report.undo_id} if report.undo_id else {}
        print_json(counts | {"refused": report.refused, "missing": missing} | undo | dict(more or {}))
    else:
        say(f"{report.done} of {report.selected} dead letters were {words}.")
        if report.unreadable:
            say(f"{report.unreadable} cannot be read and stay: `antrian dead show` says why.")
        if report.refused:
            say(f"{report.refused} stay, because the broker has no such lane: `antrian topology plan`.")
        if report.undo_id and report.done:
            say(f"To take it back: antrian undo {report.undo_id}")
        if missing:
            say(f"No dead letter has the id {', '.join(missing)}.")
    if report.done < report.selected or missing:
        raise typer.Exit(1)
