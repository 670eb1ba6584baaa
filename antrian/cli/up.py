"""`antrian up`: everything in one go."""

import signal
from contextlib import suppress
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from antrian.domain.errors import SettingsError
from antrian.domain.settings import load_settings


def up(*, demo: Annotated[bool, typer.Option(help="Play the registration scenario and show it.")] = False) -> None:
    """Start everything that the queue needs, and keep it running until Ctrl-C."""
    # Imported late: every other command of the command line would wait for it.
    from antrian.up.stack import Stack  # noqa: PLC0415

    settings = load_settings()
    if "whatsapp_provider" not in settings.model_fields_set:
        settings = settings.model_copy(update={"whatsapp_provider": "sandbox"})
    if demo and not settings.lanes.first.is_sandbox:
        raise SettingsError(
            "the demo sends to invented numbers: it runs only with WHATSAPP_PROVIDER=sandbox, "
            "or with a lanes.toml whose first lane has it"
        )
    signal.signal(signal.SIGTERM, _interrupt)
    with suppress(KeyboardInterrupt):
        Stack(settings, Console()).run(demo=demo)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
