"""The command line's page: a section for every command, from the Typer application itself."""

from collections.abc import Iterator
from string import Template
from typing import Any

import typer
import typer.main
from generated import TEMPLATES, table

from antrian.cli.index import app


def page() -> str:
    """docs/reference/cli.md.

    Raises:
        LookupError: a command or an option says nothing about itself.
    """
    root = typer.Context(typer.main.get_command(app), info_name="antrian")
    template = Template((TEMPLATES / "cli.md").read_text(encoding="utf-8"))
    return template.substitute(commands="\n\n".join(_sections(root)))


def _sections(context: typer.Context) -> Iterator[str]:
    # The order is the one of the code: what belongs together stands together.
    for name, command in getattr(context.command, "commands", {}).items():
        if not command.hidden:
            child = typer.Context(command, info_name=name, parent=context)
            yield _section(child)
            yield from _sections(child)


def _section(context: typer.Context) -> str:
    command: Any = context.command
    if not command.help:
        raise LookupError(f"`{context.command_path}` says nothing about itself: give its function a docstring")
    parts = [f"## `{context.command_path}`", command.help.strip()]
    if rows := [_row(context, one) for one in command.get_params(context) if one.name != "help"]:
        parts.append(table(("argument or option", "meaning"), rows))
    return "\n\n".join(parts)


def _row(context: typer.Context, parameter: Any) -> tuple[str, str]:
    spelling, meaning = parameter.get_help_record(context)
    if not parameter.help:
        raise LookupError(f"`{context.command_path}`: {parameter.name} has no help")
    return f"`{spelling}`", " ".join(meaning.split())
