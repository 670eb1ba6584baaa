"""How the API describes itself: every error of every route is a problem document."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field


class ProblemDocument(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(examples=["about:blank"])
    title: str
    status: int
    detail: str | None = None
    code: str | None = Field(default=None, description="A short constant for machines.")


#: What every guarded route may answer.
_ALWAYS = (400, 401, 403, 413, 422, 429)

_SAID = {
    400: "The request cannot be understood.",
    401: "You are not logged in, or the token is not valid.",
    403: "The role does not allow this.",
    404: "Not found.",
    409: "Not possible in its present state.",
    413: "The body is too large.",
    415: "The body is of the wrong kind.",
    422: "The request is well formed, but not valid.",
    429: "Too many wrong tokens, or too many numbers that are not here; wait.",
    503: "Not now, mostly because the broker is away; `Retry-After` says when to try again.",
    507: "The server's disk is full.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer these errors, besides those that every guarded route may."""
    return {
        status: {
            "description": _SAID[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for status in sorted({*_ALWAYS, *statuses})
    }


def describe(app: FastAPI) -> None:
    """Have the app's OpenAPI document say what a problem document is."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            document["components"]["schemas"]["ProblemDocument"] = ProblemDocument.model_json_schema()
            app.openapi_schema = document
        return app.openapi_schema

    # FastAPI's documented way to extend its description.
    app.openapi = openapi  # type: ignore[method-assign]
