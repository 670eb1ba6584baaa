"""A lane's status for people: a table, or one line. Numbers of recipients are in neither."""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.hold import HoldReason
from antrian.domain.human_time import clock_time, duration, moment
from antrian.domain.lifecycle import JOINS_LADDER, LIFECYCLE, End
from antrian.operations.lane.lane_budget import LaneBudget
from antrian.operations.lane.status import Reason, Status

#: Characters of a message id that are shown among the latest events.
_SHORT_ID = 8

#: A sign and a colour for what happened to a message, so that one is enough to tell them apart.
_SIGNS: Mapping[str, tuple[str, str]] = {
    **{row.event: ("-", "yellow") for row in LIFECYCLE.values() if row.end is End.UNATTEMPTED},
    **dict.fromkeys((*JOINS_LADDER, EventName.POSTPONED), ("↻", "yellow")),
    EventName.SENT: ("✓", "green"),
    EventName.FAILED: ("✗", "red"),
    EventName.UNCERTAIN: ("?", "red"),
    EventName.DEAD: ("✗", "bold red"),
}

_NOBODY: Mapping[str, str] = MappingProxyType({})

_HEADLINES = {
    Reason.DUE: ("Due now. Nothing holds the next message back.", "green"),
    Reason.PAUSE: ("Next message in {left}. The pause of {delay} between two sends is running.", "green"),
    Reason.SENDING: ("Sending now. The provider has the message and has not answered yet.", "green"),
    Reason.RETRY: ("Next attempt in {left}. The message failed before and is tried again when it is due.", "yellow"),
    Reason.THROTTLED: ("Held back for {left}. The provider asked for fewer messages. No attempt is lost.", "yellow"),
    Reason.UNAVAILABLE: (
        "The provider does not answer. The lane keeps its messages and tries again in {left}.",
        "bold red",
    ),
    Reason.DAILY_CAP: (
        "Held for {left}. As many messages as allowed were sent today. Urgent messages leave all the same.",
        "yellow",
    ),
    Reason.HOURLY_CAP: (
        "Held for {left}. As many messages as allowed were sent in this hour. Urgent messages leave all the same.",
        "yellow",
    ),
    Reason.PAUSED: ("Paused by {by}{since}. Nothing is sent until the lane is resumed.", "yellow"),
    Reason.NO_CONSUMER: (
        "No consumer is running. Messages wait safely; start one with `antrian consume`.",
        "bold red",
    ),
    Reason.NOTHING_WAITS: ("Nothing waits. A new message would go out {when}.", "green"),
}

_WHY = {
    Reason.DUE: "it is due",
    Reason.PAUSE: "the pause after the last send",
    Reason.THROTTLED: "the provider asked for fewer messages",
    Reason.UNAVAILABLE: "the provider does not answer; the lane tries again then",
    Reason.SENDING: "a message is being sent",
    Reason.RETRY: "a message is due for another attempt then",
    Reason.DAILY_CAP: "as many messages as allowed were sent today",
    Reason.HOURLY_CAP: "as many messages as allowed were sent in this hour",
    Reason.PAUSED: "the lane is paused",
    Reason.NO_CONSUMER: "no consumer is running: start one with `antrian consume`",
    Reason.NOTHING_WAITS: "nothing waits",
}


def status_table(status: Status, *, now: float | None = None) -> Table:
    """The status for people.

    Args:
        status: as it was read.
        now: unix seconds, for a countdown between two readings; the moment of reading when None.
    """
    passed = 0.0 if now is None else max(0.0, now - status.at)
    table = Table.grid(padding=(0, 3))
    for name, value in _facts(status, passed):
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def status_line(status: Status) -> str:
    """The status in one line."""
    return (
        f"{clock_time(status.at)} {status.lane}: {status.waiting} waiting, {status.in_flight} being sent, "
        f"{status.retrying} retrying, {status.scheduled} scheduled, {status.failed_messages} dead; "
        f"next send {_next_send(status, 0.0)}"
    )


def watch_screen(
    status: Status,
    latest: Iterable[Event],
    trouble: str,
    now: float,
    recipients: Mapping[str, str] = _NOBODY,
) -> RenderableType:
    """What `status --watch` shows.

    Args:
        status: the latest reading.
        latest: events, oldest first.
        trouble: why there is no newer reading; empty when there is.
        now: unix seconds.
        recipients: by message id, what people know a message by; where it is missing, the id itself is shown.
    """
    words, style = headline(status, max(0.0, now - status.at))
    first = Text.assemble((f"Lane {status.lane}: ", "bold"), (words, style))
    parts: list[RenderableType] = [first, Text(), status_table(status, now=now), Text()]
    if trouble:
        parts.append(Text(f"As of {clock_time(status.at)}: {trouble}; trying again …", style="bold red"))
    parts.append(_events_table(latest, recipients))
    return Group(*parts)


def _facts(status: Status, passed: float) -> Iterable[tuple[str, str]]:
    yield "next send", _next_send(status, passed)
    yield "waiting", str(status.waiting)
    yield "being sent", str(status.in_flight)
    yield "retrying", str(status.retrying)
    yield "scheduled", f"{status.scheduled} in all lanes"
    if status.held:
        yield "held by a rule", f"{status.held:,}; see `antrian holds list`"
    if status.budget is not None and status.budget.has_caps:
        yield "sent", _used(status.budget)
    yield "dead letters", f"{status.failed_messages} in all lanes"
    if status.dead_callbacks:
        yield "callbacks", f"{status.dead_callbacks} given up; see `antrian callbacks dead list`"
    yield "all sent in", _all_sent_in(status, passed)
    yield "last send", moment(status.last_sent_at) if status.last_sent_at else "none known"
    yield "consumer", _consumer(status)
    if status.needs_newer_consumer:
        yield "too new", f"{status.needs_newer_consumer} wait for a newer consumer: upgrade it"
    if status.paused:
        yield "paused", f"by {status.paused_by or 'unknown'} since {moment(status.paused_at)}"


def _used(budget: LaneBudget) -> str:
    names = (("hour", "this hour"), ("day", "today"), ("cold", "to new contacts"))
    shares = [(what, getattr(budget.used, name, "?"), getattr(budget.caps, name)) for name, what in names]
    return ", ".join(f"{used} of {cap:,} {what}" for what, used, cap in shares if cap)


def _all_sent_in(status: Status, passed: float) -> str:
    if not status.queue_length and not status.retrying and not status.held:
        return "nothing to send"
    if status.estimate_needs_plan is not None:
        return f"not known, because of {status.estimate_needs_plan.value}: ask `antrian plan`"
    if status.estimated_time is not None:
        return f"about {duration(max(0.0, status.estimated_time - passed))}"
    if status.estimate_after_resume is not None:
        return f"after a resume: about {duration(status.estimate_after_resume)}"
    return "not known now"


def _sender_trouble(status: Status) -> str:
    """Why the sender cannot send, while its provider answers; empty where that is not what the lane waits for."""
    is_waited_for = status.next_send_reason is Reason.UNAVAILABLE and status.hold.reason is HoldReason.PROVIDER_AWAY
    return status.hold.rule or "" if is_waited_for else ""


def _next_send(status: Status, passed: float) -> str:
    why = _WHY[status.next_send_reason]
    if trouble := _sender_trouble(status):
        why = f"{trouble}; the lane tries again then"
    if status.next_send_reason is Reason.NOTHING_WAITS and status.pause_left > passed:
        return f"nothing waits; a new message would go out in {duration(status.pause_left - passed)}"
    if status.next_send_in is None:
        return why
    if status.next_send_reason is Reason.DUE:
        return f"now: {why}"
    return f"in {duration(max(0.0, status.next_send_in - passed))}: {why}"


def _consumer(status: Status) -> str:
    if status.consumers:
        return "running" if status.consumers == 1 else f"{status.consumers} running, one of them active"
    return "running, waiting" if status.running else "none is running"


def headline(status: Status, passed: float = 0.0) -> tuple[str, str]:
    """What the lane is doing, in the sentences of the dashboard, and the colour for them.

    Args:
        status: as it was read.
        passed: seconds since then.
    """
    words, style = _HEADLINES[status.next_send_reason]
    if trouble := _sender_trouble(status):
        words = f"{trouble[0].upper()}{trouble[1:]}. The lane keeps its messages and tries again in {{left}}."
    left = "a moment" if status.next_send_in is None else _countdown(status.next_send_in - passed)
    rest = status.pause_left - passed
    values = {
        "left": left,
        "delay": duration(status.delay),
        "by": status.paused_by or "an administrator",
        "since": f" since {clock_time(status.paused_at)}" if status.paused_at else "",
        "when": f"in {_countdown(rest)}" if rest > 0 else "at once",
    }
    return words.format_map(values), style


def _countdown(seconds: float) -> str:
    return duration(math.ceil(max(0.0, seconds)))


def _events_table(events: Iterable[Event], recipients: Mapping[str, str]) -> Table:
    table = Table("at", "", "event", "message", "attempt", "", box=None, padding=(0, 2), header_style="dim")
    for event in events:
        name = event.name.removeprefix("outcome.")
        sign, style = _SIGNS.get(event.name, ("·", ""))
        table.add_row(
            clock_time(event.at),
            Text(sign, style=style),
            Text(name, style=style),
            Text(recipients.get(event.message_id) or event.message_id[:_SHORT_ID]),
            str(event.attempt or ""),
            Text(str(event.details.get("code", "") or event.details.get("scope", ""))),
        )
    return table
