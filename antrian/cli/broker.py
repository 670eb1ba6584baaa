"""`antrian broker`: the private broker by hand. The root command line turns errors into one sentence and a code."""

import json
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console

from antrian.broker.discovery import find_broker, private_node, running_broker_url, say_on_stderr
from antrian.broker.node.container import BrokerContainer
from antrian.broker.node.files import container_files
from antrian.domain.settings import Settings, load_settings

broker_app = typer.Typer(
    no_args_is_help=True,
    help="The private RabbitMQ that Antrian uses when AMQP_URL is not set.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@broker_app.command()
def start(*, as_json: Json = False) -> None:
    """Start the private broker, and leave it running."""
    found = find_broker(load_settings(), tied_to_parent=False)
    if found.kind == "url":
        _tell({"started": False, "kind": "url"}, "AMQP_URL is set, so there is nothing to start.", as_json=as_json)
        return
    what = "The private broker" if found.kind == "node" else "The broker's container"
    _tell(
        {"started": found.started, "kind": found.kind, "url": found.url},
        f"{what} {'runs now' if found.started else 'was running already'} "
        f"on port {_port(found.url)}; `antrian broker url` prints its address.",
        as_json=as_json,
    )


@broker_app.command()
def stop(*, as_json: Json = False) -> None:
    """Stop the private broker; its messages stay on disk."""
    settings = load_settings()
    stopped = private_node(settings).stop() | _stop_container(settings)
    _tell(
        {"stopped": stopped},
        "The private broker has stopped; its messages stay on disk." if stopped else "No private broker was running.",
        as_json=as_json,
    )


@broker_app.command()
def status(*, as_json: Json = False) -> None:
    """Say whether the private broker runs, and where."""
    settings = load_settings()
    answer = _container_status(settings) or _node_status(settings)
    if not answer["running"]:
        sentence = "No private broker is running; `antrian broker start` starts one."
    else:
        ends = f"; it ends with process {answer['tied_to']}" if answer["tied_to"] else ""
        sentence = f"RabbitMQ {answer['version']} runs on port {answer['port']}, data in {answer['folder']}{ends}."
    if settings.amqp_urls:
        sentence += " It is not used, because AMQP_URL is set."
    _tell(answer, sentence, as_json=as_json)


@broker_app.command()
def url(*, as_json: Json = False) -> None:
    """Print the address of the broker in use, password included."""
    address = running_broker_url(load_settings())
    _tell({"url": address}, address, as_json=as_json)


def _node_status(settings: Settings) -> dict[str, Any]:
    node = private_node(settings).status()
    return {
        "running": node.running,
        "kind": "node",
        "port": _port(node.url) if node.url else None,
        "version": node.version,
        "pid": node.pid,
        "tied_to": node.tied_to,
        "folder": str(node.folder),
    }


def _container_status(settings: Settings) -> dict[str, Any] | None:
    files = container_files(settings.antrian_home)
    identity = files.identity()
    greeting = identity.greeting() if identity else None
    if identity is None or greeting is None:
        return None
    return {
        "running": True,
        "kind": "container",
        "port": identity.amqp_port,
        "version": greeting.version,
        "pid": None,
        "tied_to": None,
        "folder": f"the Docker volume {identity.name}",
    }


def _stop_container(settings: Settings) -> bool:
    # Asking Docker takes a while, and most machines have never had the container.
    if container_files(settings.antrian_home).identity() is None:
        return False
    return BrokerContainer(settings.antrian_home, say=say_on_stderr).stop()


def _port(address: str) -> int | None:
    return urlsplit(address).port


def _tell(answer: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        Console(soft_wrap=True).print(sentence, markup=False, highlight=False)
