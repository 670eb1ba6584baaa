"""What a batch adds to the figures of charts and reports; no I/O.

Each message counts once, as sent or as failed, by its latest end: one that was given up and is sent later after all is
a failure no more.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from antrian.domain.lifecycle import MessageState
from antrian.domain.priority import Priority
from antrian.history.projection import wait_histogram
from antrian.history.projection.message_row import MessageRow

#: Seconds of a quarter of an hour: the days of every time zone begin with one.
QUARTER = 900

#: Between class and code of a cause.
CAUSE_SEPARATOR = "\n"

_IS_SENT = MessageState.SENT
_READ, _UNDELIVERED, _ARRIVED = "read", "failed", frozenset({"delivered", "read"})

_label = cache(Priority.label)


@dataclass(slots=True)
class Wait:
    """How long the messages of one priority waited that were sent in one stretch of time; see `wait_histogram`."""

    count: int = 0
    seconds: float = 0.0
    histogram: int = 0

    def add(self, count: int, seconds: float, histogram: int) -> None:
        """So many more."""
        self.count += count
        self.seconds += seconds
        self.histogram += histogram


@dataclass(slots=True)
class Ends:
    """How many messages of one source ended in one quarter of an hour; `failed` are given up, or out of time."""

    sent: int = 0
    failed: int = 0


@dataclass(slots=True)
class HoldSeconds:
    """How often messages were held for one reason, and for how many seconds in all."""

    count: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Delivered:
    """What became of the messages that one provider took in one quarter of an hour; `wait` from then to arrival."""

    handed_over: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    wait: Wait = field(default_factory=Wait)


@dataclass(slots=True)
class Figures:
    """By how much the figures grow.

    Attributes:
        waits: by (minute since 1970, lane, name of the priority).
        ends: by (quarter of an hour since 1970, lane, source).
        causes: failed messages by (quarter of an hour since 1970, lane, class and code).
        holds: how often, and how many seconds, messages were held, by (quarter in which that ended, lane, reason).
        opt_outs: not sent because of an opt-out, by (quarter of an hour since 1970, lane, source).
        deliveries: what became of what a provider took, by (quarter in which it took it, lane, provider).
    """

    waits: dict[tuple[int, str, str], Wait] = field(default_factory=dict)
    ends: dict[tuple[int, str, str], Ends] = field(default_factory=dict)
    causes: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    holds: dict[tuple[int, str, str], HoldSeconds] = field(default_factory=dict)
    opt_outs: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    deliveries: dict[tuple[int, str, str], Delivered] = field(default_factory=dict)

    def held(self, lane: str, reason: str, since: float, until: float) -> None:
        """A hold of a message is over."""
        one = self.holds.setdefault((int(until // QUARTER), lane, reason), HoldSeconds())
        one.count += 1
        one.seconds += max(0.0, until - since)

    def opted_out(self, row: MessageRow, at: float) -> None:
        """A message was not sent because its recipient does not want it."""
        self.opt_outs[int(at // QUARTER), row.lane, row.source] += 1

    def sent(self, row: MessageRow, at: float, wait: float | None) -> None:
        """A message was sent, after so many seconds, if that is known."""
        self._ends(at, row).sent += 1
        if wait is None:
            return
        key = (int(at // 60), row.lane, _label(row.priority))
        one = self.waits.get(key)
        if one is None:
            one = self.waits[key] = Wait()
        one.add(1, wait, wait_histogram.one(wait))

    def unsent(self, row: MessageRow) -> None:
        """A message that was counted as sent did not arrive: what becomes of it then counts."""
        if row.sent_at is not None:
            self._ends(row.sent_at, row).sent -= 1

    def handed_over(self, row: MessageRow) -> None:
        """A provider took a message."""
        self._delivered(row).handed_over += 1

    def delivery(self, row: MessageRow, before: str, after: str) -> None:
        """More is known of a message that a provider took; what was read was delivered."""
        if row.sent_at is None:
            # A gap has swallowed its send.
            return
        one = self._delivered(row)
        one.failed += (after == _UNDELIVERED) - (before == _UNDELIVERED)
        one.read += after == _READ
        one.delivered += after in _ARRIVED and before not in _ARRIVED

    def time_to_delivery(self, row: MessageRow, at: float) -> None:
        """A message arrived at that time, as the provider tells."""
        if row.sent_at is not None:
            seconds = max(0.0, at - row.sent_at)
            self._delivered(row).wait.add(1, seconds, wait_histogram.one(seconds))

    def quarter_waits(self) -> dict[tuple[int, str, str], Wait]:
        """The waits by (quarter of an hour since 1970, lane, name of the priority)."""
        found: dict[tuple[int, str, str], Wait] = {}
        for (minute, lane, priority), wait in self.waits.items():
            quarter = found.setdefault((minute * 60 // QUARTER, lane, priority), Wait())
            quarter.add(wait.count, wait.seconds, wait.histogram)
        return found

    def failed(self, row: MessageRow, at: float, failure_class: str, code: str) -> None:
        """A message was given up, or its time was over; of one that had failed before, only the cause is another."""
        if row.failed_at is not None:
            at = row.failed_at
            self.forget_failure(row)
        row.failed_at, row.failed_as = at, f"{failure_class}{CAUSE_SEPARATOR}{code}"
        self._ends(at, row).failed += 1
        self.causes[int(at // QUARTER), row.lane, row.failed_as] += 1

    def forget_failure(self, row: MessageRow) -> None:
        """A message that had failed is on its way again."""
        if row.failed_at is None:
            return
        self._ends(row.failed_at, row).failed -= 1
        self.causes[int(row.failed_at // QUARTER), row.lane, row.failed_as or ""] -= 1
        row.failed_at = row.failed_as = None

    def name_source(self, row: MessageRow, source: str) -> None:
        """A message turns out to be this service's, with what was counted of it already."""
        if row.state is not _IS_SENT and row.failed_at is None:
            row.source = source
            return
        self._shift(row, -1)
        row.source = source
        self._shift(row, 1)

    def _shift(self, row: MessageRow, change: int) -> None:
        if row.state is _IS_SENT and row.sent_at is not None:
            self._ends(row.sent_at, row).sent += change
        if row.failed_at is not None:
            self._ends(row.failed_at, row).failed += change

    def _delivered(self, row: MessageRow) -> Delivered:
        key = (int((row.sent_at or 0.0) // QUARTER), row.lane, row.provider or "")
        one = self.deliveries.get(key)
        if one is None:
            one = self.deliveries[key] = Delivered()
        return one

    def _ends(self, at: float, row: MessageRow) -> Ends:
        key = (int(at // QUARTER), row.lane, row.source)
        ends = self.ends.get(key)
        if ends is None:
            ends = self.ends[key] = Ends()
        return ends
