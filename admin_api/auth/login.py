"""In and out with a browser: `POST login`, `GET login?once=CODE`, `POST logout`. The form itself is a page."""

import html
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match
from starlette.types import Scope

from admin_api.auth import csrf
from admin_api.auth.authentication import Authenticator
from admin_api.auth.errors import AccessUnreadable
from admin_api.auth.login_links import redeem
from admin_api.auth.request_state import Actor, state_of_request
from admin_api.auth.sessions import COOKIE, LONGEST
from admin_api.auth.tokens import Token
from admin_api.auth.urls import LOGIN, LOGOUT, inside, login_address
from admin_api.problems import Problem

_ERRORS = {401: "wrong", 403: "role", 429: "throttled", 503: "unavailable"}


class _WithCode(APIRoute):
    """Matches a login by link only; the same address without a code is the page with the form."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this route is meant."""
        has_code = b"once=" in scope.get("query_string", b"")
        return super().matches(scope) if has_code else (Match.NONE, {})


class _Door:
    """The three ways through it."""

    def __init__(self, keeper: Authenticator) -> None:
        self._keeper = keeper

    async def by_link(self, request: Request, once: str) -> Response:
        """Log in with a code that is good once."""
        keeper, visit = self._keeper, state_of_request(request.scope)
        try:
            token_id = await run_in_threadpool(redeem, keeper.settings, once, keeper.clock())
            token = keeper.token(token_id) if token_id else None
        except AccessUnreadable as error:
            return _refused(request, keeper.unavailable(error), next_page="")
        visit.is_audited = True
        if token is None:
            visit.refusal = "this link was already used, or has expired"
            return _redirect(login_address(error="link"))
        return _welcome(keeper, request, token, next_page="")

    async def by_token(self, request: Request) -> Response:
        """Log in with a token, from the form or as JSON."""
        fields = await _fields(request)
        next_page = str(fields.get("next") or "")
        try:
            token = _checked(self._keeper, request, str(fields.get("token") or "").strip())
        except Problem as problem:
            return _refused(request, problem, next_page=next_page)
        return _welcome(self._keeper, request, token, next_page=next_page)

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        keeper = self._keeper
        try:
            if found := keeper.session(request):
                await run_in_threadpool(keeper.sessions.end, found[0], keeper.clock())
        except AccessUnreadable as error:
            # Better to say that a copy of the cookie would still be good than to pretend that it is not.
            raise keeper.unavailable(error) from error
        response = _redirect(LOGIN)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response


def login_router(keeper: Authenticator) -> APIRouter:
    """The routes; include them before those of the pages."""
    door = _Door(keeper)
    router = APIRouter(include_in_schema=False)
    router.add_api_route(LOGIN, door.by_link, methods=["GET"], route_class_override=_WithCode)
    router.add_api_route(LOGIN, door.by_token, methods=["POST"])
    router.add_api_route(LOGOUT, door.log_out, methods=["POST"])
    return router


def _checked(keeper: Authenticator, request: Request, text: str) -> Token:
    if csrf.is_foreign(request.headers):
        raise Problem(403, "Not sent by this dashboard", "another website sent this request", code="csrf")
    try:
        token = keeper.check(text, request)
        if keeper.token(token.id) is None:
            raise Problem(
                403, detail="a publisher's token can only publish; it does not open the dashboard", code="role"
            )
    except AccessUnreadable as error:
        raise keeper.unavailable(error) from error
    return token


def _welcome(keeper: Authenticator, request: Request, token: Token, *, next_page: str) -> Response:
    """To the page that was wanted, with a new session."""
    try:
        cookie = keeper.sessions.begin(token, keeper.clock())
    except AccessUnreadable as error:
        return _refused(request, keeper.unavailable(error), next_page=next_page)
    state_of_request(request.scope).actor = Actor(token.name, token.role, "web", token.id)
    response = _redirect(inside(next_page))
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, cookie, max_age=int(LONGEST), path="/", secure=secure, httponly=True, samesite="strict")
    return response


def _refused(request: Request, problem: Problem, *, next_page: str) -> Response:
    """Back to the form, which says why; programs get the problem itself."""
    state_of_request(request.scope).refusal = problem.detail
    if problem.code == "csrf" or _is_json(request):
        raise problem
    address = login_address(error=_ERRORS[problem.status_code], next_page=next_page)
    if problem.status_code != 429:  # noqa: PLR2004 (too many requests)
        return _redirect(address)
    # A redirect could not carry the status that tells programs to wait.
    there = html.escape(address)
    page = f'<!doctype html><meta http-equiv="refresh" content="0; url={there}"><a href="{there}">…</a>'
    return HTMLResponse(page, problem.status_code, problem.headers)


async def _fields(request: Request) -> dict[str, Any]:
    if not _is_json(request):
        async with request.form(max_files=0, max_fields=10) as form:
            return dict(form)
    try:
        values = await request.json()
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise Problem(422, detail='send {"token": "…"}', code="invalid")
    return values


def _is_json(request: Request) -> bool:
    return "json" in request.headers.get("content-type", "")


def _redirect(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303)
