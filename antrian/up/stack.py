"""Everything that `antrian up` runs, kept running until it is interrupted.

That is the broker, the receipts server, the sandbox, the consumer and the admin side.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from rich.console import Console

from admin_api.auth import login_links
from admin_api.auth.urls import PREFIX
from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.discovery import Broker, find_broker
from antrian.broker.topology import Names, topology
from antrian.domain.errors import AntrianError, BrokerUnreachable, PortBusy
from antrian.domain.program import spoken_name
from antrian.domain.settings import Settings, load_settings
from antrian.up.broker_watch import BrokerWatch
from antrian.up.children import Child
from antrian.up.demo import Demo
from antrian.up.run_record import recorded
from antrian.up.webhook_secret import with_webhook_secret

#: Seconds until a process that we started must be of use.
START_PATIENCE = 20.0

_TICK = 0.1


class Stack:
    """Everything that `antrian up` runs.

    Args:
        settings: of all processes.
        console: for people.
    """

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings, self._own_secret = with_webhook_secret(settings)
        self._console = console
        self._children: list[Child] = []
        self._broker_watch: BrokerWatch | None = None
        self._say: Callable[[str], None] = lambda sentence: console.print(
            sentence, markup=False, highlight=False, soft_wrap=True
        )

    def run(self, *, demo: bool) -> None:
        """Start, serve until interrupted, and end all that was started."""
        self._check_ports()
        with self._broker() as broker, recorded(self._settings), self._processes():
            self._start(broker)
            self._introduce(broker)
            self._tell_what_waits(broker)
            self._broker_watch = BrokerWatch(broker.url.split(","), is_private=broker.kind == "node")
            if demo:
                Demo(self._settings, self._sandbox_url, self._console, self._look_after).run()
            while True:
                self._look_after(self._say)
                time.sleep(_TICK)

    def _check_ports(self) -> None:
        settings = self._settings
        if self._with_sandbox:
            _check_port("sandbox", "SANDBOX_PORT", "127.0.0.1", settings.sandbox_port)
        if self._with_receipts:
            _check_port("receipts server", "RECEIPTS_PORT", settings.receipts_host, settings.receipts_port)
            if port := settings.receipts_metrics_port:
                host = settings.receipts_metrics_host
                _check_port("receipts server's metrics", "RECEIPTS_METRICS_PORT", host, port)
        _check_port("dashboard", "ADMIN_PORT", settings.admin_host, settings.admin_port)
        if port := settings.consumer_metrics_port:
            _check_port("consumer's metrics", "CONSUMER_METRICS_PORT", settings.consumer_metrics_host, port)

    @property
    def _with_sandbox(self) -> bool:
        lanes = self._settings.lanes.values()
        return any(lane.uses_own_sandbox or (lane.url or "").startswith(self._own_sandbox) for lane in lanes)

    @property
    def _own_sandbox(self) -> str:
        return f"http://127.0.0.1:{self._settings.sandbox_port}"

    @property
    def _with_receipts(self) -> bool:
        return any(lane.webhook_secrets for lane in self._settings.lanes.values())

    @property
    def _receipts_url(self) -> str:
        return _address(self._settings.receipts_host, self._settings.receipts_port)

    @property
    def _sandbox_url(self) -> str:
        return self._own_sandbox if self._with_sandbox else self._settings.lanes.first.url or self._own_sandbox

    @property
    def _admin_url(self) -> str:
        return _address(self._settings.admin_host, self._settings.admin_port)

    @property
    def _logs(self) -> Path:
        return self._settings.antrian_home / "logs"

    @contextmanager
    def _broker(self) -> Iterator[Broker]:
        self._say("Looking for a broker …")
        broker = find_broker(self._settings, tied_to_parent=True, say=self._say)
        self._settings = load_settings(**self._settings.model_dump(exclude_unset=True) | {"amqp_url": broker.url})
        try:
            yield broker
        finally:
            if broker.started:
                self._say("Stopping the broker …")
            broker.stop()

    @contextmanager
    def _processes(self) -> Iterator[None]:
        try:
            yield
        finally:
            # A second Ctrl-C must not leave half of it running.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if self._children:
                self._say("Stopping: a send in progress is finished first …")
            for child in reversed(self._children):
                child.stop()

    def _start(self, broker: Broker) -> None:
        self._make_topology(broker)
        environment = self._environment(broker)
        if self._with_receipts:
            receipts = self._child("receipts server", ["receipts"], environment)
            self._wait(receipts, lambda: _answers(self._receipts_url))
        if self._with_sandbox:
            options = ["--port", str(self._settings.sandbox_port)]
            options += ["--receipts-url", self._receipts_url] if self._with_receipts else []
            sandbox = self._child("sandbox", ["sandbox", *options], environment)
            self._wait(sandbox, lambda: _answers(self._sandbox_url))
        consumer = self._child("consumer", ["consume"], environment)
        admin = self._child("admin side", ["admin"], environment)
        self._wait(admin, lambda: _answers(self._admin_url))
        self._wait(consumer, lambda: "lane.ready" in consumer.log.read_text(errors="replace"))

    def _make_topology(self, broker: Broker) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while True:
            try:
                with open_channel(broker.url.split(","), name="antrian up") as channel:
                    topology_sync.apply(channel.connection, topology(self._settings))
            except BrokerUnreachable:
                # A broker that has just started needs a moment until its streams have a leader.
                if time.monotonic() > deadline:
                    raise
                time.sleep(_TICK)
            else:
                return

    def _child(self, name: str, arguments: list[str], environment: dict[str, str]) -> Child:
        child = Child(name, arguments, environment, self._logs / f"{name}.log")
        self._children.append(child)
        child.start()
        return child

    def _wait(self, child: Child, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while not is_ready():
            child.revive()
            if time.monotonic() > deadline:
                raise AntrianError(f"the {child.name} is not ready after {START_PATIENCE:g} s:\n{child.last_words()}")
            time.sleep(_TICK / 2)

    def _environment(self, broker: Broker) -> dict[str, str]:
        secret = {"WHATSAPP_WEBHOOK_SECRET": self._own_secret} if self._own_secret else {}
        return (
            os.environ
            | secret
            | {
                "AMQP_URL": broker.url,
                "WHATSAPP_PROVIDER": self._settings.whatsapp_provider,
                "ANTRIAN_HOME": str(self._settings.antrian_home),
            }
        )

    def _tell_what_waits(self, broker: Broker) -> None:
        names = Names(self._settings.whatsapp_queue_namespace)
        with open_channel(broker.url.split(","), name="antrian up") as channel:
            lanes = [channel.queue_declare(names.lane(lane), passive=True) for lane in self._settings.lanes]
        if waiting := sum(lane.method.message_count for lane in lanes):
            self._say(f"{waiting} messages still wait from before; they go first where their priority is the same.")

    def _introduce(self, broker: Broker) -> None:
        kind = {"url": "the broker of AMQP_URL", "node": "a private RabbitMQ", "container": "RabbitMQ in a container"}
        pids = ", ".join(f"{child.name} {child.pid}" for child in self._children)
        self._say(f"Running: {kind[broker.kind]}; processes: {pids}; their logs are in {self._logs}")
        if self._with_sandbox:
            self._say(f"What the sandbox provider got: {self._sandbox_url}/_sandbox/requests")
        command = spoken_name()
        self._say(f"Dashboard: {self._admin_url}{PREFIX}")
        self._say(f"  log in with this link, once, within ten minutes: {self._login_link()}")
        self._say(f"Send one yourself:  {command} publish 081234567890 'Halo'   ·   watch:  {command} status --watch")
        self._say("Kill the consumer whenever you like (kill -9): it comes back, and nothing is lost or sent twice.")

    def _login_link(self) -> str:
        token_id = login_links.ensure_first_token(self._settings)
        return login_links.link(self._admin_url, login_links.issue(self._settings, token_id, time.time()))

    def _look_after(self, tell: Callable[[str], None]) -> None:
        for child in self._children:
            if news := child.revive():
                tell(news)
        if self._broker_watch and (news := self._broker_watch.news()):
            tell(news)


def _address(host: str, port: int) -> str:
    # An address that stands for all of the machine's is none that can be gone to.
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{host}:{port}"


def _check_port(name: str, variable: str, host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortBusy(
                f"port {port} for the {name} cannot be used ({(error.strerror or str(error)).lower()}): "
                f"stop the program that uses it, or choose another with {variable}",
            ) from error


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False
