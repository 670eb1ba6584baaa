"""A small app behind the whole of access control, and somebody who knocks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Form
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from admin_api import problems
from admin_api.auth.audit_entry import AuditEntry
from admin_api.auth.authentication import Authenticator
from admin_api.auth.authorization import Actor, require, require_page
from admin_api.auth.middleware import guard_app
from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile
from admin_api.auth.urls import LOGIN, PREFIX
from antrian.domain.settings import load_settings

NOON = 1_800_000_000.0


class Order(BaseModel):
    """What `POST /clear` takes."""

    scope: str
    count: int = 0


class House:
    """The app, its tokens, its clock and its record."""

    def __init__(self, folder: Path) -> None:
        self.settings = load_settings({"ANTRIAN_HOME": str(folder)})
        self.tokens = TokenFile(self.settings.tokens_file)
        self.now = NOON
        self.entries: list[AuditEntry] = []
        self.keeper = Authenticator(self.settings, clock=lambda: self.now, monotonic=lambda: self.now)
        self.app = FastAPI(redirect_slashes=False)
        problems.install(self.app)
        guard_app(self.app, self.keeper, self)
        _furnish_api(self.app)
        _furnish_pages(self.app)

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def token(self, role: Role | str = Role.ADMIN, name: str | None = None) -> str:
        """A new token's text."""
        return self.tokens.create(Role(role), name, self.now)[1]

    def visitor(self, token: str = "", **headers: str) -> "Visitor":
        more = {"Authorization": f"Bearer {token}"} if token else {}
        return Visitor(self.app, more | headers)

    def browser(self, role: Role | str = Role.ADMIN) -> "Visitor":
        """Somebody who has logged in."""
        visitor = self.visitor()
        assert visitor.post(LOGIN, data={"token": self.token(role)}).status_code == 303
        return visitor


class Visitor:
    """An HTTP client without a network, with a jar for cookies."""

    def __init__(self, app: Any, headers: dict[str, str], address: str = "127.0.0.1") -> None:
        transport = httpx.ASGITransport(app=app, client=(address, 50000))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://house", headers=headers)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        path = path if path.startswith(("/", "http")) else f"{PREFIX}/{path}"
        return asyncio.run(self.client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("POST", path, **more)

    def csrf(self) -> str:
        return str(self.get("me").json()["csrf"])


def _furnish_api(app: FastAPI) -> None:
    @app.get(f"{PREFIX}/me")
    async def me(actor: Annotated[Actor, Depends(require("viewer"))]) -> dict[str, str]:
        return {"label": actor.label, "role": actor.role, "csrf": actor.csrf}

    @app.post(f"{PREFIX}/pause")
    async def pause(actor: Annotated[Actor, Depends(require("operator"))]) -> dict[str, str]:
        return {"by": actor.label}

    @app.post(f"{PREFIX}/clear")
    async def clear(actor: Annotated[Actor, Depends(require("admin"))], order: Order) -> dict[str, str]:
        return {"by": actor.label, "scope": order.scope}

    @app.post(f"{PREFIX}/undo/{{undo_id}}")
    async def undo(undo_id: str, actor: Annotated[Actor, Depends(require("admin"))]) -> dict[str, str]:
        return {"by": actor.label, "undo_id": undo_id}

    @app.get(f"{PREFIX}/failed/export")
    async def export(_actor: Annotated[Actor, Depends(require("admin"))]) -> str:
        return "a,b"

    @app.post("/messages")
    async def publish(actor: Annotated[Actor, Depends(require("publisher"))]) -> dict[str, str]:
        return {"by": actor.label}


def _furnish_pages(app: FastAPI) -> None:
    @app.get(f"{PREFIX}/forgotten")
    async def forgotten() -> str:
        return "a route whose author forgot its guard"

    @app.get(f"{PREFIX}/boom")
    async def boom() -> str:
        raise RuntimeError("+6281234567890 is private")

    @app.post(f"{PREFIX}/note")
    async def note(_actor: Annotated[Actor, Depends(require("operator"))], text: Annotated[str, Form()]) -> Response:
        return PlainTextResponse(text)

    @app.get(f"{PREFIX}/activity")
    async def activity(_actor: Annotated[Actor, Depends(require_page("admin"))]) -> PlainTextResponse:
        return PlainTextResponse("page")

    @app.get(f"{PREFIX}/events")
    async def events(_actor: Annotated[Actor, Depends(require("viewer"))]) -> StreamingResponse:
        return StreamingResponse(_without_end(), media_type="text/event-stream")

    @app.get(f"{PREFIX}/static/app.js")
    async def script() -> PlainTextResponse:
        return PlainTextResponse("1", headers={"Cache-Control": "max-age=60"})

    @app.get(LOGIN)
    async def form() -> PlainTextResponse:
        return PlainTextResponse("the form")

    @app.get("/healthz")
    async def healthz() -> str:
        return "alive"


async def _without_end() -> AsyncIterator[bytes]:
    while True:
        yield b"data: tick\n\n"
        await asyncio.sleep(0.01)
