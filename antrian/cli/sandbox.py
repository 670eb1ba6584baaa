"""`antrian sandbox`: the provider stand-in as a process of its own."""

import signal
import threading
from typing import Annotated

import typer

from antrian.domain.settings import load_settings
from antrian.sandbox.server import SandboxServer


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one. Default: SANDBOX_PORT.")
    ] = None,
) -> None:
    """Run a local WhatsApp provider that sends nothing and lists what it was given.

    POST /_sandbox/mode {"mode": M, "for": SECONDS} changes how it answers: ok, down, unauthorized, throttle, slow,
    disconnected, or cold-refused (numbers that never wrote and never received are refused, as WhatsApp does).
    POST /_sandbox/inbound {"number": N, "text": T} is a message from that person, who is no stranger afterwards.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    server = SandboxServer(host, load_settings().sandbox_port if port is None else port)
    try:
        server.start()
    except OSError as error:
        typer.echo(f"The sandbox cannot listen on {server.url}: {error.strerror or error}.", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"The sandbox provider listens on {server.url}; {server.url}/_sandbox/requests lists what arrives.")
    stopping.wait()
    server.stop()
