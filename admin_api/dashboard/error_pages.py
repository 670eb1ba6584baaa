"""Errors for people: where a browser asked for a page, a problem document becomes one."""

import json
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.dashboard import translation
from admin_api.dashboard.templating import language_of, render

_PROBLEM = "application/problem+json"


class ErrorPages:
    """ASGI middleware that shows problems to people as pages, and leaves them to programs as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", ""):
            send = _Translator(Request(scope), send)
        await self._app(scope, receive, send)


class _Translator:
    """Passes an answer on; one that is a problem is held until it is whole."""

    def __init__(self, request: Request, send: Send) -> None:
        self._request = request
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page(self._start)

    async def _send_page(self, start: Message) -> None:
        page = error_page(self._request, start["status"], json.loads(self._body))
        headers = MutableHeaders(raw=list(start["headers"]))
        headers.update({name: page.headers[name] for name in ("content-type", "content-length", "content-language")})
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": bytes(page.body)})


def error_page(request: Request, status: int, problem: dict[str, Any]) -> Any:
    """What a person sees instead of a problem document."""
    detail = translation.sentence(language_of(request), problem.get("detail", ""))
    return render(request, "error.html", {"status": status, "detail": detail[:1].upper() + detail[1:]}, status=status)


def _is_problem(start: Message) -> bool:
    is_redirect = 300 <= start["status"] < 400  # noqa: PLR2004 (HTTP's own classes)
    return not is_redirect and Headers(raw=start["headers"]).get("content-type", "").startswith(_PROBLEM)
