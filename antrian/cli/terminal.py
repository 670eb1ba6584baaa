"""What all commands share when they talk to people and programs: tables, JSON, progress, and who is asking."""

import getpass
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from antrian.domain.errors import UnknownLane, WrongUse
from antrian.domain.settings import Settings

if TYPE_CHECKING:
    from rich.progress import Progress

#: Columns of a table that goes into a file or a pipe, where nothing needs to be squeezed.
_WIDTH_WITHOUT_TERMINAL = 200

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ShowNumbers = Annotated[bool, typer.Option("--show-numbers", help="Show numbers in full; else they are masked.")]
Lane = Annotated[str | None, typer.Option(help="Which lane; needed only where there are several.")]


def console() -> Console:
    """Where tables go: colours and control codes on a terminal only."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False)


def which_numbers(*, show: bool) -> str:
    """What a list for programs says about the numbers in it."""
    return "full" if show else "masked"


def say(sentence: str) -> None:
    """Print a sentence for people, exactly as it is."""
    Console(soft_wrap=True).print(sentence, markup=False, highlight=False)


def print_json(answer: Any) -> None:
    """Print a value for programs, on one line."""
    typer.echo(json.dumps(answer, ensure_ascii=False))


def tell(answer: Any, sentence: str, *, as_json: bool) -> None:
    """Print the answer for programs or the sentence for people."""
    if as_json:
        print_json(answer)
    else:
        say(sentence)


def actor() -> str:
    """Who acts, for the journal: `cli:` and the name of the machine's user."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return f"cli:uid-{os.getuid()}"


def chosen_lane(settings: Settings, lane: str | None) -> str:
    """The lane that is meant: the one named, or the only one there is.

    Raises:
        WrongUse: there is no such lane, or there are several and none is named.
    """
    try:
        return settings.lanes.meant_by(lane).name
    except UnknownLane as error:
        raise WrongUse(f"--lane: {error}") from error


@contextmanager
def progress(what: str, total: int | None) -> Iterator["ProgressBar"]:
    """A progress bar on stderr, if that is a terminal; nothing otherwise.

    Args:
        what: what is being done, in a word or two.
        total: how many there are; None when that is not known.
    """
    # Imported late: most commands show none.
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)
    with bar:
        yield ProgressBar(bar, what, total)


class ProgressBar:
    """One line of progress."""

    def __init__(self, bar: "Progress", what: str, total: int | None) -> None:
        self._bar = bar
        self._task = bar.add_task(what, total=total)

    def move_to(self, done: int) -> None:
        """So many are done."""
        self._bar.update(self._task, completed=done)
