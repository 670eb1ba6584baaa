"""Messages: search, the life of one, cancelling, and what happened lately."""

import time
from typing import Annotated

from fastapi import APIRouter, Query

from admin_api.history.records import FINAL, MessageRecord
from admin_api.lane import control
from admin_api.web.actors import Admin, Operator, Viewer
from admin_api.web.answers import bucket_item, life_item, message_details, message_item
from admin_api.web.covering import check_search
from admin_api.web.freshness import fresh_history
from admin_api.web.openapi import problems
from admin_api.web.parts import Parts, PartsHere
from admin_api.web.problems import Problem
from admin_api.web.schemas.message import (
    Analytics,
    CancelAnswer,
    LifePage,
    MessageDetails,
    MessagePage,
    MessageQuery,
)
from admin_api.web.schemas.values import Cursor, Limit, Text

router = APIRouter(tags=["messages"])

#: Points of a chart.
_BUCKETS = 60


@router.get("/messages", responses=problems(400))
def search(parts: PartsHere, actor: Viewer, wanted: Annotated[MessageQuery, Query()]) -> MessagePage:
    """Messages that fit everything that is given, newest first."""
    check_search(actor, phone_number=wanted.phone_number, text=wanted.text)
    age = fresh_history(parts)
    page = parts.history.messages(wanted.meant(), cursor=wanted.cursor, limit=wanted.limit)
    items = [message_item(record, masked=actor.is_masked) for record in page.items]
    return MessagePage(items=items, next_cursor=page.next_cursor, history=age)


@router.get("/messages/{message_id:path}", responses=problems(404))
def show(parts: PartsHere, actor: Viewer, message_id: str) -> MessageDetails:
    """One message and its whole life."""
    age = fresh_history(parts)
    record = _record(parts, message_id)
    return message_details(record, parts.history.life(message_id), age, masked=actor.is_masked)


@router.post("/messages/{message_id:path}/cancel", status_code=202, responses=problems(404, 409, 503))
def cancel(parts: PartsHere, actor: Operator, message_id: str) -> CancelAnswer:
    """Ask that a message not be sent; while it is being sent that comes too late."""
    record = _record(parts, message_id)
    if record.state in FINAL:
        raise Problem(409, "Too late", f"the message is {record.state.value} already", code="final")
    control.cancel(parts.settings, record.lane, message_id, actor.label)
    return CancelAnswer(message_id=message_id, state=record.state)


@router.get("/analytics", responses=problems())
def analytics(
    parts: PartsHere,
    _actor: Viewer,
    minutes: Annotated[int, Query(ge=1, le=60 * 24 * 31)] = 60,
    lane: Annotated[Text | None, Query()] = None,
) -> Analytics:
    """What happened during the last minutes: sent, failed, waiting, and how long messages waited."""
    age = fresh_history(parts)
    step = 60.0 * max(1, round(minutes / _BUCKETS))
    # Whole steps, the present one included, so that a chart does not change its past when it is read again.
    until = (time.time() // step + 1) * step
    buckets = parts.history.analytics(until - step * -(-minutes * 60 // step), until, step, lane)
    return Analytics(step=step, buckets=[bucket_item(bucket) for bucket in buckets], history=age)


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


def _record(parts: Parts, message_id: str) -> MessageRecord:
    record = parts.history.message(message_id)
    if record is None:
        raise Problem(404, "No such message", "the history knows no message with this id", code="unknown-message")
    return record
