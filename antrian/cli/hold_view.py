"""Holds for people: why a message is not sent yet in one sentence, and what a lane's messages wait for."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rich.table import Table
from rich.text import Text

from antrian.domain.hold import Hold, HoldReason
from antrian.domain.human_time import clock_time, duration
from antrian.operations.lane.hold_summary import HoldSummary, ReasonCount

#: Why, and what follows when that is over: with its end, and without one.
_WHY: Mapping[HoldReason, tuple[str, str, str]] = MappingProxyType(
    {
        HoldReason.PAUSED: ("sending is paused", "", "it goes out after `antrian resume`"),
        HoldReason.PROVIDER_AWAY: (
            "the provider does not answer",
            "the lane tries again {when}",
            "the lane tries again by itself",
        ),
        HoldReason.THROTTLED: ("the provider asked for a pause", "it ends {when}", "it ends by itself"),
        HoldReason.SCHEDULED: ("it is scheduled", "it leaves {when}", "its time has not come"),
        HoldReason.RETRY: ("an attempt failed", "the next one follows {when}", "the next one follows"),
        HoldReason.WINDOW: (
            "messages of its priority are not sent at this hour",
            "they are again {when}",
            "they are again at their hours",
        ),
        HoldReason.RECIPIENT_GAP: (
            "the same person was sent a message a moment ago",
            "this one follows {when}",
            "this one follows",
        ),
        HoldReason.COLD_HELD: (
            "its recipient is a new contact, and WhatsApp refuses new contacts of this number",
            "they are tried again {when}",
            "they are tried again later",
        ),
        HoldReason.COLD_CAP: (
            "its recipient is a new contact, and as many as allowed are written to on each day until then",
            "its turn comes {when}",
            "its turn comes on a later day",
        ),
        HoldReason.WARM_UP: (
            "its recipient is a new contact, and a new number writes to few of them a day",
            "its turn comes {when}",
            "its turn comes on a later day",
        ),
        HoldReason.DAILY_CAP: (
            "as many messages as allowed were sent today",
            "sending goes on {when}",
            "sending goes on tomorrow",
        ),
        HoldReason.HOURLY_CAP: (
            "as many messages as allowed were sent in this hour",
            "sending goes on {when}",
            "sending goes on in the next hour",
        ),
        HoldReason.PACE: (
            "messages leave one by one, with a pause after each",
            "its turn comes {when}, if nothing more urgent comes",
            "its turn has not come",
        ),
    }
)


def hold_sentence(hold: Hold, now: float) -> str:
    """Why a message is not sent yet, with the end of the wait.

    Args:
        hold: what it waits for.
        now: unix seconds.
    """
    why, with_end, without = _WHY[hold.reason]
    is_known = hold.until is not None and hold.until > now and with_end
    then = with_end.format(when=_when(hold.until, now)) if is_known and hold.until is not None else without
    if hold.reason is HoldReason.PROVIDER_AWAY and hold.rule:
        # The provider answers, and its sender cannot send.
        return f"Not sent yet: {hold.rule}; {then}."
    if hold.reason is HoldReason.PACE and hold.until is None and hold.rule and not hold.rule.startswith("delay"):
        why, then = hold.rule, "it waits safely"
    rule = f" (rule: {hold.rule})" if hold.rule and then != "it waits safely" else ""
    return f"Not sent yet: {why}; {then}{rule}."


def holds_table(summary: HoldSummary, reasons: Iterable[ReasonCount], now: float) -> Table:
    """What the messages of one lane wait for, a line for each reason."""
    table = Table("waits for", "messages", "next released", "last released", "rule")
    for one in reasons:
        ends = [_when(at, now) if at and at > now else "" for at in (one.next_release, one.last_release)]
        if one.reason is HoldReason.PACE and summary.lane_hold is not None and not ends[0]:
            ends[0] = "one by one"
        table.add_row(one.reason.value, f"{one.count:,}", *ends, Text(one.rule or ""))
    return table


def budget_lines(summary: HoldSummary, now: float) -> Iterable[str]:
    """What a lane may still send, a sentence for each cap; and until when new contacts are held."""
    budget = summary.budget or {}
    for name, what in (("hour", "this hour"), ("day", "today"), ("cold", "today to new contacts")):
        share = budget.get(name) or {}
        if share.get("cap"):
            used = "unknown" if share["used"] is None else f"{share['used']:,}"
            yield f"Sent {what}: {used} of {share['cap']:,}."
    if budget.get("warm_up"):
        yield f"Warm-up: day {budget['warm_up']['day']}; new contacts a day: {_ramp(budget['warm_up']['caps'])}."
    if summary.cold_held_until:
        yield f"New contacts are held until {clock_time(summary.cold_held_until, now)}: WhatsApp refused one."


def _ramp(caps: list[int]) -> str:
    most = 12
    return ", ".join(map(str, caps[:most])) + (" …" if len(caps) > most else "")


def _when(at: float | None, now: float) -> str:
    return "" if at is None else f"at {clock_time(at, now)} (in {duration(max(0.0, at - now))})"
