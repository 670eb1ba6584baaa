"""`GET /events`: server-sent events for the dashboard."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from admin_api.broadcast import public_event
from admin_api.dependencies import LaneToShow, Services, ServicesHere, Viewer, services_of
from admin_api.error_handlers import problem_of
from admin_api.message_facts import NOTHING_KNOWN
from admin_api.openapi import problems
from admin_api.status_query import read_status
from antrian.domain.errors import BrokerError

router = APIRouter(tags=["live"])


#: Seconds between two readings when nothing happens, and at least however much happens.
_PERIOD = 1.0
_SHORTEST_PERIOD = 0.25

#: After which a browser whose stream broke tries again.
_RETRY_MILLISECONDS = 2_000


@router.get("/events", response_class=EventSourceResponse, responses=problems(404))
async def events(
    request: Request, services: ServicesHere, lane: LaneToShow, actor: Viewer
) -> AsyncIterator[ServerSentEvent]:
    """The lane live.

    `status` is what `GET /status` answers; `past` and `event` are what happened and what happens, with the message's
    `phone_number`, `source_service` and `priority` where the history knows them, null where it does not; `trouble`
    tells that the broker is away.
    """
    listener = services.broadcast.listener(lane)
    clock = asyncio.get_running_loop().time
    try:
        yield ServerSentEvent(event="hello", data={"lane": lane, "role": actor.role.value}, retry=_RETRY_MILLISECONDS)
        # So that a page that was just opened is not empty.
        latest = [public_event(event) for event in services.observer.latest(lane)]
        for value in await _with_facts(services, latest, masked=actor.is_masked, again=False):
            yield ServerSentEvent(event="past", data=value)
        read_at, due = 0.0, 0.0
        answered_at = time.time()
        # Other lanes may be served meanwhile; a lane that is gone is no longer told of.
        while not listener.is_closed and lane in (services := services_of(request)).settings.lanes:
            taken = await listener.take(max(0.0, due - clock()))
            values = await _with_facts(services, [news.value for news in taken], masked=actor.is_masked)
            for news, value in zip(taken, values, strict=True):
                yield ServerSentEvent(event=news.kind, data=value)
                due = min(due, read_at + _SHORTEST_PERIOD)
            if clock() >= due:
                reading = await _reading(services, lane, answered_at, masked=actor.is_masked)
                answered_at = time.time() if reading.event == "status" else answered_at
                yield reading
                read_at = clock()
                due = read_at + _PERIOD
    finally:
        services.broadcast.forget(listener)


async def _with_facts(
    services: Services, events: list[dict[str, Any]], *, masked: bool, again: bool = True
) -> list[dict[str, Any]]:
    """The events with whom each message goes to, as the reader may see it."""
    known = await services.known_messages.look_up([event["message_id"] for event in events], again=again)
    facts = {message_id: found.as_json(masked=masked) for message_id, found in known.items()}
    return [{**event, **facts.get(event["message_id"], NOTHING_KNOWN)} for event in events]


async def _reading(services: Services, lane: str, answered_at: float, *, masked: bool) -> ServerSentEvent:
    try:
        status = await read_status(services, lane, masked=masked)
    except BrokerError as error:
        return ServerSentEvent(event="trouble", data=_trouble(error, services.observer.away_since or answered_at))
    value: dict[str, Any] = status.model_dump(mode="json")
    return ServerSentEvent(event="status", data=value)


def _trouble(error: BrokerError, since: float) -> dict[str, Any]:
    """The words and the code of a refusal, and since when there has been no answer."""
    problem = problem_of(error)
    about = {"detail": problem.detail, "code": problem.code} if problem else {"detail": str(error), "code": ""}
    return about | {"since": since, "reason": str(error)}
