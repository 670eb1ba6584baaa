"""`antrian admin` as a child process, and clients for it with a token of each role."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import requests
from antrian_process import AntrianProcess
from processes import environment

from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile
from admin_api.auth.urls import PREFIX
from antrian.broker.node.ports import free_port
from antrian.domain.settings import Settings
from waiting import wait_until


class AdminServer:
    """The HTTP side of one test; its log goes to a file, its files into the test's ANTRIAN_HOME."""

    def __init__(self, settings: Settings, log: Path, **more: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        self.process: AntrianProcess | None = None
        self._tokens: dict[tuple[Role, str], str] = {}
        self._environment = environment(settings, ADMIN_PORT=str(self.port), **more)
        self._log = log

    def start(self) -> Self:
        with self._log.open("ab") as log:
            self.process = AntrianProcess(
                ["admin"], env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        wait_until(self._answers, 60, f"the admin side answers; its log: {self.log()}")
        return self

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def ready(self) -> Self:
        """Wait until the history is caught up."""
        wait_until(lambda: requests.get(f"{self.url}/readyz", timeout=60).ok, 60, "the admin side is ready")
        return self

    def token(self, role: Role, name: str = "") -> str:
        """A new token; somebody with a name has one for each role."""
        if not name or (role, name) not in self._tokens:
            self._tokens[role, name] = TokenFile(self.settings.tokens_file).create(role, name or None, time.time())[1]
        return self._tokens[role, name]

    def client(self, role: Role | None, name: str = "") -> "Client":
        """A client with a token of a role; None for a stranger."""
        return Client(self, self.token(role, name) if role else "")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return requests.get(f"{self.url}/healthz", timeout=60).ok
        except requests.RequestException:
            return False

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(60)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


class Client:
    """Asks the admin side; addresses that begin with `/admin` or are at the root are taken as they are."""

    def __init__(self, server: AdminServer, token: str) -> None:
        self._url = server.url
        self._session = requests.Session()
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any answer; `path` without the prefix, or with `//` in front for the root."""
        address = path[1:] if path.startswith("//") else f"{PREFIX}{path}"
        options.setdefault("timeout", 60)
        return self._session.request(method, f"{self._url}{address}", allow_redirects=False, **options)

    def get(self, path: str, **parameters: Any) -> Any:
        return self._json(self.ask("GET", path, params=parameters))

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self._json(self.ask("POST", path, json=body, **options))

    def delete(self, path: str, body: Any) -> Any:
        return self._json(self.ask("DELETE", path, json=body))

    def _json(self, answer: requests.Response) -> Any:
        assert answer.ok, f"{answer.status_code}: {answer.text}"
        return answer.json()
