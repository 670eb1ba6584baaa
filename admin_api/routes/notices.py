"""What providers told of the senders: their connection, their account, and what nobody can read."""

from typing import Annotated

from fastapi import APIRouter, Query

from admin_api.dependencies import ServicesHere, Viewer
from admin_api.openapi import problems
from admin_api.presenters import NOTICES, notice_item
from admin_api.schemas.notices import NoticeQuery, Notices

router = APIRouter(tags=["lane"])


@router.get("/notices", responses=problems(400))
def notices(services: ServicesHere, actor: Viewer, wanted: Annotated[NoticeQuery, Query()]) -> Notices:
    """What providers told of the senders and of themselves, newest first."""
    page = services.history.events(tuple(NOTICES), wanted.cursor, wanted.limit)
    items = [notice_item(entry, masked=actor.is_masked) for entry in page.items]
    return Notices(items=items, next_cursor=page.next_cursor)
