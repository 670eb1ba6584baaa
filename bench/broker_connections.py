"""What the broker counts of one process."""

import json
import os
import subprocess
from pathlib import Path

import psutil

from bench.stage import Stage


def connections_of(stage: Stage, process: psutil.Process) -> tuple[int, int]:
    """Connections of a process to the broker, and channels on them, as the broker counts them; takes about a second."""
    ports = {connection.laddr.port for connection in process.net_connections("tcp") if connection.laddr}
    environment = psutil.Process(stage.node.status().pid).environ()
    program = Path(environment.get("RABBITMQ_HOME", "/usr/lib/rabbitmq")) / "bin" / "rabbitmqctl"
    listing = ["list_connections", "peer_port", "channels", "--formatter", "json"]
    answer = subprocess.run(
        [program, "--quiet", "-n", environment["RABBITMQ_NODENAME"], *listing],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    found = [one for one in json.loads(answer.stdout) if one["peer_port"] in ports]
    return len(found), sum(one["channels"] for one in found)


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time that a process has used so far."""
    used = process.cpu_times()
    return float(used.user + used.system)
