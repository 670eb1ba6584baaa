"""`antrian up` as a child process."""

import subprocess

import psutil
import requests
from processes import ANTRIAN, environment

from antrian.broker.node.ports import free_port


class Up:
    """`antrian up` with its output in a file."""

    def __init__(self, settings, folder, *options, **more):
        self.log = folder / "up.log"
        # Two of these run at the same time when the tests do: every port is their own.
        ports = {name: str(free_port()) for name in ("SANDBOX_PORT", "ADMIN_PORT", "RECEIPTS_PORT")}
        ports["RECEIPTS_METRICS_PORT"] = "0"
        ours = environment(settings, **ports | {"ANTRIAN_HOME": str(folder)} | more)
        ours = {name: value for name, value in ours.items() if name != "WHATSAPP_API_URL" and value}
        self.environment = ours
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [ANTRIAN, "up", *options], env=ours, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def text(self):
        return self.log.read_text()

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, command):
        return next(child for child in self.family() if command in child.cmdline())

    def consumer(self):
        return self.child("consume")

    @property
    def sandbox_url(self):
        return f"http://127.0.0.1:{self.environment['SANDBOX_PORT']}"

    def webhooks(self):
        return requests.get(f"{self.sandbox_url}/_sandbox/webhook", timeout=60).json()
