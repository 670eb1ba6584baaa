"""What the messages of a lane wait for, and until when."""

import time

from fastapi import APIRouter

from admin_api.dependencies import LaneToShow, ServicesHere, Viewer
from admin_api.freshness import fresh_history
from admin_api.openapi import problems
from admin_api.schemas.holds import HoldsAnswer
from admin_api.status_query import lane_or_none, refused_until
from antrian.operations.lane.hold_summary import LaneWaits, summary_of

router = APIRouter(tags=["lane"])


@router.get("/holds", responses=problems(404))
def holds(services: ServicesHere, lane: LaneToShow, _actor: Viewer) -> HoldsAnswer:
    """What the messages of a lane that wait, wait for: how many for each reason, when the next is released, by which
    rule; what the lane may still send today; and until when messages to new contacts are held.
    """  # noqa: D205 (the whole is the description)
    age = fresh_history(services)
    waiting = LaneWaits.of(services.history, lane)
    status, refused = lane_or_none(services, lane), refused_until(services, lane)
    summary = summary_of(lane, status, waiting, time.time(), refused)
    return HoldsAnswer.model_validate(summary.as_json() | {"history": age})
