"""What the messages that wait in a lane wait for: the first thing that keeps the lane from sending; pure."""

from dataclasses import dataclass
from typing import Any

from antrian.domain.hold import Hold, HoldReason, first_hold
from antrian.domain.receipt import session_words


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneObstacles:
    """What keeps a lane from sending, its caps aside. Times are unix seconds.

    Attributes:
        paused_by: who paused the lane; None when nobody did.
        is_away: whether the latest call found the provider away, or the sender lost its connection.
        session: a `SessionState` while the sender is said not to be connected; empty while it can send.
        away_until: when the lane tries again; None when nobody can tell.
        throttled_until: the provider asked for silence until then; None when it did not.
        opens_at: when the next send may begin; None when nobody can tell.
        delay: the pause between two sends, seconds.
        jitter: up to so many seconds more.
        is_running: whether a consumer serves the lane.
    """

    paused_by: str | None
    is_away: bool
    away_until: float | None
    throttled_until: float | None
    opens_at: float | None
    delay: float
    jitter: float
    is_running: bool
    session: str = ""


def hold_of_lane(obstacles: LaneObstacles, cap: Hold | None) -> Hold:
    """What a message in the lane's queue waits for; nothing else than the pace, if nothing else.

    Args:
        obstacles: that the lane meets.
        cap: the hold by the lane's caps; None where there is none, or for a message that passes it.
    """
    found = [cap, _pace(obstacles)]
    if obstacles.paused_by is not None:
        found.append(Hold(HoldReason.PAUSED, None, f"paused by {obstacles.paused_by}"))
    if obstacles.is_away:
        found.append(Hold(HoldReason.PROVIDER_AWAY, obstacles.away_until, session_words(obstacles.session)))
    if obstacles.throttled_until is not None:
        found.append(Hold(HoldReason.THROTTLED, obstacles.throttled_until))
    return first_hold(found) or _pace(obstacles)


def _pace(obstacles: LaneObstacles) -> Hold:
    if not obstacles.is_running:
        return Hold(HoldReason.PACE, None, "no consumer is running")
    jitter = f" jitter {obstacles.jitter:g}" if obstacles.jitter else ""
    return Hold(HoldReason.PACE, obstacles.opens_at, f"delay {obstacles.delay:g}{jitter}")


def hold_json(hold: Hold | None) -> dict[str, Any] | None:
    """A hold for programs."""
    if hold is None:
        return None
    until = None if hold.until is None else round(hold.until, 3)
    return {"reason": hold.reason.value, "until": until, "rule": hold.rule}
