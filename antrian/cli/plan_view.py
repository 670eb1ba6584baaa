"""A plan for people."""

from rich.table import Table

from antrian.cli.terminal import console, say
from antrian.domain.hold import HoldReason
from antrian.domain.human_time import duration, moment, rough_duration
from antrian.operations.lane.plan import Plan

#: What holds messages up, as it stands in a table.
_REASONS = {
    HoldReason.SCHEDULED: "their own time",
    HoldReason.RETRY: "attempts that are made again",
    HoldReason.WINDOW: "the hours of their priority",
    HoldReason.RECIPIENT_GAP: "the gap between two messages to one person",
    HoldReason.COLD_HELD: "new contacts are refused",
    HoldReason.COLD_CAP: "the daily cap for new contacts",
    HoldReason.WARM_UP: "the warm-up of a new number",
    HoldReason.DAILY_CAP: "the daily cap",
    HoldReason.HOURLY_CAP: "the hourly cap",
    HoldReason.PACE: "the pause between two messages",
}


def print_plan(plan: Plan, deadline: float | None) -> None:
    """Show a plan."""
    if not plan.messages:
        say(f"Lane {plan.lane}: nothing waits, and no message was asked for. Try --messages 1000.")
        return
    say(finish_sentence(plan))
    if deadline is not None:
        say(deadline_sentence(plan, deadline))
    table = Table("held by", "messages", "for")
    for one in plan.held:
        table.add_row(_REASONS.get(one.reason, one.reason.value), f"{one.messages:,}", duration(one.seconds))
    console().print(table)
    say(weeks_sentence(plan))
    say("This assumes that:")
    for assumption in plan.assumptions:
        say(f"  - {assumption}")


def finish_sentence(plan: Plan) -> str:
    """When everything is sent; pure."""
    what = "1 message is" if plan.messages == 1 else f"{plan.messages:,} messages are"
    after = rough_duration(plan.finish_p50 - plan.now)
    first = f"Lane {plan.lane}: {what} probably sent by {moment(plan.finish_p50)}, after {after}"
    return f"{first}; nearly for sure by {moment(plan.finish_p90)}."


def deadline_sentence(plan: Plan, deadline: float) -> str:
    """How many senders a deadline takes; pure."""
    if not plan.senders_needed:
        return f"No number of senders is enough until {moment(deadline)}."
    senders = "1 sender is" if plan.senders_needed == 1 else f"{plan.senders_needed:,} senders are"
    return f"{senders} enough until {moment(deadline)}."


def weeks_sentence(plan: Plan) -> str:
    """What a new number would do; pure."""
    sent = ", ".join(f"{count:,}" for count in plan.weeks)
    return f"A new number would send {sent} of them in its first {len(plan.weeks)} weeks."
