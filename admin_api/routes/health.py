"""Whether the process lives and is of use; open to everybody, so nothing here is worth knowing."""

import asyncio

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from admin_api.dependencies import PartsHere, Services
from admin_api.openapi import problems
from admin_api.problems import Problem
from admin_api.status_query import read_history
from antrian.domain.errors import BrokerError
from antrian.operations.lane.observer import LaneObserver, Reading

router = APIRouter(tags=["health"])

#: Seconds that the history may be behind before this process calls itself not ready.
_MOST_BEHIND = 30.0

_PATIENCE = 2.0

#: Seconds for which an answer about metrics serves everybody who asks.
_SHARED_FOR = 1.0


class Health(BaseModel):
    """That it is well."""

    status: str = "ok"


@router.get("/healthz")
async def healthz() -> Health:
    """The process lives."""
    return Health()


@router.get("/readyz", responses={503: problems(503)[503]})
async def readyz(parts: PartsHere) -> Health:
    """The broker answers, and the history is caught up."""
    questions = [asyncio.wrap_future(observer.ask()) for observer in parts.observers.values()]
    try:
        await asyncio.wait_for(asyncio.gather(*questions), _PATIENCE)
    except (BrokerError, TimeoutError) as error:
        raise Problem(503, "Not ready", "the broker does not answer", code="broker-unavailable") from error
    if parts.history.position().checked_at is None or parts.follower.lag_seconds > _MOST_BEHIND:
        raise Problem(503, "Not ready", "the history is being read", code="history-behind")
    return Health()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(parts: PartsHere) -> Response:
    """Counts for Prometheus; no number, text or key is among them."""
    # It is open to everybody, and counting is not free: whoever asks again within a second gets the same answer.
    if (known := parts.metrics.latest(_SHARED_FOR)) is None:
        known = await _measure(parts)
    body, content_type = known
    return Response(body, media_type=content_type)


async def _measure(parts: Services) -> tuple[bytes, str]:
    answers = await asyncio.gather(*map(_reading, parts.observers.values()))
    readings = dict(zip(parts.observers, answers, strict=True))
    parts.metrics.observe_lanes(readings)
    parts.metrics.observe_history(await run_in_threadpool(read_history, parts), readings)
    return parts.metrics.render()


async def _reading(observer: LaneObserver) -> Reading | None:
    try:
        return await asyncio.wait_for(asyncio.wrap_future(observer.ask()), _PATIENCE)
    except (BrokerError, TimeoutError):
        return None
