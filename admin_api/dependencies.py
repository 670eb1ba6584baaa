"""What the routes depend on: the services, built once by the process, and the actor of the request."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from fastapi import Depends, Request

from admin_api.auth.audit import AuditTrail
from admin_api.auth.authorization import Actor, require
from admin_api.auth.roles import Role
from admin_api.broadcast import Broadcast
from admin_api.checkup import Checkups
from admin_api.comparison import Comparison
from admin_api.ingest import Ingest
from admin_api.message_facts import KnownMessages
from admin_api.metrics import Metrics
from admin_api.problems import Problem
from admin_api.viewer_search import Guesses
from antrian.contacts.follower import ContactsFollower
from antrian.domain.errors import UnknownLane
from antrian.domain.lane import Lane
from antrian.domain.settings import Settings
from antrian.history.follower import HistoryFollower
from antrian.history.queries.history import History
from antrian.operations.bulk_import.upload import Uploads
from antrian.operations.contacts.opt_outs import OptOuts
from antrian.operations.dead_letters.service import DeadLetterService
from antrian.operations.dead_letters.undo import Undo
from antrian.operations.lane.held_now import HeldNow
from antrian.operations.lane.observer import LanesObserver
from antrian.operations.lane.release_job import HeldReleases
from antrian.operations.receipts.service import ReportsService
from publisher import Publisher


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that lives as long as the process."""

    settings: Settings
    history: History
    follower: HistoryFollower
    observer: LanesObserver
    publisher: Publisher
    intake: Ingest
    dead_letters: DeadLetterService
    undo: Undo
    broadcast: Broadcast
    audit: AuditTrail
    metrics: Metrics
    checkups: Checkups
    known_messages: KnownMessages
    uploads: Uploads
    releases: HeldReleases
    contacts: ContactsFollower
    opt_outs: OptOuts
    reports: ReportsService
    comparison: Comparison = field(default_factory=Comparison)
    held: HeldNow = field(default_factory=HeldNow)
    guesses: Guesses = field(default_factory=Guesses)


def no_services(settings: Settings) -> Services:
    """For an app that only describes itself and serves no request."""
    idle: dict[str, Any] = dict.fromkeys(one.name for one in fields(Services))
    return Services(**idle | {"settings": settings, "metrics": Metrics()})


def services_of(request: Request) -> Services:
    """The services of the process."""
    services: Services = request.app.state.services
    return services


ServicesHere = Annotated[Services, Depends(services_of)]


def lane_to_show(services: ServicesHere, lane: str | None = None) -> str:
    """The lane that is asked for; the first one when none is named."""
    return _named(services.settings.lanes.shown_by, lane)


def lane_to_change(services: ServicesHere, lane: str | None = None) -> str:
    """The lane that a request is about: named, or the only one there is."""
    return _named(services.settings.lanes.meant_by, lane)


def _named(find: Callable[[str | None], Lane], lane: str | None) -> str:
    try:
        return find(lane).name
    except UnknownLane as error:
        status, title = (404, "No such lane") if error.code == "unknown-lane" else (422, "Which lane?")
        raise Problem(status, title, error.detail, code=error.code) from error


LaneToShow = Annotated[str, Depends(lane_to_show)]
LaneToChange = Annotated[str, Depends(lane_to_change)]

# Who a route is for.
Viewer = Annotated[Actor, Depends(require(Role.VIEWER))]
Operator = Annotated[Actor, Depends(require(Role.OPERATOR))]
Admin = Annotated[Actor, Depends(require(Role.ADMIN))]
Service = Annotated[Actor, Depends(require(Role.PUBLISHER))]
