"""The history on this machine, and what the journal still holds."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antrian.broker.stream.entry import StreamEntry
from antrian.broker.stream.lookup import first_from, stream_channel
from antrian.broker.topology import Names
from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.domain.events import Event
from antrian.domain.human_time import rough_duration
from antrian.domain.settings import Settings
from antrian.history.queries.history import History, history_path
from antrian.history.records import DeadFilter, MessageState, Position
from antrian.operations.dead_letters.retention_alarm import RetentionAlarm, retention_alarm, warned_before
from antrian.operations.lane.status import Status

SUBJECT = "history"
RETENTION = "retention"

_DAY = 86_400.0

#: Seconds that a history may be behind the journal; a running admin process is behind by less than one.
_LATE = 60.0

#: Offsets of the journal skip one where a segment ends.
_SKIPPED = 2

#: Seconds to wait for the journal's first entry; an empty one never gives any.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class JournalStart:
    """The journal's oldest entry.

    Attributes:
        offset: its place; -1 for an empty journal.
        age: seconds since it was written; None when it does not say.
    """

    offset: int
    age: float | None


@dataclass(frozen=True, slots=True)
class HistoryFacts:
    """What is on this machine, and how it compares.

    Attributes:
        exists: whether there is a history here at all.
        position: how far it has read.
        counts: messages by state, all lanes.
        near: dead letters that it will soon forget.
        behind: seconds since it last was complete; None when it never was.
    """

    exists: bool
    position: Position
    counts: dict[MessageState, int]
    near: RetentionAlarm | None
    behind: float | None


def look(settings: Settings, now: float) -> HistoryFacts:
    """Read the history's file; no follower needs to run for that."""
    history = History(history_path(settings))
    retention = settings.whatsapp_queue_retention_days * _DAY
    groups = history.dead_groups(DeadFilter(until=warned_before(retention, now)))
    position = history.position()
    behind = None if position.checked_at is None else max(0.0, now - position.checked_at)
    facts = HistoryFacts(
        history.path.exists(), position, history.counts(), retention_alarm(groups, retention, now), behind
    )
    history.close()
    return facts


def look_at_journal(settings: Settings, urls: Sequence[str]) -> JournalStart:
    """Find the journal's oldest entry.

    Raises:
        BrokerError: this user may not read it.
        NoStream: there is none.
    """
    names = Names(settings.whatsapp_queue_namespace)
    with stream_channel(urls, names.journal, name="antrian doctor") as channel:
        first = first_from(channel, names.journal, "first", _PATIENCE)
    return JournalStart(first.offset, _age(first, names)) if first else JournalStart(-1, None)


def _age(entry: StreamEntry, names: Names) -> float | None:
    event = Event.decode(entry.body) if entry.exchange == names.events else None
    stamp = entry.properties.timestamp
    written_at = event.at if event else float(stamp) if isinstance(stamp, int) else None
    return None if written_at is None else max(0.0, time.time() - written_at)


def check(facts: HistoryFacts) -> Iterator[Finding]:
    """What the state of the history's file means."""
    if not facts.exists:
        yield ok(SUBJECT, "There is no history on this machine; `antrian admin` creates one from the journal.")
        return
    if facts.behind is None or facts.behind > _LATE:
        late = (
            "The history was never complete."
            if facts.behind is None
            else f"The history is {rough_duration(facts.behind)} behind."
        )
        yield warning(SUBJECT, late, "Start `antrian admin`, or follow docs/runbooks/AntrianHistoryBehind.md.")
    else:
        yield ok(SUBJECT, f"The history has read {facts.position.entries:,} entries and is up to date.")
    for gap in facts.position.gaps:
        yield warning(
            SUBJECT,
            f"The history has a gap: {gap}.",
            "What is missing cannot be restored; keep `antrian admin` running.",
        )


def check_dead(near: RetentionAlarm | None) -> Finding:
    """What dead letters near the end of their retention mean."""
    if near is None:
        return ok(RETENTION, "No dead letter is near the end of its retention.")
    soon = rough_duration(near.seconds_left)
    return warning(
        RETENTION,
        f"1 dead letter will soon be older than the journal keeps, in {soon}."
        if near.count == 1
        else f"{near.count} dead letters will soon be older than the journal keeps, the first in {soon}.",
        "Re-drive or delete them now, as docs/runbooks/AntrianRetentionNear.md says.",
    )


def check_journal(start: JournalStart, facts: HistoryFacts, settings: Settings) -> Iterator[Finding]:
    """What the journal's oldest entry means."""
    days = settings.whatsapp_queue_retention_days
    if start.age is None:
        yield ok(RETENTION, f"The journal is empty, or its age is not known; it keeps {days:g} days.")
    else:
        yield ok(
            RETENTION, f"The journal reaches back {rough_duration(start.age)}; it keeps {days:g} days or a little more."
        )
    read_up_to = facts.position.offset
    if facts.exists and facts.position.entries and start.offset > read_up_to + _SKIPPED:
        yield problem(
            RETENTION,
            "The journal has dropped entries that the history never read.",
            "Run `antrian admin` all the time: what is lost from the history cannot be brought back.",
        )


def check_difference(facts: HistoryFacts, lanes: Sequence[Status]) -> Iterator[Finding]:
    """Where broker and history count another number of messages. Only a history that is up to date can be compared."""
    if not facts.exists or not lanes or facts.behind is None or facts.behind > _LATE:
        return
    waiting = sum(lane.waiting + lane.in_flight for lane in lanes)
    known = facts.counts.get(MessageState.WAITING, 0) + facts.counts.get(MessageState.SENDING, 0)
    failed, known_failed = lanes[0].failed_messages, facts.counts.get(MessageState.DEAD, 0)
    if (waiting, failed) == (known, known_failed):
        yield ok(SUBJECT, f"Broker and history agree: {waiting} messages wait, {failed} are dead letters.")
    else:
        yield warning(
            SUBJECT,
            f"The broker counts {waiting} waiting and {failed} dead letters, the history {known} and {known_failed}.",
            "Run this again in a minute; if they still differ, follow docs/runbooks/AntrianHistoryDiffers.md.",
        )
