"""`antrian dead`: the messages that were given up."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from admin_api.dead_letter import DeadLetter
from admin_api.dead_letter_export import Format, exported
from admin_api.dead_letter_view import Groups, card, details, group_table, letter_table, summary
from admin_api.dead_letters import EVERYTHING, DeadLetters, Report, Selection
from broker.settings import load_settings
from broker.terminal import CommandFailed, Json, WrongUse, actor, console, print_json, progress, say, tell

dead_app = typer.Typer(no_args_is_help=True, help="The messages that were given up: look, put back, delete, export.")

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids.")]
All = Annotated[bool, typer.Option("--all", help="Every dead letter that is there now.")]
Code = Annotated[str | None, typer.Option(help="Only those whose last failure has this code.")]
Class = Annotated[str | None, typer.Option("--class", help="Only those whose last failure is of this class.")]
Source = Annotated[str | None, typer.Option(help="Only those of this publishing service.")]
Lane = Annotated[str | None, typer.Option(help="Only those of this lane.")]


@dead_app.command("list")
def list_letters(
    *,
    code: Code = None,
    failure_class: Class = None,
    source: Source = None,
    lane: Lane = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many, the oldest first.")] = 50,
    group: Annotated[bool, typer.Option("--group", help="Count them by what went wrong.")] = False,
    as_json: Json = False,
) -> None:
    """List the dead letters."""
    letters = DeadLetters(load_settings())
    selection = Selection(code=code, failure_class=failure_class, source=source, lane=lane)
    total = letters.count()
    if group:
        _show_groups(letters, selection, total, as_json=as_json)
        return
    shown: list[DeadLetter] = []
    letters.each(selection, shown.append, is_enough=lambda: len(shown) >= limit)
    if as_json:
        print_json({"total": total, "letters": [summary(letter) for letter in shown]})
        return
    if shown:
        console().print(letter_table(shown, time.time()))
    say(f"{len(shown)} of {total} dead letters.")


@dead_app.command()
def show(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")], *, as_json: Json = False
) -> None:
    """Show one dead letter in full, its number and text included."""
    found: list[DeadLetter] = []
    DeadLetters(load_settings()).each(Selection(ids=frozenset({message_id})), found.append)
    if not found:
        raise CommandFailed(f"no dead letter has the id {message_id}")
    letter = max(found, key=lambda one: one.generation)
    if as_json:
        print_json(details(letter))
    else:
        console().print(card(letter))


@dead_app.command()
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
    as_json: Json = False,
) -> None:
    """Put dead letters back into their lanes, as if for the first attempt. Interrupted, it can be done again."""
    selection = _selection(
        ids, Selection(code=code, failure_class=failure_class, source=source, lane=lane), everything=everything
    )
    per_second = None if rate is None else _per_second(rate)
    letters = DeadLetters(load_settings())
    if dry_run:
        _show_selected(letters, selection, limit, as_json=as_json)
        return
    with progress("re-driven", _total(letters, selection, limit)) as bar:
        report = letters.redrive(
            selection,
            actor(),
            per_second=per_second,
            limit=limit,
            on_progress=lambda tally: bar.move_to(tally.taken),
        )
    _tell(report, selection, "redriven", "put back into their lanes", as_json=as_json)


@dead_app.command()
def purge(
    ids: Ids = None,
    *,
    everything: All = False,
    code: Code = None,
    failure_class: Class = None,
    source: Source = None,
    lane: Lane = None,
    yes: Annotated[bool, typer.Option("--yes", help="Really delete them.")] = False,
    as_json: Json = False,
) -> None:
    """Delete dead letters for good; the journal keeps what they were."""
    selection = _selection(
        ids, Selection(code=code, failure_class=failure_class, source=source, lane=lane), everything=everything
    )
    letters = DeadLetters(load_settings())
    if not yes:
        count = letters.each(selection, lambda _letter: None)
        raise WrongUse(f"this would delete {count} dead letters for good; say so with --yes")
    with progress("purged", _total(letters, selection, None)) as bar:
        report = letters.purge(selection, actor(), on_progress=lambda tally: bar.move_to(tally.taken))
    _tell(report, selection, "purged", "deleted", as_json=as_json)


@dead_app.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; stdout without it.")] = None,
    *,
    form: Annotated[Format, typer.Option("--format", help="csv for spreadsheets, jsonl for programs.")] = Format.JSONL,
    code: Code = None,
    failure_class: Class = None,
    source: Source = None,
    lane: Lane = None,
    as_json: Json = False,
) -> None:
    """Write the dead letters into a file, numbers and texts included; they stay where they are."""
    if file is not None and (file.exists() or not file.parent.is_dir()):
        raise WrongUse(f"{file} exists already" if file.exists() else f"there is no folder {file.parent}")
    selection = Selection(code=code, failure_class=failure_class, source=source, lane=lane)
    letters = DeadLetters(load_settings())
    try:
        with exported(file, form) as write, progress("exported", letters.count()) as bar:
            count = letters.each(selection, write, on_progress=lambda tally: bar.move_to(tally.seen))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise  # whoever reads our output has had enough; that is no failure to explain
        raise CommandFailed(f"{file or 'stdout'} cannot be written: {error.strerror}") from error
    if file is not None:
        tell({"exported": count, "file": str(file)}, f"{count} dead letters are in {file}.", as_json=as_json)


def _selection(ids: Iterable[str] | None, filters: Selection, *, everything: bool) -> Selection:
    """What is meant, and only one thing may be: some ids, a filter, or everything."""
    chosen = frozenset(ids or ())
    filtered = filters != EVERYTHING
    if everything + filtered + bool(chosen) != 1:
        raise WrongUse("say which dead letters: some ids, or a filter such as --code, or --all")
    return Selection(ids=chosen) if chosen else filters


def _per_second(rate: str) -> float:
    try:
        number = float(rate.removesuffix("/s"))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise WrongUse(f"--rate {rate}: write a number of letters per second, such as 5/s")
    return number


def _total(letters: DeadLetters, selection: Selection, limit: int | None) -> int | None:
    """How many will be taken, for the progress bar; None where only the going through them tells."""
    if selection.ids:
        return len(selection.ids)
    if selection != EVERYTHING:
        return limit
    total = letters.count()
    return min(total, limit or total)


def _show_groups(letters: DeadLetters, selection: Selection, total: int, *, as_json: bool) -> None:
    groups = Groups()
    with progress("read", total) as bar:
        letters.each(selection, groups.add, on_progress=lambda tally: bar.move_to(tally.seen))
    ranked = groups.ranked()
    if as_json:
        keys = ("failure_class", "code", "count", "oldest", "newest")
        print_json({"total": total, "groups": [{key: getattr(group, key) for key in keys} for group in ranked]})
        return
    if ranked:
        console().print(group_table(ranked, time.time()))
    say(f"{sum(group.count for group in ranked)} of {total} dead letters.")


def _show_selected(letters: DeadLetters, selection: Selection, limit: int | None, *, as_json: bool) -> None:
    groups = Groups()
    readable: list[bool] = []

    def look(letter: DeadLetter) -> None:
        readable.append(letter.message is not None)
        groups.add(letter)

    letters.each(selection, look, is_enough=lambda: limit is not None and len(readable) >= limit)
    if as_json:
        print_json({"selected": len(readable), "unreadable": readable.count(False), "dry_run": True})
        return
    if readable:
        console().print(group_table(groups.ranked(), time.time()))
    say(f"{readable.count(True)} would be put back, {readable.count(False)} cannot be read and would stay.")


def _tell(report: Report, selection: Selection, key: str, words: str, *, as_json: bool) -> None:
    missing = sorted(selection.ids - report.found)
    if as_json:
        counts = {"selected": report.selected, key: report.done, "unreadable": report.unreadable}
        print_json(counts | {"refused": report.refused, "missing": missing})
    else:
        say(f"{report.done} of {report.selected} dead letters were {words}.")
        if report.unreadable:
            say(f"{report.unreadable} cannot be read and stay: `antrian dead show` says why.")
        if report.refused:
            say(f"{report.refused} stay, because the broker has no such lane: `antrian topology plan`.")
        if missing:
            say(f"No dead letter has the id {', '.join(missing)}.")
    if report.done < report.selected or missing:
        raise typer.Exit(1)
