"""Who is asking: the one place that turns a token or a cookie into a client."""

import math
import time
from collections.abc import Callable

import structlog
from starlette.requests import HTTPConnection

from admin_api.auth.errors import AccessUnreadable
from admin_api.auth.request_state import Actor
from admin_api.auth.roles import Role
from admin_api.auth.sessions import COOKIE, LoginSession, Sessions
from admin_api.auth.throttle import Throttle
from admin_api.auth.tokens import Token, TokenFile
from admin_api.problems import Problem
from antrian.domain.settings import Settings

#: Longer than any token of ours; more is not even hashed.
_LONGEST_TOKEN = 200

_log = structlog.get_logger("antrian.access")


class Authenticator:
    """Knows tokens and sessions, and slows down those who guess. For one event loop.

    Args:
        settings: `tokens_file` is used; keys, codes and ended sessions are kept beside it.
        clock: unix seconds.
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.sessions = Sessions(settings.tokens_file.parent)
        self._tokens = TokenFile(settings.tokens_file)
        self._monotonic = monotonic
        self._throttle = Throttle()
        self._trouble = ""

    def identify(self, request: HTTPConnection) -> Actor | None:
        """Who asks; None without a login, or after the session has ended. A Bearer token counts before a cookie.

        Raises:
            Problem: 401 for a wrong token, 429 for too many of them.
            AccessUnreadable: no client can be authenticated now.
        """
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            token = self.check(sent.strip(), request)
            return Actor(token.name, token.role, "api", token.id)
        if found := self.session(request):
            session, token = found
            return Actor(token.name, token.role, "web", token.id, session.csrf)
        return None

    def check(self, text: str, request: HTTPConnection) -> Token:
        """The token behind its text.

        Raises:
            Problem: 401 if it is wrong, 429 if too many were.
            AccessUnreadable: no client can be authenticated now.
        """
        token = self._tokens.verify(text) if len(text) <= _LONGEST_TOKEN else None
        if token:
            return token
        if wait := self._throttle.wrong(address_of(request), self._monotonic()):
            raise too_many(wait)
        raise unauthenticated("this token is wrong, or revoked", code="wrong-token")

    def still_welcomes(self, actor: Actor, request: HTTPConnection) -> bool:
        """Whether a client that was authenticated would be authenticated again now."""
        try:
            if actor.via == "web":
                return self.session(request) is not None
            token = self._tokens.tokens().get(actor.token_id)
        except AccessUnreadable:
            return False
        return token is not None and token.role is actor.role

    def session(self, request: HTTPConnection) -> tuple[LoginSession, Token] | None:
        """The session that a request's cookie stands for, if it is still good."""
        cookie = request.cookies.get(COOKIE)
        return self.sessions.read(cookie, self.token, self.clock()) if cookie else None

    def token(self, token_id: str) -> Token | None:
        """A token that may log in to the pages, by its id."""
        token = self._tokens.tokens().get(token_id)
        return None if token is None or token.role is Role.PUBLISHER else token

    def unavailable(self, error: AccessUnreadable) -> Problem:
        """What people see while a file about access is broken; the log says which one and why, once."""
        if self._trouble != str(error):
            self._trouble = str(error)
            _log.error("access.unreadable", reason=self._trouble)
        detail = (
            "nobody can log in until an administrator corrects the access file; the log of the admin process names it"
        )
        return Problem(503, detail=detail, code="access-unreadable")


def address_of(request: HTTPConnection) -> str:
    """The client's address as the socket or a trusted proxy says; what others claim in headers counts for nothing."""
    return request.client.host if request.client else "unknown"


def unauthenticated(detail: str, *, code: str = "unauthenticated") -> Problem:
    """The client did not authenticate."""
    return Problem(401, "You are not logged in", detail, code=code, headers={"WWW-Authenticate": "Bearer"})


def too_many(wait: float) -> Problem:
    """Too many wrong tokens; `wait` in seconds."""
    seconds = math.ceil(wait)
    detail = f"too many wrong tokens; try again in {seconds} s"
    return Problem(429, detail=detail, code="throttled", headers={"Retry-After": str(seconds)})
