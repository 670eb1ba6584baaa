"""What the routes work with: built once by the process, handed to each request."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from fastapi import Depends, Request

from admin_api.access.audit import AuditTrail
from admin_api.bulk.upload import Uploads
from admin_api.desk.desk import Desk
from admin_api.desk.undo import Undo
from admin_api.history.follower import HistoryFollower
from admin_api.history.store import History
from admin_api.lane.observer import LanesObserver
from admin_api.web.broadcast import Broadcast
from admin_api.web.checkup import Checkups
from admin_api.web.comparison import Comparison
from admin_api.web.covering import Guesses
from admin_api.web.intake import Intake
from admin_api.web.message_facts import KnownMessages
from admin_api.web.metrics import Metrics
from admin_api.web.problems import Problem
from broker.settings import Settings
from publisher import Publisher


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that lives as long as the process."""

    settings: Settings
    history: History
    follower: HistoryFollower
    observer: LanesObserver
    publisher: Publisher
    intake: Intake
    desk: Desk
    undo: Undo
    broadcast: Broadcast
    audit: AuditTrail
    metrics: Metrics
    checkups: Checkups
    known_messages: KnownMessages
    uploads: Uploads
    comparison: Comparison = field(default_factory=Comparison)
    guesses: Guesses = field(default_factory=Guesses)


def nothing(settings: Settings) -> Parts:
    """Parts for an app that only describes itself, and serves nobody."""
    idle: dict[str, Any] = dict.fromkeys(one.name for one in fields(Parts))
    return Parts(**idle | {"settings": settings, "metrics": Metrics()})


def parts_of(request: Request) -> Parts:
    """The process's parts."""
    parts: Parts = request.app.state.parts
    return parts


PartsHere = Annotated[Parts, Depends(parts_of)]


def lane_to_show(parts: PartsHere, lane: str | None = None) -> str:
    """The lane that is asked for; the first one when none is named."""
    lanes = tuple(parts.settings.senders)
    return lanes[0] if lane is None else _known(lane, lanes)


def lane_to_change(parts: PartsHere, lane: str | None = None) -> str:
    """The lane that something is to be done to: named, or the only one there is."""
    lanes = tuple(parts.settings.senders)
    if lane is None and len(lanes) > 1:
        raise Problem(422, "Which lane?", f"name one of the lanes: {', '.join(lanes)}", code="lane-needed")
    return lanes[0] if lane is None else _known(lane, lanes)


def _known(lane: str, lanes: tuple[str, ...]) -> str:
    if lane not in lanes:
        raise Problem(404, "No such lane", f"the lanes are: {', '.join(lanes)}", code="unknown-lane")
    return lane


LaneToShow = Annotated[str, Depends(lane_to_show)]
LaneToChange = Annotated[str, Depends(lane_to_change)]
