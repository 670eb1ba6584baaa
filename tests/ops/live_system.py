"""What Prometheus reads in production, running: a broker and its plugin, two consumers, the admin side, a publisher."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from wsgiref.simple_server import WSGIServer

import psutil
from admin import AdminServer, Client
from node_tools import rabbitmqctl
from processes import ConsumerProcess
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_server import PrometheusServer
from receipts_server import ReceiptsServer

from admin_api.auth.roles import Role
from antrian.broker.node.ports import free_port
from antrian.broker.node.private_node import PrivateNode
from antrian.domain.settings import Settings, load_settings
from antrian.sandbox.server import SandboxServer
from publisher import Publisher
from publisher.metrics import instrument

#: Two lanes, each with a sender of its own.
BUSY, CALM = "default", "calm"
CALM_SENDER = "6281200000002"
_LANES = f"{BUSY}=6281200000001,{CALM}={CALM_SENDER}"

#: The admin side expects receipts: of a provider that sends them, with a secret to sign them with.
_ADMIN = {
    "WHATSAPP_QUEUE_LANES": _LANES,
    "WHATSAPP_PROVIDER": "sandbox",
    "WHATSAPP_WEBHOOK_SECRET": "3b9f1c7e5a2d4860b1c3d5e7f9a0b2c4",
}


@dataclass(frozen=True)
class LiveSystem:
    """The parts that a test plays with."""

    node: PrivateNode
    settings: Settings
    sandbox: SandboxServer
    consumers: tuple[ConsumerProcess, ConsumerProcess]
    client: Client
    publisher: Publisher
    prometheus: PrometheusServer


@contextmanager
def live_system(folder: Path) -> Iterator[LiveSystem]:
    """Start all of it, with Prometheus reading it; some 20 s."""
    with ExitStack() as running:
        home = running.enter_context(tempfile.TemporaryDirectory(prefix="antrian-test-", ignore_cleanup_errors=True))
        node, broker_port = running.enter_context(_broker(Path(home)))
        sandbox = running.enter_context(SandboxServer())
        settings = _settings(node.url, sandbox.url, folder)
        consumers, consumer_ports = _consumers(running, settings, folder)
        admin = running.enter_context(AdminServer(settings, folder / "admin.log", **_ADMIN)).ready()
        receipts = running.enter_context(
            ReceiptsServer(settings, folder / "receipts.log", WHATSAPP_QUEUE_LANES=_LANES)
        ).ready()
        publisher, publisher_port = running.enter_context(_publisher(settings))
        broker = [f"127.0.0.1:{broker_port}"]
        targets = {
            "antrian-consumer": [f"127.0.0.1:{port}" for port in consumer_ports],
            "antrian-admin": [f"127.0.0.1:{admin.port}"],
            "antrian-receipts": [f"127.0.0.1:{receipts.metrics_port}"],
            "antrian-publisher": [f"127.0.0.1:{publisher_port}"],
            "rabbitmq": broker,
            "rabbitmq-queues": broker,
        }
        prometheus = running.enter_context(PrometheusServer(folder, targets))
        yield LiveSystem(node, settings, sandbox, consumers, admin.client(Role.ADMIN), publisher, prometheus)


def _settings(amqp_url: str, provider_url: str, folder: Path) -> Settings:
    return load_settings(
        {
            "AMQP_URL": amqp_url,
            "WHATSAPP_API_URL": provider_url,
            "ANTRIAN_HOME": str(folder / "home"),
            "WHATSAPP_QUEUE_LANES": _LANES,
            "WHATSAPP_QUEUE_DELAY": "0.3",
            "WHATSAPP_QUEUE_RETRY_DELAYS": "1",
        }
    )


@contextmanager
def _broker(home: Path) -> Iterator[tuple[PrivateNode, int]]:
    node, port = PrivateNode(home), free_port()
    try:
        node.start(tied_to_parent=True)
        listener = f'[{{port, {port}}}, {{ip, "127.0.0.1"}}]'
        rabbitmqctl(node, "eval", f"application:set_env(rabbitmq_prometheus, tcp_config, {listener}).")
        _enable_plugin(node)
        yield node, port
    finally:
        node.stop()


def _enable_plugin(node: PrivateNode) -> None:
    environment = psutil.Process(node.status().pid).environ()
    program = Path(environment.get("RABBITMQ_HOME", "/usr/lib/rabbitmq")) / "bin" / "rabbitmq-plugins"
    command = [program, "--quiet", "-n", environment["RABBITMQ_NODENAME"], "enable", "rabbitmq_prometheus"]
    subprocess.run(command, env=environment, check=True, timeout=180, stdout=subprocess.DEVNULL)


def _consumers(
    running: ExitStack, settings: Settings, folder: Path
) -> tuple[tuple[ConsumerProcess, ConsumerProcess], tuple[int, int]]:
    ports = free_port(), free_port()
    first, second = (
        running.enter_context(
            ConsumerProcess(
                settings, folder / f"consumer-{port}.log", CONSUMER_METRICS_PORT=str(port), WHATSAPP_QUEUE_LANES=_LANES
            )
        )
        for port in ports
    )
    return (first, second), ports


@contextmanager
def _publisher(settings: Settings) -> Iterator[tuple[Publisher, int]]:
    registry = CollectorRegistry()
    with Publisher(settings, source="test", confirm_timeout=60) as publisher:
        instrument(publisher, registry)
        server, thread = start_http_server(0, "127.0.0.1", registry)
        assert isinstance(server, WSGIServer)
        try:
            yield publisher, int(server.server_port)
        finally:
            with suppress(OSError):
                server.shutdown()
                server.server_close()
            thread.join(60)
