"""`antrian sandbox`: the provider stand-in as a process of its own."""

import signal
import threading
from typing import Annotated

import typer

from antrian.domain.errors import SettingsError
from antrian.domain.settings import Settings, load_settings
from antrian.sandbox.report import WebhookTarget
from antrian.sandbox.server import SandboxServer
from antrian.up.sandbox_webhooks import webhooks_of


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one. Default: SANDBOX_PORT.")
    ] = None,
    webhook_url: Annotated[str, typer.Option(help="Where receipts and messages of people go.")] = "",
    webhook_secret: Annotated[
        str, typer.Option(envvar="SANDBOX_WEBHOOK_SECRET", help="What those of --webhook-url are signed with.")
    ] = "",
    receipts_url: Annotated[
        str, typer.Option(help="Base address of `antrian receipts`: it is called for every lane with a webhook secret.")
    ] = "",
) -> None:
    """Run a local WhatsApp provider that sends nothing and lists what it was given.

    It speaks MPWA's contract at its own address, and each provider's below /dialect/PROVIDER/: point that lane's url
    there.

    POST /_sandbox/mode {"mode": M, "for": SECONDS} changes how it answers: ok, down, unauthorized, throttle, slow,
    disconnected, or cold-refused (numbers that never wrote and never received are refused, as WhatsApp does).
    POST /_sandbox/webhook {"url": U, "secret": S, "provider": P} says where receipts go: sent, delivered and read
    follow each message that it accepts, as fast as POST /_sandbox/receipts {"delays": [S, D, R]} says.
    POST /_sandbox/receipt {"id": I, "status": S} sends one by hand.
    POST /_sandbox/inbound {"number": N, "text": T} is a message from that person, who is no stranger afterwards.
    POST /_sandbox/session {"state": S} reports that the sender is connected, disconnected, needs_qr or banned.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    settings = load_settings()
    targets = _targets(settings, webhook_url, webhook_secret, receipts_url)
    server = SandboxServer(host, settings.sandbox_port if port is None else port, targets=targets)
    try:
        server.start()
    except OSError as error:
        typer.echo(f"The sandbox cannot listen on {server.url}: {error.strerror or error}.", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"The sandbox provider listens on {server.url}; {server.url}/_sandbox/requests lists what arrives.")
    stopping.wait()
    server.stop()


def _targets(settings: Settings, url: str, secret: str, receipts_url: str) -> list[WebhookTarget]:
    if bool(url) != bool(secret):
        raise SettingsError("--webhook-url and --webhook-secret belong together")
    own = [WebhookTarget(url, secret)] if url else []
    public_url = settings.receipts_public_url or ""
    return own + (webhooks_of(settings.lanes, receipts_url, public_url) if receipts_url else [])
