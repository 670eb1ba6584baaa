"""Our processes, started as a user starts them, and ended with real signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from antrian_process import ANTRIAN, AntrianProcess

from antrian.domain.settings import Settings
from waiting import wait_until

__all__ = ["ANTRIAN", "ConsumerProcess", "environment"]


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment for a process with these settings, and nothing of ours but them."""
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "USER"}}
    return inherited | {
        "AMQP_URL": ",".join(settings.amqp_urls),
        "WHATSAPP_API_URL": settings.whatsapp_api_url or "",
        "WHATSAPP_PROVIDER": "sandbox",
        "WHATSAPP_QUEUE_NAMESPACE": settings.whatsapp_queue_namespace,
        "WHATSAPP_QUEUE_DELAY": str(settings.whatsapp_queue_delay),
        "WHATSAPP_QUEUE_RETRY_DELAYS": ",".join(map(str, settings.whatsapp_queue_retry_delays)),
        "WHATSAPP_QUEUE_TYPE": settings.whatsapp_queue_type,
        "CONSUMER_METRICS_PORT": "0",
        "ANTRIAN_HOME": str(settings.antrian_home),
        **more,
    }


class ConsumerProcess:
    """`antrian consume` as a child process; its log goes to a file."""

    #: Instead of the program that a user starts.
    command: Sequence[str | Path] | None = None

    def __init__(self, settings: Settings, log: Path, **more: str) -> None:
        self._environment = environment(settings, **more)
        self._log = log
        self.process: AntrianProcess | subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self._log.open("ab") as log:
            streams: dict[str, Any] = {"stdout": log, "stderr": log, "stdin": subprocess.DEVNULL}
            if self.command:
                self.process = subprocess.Popen(self.command, env=self._environment, **streams)
            else:
                self.process = AntrianProcess(["consume"], env=self._environment, **streams)
        return self

    def started(self) -> Self:
        """Start, and wait until the lane is served."""
        before = self.log().count("lane.ready")
        self.start()
        wait_until(lambda: self.log().count("lane.ready") > before, 60, "the consumer is ready", every=0.01)
        return self

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def terminate(self, timeout: float = 60) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM, timeout)

    def _end(self, number: signal.Signals, timeout: float = 60) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout)

    def __enter__(self) -> Self:
        return self.started()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if error is not None:
            sys.stderr.write(self.log()[-20_000:])
