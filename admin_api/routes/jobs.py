"""The re-drives of many dead letters, as jobs."""

from fastapi import APIRouter

from admin_api.dependencies import Operator, ServicesHere, Viewer
from admin_api.openapi import problems
from admin_api.presenters import job_item
from admin_api.schemas.failed import JobItem, JobList

router = APIRouter(tags=["jobs"])


#: Jobs that are listed.
_LISTED = 50


@router.get("/jobs", responses=problems())
def jobs(services: ServicesHere, actor: Viewer) -> JobList:
    """The latest jobs, newest first; those of other processes too."""
    return JobList(items=[job_item(job, masked=actor.is_masked) for job in services.dead_letters.jobs(_LISTED)])


@router.get("/jobs/{job_id}", responses=problems(404))
def show(services: ServicesHere, actor: Viewer, job_id: str) -> JobItem:
    """How far a job is."""
    return job_item(services.dead_letters.job(job_id), masked=actor.is_masked)


@router.post("/jobs/{job_id}/cancel", status_code=202, responses=problems(404, 409, 503))
def cancel(services: ServicesHere, actor: Operator, job_id: str) -> JobItem:
    """Ask a job to end after the letter that it is at; whichever process runs it hears of it."""
    return job_item(services.dead_letters.cancel(job_id, actor.label), masked=False)
