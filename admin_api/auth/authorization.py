"""What a route says about who may use it: `Depends(require(Role.OPERATOR))`."""

from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from admin_api.auth.authentication import unauthenticated
from admin_api.auth.request_state import Actor, state_of_request
from admin_api.auth.roles import Role, allows
from admin_api.auth.sessions import COOKIE
from admin_api.auth.urls import login_address
from admin_api.problems import Problem

__all__ = ["Actor", "Authorization", "require", "require_page"]

# For the description of the API only: the gate has looked at both already.
_TOKEN = HTTPBearer(scheme_name="token", description="From `antrian token create`.", auto_error=False)
_SESSION = APIKeyCookie(name=COOKIE, scheme_name="session", description="From the login page.", auto_error=False)


class Authorization:
    """A dependency that gives the actor to those who may, and a problem to everybody else.

    Attributes:
        needed: the least role, or `publisher`.
    """

    def __init__(self, needed: Role, *, is_page: bool) -> None:
        self.needed = needed
        self._is_page = is_page

    async def __call__(
        self,
        request: Request,
        _token: Annotated[HTTPAuthorizationCredentials | None, Security(_TOKEN)] = None,
        _session: Annotated[str | None, Security(_SESSION)] = None,
    ) -> Actor:
        """Who asks, if they may.

        Raises:
            Problem: 401 or, for pages, a way to the login when the client is unknown; 403 when the role is not enough.
        """
        visit = state_of_request(request.scope)
        if visit.actor is None:
            # The middleware lets no unknown client come here; without it, no request comes in at all.
            if self._is_page:
                raise Problem(303, headers={"Location": login_address(next_page=request.url.path)})
            raise unauthenticated("send a token: Authorization: Bearer …")
        if not allows(visit.actor.role, self.needed):
            visit.refusal = f"this needs the role {self.needed}; {visit.actor.name} has the role {visit.actor.role}"
            raise Problem(403, detail=visit.refusal, code="role", needed=self.needed, role=visit.actor.role)
        return visit.actor


def require(role: Role | str) -> Authorization:
    """The dependency for a route of the API: for clients with at least this role (or, for `publisher`, exactly it)."""
    return Authorization(Role(role), is_page=False)


def require_page(role: Role | str) -> Authorization:
    """The dependency for a page: like `require`, but a visitor without a login is sent to the login page."""
    return Authorization(Role(role), is_page=True)
