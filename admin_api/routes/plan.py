"""When would so many messages be sent, and what would hold them up? Nothing is queued."""

import threading
import time
from typing import Annotated

from fastapi import APIRouter, Query

from admin_api.dependencies import LaneToShow, ServicesHere, Viewer
from admin_api.freshness import fresh_history
from admin_api.openapi import problems
from admin_api.schemas.plan import PlanAnswer
from admin_api.schemas.values import PriorityName
from admin_api.status_query import lane_or_none
from antrian.domain.priority import Priority
from antrian.operations.lane.hold_summary import WaitingCounts
from antrian.operations.lane.plan import MOST_ASKED, PlanQuestion, make_plan
from antrian.operations.lane.plan_facts import backlog_of, doubts, start_of

router = APIRouter(tags=["lane"])

#: Messages that are played through for one answer, half a second of a core; the other routes run meanwhile.
_EFFORT = 10_000

# A page asks again with each key that is pressed; all of them together get one core at most.
_one_at_a_time = threading.Lock()


@router.get("/plan", responses=problems(404))
def plan(
    services: ServicesHere,
    lane: LaneToShow,
    _actor: Viewer,
    *,
    messages: Annotated[int, Query(ge=0, le=MOST_ASKED, description="0 asks for what waits already.")] = 0,
    priority: PriorityName = "normal",
    cold: Annotated[float, Query(ge=0, le=1, description="Which share of them goes to new contacts.")] = 0.0,
    deadline: Annotated[float | None, Query(description="Unix seconds.", allow_inf_nan=False)] = None,
) -> PlanAnswer:
    """When so many more messages would be sent, what would hold them up, how many senders a deadline takes, and what a
    new number would send of them in its first weeks. What waits already goes first. Nothing is queued.
    """  # noqa: D205 (the whole is the description)
    status = lane_or_none(services, lane)
    fresh_history(services)
    waiting = WaitingCounts.of(services.history, lane)
    now, it = time.time(), services.settings.lanes.known(lane)
    question = PlanQuestion(messages=messages, priority=Priority.parse(priority), cold=cold, deadline=deadline)
    backlog = backlog_of(it, status, waiting, now)
    start, said = start_of(it, status, waiting, now), doubts(status, waiting, backlog)
    with _one_at_a_time:
        answer = make_plan(lane, question, start, backlog, said, effort=_EFFORT)
    return PlanAnswer.model_validate(answer.as_json())
