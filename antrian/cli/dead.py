"""`antrian dead`: the messages that were given up."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from antrian.cli.dead_options import All, Class, Code, Ids, Lane, Source, chosen, newest, tell_report, total
from antrian.cli.history_session import own_history
from antrian.cli.life_view import life_table
from antrian.cli.redrive import jobs, redrive
from antrian.cli.terminal import (
    Json,
    ShowNumbers,
    actor,
    console,
    print_json,
    progress,
    say,
    tell,
    which_numbers,
)
from antrian.domain.errors import CommandFailed, WrongUse
from antrian.domain.settings import Settings, load_settings
from antrian.history.dead_letter import DeadLetter
from antrian.history.records import DeadFilter, LifeEntry
from antrian.operations.dead_letters.dead_letter_export import ExportFormat, exported
from antrian.operations.dead_letters.dead_letter_view import Groups, card, details, group_table, letter_table, summary
from antrian.operations.dead_letters.dead_letters import DeadLetters

dead_app = typer.Typer(no_args_is_help=True, help="The messages that were given up: look, put back, delete, export.")

dead_app.command()(redrive)
dead_app.command()(jobs)


_LONGEST_NOTE = 1_000

#: Seconds for a history to read what it does not hold yet, before a letter is shown without it.
_PATIENCE = 15.0


@dead_app.command("list")
def list_letters(
    *,
    code: Code = None,
    failure_class: Class = None,
    source: Source = None,
    lane: Lane = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many, the oldest first.")] = 50,
    group: Annotated[bool, typer.Option("--group", help="Count them by what went wrong.")] = False,
    show_numbers: ShowNumbers = False,
    as_json: Json = False,
) -> None:
    """List the dead letters."""
    letters = DeadLetters(load_settings())
    wanted = DeadFilter(code=code, failure_class=failure_class, source=source, lane=lane)
    total = letters.count()
    if group:
        _show_groups(letters, wanted, total, as_json=as_json)
        return
    shown: list[DeadLetter] = []
    letters.each(wanted, shown.append, is_enough=lambda: len(shown) >= limit)
    if as_json:
        listed = [summary(letter, masked=not show_numbers) for letter in shown]
        print_json({"total": total, "numbers": which_numbers(show=show_numbers), "letters": listed})
        return
    if shown:
        console().print(letter_table(shown, time.time(), masked=not show_numbers))
    say(f"{len(shown)} of {total} dead letters.")


@dead_app.command()
def show(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")], *, as_json: Json = False
) -> None:
    """Show one dead letter in full, number and text included. All that happened to its message follows."""
    settings = load_settings()
    letter = newest(DeadLetters(settings), message_id)
    life = _life(settings, message_id)
    if as_json:
        happened = None if life is None else [{"at": one.at, "name": one.name, **_more(one)} for one in life]
        print_json(details(letter) | {"life": happened})
        return
    console().print(card(letter))
    if life is None:
        say("The history is still being read, so what happened before is not shown.")
    else:
        console().print(life_table(life))


@dead_app.command()
def note(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")],
    text: Annotated[str, typer.Argument(help="What to remember; an empty text deletes the note.")],
    *,
    as_json: Json = False,
) -> None:
    """Write a note about a dead letter, for everyone who sees it."""
    if len(text) > _LONGEST_NOTE:
        raise WrongUse(f"a note has at most {_LONGEST_NOTE} characters")
    letters = DeadLetters(load_settings())
    letter = newest(letters, message_id)
    letters.note(letter.copy, letter.lane, text, actor())
    tell({"message_id": message_id, "note": text}, "Noted." if text else "The note is deleted.", as_json=as_json)


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
    """Delete dead letters. While the journal remembers them, `antrian undo` brings them back."""
    wanted = chosen(
        ids, DeadFilter(code=code, failure_class=failure_class, source=source, lane=lane), everything=everything
    )
    letters = DeadLetters(load_settings())
    if not yes:
        count = letters.each(wanted, lambda _letter: None)
        raise WrongUse(f"this would delete {count} dead letters; say so with --yes")
    with progress("purged", total(letters, wanted)) as bar:
        report = letters.purge(wanted, actor(), lane=lane or "", on_progress=lambda tally: bar.move_to(tally.taken))
    tell_report(report, wanted, as_json=as_json)


@dead_app.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; stdout without it.")] = None,
    *,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="csv for spreadsheets, jsonl for programs.")
    ] = ExportFormat.JSONL,
    code: Code = None,
    failure_class: Class = None,
    source: Source = None,
    lane: Lane = None,
    as_json: Json = False,
) -> None:
    """Write the dead letters into a file. Numbers and texts are included; the letters stay where they are."""
    if file is not None and (file.exists() or not file.parent.is_dir()):
        raise WrongUse(f"{file} exists already" if file.exists() else f"there is no folder {file.parent}")
    wanted = DeadFilter(code=code, failure_class=failure_class, source=source, lane=lane)
    letters = DeadLetters(load_settings())
    try:
        with exported(file, form) as write, progress("exported", letters.count()) as bar:
            count = letters.each(wanted, write, on_progress=lambda tally: bar.move_to(tally.seen))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise  # the reader of our output closed it; not an error of ours
        raise CommandFailed(f"{file or 'stdout'} cannot be written: {error.strerror}") from error
    if file is not None:
        tell({"exported": count, "file": str(file)}, f"{count} dead letters are in {file}.", as_json=as_json)


def _life(settings: Settings, message_id: str) -> list[LifeEntry] | None:
    """What happened to a message; None when that is not known in good time."""
    with own_history(settings) as (history, follower):
        return history.life(message_id) if follower.barrier(_PATIENCE) else None


def _more(entry: LifeEntry) -> dict[str, Any]:
    about = {"attempt": entry.attempt, "generation": entry.generation, "source": entry.source}
    return about | {"details": dict(entry.details)}


def _show_groups(letters: DeadLetters, wanted: DeadFilter, total: int, *, as_json: bool) -> None:
    groups = Groups()
    with progress("read", total) as bar:
        letters.each(wanted, groups.add, on_progress=lambda tally: bar.move_to(tally.seen))
    ranked = groups.ranked()
    if as_json:
        keys = ("failure_class", "code", "count", "oldest", "newest")
        print_json({"total": total, "groups": [{key: getattr(group, key) for key in keys} for group in ranked]})
        return
    if ranked:
        console().print(group_table(ranked, time.time()))
    say(f"{sum(group.count for group in ranked)} of {total} dead letters.")
