"""Messages: search, the life of one, cancelling, and what happened lately."""

import time
from typing import Annotated

from fastapi import APIRouter, Query

from admin_api.history.records import MessageRecord
from admin_api.lane import control
from admin_api.lane.cancelling import check_cancel, check_uncancel
from admin_api.web.actors import Admin, Operator, Viewer
from admin_api.web.answers import life_item, message_details, message_item
from admin_api.web.covering import check_search
from admin_api.web.freshness import FreshHistory
from admin_api.web.openapi import problems
from admin_api.web.parts import Parts, PartsHere
from admin_api.web.problems import Problem
from admin_api.web.schemas.message import (
    CancelAnswer,
    LifePage,
    MessageDetails,
    MessagePage,
    MessageQuery,
)
from admin_api.web.schemas.values import Cursor, Limit

router = APIRouter(tags=["messages"])

#: Seconds that a history may take to come up with the journal.
_PATIENCE = 2.0


@router.get("/messages", responses=problems(400))
def search(parts: PartsHere, actor: Viewer, age: FreshHistory, wanted: Annotated[MessageQuery, Query()]) -> MessagePage:
    """Messages that fit everything that is given, newest first."""
    check_search(actor, phone_number=wanted.phone_number, text=wanted.text)
    page = parts.history.messages(wanted.meant(), cursor=wanted.cursor, limit=wanted.limit)
    items = [message_item(record, masked=actor.is_masked) for record in page.items]
    return MessagePage(items=items, next_cursor=page.next_cursor, history=age)


@router.get("/messages/{message_id:path}", responses=problems(404))
def show(parts: PartsHere, actor: Viewer, age: FreshHistory, message_id: str) -> MessageDetails:
    """One message and its whole life."""
    record = _record(parts, message_id)
    return message_details(record, parts.history.life(message_id), age, masked=actor.is_masked, now=time.time())


@router.post("/messages/{message_id:path}/cancel", status_code=202, responses=problems(404, 409, 503))
def cancel(parts: PartsHere, actor: Operator, message_id: str) -> CancelAnswer:
    """Ask that a message not be sent; while it is being sent that comes too late."""
    record = check_cancel(_latest_record(parts, message_id), message_id)
    control.cancel(parts.settings, record.lane, message_id, actor.label)
    return CancelAnswer(message_id=message_id, state=record.state, cancelling=True)


@router.post("/messages/{message_id:path}/uncancel", status_code=202, responses=problems(404, 409, 503))
def uncancel(parts: PartsHere, actor: Operator, message_id: str) -> CancelAnswer:
    """Take a cancellation back; 409 `cancelled` when the message was dropped already, `not-cancelled` without one."""
    record = check_uncancel(_latest_record(parts, message_id), message_id)
    control.uncancel(parts.settings, record.lane, message_id, actor.label)
    return CancelAnswer(message_id=message_id, state=record.state, cancelling=False)


@router.get("/audit", responses=problems(400))
def audit(
    parts: PartsHere,
    _actor: Admin,
    prefix: Annotated[list[Annotated[str, Query(max_length=40)]] | None, Query(max_length=20)] = None,
    cursor: Annotated[Cursor, Query()] = None,
    limit: Annotated[Limit, Query()] = 50,
) -> LifePage:
    """What people did and tried, newest first."""
    wanted = tuple(prefix) if prefix else ("audit.",)
    page = parts.history.events(wanted, cursor=cursor, limit=limit)
    return LifePage(items=[life_item(entry, masked=False) for entry in page.items], next_cursor=page.next_cursor)


def _latest_record(parts: Parts, message_id: str) -> MessageRecord | None:
    """As the history has it when it has read all that is in the journal now, if that does not take long."""
    parts.follower.barrier(_PATIENCE)
    return parts.history.message(message_id)


def _record(parts: Parts, message_id: str) -> MessageRecord:
    record = parts.history.message(message_id)
    if record is None:
        raise Problem(404, "No such message", "the history knows no message with this id", code="unknown-message")
    return record
