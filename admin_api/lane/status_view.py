"""A lane's status for people: a table, or one line. Numbers of recipients are in neither."""

import time
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from admin_api.lane.status import Reason, Status
from broker.events import Event

#: Characters of a message id that are shown among the latest events.
_SHORT_ID = 8

_WHY = {
    Reason.DUE: "it is due",
    Reason.PAUSE: "the pause after the last send",
    Reason.THROTTLED: "the provider asked for silence",
    Reason.UNAVAILABLE: "the provider is not there; the lane tries again then",
    Reason.SENDING: "a message is being sent",
    Reason.RETRY: "a message is due for another attempt then",
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
        f"{_clock(status.at)} {status.lane}: {status.waiting} waiting, {status.in_flight} being sent, "
        f"{status.retrying} retrying, {status.scheduled} scheduled, {status.failed_messages} dead; "
        f"next send {_next_send(status, 0.0)}"
    )


def watch_screen(status: Status, latest: Iterable[Event], trouble: str, now: float) -> RenderableType:
    """What `status --watch` shows.

    Args:
        status: the latest reading.
        latest: events, oldest first.
        trouble: why there is no newer reading; empty when there is.
        now: unix seconds.
    """
    parts: list[RenderableType] = [Text(f"Lane {status.lane}", style="bold"), status_table(status, now=now), Text()]
    if trouble:
        parts.append(Text(f"As of {_clock(status.at)}: {trouble}; trying again …", style="bold red"))
    parts.append(_events_table(latest))
    return Group(*parts)


def duration(seconds: float) -> str:
    """A duration with its unit, as exact as people want it."""
    if seconds < 60:  # noqa: PLR2004 (a minute)
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _facts(status: Status, passed: float) -> Iterable[tuple[str, str]]:
    yield "next send", _next_send(status, passed)
    yield "waiting", str(status.waiting)
    yield "being sent", str(status.in_flight)
    yield "retrying", str(status.retrying)
    yield "scheduled", f"{status.scheduled} in all lanes"
    yield "dead letters", f"{status.failed_messages} in all lanes"
    yield "all sent in", _all_sent_in(status, passed)
    yield "last send", _clock(status.last_sent_at) if status.last_sent_at else "none on the latest record"
    yield "consumer", _consumer(status)
    if status.paused:
        yield "paused", f"by {status.paused_by or 'unknown'} since {_clock(status.paused_at or 0)}"


def _all_sent_in(status: Status, passed: float) -> str:
    if not status.queue_length and not status.retrying:
        return "nothing to send"
    if status.estimated_time is not None:
        return f"about {duration(max(0.0, status.estimated_time - passed))}"
    if status.estimate_after_resume is not None:
        return f"after a resume: about {duration(status.estimate_after_resume)}"
    return "cannot be told now"


def _next_send(status: Status, passed: float) -> str:
    why = _WHY[status.next_send_reason]
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


def _events_table(events: Iterable[Event]) -> Table:
    table = Table("at", "event", "message", "attempt", "", box=None, padding=(0, 2), header_style="dim")
    for event in events:
        table.add_row(
            _clock(event.at),
            event.name.removeprefix("outcome."),
            Text(event.message_id[:_SHORT_ID]),
            str(event.attempt or ""),
            Text(str(event.details.get("code", "") or event.details.get("scope", ""))),
        )
    return table


def _clock(at: float) -> str:
    """A moment on this machine's clock; with its date unless it is today."""
    here = time.localtime(at)
    today = here[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", here)
