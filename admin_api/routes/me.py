"""Who is asking."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from admin_api.auth.roles import Role
from admin_api.dependencies import Viewer
from admin_api.openapi import problems

router = APIRouter(tags=["access"])


class Me(BaseModel):
    """Who is asking."""

    name: str
    role: Role
    csrf: str = Field(description="What unsafe requests with the cookie send as X-CSRF-Token.")
    masked: bool = Field(description="Whether numbers are masked and texts left out.")


@router.get("/me", responses=problems())
def me(actor: Viewer) -> Me:
    """Who the server takes you for."""
    return Me(name=actor.name, role=actor.role, csrf=actor.csrf, masked=actor.is_masked)
