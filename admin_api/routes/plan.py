"""When would so many messages be sent, and what would hold them up? Nothing is queued."""

import threading
import time
from typing import Annotated

from fastapi import APIRouter, Query

from admin_api.dependencies import LaneToChange, LaneToShow, Operator, Services, ServicesHere, Viewer
from admin_api.freshness import fresh_history
from admin_api.openapi import problems
from admin_api.problems import Problem
from admin_api.schemas.plan import PlanAnswer, PlanForPeople
from admin_api.schemas.values import PriorityName
from admin_api.status_query import lane_or_none
from antrian.domain.contact import Standing
from antrian.domain.errors import InvalidPhoneNumber
from antrian.domain.phone_number import normalize
from antrian.domain.priority import Priority
from antrian.operations.lane.hold_summary import LaneWaits
from antrian.operations.lane.plan import MOST_ASKED, PlannedRecipient, PlanQuestion, make_plan
from antrian.operations.lane.plan_facts import backlog_of, doubts, start_of

router = APIRouter(tags=["lane"])

#: Messages that are played through for one answer, half a second of a core; the other routes run meanwhile.
_EFFORT = 10_000

#: Seconds without progress for which a request waits until the contacts have been read.
_PATIENCE = 5.0

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
    question = PlanQuestion(messages=messages, priority=Priority.parse(priority), cold=cold, deadline=deadline)
    return _answer(services, lane, question)


@router.post("/plan", responses=problems(404, 503))
def plan_for_people(services: ServicesHere, lane: LaneToChange, wanted: PlanForPeople, _actor: Operator) -> PlanAnswer:
    """The same for a message to each of these people: new contacts are those whom the lane's sender does not know."""
    numbers = [_number(place, number) for place, number in enumerate(wanted.phone_numbers, 1)]
    sender = services.settings.lanes.known(lane).sender_key
    book = services.contacts.caught_up_book(_PATIENCE)
    people = [
        PlannedRecipient(one, book.standing(sender, one) is Standing.COLD, book.timezone_of(one) or "")
        for one in numbers
    ]
    question = PlanQuestion(recipients=people, priority=Priority.parse(wanted.priority), deadline=wanted.deadline)
    return _answer(services, lane, question)


def _number(place: int, number: str) -> str:
    try:
        return normalize(number)
    except InvalidPhoneNumber as error:
        raise Problem(422, "Not a phone number", f"number {place} of the list: {error}", code=error.code) from error


def _answer(services: Services, lane: str, question: PlanQuestion) -> PlanAnswer:
    status = lane_or_none(services, lane)
    fresh_history(services)
    waiting = LaneWaits.of(services.history, lane)
    now, it = time.time(), services.settings.lanes.known(lane)
    backlog = backlog_of(it, status, waiting, now)
    start, said = start_of(it, status, waiting, now), doubts(status, waiting, backlog)
    with _one_at_a_time:
        answer = make_plan(lane, question, start, backlog, said, effort=_EFFORT)
    return PlanAnswer.model_validate(answer.as_json())
