"""`antrian receipts` as a child process, and requests to it as a provider makes them."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import requests
import signed_reader
from antrian_process import AntrianProcess
from exposition import Exposition
from processes import environment

from antrian.broker.node.ports import free_port
from antrian.domain.settings import Settings
from waiting import wait_until

#: The program that a user starts, with the tests' own provider beside those that there are.
_PROGRAM = f"""
import sys
sys.path.insert(0, {str(Path(signed_reader.__file__).parent)!r})
from antrian.cli.index import main
from antrian.providers.receipt_readers import READERS
from signed_reader import READER
READERS["sandbox"] = READER
main()
"""


class ReceiptsServer:
    """The server of one test; its log goes to a file.

    Args:
        settings: of the lane.
        log: its file.
        more: variables.
    """

    #: What is started.
    words: ClassVar[Sequence[str]] = ("-c", _PROGRAM, "receipts")

    def __init__(self, settings: Settings, log: Path, **more: str) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: AntrianProcess | None = None
        ours = {
            "RECEIPTS_PORT": str(self.port),
            "RECEIPTS_METRICS_PORT": str(self.metrics_port),
            # A test's machine may stand still for longer than a provider would wait.
            "RECEIPTS_CONFIRM_SECONDS": "5",
            "WHATSAPP_WEBHOOK_SECRET": signed_reader.SECRET,
        }
        self._environment = environment(settings, **ours | more)
        self._log = log

    def start(self) -> Self:
        with self._log.open("ab") as log:
            self.process = AntrianProcess(
                self.words,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        return self

    def ready(self) -> Self:
        """Start, and wait until it takes events."""
        process = self.start().process
        assert process is not None
        wait_until(lambda: process.poll() is not None or self.status_of("readyz") == 200, 60, "the server is ready")
        assert process.poll() is None, self.log()
        return self

    def status_of(self, page: str) -> int:
        """Of a page at its own port; 0 where nothing answers."""
        try:
            return requests.get(f"http://127.0.0.1:{self.metrics_port}/{page}", timeout=10).status_code
        except requests.RequestException:
            return 0

    def metrics(self) -> Exposition:
        return Exposition.of(f"http://127.0.0.1:{self.metrics_port}/metrics")

    def post(self, body: bytes, headers: dict[str, str] | None = None, path: str | None = None, **more: Any) -> int:
        """The status that a request is answered with; signed unless headers are given."""
        given = signed_reader.signed(body) if headers is None else headers
        where = f"{self.url}{signed_reader.path() if path is None else path}"
        return requests.post(where, data=body, headers=given, timeout=30, **more).status_code

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self._end(signal.SIGKILL)
