"""What tests do to a RabbitMQ node of their own."""

import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from antrian.broker.node.private_node import PrivateNode


def kill_node(node: PrivateNode) -> None:
    """kill -9 of the server and all that it started."""
    server = psutil.Process(node.status().pid)
    victims = [*server.children(recursive=True), server]
    for victim in victims:
        # The server ends by itself when it misses one of its helpers.
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    psutil.wait_procs(victims, timeout=60)


def rabbitmqctl(node: PrivateNode, *arguments: str) -> None:
    """Ask the node's own tool, with the node's own environment (about 1 s)."""
    environment = psutil.Process(node.status().pid).environ()
    program = Path(environment.get("RABBITMQ_HOME", "/usr/lib/rabbitmq")) / "bin" / "rabbitmqctl"
    command = [program, "--quiet", "-n", environment["RABBITMQ_NODENAME"], *arguments]
    subprocess.run(command, env=environment, check=True, timeout=180)
