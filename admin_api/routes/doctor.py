"""How the system is: the findings of `antrian doctor`."""

import platform
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from admin_api.checkup import AT_LEAST, SHARED_FOR, Checkup
from admin_api.dependencies import Services, ServicesHere, Viewer
from admin_api.openapi import problems
from admin_api.presenters import session_item
from admin_api.schemas.doctor import DoctorReport, FindingItem, HistoryHealth, LaneFacts
from antrian.domain.phone_number import shown_sender
from antrian.domain.private_text import hide_folders

router = APIRouter(tags=["health"])


@router.get("/doctor", responses=problems())
async def doctor(services: ServicesHere, actor: Viewer, fresh: Annotated[bool, Query()] = False) -> DoctorReport:  # noqa: FBT002
    """What `antrian doctor` finds; looked at some seconds ago at most, with `fresh` just now. It takes some seconds."""
    checkup = await services.checkups.latest(most_seconds_old=AT_LEAST if fresh else SHARED_FOR)
    return await run_in_threadpool(_report, services, checkup, masked=actor.is_masked)


def _report(services: Services, checkup: Checkup, *, masked: bool) -> DoctorReport:
    settings, first = services.settings, services.settings.lanes.first
    findings = [FindingItem.model_validate(one, from_attributes=True) for one in checkup.findings]
    for one in findings if masked else ():
        one.found, one.todo = hide_folders(one.found), hide_folders(one.todo)
    sessions = services.history.sessions()
    problem_count = sum(one.state == "problem" for one in findings)
    return DoctorReport(
        at=checkup.at,
        is_complete=checkup.is_complete,
        ok=not problem_count,
        problems=problem_count,
        warnings=sum(one.state == "warning" for one in findings),
        findings=findings,
        versions={"antrian": version("antrian"), "python": platform.python_version(), **checkup.versions},
        provider=first.provider,
        delay=first.delay,
        jitter=first.jitter,
        lanes=[
            LaneFacts(
                lane=lane.name,
                sender=shown_sender(lane.sender, masked=masked) if lane.sender else "",
                provider=lane.provider,
                delay=lane.delay,
                jitter=lane.jitter,
                not_kept=list(lane.not_kept),
                session=session_item(sessions.get(lane.name), masked=masked),
            )
            for lane in settings.lanes.values()
        ],
        history=HistoryHealth(
            entries=services.history.position().entries,
            behind_seconds=round(services.follower.lag_seconds, 3),
            writes=services.follower.is_writer,
            trouble=hide_folders(services.follower.trouble) if masked else services.follower.trouble,
        ),
    )
