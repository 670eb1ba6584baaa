"""What waits in a lane: how much, and of whom. The messages themselves are listed by `GET /messages?state=…`."""

from typing import Annotated

from fastapi import APIRouter, Query

from admin_api.dependencies import ServicesHere, Viewer, lane_to_show
from admin_api.openapi import problems
from admin_api.schemas.message import SourceItem, WaitingCounts, WaitingQuery
from admin_api.viewer_search import check_search

router = APIRouter(tags=["messages"])


@router.get("/waiting/counts", responses=problems(404))
def counts(services: ServicesHere, actor: Viewer, wanted: Annotated[WaitingQuery, Query()]) -> WaitingCounts:
    """How many messages wait in a lane, by source, and how many of them fit what is given."""
    check_search(actor, phone_number=wanted.phone_number, text=wanted.text, key_prefix=wanted.key_prefix)
    note_guess = services.guesses.begin(actor, wanted.phone_number)
    lane = lane_to_show(services, wanted.lane)
    sources = services.history.pending_sources(lane)
    matching = services.history.message_count(wanted.meant(lane))
    note_guess(matching > 0)
    return WaitingCounts(
        total=sum(one.count for one in sources),
        matching=matching,
        sources=[SourceItem(source=one.source, count=one.count) for one in sources],
    )
