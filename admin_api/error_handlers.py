"""Antrian's own errors as HTTP answers: what a caller can do about each decides its status."""

from fastapi import FastAPI, Request
from starlette.responses import Response

from admin_api.problems import Problem, answer
from admin_api.publishing import AWAY_CODE, AWAY_DETAIL, RETRY_AFTER
from antrian.contacts.book import ContactsLost
from antrian.contacts.follower import ContactsBehind
from antrian.domain.errors import AntrianError, BrokerError, BrokerUnreachable, MalformedMessage
from antrian.history.queries.cursor import BadCursor
from antrian.operations.dead_letters.errors import HistoryBehind, NotThere, TooLate
from antrian.operations.lane.cancelling import NotCancelled
from antrian.operations.lane.clear_filter import PartlyUnclearable
from antrian.operations.lane.release_filter import NotReleasable
from antrian.operations.lane.try_one import NotTried

_AWAY = 503
_UNKNOWN = 404
_TRY_AGAIN = {"Retry-After": str(RETRY_AFTER)}

#: Status, title and code of an error; the first kind that fits counts.
_MEANINGS: dict[type[AntrianError], tuple[int, str, str]] = {
    BadCursor: (400, "No such page", "bad-cursor"),
    NotThere: (404, "Not found", "unknown"),
    PartlyUnclearable: (409, "Not possible with this lane", "quorum-lane"),
    NotReleasable: (409, "Nothing to release", "not-releasable"),
    TooLate: (409, "Too late", "too-late"),
    HistoryBehind: (_AWAY, "Not yet", "history-behind"),
    ContactsBehind: (_AWAY, "Not yet", "contacts-behind"),
    ContactsLost: (_AWAY, "Not yet", "contacts-behind"),
    BrokerError: (_AWAY, "The broker cannot do this now", "broker-unavailable"),
}


def install(app: FastAPI) -> None:
    """Have every error of ours answered as a problem."""

    @app.exception_handler(AntrianError)
    async def refuse(_request: Request, error: Exception) -> Response:
        if not isinstance(error, AntrianError):
            raise error
        problem = problem_of(error)
        if problem is None:
            raise error
        return answer(problem)


def problem_of(error: AntrianError) -> Problem | None:
    """What an HTTP client is told; None for what it can do nothing about."""
    if isinstance(error, MalformedMessage):
        sentences = [{"field": name, "problem": sentence} for name, sentence in error.fields.items()]
        return Problem(422, "The message cannot be sent", str(error), code=error.code, errors=sentences)
    if isinstance(error, NotCancelled):
        status = _UNKNOWN if error.code == "unknown-message" else 409
        return Problem(status, "No such message" if status == _UNKNOWN else "Too late", str(error), code=error.code)
    if isinstance(error, NotTried):
        is_away = error.code in {"no-consumer", "no-answer"}
        headers = _TRY_AGAIN if is_away else None
        title = "No consumer is running" if is_away else "Not now"
        return Problem(_AWAY if is_away else 409, title, str(error), code=error.code, headers=headers)
    if isinstance(error, BrokerUnreachable):
        title = _MEANINGS[BrokerError][1]
        return Problem(_AWAY, title, AWAY_DETAIL, code=AWAY_CODE, headers=_TRY_AGAIN, reason=str(error))
    for kind, (status, title, code) in _MEANINGS.items():
        if isinstance(error, kind):
            return Problem(status, title, str(error), code=code, headers=_TRY_AGAIN if status == _AWAY else None)
    return None
