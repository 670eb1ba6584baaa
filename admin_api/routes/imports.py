"""Files of messages, uploaded: checked first, queued when they are right or the user says so."""

import csv
import tempfile
from io import StringIO
from typing import IO, Annotated

from fastapi import APIRouter, Body, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from admin_api.dependencies import Operator, Services, ServicesHere, lane_to_change
from admin_api.openapi import problems
from admin_api.problems import Problem
from admin_api.schemas.imports import ImportItem, ImportQuery, ImportReport, QueueRequest
from antrian.domain.spreadsheet import plain_cell
from antrian.operations.bulk_import.columns import UnknownColumns, split_columns
from antrian.operations.bulk_import.row import UnreadableFile
from antrian.operations.bulk_import.row_check import checked_defaults
from antrian.operations.bulk_import.spool import NoRoom
from antrian.operations.bulk_import.upload import NotNow, UnknownUpload, Upload, UploadOptions

router = APIRouter(tags=["imports"])

_LATER = {"Retry-After": "60"}

_FILE = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}}


@router.post("/imports", status_code=201, responses=problems(404, 415, 503, 507), openapi_extra=_FILE)
async def upload(
    request: Request, services: ServicesHere, _actor: Operator, wanted: Annotated[ImportQuery, Query()]
) -> ImportItem:
    """Check a CSV or JSONL file, which is the body itself, up to 20 MB; nothing is queued."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise Problem(415, detail="send the file itself as the body, not a form", code="not-a-file")
    try:
        with tempfile.TemporaryFile() as file:
            async for piece in request.stream():
                file.write(piece)
            file.seek(0)
            return await run_in_threadpool(_check, services, file, wanted)
    except (OSError, NoRoom) as error:
        room = error if isinstance(error, NoRoom) else NoRoom(error.strerror)
        raise Problem(507, detail=str(room), code="no-room") from error


@router.get("/imports/{import_id}", responses=problems(404))
def show(services: ServicesHere, _actor: Operator, import_id: str) -> ImportItem:
    """An upload, and how far it is."""
    return _item(_known(services, import_id))


@router.get("/imports/{import_id}/errors", responses=problems(404))
def errors(services: ServicesHere, _actor: Operator, import_id: str) -> Response:
    """What is wrong, as CSV: line, column and reason; the first 1,000."""
    found = _known(services, import_id).report.findings.refusals.first
    text = StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(("line", "column", "reason"))
    rows.writerows((one.line, plain_cell(one.field), plain_cell(one.reason)) for one in found)
    headers = {"Content-Disposition": 'attachment; filename="import-errors.csv"'}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv", headers=headers)


@router.post("/imports/{import_id}/queue", status_code=202, responses=problems(404, 409, 503))
def queue(
    services: ServicesHere, _actor: Operator, import_id: str, wanted: Annotated[QueueRequest | None, Body()] = None
) -> ImportItem:
    """Begin to queue the messages; repeating the same file is safe, what is in the queue is left out."""
    _known(services, import_id)
    try:
        return _item(services.uploads.queue(import_id, skip_invalid=(wanted or QueueRequest()).skip_invalid))
    except NotNow as error:
        raise Problem(409, "Not now", str(error), code="not-now") from error


@router.delete("/imports/{import_id}", responses=problems(404))
def drop(services: ServicesHere, _actor: Operator, import_id: str) -> ImportItem:
    """Forget an upload; while it is being queued, end that: what is in the queue stays there."""
    _known(services, import_id)
    return _item(services.uploads.drop(import_id))


def _check(services: Services, file: IO[bytes], wanted: ImportQuery) -> ImportItem:
    several = len(services.settings.lanes) > 1
    lane = None if wanted.lane is None and several else lane_to_change(services, wanted.lane)
    options = UploadOptions(
        checked_defaults(lane, wanted.source, wanted.priority), wanted.batch, split_columns(wanted.ignore_columns)
    )
    try:
        return _item(services.uploads.check(file, wanted.filename, options))
    except UnknownColumns as error:
        names = [name[:100] for name in error.names[:20]]
        raise Problem(422, "The file cannot be read", str(error), code="unknown-columns", columns=names) from error
    except UnreadableFile as error:
        raise Problem(422, "The file cannot be read", str(error), code="unreadable-file") from error
    except NotNow as error:
        raise Problem(503, "Not now", str(error), code="not-now", headers=_LATER) from error


def _known(services: Services, import_id: str) -> Upload:
    try:
        return services.uploads.get(import_id)
    except UnknownUpload as error:
        raise Problem(404, "No such upload", str(error), code="unknown-upload") from error


def _item(upload: Upload) -> ImportItem:
    return ImportItem(
        import_id=upload.import_id,
        filename=upload.name,
        state=upload.state,
        done=upload.done,
        total=len(upload.spool),
        problem=upload.problem,
        expires_at=upload.expires_at,
        report=ImportReport.model_validate(upload.report.as_json()),
    )
