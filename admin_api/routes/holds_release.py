"""Ending the holds of messages."""

from typing import Annotated

from fastapi import APIRouter, Body

from admin_api.dependencies import Operator, ServicesHere, lane_to_change
from admin_api.openapi import problems
from admin_api.presenters import job_item
from admin_api.schemas.failed import JobItem
from admin_api.schemas.holds_release import ReleaseRequest

router = APIRouter(tags=["lane"])


@router.post("/holds/release", status_code=202, responses=problems(404, 409, 503))
def release(
    services: ServicesHere,
    actor: Operator,
    wanted: Annotated[ReleaseRequest | None, Body()] = None,
    lane: str | None = None,
) -> JobItem:
    """Put held messages back into their lane, as a job: each is judged anew when its turn comes.

    What its rule allows by then is sent at the usual pace; the rest is held again, with a new time. With the reason
    `cold_held` the sender may write to new contacts again: one is tried before the others.
    """
    request = wanted or ReleaseRequest()
    name = lane_to_change(services, request.lane or lane)
    job = services.releases.start(request.meant(name), actor.label, services.settings)
    return job_item(job, masked=False)
