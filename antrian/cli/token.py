"""`antrian token`: who may use the HTTP API and the dashboard."""

import time
from typing import Annotated

import typer
from rich.table import Table

from admin_api.auth.errors import TokenRefused
from admin_api.auth.roles import Role
from admin_api.auth.tokens import Token, TokenFile
from antrian.cli.terminal import Json, console, print_json, say
from antrian.domain.errors import CommandFailed, WrongUse
from antrian.domain.settings import load_settings

token_app = typer.Typer(no_args_is_help=True, help="Who may use the HTTP API and the dashboard.")


@token_app.command()
def create(
    *,
    role: Annotated[
        Role, typer.Option(help="What it may do: viewer, operator, admin (each includes the one before), or publisher.")
    ],
    name: Annotated[str | None, typer.Option(help="The name that the journal shows; the role when left out.")] = None,
    as_json: Json = False,
) -> None:
    """Make a token and show it, once."""
    try:
        token, text = _file().create(role, name, time.time())
    except TokenRefused as error:
        raise WrongUse(str(error)) from error
    if as_json:
        print_json({"name": token.name, "role": token.role, "token": text})
        return
    say(text)
    say(f"This is the token {token.name} with the role {token.role}. Keep it: it cannot be shown again.")


@token_app.command("list")
def list_tokens(*, as_json: Json = False) -> None:
    """List the tokens that are valid now, without their secrets."""
    tokens = sorted(_file().tokens().values(), key=lambda token: token.created_at)
    if as_json:
        print_json({"tokens": [_shown(token) for token in tokens]})
        return
    if tokens:
        console().print(_table(tokens))
    say("1 token." if len(tokens) == 1 else f"{len(tokens)} tokens.")


@token_app.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The token's name.")], *, as_json: Json = False
) -> None:
    """Revoke a token at once. Sessions started with it end, too."""
    token = _file().revoke(name)
    if token is None:
        raise CommandFailed("there is no token with that name; see `antrian token list`")
    if as_json:
        print_json({"revoked": token.name, "role": token.role})
        return
    say(f"The token {token.name} with the role {token.role} is revoked, and its sessions are over.")


def _file() -> TokenFile:
    return TokenFile(load_settings().tokens_file)


def _shown(token: Token) -> dict[str, str]:
    return {"name": token.name, "role": token.role, "id": token.id, "created_at": token.created_at.isoformat()}


def _table(tokens: list[Token]) -> Table:
    table = Table("name", "role", "id", "made")
    for token in tokens:
        table.add_row(token.name, token.role, token.id, f"{token.created_at:%Y-%m-%d %H:%M} UTC")
    return table
