"""`antrian link`: a link with which a user writes first."""

from typing import Annotated

import typer

from antrian.cli.terminal import Json, Lane, chosen_lane, tell
from antrian.domain.click_to_start import click_to_start_link, link_to_lane
from antrian.domain.errors import MalformedMessage, WrongUse
from antrian.domain.settings import load_settings


def link(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the user finds written, and sends.")],
    *,
    lane: Lane = None,
    sender: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="The number to write to, instead of the lane's sender.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a wa.me link that opens a chat with the sender: who writes first is no stranger to WhatsApp.

    Give it to the user before you write: on the registration page, in an e-mail, as a QR code.
    """
    try:
        if sender is not None:
            made = click_to_start_link(sender, text)
        else:
            settings = load_settings()
            made = link_to_lane(settings.lanes[chosen_lane(settings, lane)], text)
    except MalformedMessage as error:
        raise WrongUse(str(error)) from error
    tell({"link": made}, made, as_json=as_json)
