"""What happened over time, and reports for those who answer for it."""

import time
from dataclasses import asdict
from datetime import tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from admin_api.dependencies import Services, ServicesHere, Viewer
from admin_api.freshness import fresh_history
from admin_api.openapi import problems
from admin_api.problems import Problem
from admin_api.schemas.message import Analytics, BucketItem
from admin_api.schemas.report import ReportAnswer
from admin_api.schemas.values import Text
from antrian.history.queries import time_axis
from antrian.history.queries.report import Period, Report
from antrian.history.queries.report_file import report_csv
from antrian.history.queries.time_axis import UnknownZone

router = APIRouter(prefix="/analytics", tags=["reports"])

_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}

_Minutes = Annotated[int, Query(ge=1, le=60 * 24 * 31)]
_Lane = Annotated[Text | None, Query()]


def _zone(
    timezone: Annotated[
        str | None,
        Query(max_length=60, description="Time zone, such as Asia/Jakarta; by default the server's."),
    ] = None,
) -> tzinfo:
    try:
        return time_axis.zone(timezone)
    except UnknownZone as error:
        raise Problem(422, "Unknown time zone", str(error), code="unknown-timezone") from error


_Zone = Annotated[tzinfo, Depends(_zone)]


@router.get("", responses=problems())
def analytics(
    services: ServicesHere, _actor: Viewer, place: _Zone, minutes: _Minutes = 60, lane: _Lane = None
) -> Analytics:
    """What happened during the last minutes: sent, failed, waiting, and how long messages waited."""
    age = fresh_history(services)
    edges = time_axis.edges(time.time(), minutes * 60, place)
    buckets = services.history.analytics(edges, lane)
    step = time_axis.step_for(minutes * 60)
    items = [BucketItem.model_validate(asdict(bucket)) for bucket in buckets]
    return Analytics(step=step, buckets=items, history=age)


@router.get("/report", responses=problems())
def report(
    services: ServicesHere,
    _actor: Viewer,
    place: _Zone,
    period: Period = Period.TODAY,
    lane: _Lane = None,
) -> ReportAnswer:
    """What was sent in a period, and how long it took; in whole days of a time zone."""
    fresh_history(services)
    return ReportAnswer.model_validate(asdict(_report(services, period, place, lane)))


@router.get("/report.csv", response_class=Response, responses=problems() | _FILE)
def report_file(
    services: ServicesHere, _actor: Viewer, place: _Zone, period: Period = Period.TODAY, lane: _Lane = None
) -> Response:
    """The same for spreadsheets."""
    found = _report(services, period, place, lane)
    name = time.strftime(f"report-{period.value}-%Y%m%d.csv")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(report_csv(found), media_type="text/csv; charset=utf-8", headers=headers)


def _report(services: Services, period: Period, place: tzinfo, lane: str | None) -> Report:
    return services.history.report(period, place, lane=lane)
