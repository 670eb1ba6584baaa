"""Whether the process lives and is of use; open to everybody, so nothing here is worth knowing."""

import asyncio

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from admin_api.dependencies import Services, ServicesHere
from admin_api.openapi import problems
from admin_api.problems import Problem
from admin_api.status_query import read_history
from antrian.domain.errors import BrokerError
from antrian.operations.lane.look_at_all import Readings

router = APIRouter(tags=["health"])

#: Seconds that the history may be behind before this process calls itself not ready.
_MOST_BEHIND = 30.0

#: Seconds for a look at all lanes, and more for each of them: it takes about a millisecond.
_PATIENCE = 2.0
_PATIENCE_PER_LANE = 0.01

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
async def readyz(services: ServicesHere) -> Health:
    """The broker answers, every lane is there, the threads in the background run, and the history is caught up."""
    # A process that lives and no longer sees or records anything is of no use; it is being started again meanwhile.
    lost = [
        name
        for name, part in (
            ("observer", services.observer),
            ("history", services.follower),
            ("reports", services.reports),
        )
        if not part.is_well
    ]
    if lost:
        raise Problem(
            503, "Not ready", f"a thread was lost and is started again: {', '.join(lost)}", code="thread-lost"
        )
    # A look at all lanes may be some seconds old; the broker is asked about one of them at once.
    questions = asyncio.gather(
        asyncio.wrap_future(services.observer.ask_all()),
        asyncio.wrap_future(services.observer.ask(services.observer.lanes[0])),
    )
    try:
        readings, _ = await asyncio.wait_for(questions, _patience(services))
    except (BrokerError, TimeoutError) as error:
        raise Problem(503, "Not ready", "the broker does not answer", code="broker-unavailable") from error
    if missing := [lane for lane, reading in readings.items() if reading is None]:
        detail = f"the broker has no lane {missing[0]}: run `antrian topology apply`"
        raise Problem(503, "Not ready", detail, code="broker-unavailable")
    if services.history.position().checked_at is None or services.follower.lag_seconds > _MOST_BEHIND:
        raise Problem(503, "Not ready", "the history is being read", code="history-behind")
    return Health()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(services: ServicesHere) -> Response:
    """Counts for Prometheus; no number, text or key is among them."""
    # It is open to all, and counting is not free: requests within a second get the same answer.
    if (known := services.metrics.latest(_SHARED_FOR)) is None:
        known = await _measure(services)
    body, content_type = known
    return Response(body, media_type=content_type)


async def _measure(services: Services) -> tuple[bytes, str]:
    readings: Readings
    try:
        readings = await asyncio.wait_for(asyncio.wrap_future(services.observer.ask_all()), _patience(services))
    except (BrokerError, TimeoutError):
        readings = dict.fromkeys(services.observer.lanes)
    services.metrics.observe_lanes(readings)
    services.metrics.observe_history(await run_in_threadpool(read_history, services), readings)
    return services.metrics.render()


def _patience(services: Services) -> float:
    """Seconds that a look at all lanes may take."""
    return _PATIENCE + _PATIENCE_PER_LANE * len(services.observer.lanes)
