"""How a lane is doing, and what can be done about it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request

from admin_api.auth.request_state import state_of_request
from admin_api.dependencies import Admin, LaneToChange, LaneToShow, Operator, ServicesHere, Viewer
from admin_api.freshness import fresh_history
from admin_api.openapi import problems
from admin_api.problems import Problem
from admin_api.publishing import publish
from admin_api.schemas.lane import (
    Accepted,
    AcceptedMany,
    ClearAnswer,
    ClearRequest,
    ForceAnswer,
    LaneStatus,
    PauseAnswer,
    RemovalItem,
    Removals,
    SendTest,
    TryAnswer,
    UndoAnswer,
)
from admin_api.status_query import read_status
from antrian.operations.demo_people import registrations
from antrian.operations.lane import control
from antrian.operations.lane.clearing import Clearing
from antrian.operations.lane.partial_clearing import PartialClearing, PendingChoice
from antrian.operations.lane.try_one import try_one as send_one
from publisher.request import MessageRequest

router = APIRouter(tags=["lane"])


#: Clearings and purges that are listed.
_LISTED = 50

#: What a dry run took out.
_NOTHING: Final[dict[str, Any]] = {
    "cleared_queued": 0,
    "cleared_failed": 0,
    "in_flight": 0,
    "undo_id": "",
    "refused": 0,
}


@router.get("/status", responses=problems(404, 503))
async def status(services: ServicesHere, lane: LaneToShow, actor: Viewer) -> LaneStatus:
    """What waits, what is being sent, what goes next, and when the next send is due and why not now."""
    return await read_status(services, lane, masked=actor.is_masked)


@router.post("/pause", responses=problems(404, 503))
def pause(services: ServicesHere, lane: LaneToChange, actor: Operator) -> PauseAnswer:
    """Stop before the next send; it lasts, whatever is restarted meanwhile."""
    return PauseAnswer(**asdict(control.set_paused(services.settings, lane, actor.label, paused=True)))


@router.post("/resume", responses=problems(404, 503))
def resume(services: ServicesHere, lane: LaneToChange, actor: Operator) -> PauseAnswer:
    """Go on sending."""
    return PauseAnswer(**asdict(control.set_paused(services.settings, lane, actor.label, paused=False)))


@router.post("/force-process", responses=problems(404, 503))
def force_process(services: ServicesHere, lane: LaneToChange, actor: Operator) -> ForceAnswer:
    """End the present pause, or the wait for the provider, once; and resume a paused lane."""
    return ForceAnswer(**asdict(control.force(services.settings, lane, actor.label)))


@router.post("/try-one", status_code=202, responses=problems(404, 409, 503))
def try_one(services: ServicesHere, lane: LaneToChange, actor: Operator) -> TryAnswer:
    """Send exactly one message of a paused lane, which stays paused.

    It is the message that would go next, and it keeps the pause after the last send; the answer comes as soon as it is
    chosen. 409 `not-paused` where messages leave by themselves, 409 `nothing-waits`, 503 `no-consumer` and `no-answer`:
    then nothing is sent. `POST /pause` once more stops it as long as its sending has not begun. If the consumer dies
    before that, nothing is sent, unless a standby that heard the command takes over in time: never more than one.
    """
    return TryAnswer(**asdict(send_one(services.settings, lane, actor.label)))


@router.post("/clear", responses=problems(404, 409, 503))
def clear(
    services: ServicesHere,
    lane: LaneToChange,
    actor: Admin,
    asked: Request,
    wanted: Annotated[ClearRequest | None, Body()] = None,
) -> ClearAnswer:
    """Take out what waits, the dead letters, or both, without sending; a message being sent is not touched.

    With a filter, only a part of what waits. What fits, but is held by a consumer, is cancelled instead.
    """
    request = wanted or ClearRequest()
    if request.filter is None and not request.dry_run:
        return ClearAnswer(**asdict(Clearing(services.settings, lane, actor.label).run(request.scope)))
    choice = request.filter.meant() if request.filter else PendingChoice()
    clearing = PartialClearing(services.settings, services.history, services.follower, lane, actor.label)
    if request.dry_run:
        state_of_request(asked.scope).is_dry_run = True
        return ClearAnswer(**_NOTHING, matching=clearing.count(choice))
    return ClearAnswer(**asdict(clearing.run(choice)))


@router.get("/undo", responses=problems())
def removals(services: ServicesHere, _actor: Viewer) -> Removals:
    """The latest clearings and purges, and whether they were undone."""
    age = fresh_history(services)
    lanes = services.settings.lanes.names
    items = [RemovalItem(**asdict(one)) for one in services.history.removals(_LISTED)]
    # Dead letters of all lanes share a queue, so their deletion names none; where there is one, it was that one.
    for item in items if len(lanes) == 1 else ():
        item.lane = item.lane or lanes[0]
    return Removals(items=items, history=age)


@router.post("/undo/{undo_id}", responses=problems(404, 409, 503))
def undo(services: ServicesHere, undo_id: str, actor: Admin) -> UndoAnswer:
    """Put back what a clearing or a purge took out; once."""
    return UndoAnswer(restored=services.undo.run(undo_id, actor.label))


@router.post("/send-test", status_code=202, responses=problems(404, 503))
def send_test(services: ServicesHere, lane: LaneToChange, _actor: Operator, wanted: SendTest) -> Accepted:
    """Queue one message for trying out, now or for later; it goes the way of all others."""
    _check_times(wanted, datetime.now(UTC))
    request = MessageRequest.of(wanted.model_dump() | {"lane": lane, "source": "send-test"})
    return Accepted(message_id=publish(services.publisher, request).message_id)


@router.post("/simulate", status_code=202, responses=problems(404, 409, 503))
def simulate(services: ServicesHere, lane: LaneToChange, _actor: Operator) -> AcceptedMany:
    """Play five registrations; only where the provider is the sandbox, because their numbers are invented."""
    if not services.settings.lanes[lane].is_sandbox:
        raise Problem(
            409, "Not possible with this provider", "these numbers are made up: only the sandbox may receive them"
        )
    requests = [
        MessageRequest.of(
            {
                "phone_number": one.phone_number,
                "message": one.text,
                "priority": "high",
                "lane": lane,
                "source": "registration",
            }
        )
        for one in registrations()
    ]
    return AcceptedMany(message_ids=[publish(services.publisher, request).message_id for request in requests])


def _check_times(wanted: SendTest, now: datetime) -> None:
    if wanted.expires_at is None or wanted.expires_at > max(now, wanted.deliver_at or now):
        return
    why = "the message would expire before it may be sent"
    errors = [{"field": "body.expires_at", "problem": why}]
    raise Problem(422, "The message cannot be sent", why, code="expires-too-early", errors=errors)
