"""`antrian provider`: adapters for other providers than those that come with Antrian."""

from pathlib import Path
from typing import Annotated

import typer

from antrian.cli.terminal import Json, print_json, say
from antrian.providers.skeleton.write import write_skeleton

provider_app = typer.Typer(no_args_is_help=True, help="An adapter for another provider.")


@provider_app.callback()
def _provider() -> None:
    """An adapter for another provider."""


@provider_app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As lanes are to name it: small letters, digits, _.")],
    *,
    into: Annotated[Path, typer.Option("--into", help="The folder in which antrian-NAME is made.")] = Path(),
    as_json: Json = False,
) -> None:
    """Write the skeleton of an adapter, with its checks and a test."""
    written = write_skeleton(name, into)
    if as_json:
        print_json({"files": [str(path) for path in written]})
        return
    folder = written[0].parent
    for path in written:
        say(str(path))
    say("")
    say("What is next:")
    say(f"  1. Look for TODO in {folder}: write down what the provider says, from its manual, in conformance.py.")
    say("  2. Do the same in payload.py, answers.py and receipts.py, until the test passes:")
    say(f"       cd {folder} && python -m pytest -q")
    say(f"  3. Install it beside Antrian (pip install {folder}), and name it in a lane: provider = {name!r}")
    say("It is explained with an example in docs/providers/add-a-provider.md.")
