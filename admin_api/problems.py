"""Every error as RFC 9457 says: `application/problem+json`, in words that never repeat what was sent."""

import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger("antrian.web")


class Problem(HTTPException):
    """An answer that is not what was asked for.

    It is one of the framework's own exceptions, because only those come through a body that is being read.

    Args:
        status: of HTTP.
        title: a few constant words; those of the status by default.
        detail: one sentence for people about this one case.
        code: a short constant for machines.
        headers: more headers for the answer.
        extra: more members of the answer.
    """

    def __init__(
        self,
        status: int,
        title: str = "",
        detail: str = "",
        *,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.title = title or _phrase(status)
        self.code = code
        self.extra = extra

    @property
    def status(self) -> int:
        """The status of HTTP."""
        return self.status_code


class ProblemResponse(JSONResponse):
    """The answer that carries a problem."""

    media_type = MEDIA_TYPE


def answer(problem: Problem) -> Response:
    """The answer for a problem."""
    content = {"type": "about:blank", "title": problem.title, "status": problem.status_code}
    content |= {"detail": problem.detail} if problem.detail else {}
    content |= {"code": problem.code} if problem.code else {}
    return ProblemResponse(content | problem.extra, problem.status_code, problem.headers)


def install(app: FastAPI) -> None:
    """Make every error of an app a problem. Call it before any other middleware is added: this is the innermost."""
    app.exception_handler(HTTPException)(_framework_error)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.add_middleware(LastResort)


class LastResort:
    """Answers with 500 when nothing else did; inside all other middleware, so that the answer passes through them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watching(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watching)
        except ClientDisconnect:
            pass  # no client is left to answer
        except Exception as error:
            # Not its text: that may hold a number or a message.
            _log.error("request.failed", error=type(error).__name__, where=_places(error))
            if has_begun:
                raise
            problem = Problem(
                500, detail="Something went wrong on the server; its log has the details.", code="internal"
            )
            await answer(problem)(scope, receive, send)


async def _framework_error(_request: Request, error: HTTPException) -> Response:
    if isinstance(error, Problem):
        return answer(error)
    title = _phrase(error.status_code)
    detail = "" if error.detail == title else str(error.detail)
    return answer(Problem(error.status_code, title, detail, headers=error.headers))


async def _invalid_request(_request: Request, error: RequestValidationError) -> Response:
    return answer(invalid(error.errors()))


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem for what pydantic complains about: where and why, never what was sent."""
    fields = [{"field": _place(error["loc"]), "problem": _complaint(error)} for error in errors]
    detail = "; ".join(f"{one['field']}: {one['problem']}" for one in fields[:3])
    return Problem(422, "The request cannot be understood", detail, code="invalid", errors=fields)


def _place(location: Sequence[str | int]) -> str:
    # An unknown member's name is of the sender's choosing.
    return ".".join(str(part)[:40] for part in location)


def _complaint(error: Mapping[str, Any]) -> str:
    # A validator of ours says what is wrong in words of its own, which may quote; the library's kinds do not.
    about = error.get("ctx", {})
    match error["type"]:
        case "string_too_long":
            return f"must have at most {about['max_length']} characters"
        case "less_than_equal":
            return f"must be at most {about['le']}"
        case "greater_than_equal":
            return f"must be at least {about['ge']}"
    return "is not JSON" if error["type"] == "json_invalid" else str(error["msg"]).removeprefix("Value error, ")


def _places(error: Exception) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
