"""What a lane may still send in this hour and on this day, as its latest events tell; pure."""

from dataclasses import dataclass, replace
from typing import Any

from antrian.domain.budget import Budget, budget
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.lane_limits import Limits
from antrian.domain.send_window import day_of, next_day_start
from antrian.domain.usage import TAKEN_BACK, Used


@dataclass(frozen=True, slots=True)
class UsageTold:
    """What an event says of a lane's caps.

    Attributes:
        at: when.
        used: what was sent until then, in its hour and on its day.
        caps: those in force then.
        sending: the attempt that is counted in it; None for none.
    """

    at: float
    used: Used
    caps: Budget
    sending: Event | None = None


def usage_after(known: UsageTold | None, event: Event) -> UsageTold | None:
    """What is known after one more event of the lane."""
    if event.name == EventName.FAILED:
        return None if known is None else _taken_back(known, event)
    details = event.details
    if event.name not in {EventName.SENDING, EventName.BARRIER} or "used" not in details:
        return known
    caps = Budget.read(details.get("budget"), details.get("warm_up_day"))
    return UsageTold(event.at, Used.read(details["used"]), caps, event if event.name == EventName.SENDING else None)


def _taken_back(known: UsageTold, event: Event) -> UsageTold:
    """A failure after which surely nothing reached WhatsApp uses nothing up."""
    begun, failure = known.sending, FailureClass.read(event.details.get("failure_class"))
    if begun is None or failure not in TAKEN_BACK or begun.message_id != event.message_id:
        return known
    used, is_cold = known.used, begun.details.get("cold") is True
    less = Used(max(0, used.hour - 1), max(0, used.day - 1), max(0, used.cold - is_cold))
    return replace(known, used=less, sending=None)


@dataclass(frozen=True, slots=True)
class LaneBudget:
    """A lane's caps at one moment.

    Attributes:
        used: what was sent in this hour and on this day; None when no event tells.
        caps: in force.
        warm_up: the cap for cold contacts on each day of the ramp, up to its ceiling; empty without a ramp.
        resets_at: when the lane's next day begins, unix seconds.
    """

    used: Used | None
    caps: Budget
    warm_up: tuple[int, ...] = ()
    resets_at: float = 0.0

    @property
    def has_caps(self) -> bool:
        """Whether anything is limited."""
        return bool(self.caps.hour or self.caps.day or self.caps.cold)

    def left(self, name: str) -> int | None:
        """How much of a cap (`hour`, `day` or `cold`) is left; None where there is no cap, or it is not known."""
        cap = getattr(self.caps, name)
        return None if not cap or self.used is None else max(0, cap - getattr(self.used, name))

    def as_json(self) -> dict[str, Any]:
        """For programs: a cap that is null is none."""
        shares = {
            name: {
                "used": None if self.used is None else getattr(self.used, name),
                "cap": getattr(self.caps, name) or None,
                "left": self.left(name),
            }
            for name in ("hour", "day", "cold")
        }
        ramp = {"day": self.caps.warm_up_day or 1, "caps": list(self.warm_up)} if self.warm_up else None
        return shares | {"warm_up": ramp, "resets_at": self.resets_at}


def lane_budget(told: UsageTold | None, limits: Limits, now: float) -> LaneBudget:
    """The caps of a lane now.

    Args:
        told: what its latest event says; None when none is known.
        limits: the lane's, as this process knows them; they count until a consumer tells its own.
        now: unix seconds.
    """
    zone = limits.timezone
    ramp = tuple(limits.warm_up.caps()) if limits.warm_up else ()
    used = None if told is None else told.used.carried(zone, told.at, now)
    return LaneBudget(used, _caps(told, limits, now), ramp, next_day_start(zone, now))


def _caps(told: UsageTold | None, limits: Limits, now: float) -> Budget:
    if told is None:
        return budget(limits, None, now)
    days = (day_of(limits.timezone, now) - day_of(limits.timezone, told.at)).days
    number = told.caps.warm_up_day
    if not days or number is None or limits.warm_up is None:
        return told.caps
    # The ramp has gone on since.
    number = max(1, number + days)
    return replace(told.caps, cold=limits.warm_up.cap_on(number), warm_up_day=number)
