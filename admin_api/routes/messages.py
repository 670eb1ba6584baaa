"""Messages: search, the life of one, cancelling, and what happened lately."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from admin_api import audit_items, message_export
from admin_api.dependencies import Admin, Operator, Services, ServicesHere, Viewer
from admin_api.freshness import fresh_history
from admin_api.message_search import COUNTED, MessageSearch
from admin_api.openapi import problems
from admin_api.presenters import life_item, message_details, message_item
from admin_api.problems import Problem
from admin_api.routes.failed import BEHIND, FILES, MEDIA
from admin_api.schemas.message import (
    Actors,
    AuditItem,
    AuditMessage,
    AuditPage,
    AuditQuery,
    CancelAnswer,
    MessageDetails,
    MessageExportQuery,
    MessagePage,
    MessageQuery,
    Sources,
)
from admin_api.status_query import lanes_of
from antrian.history.records import LifeEntry, MessageRecord, MessageState
from antrian.operations.dead_letters.dead_letter_export import ExportFormat
from antrian.operations.lane import control
from antrian.operations.lane.cancelling import check_cancel, check_uncancel
from antrian.operations.lane.holds import waits_for

router = APIRouter(tags=["messages"])

#: Seconds that a history may take to come up with the journal.
_PATIENCE = 2.0


@router.get("/messages", responses=problems(400))
def search(services: ServicesHere, actor: Viewer, wanted: Annotated[MessageQuery, Query()]) -> MessagePage:
    """Messages that fit everything that is given, newest first."""
    age = fresh_history(services)
    searched = MessageSearch.of(services.history, actor, wanted)
    note = services.guesses.begin(actor, wanted.q, wanted.phone_number, wanted.key)
    page, total = searched.page(wanted.cursor, wanted.limit, COUNTED + 1 if wanted.count else 0)
    note(bool(page.items))
    lanes, now = lanes_of(services, page.items), time.time()
    items = [
        message_item(record, masked=actor.is_masked, hold=waits_for(record, lanes.get(record.lane), now))
        for record in page.items
    ]
    for item, record in zip(items, page.items, strict=True):
        item.matched_by = searched.matched_by(record)
    return MessagePage(
        items=items,
        next_cursor=page.next_cursor,
        total=min(total, COUNTED) if wanted.count else None,
        is_total_exact=total <= COUNTED,
        history=age,
    )


@router.get("/messages/export", response_class=Response, responses=problems() | FILES)
def export(services: ServicesHere, actor: Admin, wanted: Annotated[MessageExportQuery, Query()]) -> StreamingResponse:
    """Messages as a file, numbers and texts included, newest first."""
    age = fresh_history(services)
    form = ExportFormat(wanted.format)
    found = MessageSearch.of(services.history, actor, wanted).all()
    name = time.strftime(f"messages-%Y%m%d-%H%M%S.{form.value}")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if not age.caught_up:
        headers[BEHIND] = f"{age.behind_seconds:.3f}"
    return StreamingResponse(message_export.lines(found, form), media_type=MEDIA[form], headers=headers)


@router.get("/sources", responses=problems())
def sources(services: ServicesHere, _actor: Viewer) -> Sources:
    """The publishing services that the history knows, in the order of their names."""
    return Sources(items=services.history.sources())


@router.get("/messages/{message_id:path}", responses=problems(404))
def show(services: ServicesHere, actor: Viewer, message_id: str) -> MessageDetails:
    """One message and its whole life."""
    age = fresh_history(services)
    record = _record(services, message_id)
    now, life = time.time(), services.history.life(message_id)
    place = services.history.place(message_id) if record.state is MessageState.WAITING else None
    hold = waits_for(record, lanes_of(services, [record]).get(record.lane), now, place)
    return message_details(record, life, age, masked=actor.is_masked, now=now, hold=hold)


@router.post("/messages/{message_id:path}/cancel", status_code=202, responses=problems(404, 409, 503))
def cancel(services: ServicesHere, actor: Operator, message_id: str) -> CancelAnswer:
    """Ask that a message not be sent; while it is being sent that comes too late."""
    record = check_cancel(_latest_record(services, message_id), message_id)
    control.cancel(services.settings, record.lane, message_id, actor.label)
    return CancelAnswer(message_id=message_id, state=record.state, cancelling=True)


@router.post("/messages/{message_id:path}/uncancel", status_code=202, responses=problems(404, 409, 503))
def uncancel(services: ServicesHere, actor: Operator, message_id: str) -> CancelAnswer:
    """Take a cancellation back; 409 `cancelled` when the message was dropped already, `not-cancelled` without one."""
    record = check_uncancel(_latest_record(services, message_id), message_id)
    control.uncancel(services.settings, record.lane, message_id, actor.label)
    return CancelAnswer(message_id=message_id, state=record.state, cancelling=False)


@router.get("/audit", responses=problems(400))
def audit(
    services: ServicesHere,
    _actor: Admin,
    wanted: Annotated[AuditQuery, Query()],
) -> AuditPage:
    """What people did and tried, newest first."""
    prefixes = tuple(wanted.prefix) if wanted.prefix else ("audit.",)
    page = services.history.events(
        prefixes, wanted.cursor, wanted.limit, source=wanted.actor, since=wanted.since, until=wanted.until
    )
    return AuditPage(items=[_audit_item(services, entry) for entry in page.items], next_cursor=page.next_cursor)


@router.get("/audit/actors", responses=problems())
def actors(services: ServicesHere, _actor: Admin) -> Actors:
    """Who did something lately, in the order of their names."""
    return Actors(items=services.history.actors())


def _audit_item(services: Services, entry: LifeEntry) -> AuditItem:
    item = life_item(entry, masked=False)
    message_id = audit_items.message_id(entry.details)
    record = services.history.message(message_id) if message_id else None
    number = record.phone_number if record else ""
    about = AuditMessage(message_id=message_id, phone_number=number) if message_id else None
    return AuditItem(**item.model_dump(), verdict=audit_items.verdict(entry.name, entry.details), message=about)


def _latest_record(services: Services, message_id: str) -> MessageRecord | None:
    """As the history has it when it has read all that is in the journal now, if that does not take long."""
    services.follower.barrier(_PATIENCE)
    return services.history.message(message_id)


def _record(services: Services, message_id: str) -> MessageRecord:
    record = services.history.message(message_id)
    if record is None:
        raise Problem(404, "No such message", "the history knows no message with this id", code="unknown-message")
    return record
