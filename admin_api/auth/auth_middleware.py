"""Closed by default: nothing but the open addresses is reached by anybody who has not proved who they are.

This runs before any route is looked for and before any body is read, so a route that forgot its guard is closed too.
"""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.auth import csrf
from admin_api.auth.authentication import Authenticator, unauthenticated
from admin_api.auth.errors import AccessUnreadable
from admin_api.auth.request_state import Actor, state_of_request
from admin_api.auth.sessions import COOKIE
from admin_api.auth.stream_cutoff import StreamCutoff
from admin_api.auth.urls import is_open, is_safe_method, is_upload, login_address
from admin_api.problems import Problem, answer


class AuthMiddleware:
    """ASGI middleware that finds out who asks, and refuses requests without a login."""

    def __init__(self, app: ASGIApp, *, keeper: Authenticator) -> None:
        self._app = app
        self._keeper = keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        try:
            actor, receive = await self._admit(request, receive)
        except Problem as problem:
            state_of_request(scope).refusal = problem.detail
            await answer(problem)(scope, receive, send)
            return
        await self._app(scope, receive, StreamCutoff(send, lambda: self._keeper.still_welcomes(actor, request)))

    async def _admit(self, request: HTTPConnection, receive: Receive) -> tuple[Actor, Receive]:
        """Let the request in, or raise; its body comes from the returned function."""
        visit = state_of_request(request.scope)
        try:
            visit.actor = self._keeper.identify(request)
        except AccessUnreadable as error:
            raise self._keeper.unavailable(error) from error
        except Problem:
            # A wrong token goes on record, whatever was requested with it.
            visit.is_audited = True
            raise
        if visit.actor is None:
            raise _unauthenticated(request)
        if visit.actor.via == "web" and not is_safe_method(request.scope["method"]):
            receive = await _from_our_pages(request, visit.actor, receive)
        return visit.actor, receive


async def _from_our_pages(request: HTTPConnection, actor: Actor, receive: Receive) -> Receive:
    """Pass on what one of our own pages sent, and nothing that another site made the browser send."""
    sent = request.headers.get(csrf.HEADER)
    # Files are not read here: they may be large, and no form of ours sends one.
    if sent is None and csrf.is_form(request.headers) and not is_upload(request.scope["path"]):
        body = await _read(receive)
        sent, receive = csrf.form_value(body), _again(body, receive)
    if csrf.is_foreign(request.headers):
        raise Problem(403, "Not sent by this dashboard", "another website sent this request", code="csrf")
    if not csrf.is_right(actor.csrf, sent):
        raise Problem(
            403,
            "Not sent by this dashboard",
            "the header X-CSRF-Token is missing or wrong; reload the page",
            code="csrf",
        )
    return receive


def _unauthenticated(request: HTTPConnection) -> Problem:
    """A way to the login for people, 401 for programs."""
    was_known = COOKIE in request.cookies
    if "text/html" not in request.headers.get("accept", ""):
        why = "your session has ended; log in again" if was_known else "send a token: Authorization: Bearer …"
        return unauthenticated(why)
    query = request.url.query
    page = f"{request.url.path}?{query}" if query else request.url.path
    wanted = page if is_safe_method(request.scope["method"]) else ""
    address = login_address(error="expired" if was_known else "", next_page=wanted)
    return Problem(303, detail="log in first", headers={"Location": address})


async def _read(receive: Receive) -> bytes:
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Give out a body that was read already, then go on as before."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
