"""The commands that runbooks and other pages tell people to type."""

import re
import shlex
from dataclasses import dataclass

import rulebook
import typer.main

from antrian.cli.index import app


@dataclass(frozen=True, slots=True)
class Command:
    """One `antrian …` of a page.

    Attributes:
        page: which page.
        words: what is typed, without `antrian`.
        fields: names that a `jq` behind it expects in the JSON.
    """

    page: str
    words: tuple[str, ...]
    fields: tuple[str, ...]


def commands() -> list[Command]:
    """Every command of every runbook, and those in the running text."""
    return [
        command
        for path in sorted(rulebook.RUNBOOKS.glob("*.md"))
        for command in [*typed(path.stem, path.read_text()), *quoted(path.stem, path.read_text())]
    ]


#: A line of shell: variables before the command and a container that it runs in are left out, and so is a comment.
_LINE = re.compile(r"(?:[A-Z_]+=\S+ )*(?:docker compose exec \w+ )?antrian ([^…]*?)(?: >\s*\S+)?(?: +# .*)?$")


def typed(page: str, text: str) -> list[Command]:
    """The commands in a page's shell blocks, fenced or indented."""
    fenced = re.findall(r"^ *```sh\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^(?: {4})+(\S.*)$", text, flags=re.MULTILINE)
    lines = ["".join(fenced), *indented]
    found = [_LINE.match(line.strip()) for line in "\n".join(lines).splitlines()]
    return [_command(page, line[1]) for line in found if line]


def quoted(page: str, text: str) -> list[Command]:
    """The commands in a page's running text."""
    return [_command(page, line) for line in re.findall(r"`antrian ([^`…]+)`", text)]


def understand(command: Command) -> None:
    """Have the program read a command without doing it; the library's own error if it cannot."""
    words = list(command.words)
    context = typer.main.get_command(app).make_context("antrian", words)
    while hasattr(context.command, "resolve_command"):
        name, found, words = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        context = found.make_context(name, words, parent=context)
    assert not context.args


def _command(page: str, line: str) -> Command:
    typed, *piped = line.split(" | ")
    fields = re.findall(r"[a-z_]{3,}", " ".join(part for part in piped if part.startswith("jq")))
    return Command(page, tuple(shlex.split(typed)), tuple(fields))
