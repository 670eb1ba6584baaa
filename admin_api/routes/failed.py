"""Dead letters over HTTP."""

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from admin_api.dependencies import Admin, Operator, Services, ServicesHere, Viewer
from admin_api.freshness import fresh_history
from admin_api.openapi import problems
from admin_api.presenters import failed_details, failed_group, failed_item, job_item
from admin_api.problems import Problem
from admin_api.schemas.failed import (
    Chosen,
    DryRunAnswer,
    EditRequest,
    ExportQuery,
    FailedDetails,
    FailedGroup,
    FailedPage,
    FailedQuery,
    JobItem,
    NoteAnswer,
    NoteRequest,
    PurgeAnswer,
    RedriveAnswer,
    RedriveRequest,
)
from admin_api.status_query import retention_alarm
from admin_api.viewer_search import check_search
from antrian.history.records import DeadGroup, DeadRecord
from antrian.operations.dead_letters.dead_letter_export import ExportFormat
from antrian.operations.dead_letters.edited_copy import Edits

router = APIRouter(prefix="/failed", tags=["dead letters"])


#: The header of an export that may lack what happened during the last seconds.
BEHIND = "Antrian-History-Behind"

MEDIA = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSONL: "application/x-ndjson"}
FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {key: {"schema": {"type": "string"}} for key in ("text/csv", "application/x-ndjson")}}
}


@router.get("", responses=problems(400))
def failed(services: ServicesHere, actor: Viewer, wanted: Annotated[FailedQuery, Query()]) -> FailedPage:
    """Dead letters that fit everything that is given, newest first, or what they died of."""
    check_search(actor, phone_number=wanted.phone_number, text=wanted.text, detail=wanted.detail)
    note_guess = services.guesses.begin(actor, wanted.phone_number)
    meant = wanted.meant()
    age = fresh_history(services)
    page = services.history.dead_letters(meant, wanted.cursor, wanted.limit)
    note_guess(bool(page.items))
    return FailedPage(
        items=[failed_item(record, masked=actor.is_masked) for record in page.items],
        next_cursor=page.next_cursor,
        total=services.history.dead_count(meant),
        groups=_groups(services.history.dead_groups(meant), masked=actor.is_masked) if wanted.group else None,
        retention_alarm=retention_alarm(services),
        history=age,
    )


@router.delete("", responses=problems(503))
def purge(services: ServicesHere, actor: Admin, chosen: Chosen) -> PurgeAnswer:
    """Delete dead letters; within the journal's retention that can be undone, once."""
    return PurgeAnswer(**asdict(services.dead_letters.purge(chosen.meant(), actor.label)))


@router.get("/export", response_class=Response, responses=problems() | FILES)
def export(services: ServicesHere, _actor: Admin, wanted: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """Dead letters as a file, numbers and texts included, newest first."""
    form = ExportFormat(wanted.format)
    age = fresh_history(services)
    name = time.strftime(f"dead-letters-%Y%m%d-%H%M%S.{form.value}")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if not age.caught_up:
        headers[BEHIND] = f"{age.behind_seconds:.3f}"
    return StreamingResponse(
        services.dead_letters.export(wanted.meant(), form), media_type=MEDIA[form], headers=headers
    )


@router.post("/redrive", status_code=202, responses=problems(503) | {200: {"model": DryRunAnswer}})
def redrive(
    services: ServicesHere, actor: Operator, wanted: RedriveRequest, response: Response
) -> JobItem | DryRunAnswer:
    """Put dead letters back into their lanes, as a job over those that fit now; with `dry_run`, only say which."""
    if wanted.dry_run:
        response.status_code = 200
        would = services.dead_letters.dry_run(wanted.meant(), limit=wanted.limit, skip_uncertain=wanted.skip_uncertain)
        return DryRunAnswer(**asdict(would) | {"groups": _groups(would.groups, masked=False)})
    options = wanted.model_dump(include={"rate", "limit", "canary", "skip_uncertain"})
    job = services.dead_letters.redrive(wanted.meant(), actor.label, **options)
    return job_item(job, masked=False)


@router.get("/{message_id:path}", responses=problems(404))
def show(services: ServicesHere, actor: Viewer, message_id: str) -> FailedDetails:
    """One dead letter and its whole life."""
    age = fresh_history(services)
    record = _record(services, message_id)
    return failed_details(record, services.history.life(message_id), age, masked=actor.is_masked, now=time.time())


@router.post("/{message_id:path}/redrive", status_code=202, responses=problems(404, 409, 503))
def redrive_one(
    services: ServicesHere, actor: Operator, message_id: str, wanted: EditRequest | None = None
) -> RedriveAnswer:
    """Put one back; with another number, text or priority a linked copy is sent instead."""
    changes = Edits(**wanted.model_dump()) if wanted else Edits()
    return RedriveAnswer(**asdict(services.dead_letters.redrive_one(message_id, actor.label, changes)))


@router.post("/{message_id:path}/note", responses=problems(404, 409, 503))
def note(services: ServicesHere, actor: Operator, message_id: str, wanted: NoteRequest) -> NoteAnswer:
    """Write a note about one."""
    services.dead_letters.note(message_id, wanted.note, actor.label)
    return NoteAnswer(message_id=message_id, note=wanted.note)


def _groups(groups: list[DeadGroup], *, masked: bool) -> list[FailedGroup]:
    return [failed_group(group, masked=masked) for group in groups]


def _record(services: Services, message_id: str) -> DeadRecord:
    record = services.history.dead_letter(message_id)
    if record is None:
        raise Problem(404, "No such dead letter", "the history knows no dead letter with this id", code="unknown")
    return record
