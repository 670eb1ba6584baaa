"""`antrian consume`."""

from typing import Annotated

import typer

from antrian.cli.logs import configure_logs
from antrian.domain.settings import load_settings


def consume(
    lane: Annotated[
        list[str] | None, typer.Option(help="Serve only this lane; may be repeated. Default: all lanes.")
    ] = None,
) -> None:
    """Send the queued messages, one at a time, with the pause between them. SIGTERM ends it properly."""
    # Imported late: every other command of the command line would wait for the HTTP library.
    from consumer.process import ConsumerProcess  # noqa: PLC0415

    settings = load_settings()
    configure_logs(settings.antrian_log_format, settings.antrian_log_level)
    only = frozenset(settings.lanes.meant_by(name).name for name in lane) if lane else None
    ConsumerProcess(settings, only).run()
