"""One request and what access control found out about it; every layer finds it in the request's scope."""

from dataclasses import dataclass
from typing import Literal

from starlette.types import Scope

from admin_api.auth.roles import Role

_KEY = "antrian.visit"


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated client.

    Attributes:
        name: of the token.
        role: of the token, now.
        via: `api` with the token itself, `web` with a session.
        token_id: which token.
        csrf: what unsafe requests of the session must carry; empty for `api`.
    """

    name: str
    role: Role
    via: Literal["api", "web"]
    token_id: str
    csrf: str = ""

    @property
    def label(self) -> str:
        """Who acts, for the journal."""
        return f"{self.via}:{self.name}"

    @property
    def is_masked(self) -> bool:
        """Whether numbers are masked and texts left out for them."""
        return self.role is Role.VIEWER


@dataclass(slots=True)
class RequestState:
    """What is known about a request so far.

    Attributes:
        actor: who asks; None without a login.
        refusal: why it was refused, in a sentence without secrets; empty when it was not.
        is_audited: whether it goes on record although it is neither unsafe nor an export.
        is_dry_run: whether it only asked what would be done.
    """

    actor: Actor | None = None
    refusal: str = ""
    is_audited: bool = False
    is_dry_run: bool = False


def state_of_request(scope: Scope) -> RequestState:
    """The visit that belongs to a request's scope."""
    visit: RequestState = scope.setdefault(_KEY, RequestState())
    return visit
