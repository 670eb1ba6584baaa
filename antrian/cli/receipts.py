"""`antrian receipts`: the server for providers' webhooks, and the addresses that providers are given."""

import typer

from antrian.cli.logs import configure_logs
from antrian.cli.terminal import Json, print_json, say
from antrian.domain.settings import load_settings

receipts_app = typer.Typer(
    invoke_without_command=True,
    help="Take what providers report: receipts, messages of people, states of senders. SIGTERM ends it properly.",
)


@receipts_app.callback()
def receipts(context: typer.Context) -> None:
    """Take what providers report. Files of lanes and secrets are read again when they change; SIGTERM ends it."""
    if context.invoked_subcommand is not None:
        return
    # Imported late: the help of this command would wait for the web server.
    from antrian.receipts.process import ReceiptsProcess  # noqa: PLC0415

    settings = load_settings()
    configure_logs(settings.antrian_log_format, settings.antrian_log_level)
    ReceiptsProcess(settings).run()


@receipts_app.command("urls")
def urls(*, as_json: Json = False) -> None:
    """Print each lane's webhook address, once for each of its secrets. An address is a secret itself."""
    from antrian.providers.receipt_readers import READERS  # noqa: PLC0415
    from antrian.receipts.process import check_lanes, public_base  # noqa: PLC0415
    from antrian.receipts.webhooks import Webhooks  # noqa: PLC0415

    settings = load_settings()
    check_lanes(settings.lanes, READERS)
    found = [
        {"lane": name, "provider": webhook.lane.provider, "url": url}
        for name, webhook in Webhooks(settings.lanes, READERS).by_lane.items()
        for url in webhook.urls(public_base(settings))
    ]
    if as_json:
        print_json({"webhooks": found})
        return
    for one in found:
        say(f"{one['lane']} ({one['provider']})  {one['url']}")
    say("Give each to its provider alone: who knows it can call it.")
    if settings.receipts_public_url is None:
        say("RECEIPTS_PUBLIC_URL is not set: these lead to this machine only.")
