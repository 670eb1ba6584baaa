"""What was sent in a period and how long it took, for people who answer for it; pure."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from antrian.history.projection import wait_histogram
from antrian.history.projection.bucket import WaitFigures
from antrian.history.projection.figures import CAUSE_SEPARATOR, QUARTER, Wait
from antrian.history.queries import time_axis
from antrian.history.queries.analytics import wait_figures
from antrian.history.queries.delivery_report import DeliveryFigures, DeliveryRows, by_lane, by_provider

#: Sources and causes that a report lists, the largest; its totals count all.
MOST_ROWS = 200

_HOURS = 24


class Period(StrEnum):
    """What a report is about: whole days of the reader's clock."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def days(self) -> int:
        """How many days; the last of them is today, except for yesterday."""
        return {"today": 1, "yesterday": 1, "7d": 7, "30d": 30}[self.value]


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when until when, in unix seconds."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of the messages that ended in a period.

    Attributes:
        sent: the provider accepted them.
        failed: given up or out of time, and not on their way again since.
        success_rate: sent of all that ended so; None when none did.
        wait: of those sent; None when nothing was.
        opted_out: not sent, because their recipients do not want them.
    """

    sent: int
    failed: int
    success_rate: float | None
    wait: WaitFigures | None
    opted_out: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """The messages of one publishing service.

    Attributes:
        name: of the service; empty when it is not known.
        sent: by the provider accepted.
        failed: as in `Totals`.
        success_rate: as in `Totals`.
        over_time: sent in each hour of a day, or on each day.
        opted_out: as in `Totals`.
    """

    name: str
    sent: int
    failed: int
    success_rate: float | None
    over_time: Sequence[int]
    opted_out: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the reader's clock.

    Attributes:
        date: such as 2026-11-28.
        sent: on that day; None when the history does not go back so far.
        failed: as `sent`.
        hours: sent in each hour of it, 24; an hour may be None as a day may.
    """

    date: str
    sent: int | None
    failed: int | None
    hours: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Cause:
    """What messages failed of.

    Attributes:
        failure_class: of the last failure; `expired` for a message whose time was over.
        code: the provider's, or ours.
        count: how many messages.
    """

    failure_class: str
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class HeldFigures:
    """How long messages were held for one reason.

    Attributes:
        reason: a `HoldReason`'s value, or a later version's.
        count: how many holds ended; a message can be held more than once.
        seconds: what they lasted together.
    """

    reason: str
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to a manager.

    Attributes:
        period: which.
        timezone: whose days these are.
        since: the beginning.
        until: the end; now, unless the period is over.
        known_since: when the figures begin, if that is after `since`; None if they are complete.
        waiting: messages that have no end yet, now.
        totals: of the period.
        before: of the period before, as far into it; None when it is not known completely.
        before_since: the beginning of that.
        waits: by the name of the priority, the most urgent first.
        sources: the busiest first.
        days: oldest first.
        causes: the most frequent first.
        held: by reason, of the holds that ended; the longest first.
        providers: what became of what each provider took, the busiest first.
        lanes: the same by lane.
    """

    period: Period
    timezone: str
    since: float
    until: float
    known_since: float | None
    waiting: int
    totals: Totals
    before: Totals | None
    before_since: float
    waits: Mapping[str, WaitFigures]
    sources: Sequence[Source]
    days: Sequence[Day]
    causes: Sequence[Cause]
    held: Sequence[HeldFigures] = ()
    providers: Sequence[DeliveryFigures] = ()
    lanes: Sequence[DeliveryFigures] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """What the history keeps of a stretch.

    Attributes:
        ends: (quarter since 1970, source, sent, failed); of the period before, the sum of all.
        waits: (priority, messages, seconds, packed histogram).
        causes: (cause, messages).
        opt_outs: (source, messages); of the period before, the sum of all.
        holds: (reason, how many, seconds).
        deliveries: see `delivery_report.DeliveryRows`.
    """

    ends: Sequence[Sequence[Any]]
    waits: Sequence[Sequence[Any]]
    causes: Sequence[Sequence[Any]] = ()
    opt_outs: Sequence[Sequence[Any]] = ()
    holds: Sequence[Sequence[Any]] = ()
    deliveries: DeliveryRows = ()


def stretches(period: Period, now: float, place: tzinfo) -> tuple[Stretch, Stretch]:
    """The period, and the one before it: as many days, and as far into the last of them.

    Args:
        period: which.
        now: unix seconds.
        place: whose days these are.
    """
    today = time_axis.midnight(now, place)
    if period is Period.YESTERDAY:
        two_ago, one_ago, end = time_axis.days(today - timedelta(days=2), 3)
        return Stretch(one_ago, end), Stretch(two_ago, one_ago)
    begin = today - timedelta(days=period.days - 1)
    before = begin - timedelta(days=period.days)
    then = datetime.fromtimestamp(now, place) - timedelta(days=period.days)
    return Stretch(begin.timestamp(), now), Stretch(before.timestamp(), then.timestamp())


def compose(
    period: Period,
    place: tzinfo,
    now: float,
    *,
    rows: Rows,
    before: Rows,
    waiting: int,
    first: float | None,
) -> Report:
    """The report.

    Args:
        period: which.
        place: whose days these are.
        now: unix seconds.
        rows: of the period.
        before: of the period before.
        waiting: messages without an end.
        first: since when the history has figures, in unix seconds; None when it has none.
    """
    ours, earlier = stretches(period, now, place)
    is_comparable = first is not None and first <= earlier.since
    waits = _waits(rows.waits)
    return Report(
        period=period,
        timezone=str(place),
        since=ours.since,
        until=ours.until,
        known_since=first if first is not None and first > ours.since else None,
        waiting=waiting,
        totals=_totals(rows, waits),
        before=_totals(before, _waits(before.waits)) if is_comparable else None,
        before_since=earlier.since,
        waits={name: _figures(wait) for name, wait in waits.items()},
        sources=_sources(period, rows, ours, place),
        days=_days(period, rows.ends, ours, place, -math.inf if first is None else first),
        causes=_causes(rows.causes),
        held=sorted((HeldFigures(*row) for row in rows.holds), key=lambda one: (-one.seconds, one.reason)),
        providers=by_provider(rows.deliveries),
        lanes=by_lane(rows.deliveries),
    )


def _totals(rows: Rows, waits: Mapping[str, Wait]) -> Totals:
    sent, failed = (sum(row[column] for row in rows.ends) for column in (2, 3))
    whole = Wait()
    for wait in waits.values():
        whole.add(wait.count, wait.seconds, wait.histogram)
    opted_out = sum(count for _, count in rows.opt_outs)
    return Totals(sent, failed, _rate(sent, failed), _figures(whole) if whole.count else None, opted_out)


def _rate(sent: int, failed: int) -> float | None:
    return sent / (sent + failed) if sent + failed > 0 else None


def _waits(waits: Iterable[Sequence[Any]]) -> dict[str, Wait]:
    """How long the messages of each priority waited, the most urgent first."""
    found = {name: Wait() for name in ("urgent", "high", "normal", "low")}
    for priority, count, seconds, packed in waits:
        found[priority].add(count, seconds, wait_histogram.unpack(packed))
    return {name: wait for name, wait in found.items() if wait.count}


def _figures(wait: Wait) -> WaitFigures:
    return wait_figures(wait.count, wait.seconds, wait.histogram)


def _sources(period: Period, rows: Rows, ours: Stretch, place: tzinfo) -> list[Source]:
    sent: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    over_time: dict[str, list[int]] = {}
    one_day = period.days == 1
    points = _HOURS if one_day else period.days
    edges = [] if one_day else list(_edges(period, ours, place))
    places: dict[int, int] = {}
    for quarter, name, more_sent, more_failed in rows.ends:
        sent[name] += more_sent
        failed[name] += more_failed
        if quarter not in places:
            places[quarter] = _hour(quarter, place) if one_day else _which(quarter, edges)
        if name not in over_time:
            over_time[name] = [0] * points
        over_time[name][places[quarter]] += more_sent
    opted_out = Counter({name: count for name, count in rows.opt_outs if count})
    names = sorted(over_time.keys() | opted_out, key=lambda name: (-sent[name], -failed[name], name))
    return [
        Source(
            name,
            sent[name],
            failed[name],
            _rate(sent[name], failed[name]),
            over_time.get(name) or [0] * points,
            opted_out[name],
        )
        for name in names
        if sent[name] or failed[name] or opted_out[name]
    ][:MOST_ROWS]


def _edges(period: Period, ours: Stretch, place: tzinfo) -> Iterable[float]:
    return time_axis.days(datetime.fromtimestamp(ours.since, place), period.days + 1)


def _which(quarter: int, edges: Sequence[float]) -> int:
    return min(max(0, bisect_right(edges, quarter * QUARTER) - 1), len(edges) - 2)


def _hour(quarter: int, place: tzinfo) -> int:
    return datetime.fromtimestamp(quarter * QUARTER, place).hour


def _days(period: Period, ends: Sequence[Sequence[Any]], ours: Stretch, place: tzinfo, first: float) -> list[Day]:
    edges = list(_edges(period, ours, place))
    sent_of, failed_of = [0] * period.days, [0] * period.days
    hours = [[0] * _HOURS for _ in range(period.days)]
    places: dict[int, tuple[int, int]] = {}
    for quarter, _, sent, failed in ends:
        if quarter not in places:
            places[quarter] = _which(quarter, edges), _hour(quarter, place)
        day, hour = places[quarter]
        sent_of[day] += sent
        failed_of[day] += failed
        hours[day][hour] += sent
    begins = [datetime.fromtimestamp(edge, place) for edge in edges[:-1]]
    found = zip(begins, sent_of, failed_of, hours, strict=True)
    return [_day(begin, sent, failed, of_day, first) for begin, sent, failed, of_day in found]


def _day(midnight: datetime, sent: int, failed: int, hours: Sequence[int], first: float) -> Day:
    """A day without the figures of what was before the history begins."""
    ends = [midnight.replace(hour=hour).timestamp() + 3600 for hour in range(_HOURS)]
    known = [count if end > first else None for count, end in zip(hours, ends, strict=True)]
    date = midnight.date().isoformat()
    return Day(date, sent, failed, known) if ends[-1] > first else Day(date, None, None, known)


def _causes(causes: Sequence[Sequence[Any]]) -> list[Cause]:
    parts = ((cause.partition(CAUSE_SEPARATOR), count) for cause, count in causes if count > 0)
    found = [Cause(failure_class, code, count) for (failure_class, _, code), count in parts]
    return sorted(found, key=lambda cause: (-cause.count, cause.failure_class, cause.code))[:MOST_ROWS]
