"""Which messages that wait on the delay ladder are judged anew when the limits of their lane change; pure."""

from antrian.domain.hold import LADDER_HOLDS, HoldReason
from antrian.domain.lane_limits import Limits

#: Holds that the limits of a lane lead to. WhatsApp's refusal of new contacts is not one of them: no limit ends it.
BY_LIMITS = LADDER_HOLDS - {HoldReason.COLD_HELD}

_COLD_CAPS = frozenset({HoldReason.COLD_CAP, HoldReason.WARM_UP})


def replanned(before: Limits, after: Limits) -> frozenset[HoldReason]:
    """The holds that may be others by the new limits."""
    found: set[HoldReason] = set()
    if before.timezone != after.timezone:
        # A day is another day, too.
        return frozenset(BY_LIMITS)
    if before.windows != after.windows:
        # A slot is moved into its window.
        found |= {HoldReason.WINDOW} | _COLD_CAPS
    if (before.cold_daily_cap, before.warm_up) != (after.cold_daily_cap, after.warm_up):
        found |= _COLD_CAPS
    if before.recipient_gap != after.recipient_gap:
        found.add(HoldReason.RECIPIENT_GAP)
    return frozenset(found)
