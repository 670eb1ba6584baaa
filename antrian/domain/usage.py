"""What a lane has sent, counted for its caps: a fold of the lane's events. No clock is read here.

An attempt counts from `outcome.sending` on, so that no crash can exceed a cap. It is taken back by a failure after
which surely nothing reached WhatsApp. Where it is not sure whether something counts, or for which hour, it counts, and
for the later one: a cap is rather kept too early than exceeded.

Counts are kept by the quarter of an hour, in which the hours and days of every zone begin. The count never goes back
in time: while a clock that was set back catches up, what is sent counts for the latest moment that was known, and what
lies in the future counts for every hour and day before it.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from antrian.domain.budget import whole_number
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.send_window import day_of, day_start, hour_start

#: Failures after which surely nothing reached WhatsApp.
TAKEN_BACK: Final = frozenset(
    {
        FailureClass.UNAVAILABLE,
        FailureClass.THROTTLED,
        FailureClass.TRANSIENT,
        FailureClass.RECIPIENT_BUSY,
        FailureClass.COLD_REFUSED,
    }
)

_QUARTER = 900
#: A local day has up to 25 hours.
_LONGEST_DAY = 25.0 * 3_600
#: For so long counts are kept, seconds: a clock that was set forward by a day and back again finds them.
_KEPT = 2 * _LONGEST_DAY
#: More quarters than this are never kept.
_MOST_QUARTERS = 600
#: So many of the latest attempts are known by themselves, so that one that is told of twice counts once.
_MOST_ATTEMPTS = 50_000
#: … and so many beginnings of each; one that the provider keeps away is tried all day.
_MOST_BEGINNINGS = 16


@dataclass(frozen=True, slots=True)
class Used:
    """How much was sent.

    Attributes:
        hour: messages in the clock hour.
        day: messages in the local day.
        cold: of these, messages to cold contacts.
    """

    hour: int = 0
    day: int = 0
    cold: int = 0

    def as_dict(self) -> dict[str, int]:
        """As an event says it (`used`)."""
        return {"hour": self.hour, "day": self.day, "cold": self.cold}

    @classmethod
    def read(cls, value: object) -> Self:
        """What an event says; nothing used where it says nothing that makes sense."""
        counts = value if isinstance(value, Mapping) else {}
        return cls(*(whole_number(counts.get(name)) for name in ("hour", "day", "cold")))

    def with_one(self, *, is_cold: bool) -> Self:
        """The counts with one more message."""
        return replace(self, hour=self.hour + 1, day=self.day + 1, cold=self.cold + is_cold)

    def carried(self, timezone: str, since: float, now: float) -> Self:
        """The counts of a moment `since` as they are `now` if nothing was sent since; times in unix seconds."""
        if since < day_start(timezone, day_of(timezone, now)):
            return type(self)()
        return self if since >= hour_start(timezone, now) else replace(self, hour=0)


@dataclass(slots=True)
class _Beginning:
    """An attempt that began.

    Attributes:
        at: the moment that it counts for, unix seconds.
        is_cold: whether its recipient was a cold contact.
        recipient: of the message.
        before: the beginning before it to the same recipient.
        counts: whether it was not taken back.
    """

    at: float
    is_cold: bool
    recipient: str
    before: "_Beginning | None" = None
    counts: bool = True


@dataclass(slots=True)
class _SameAttempt:
    """All beginnings of an attempt, by the time in their events, and the times in those of its failures.

    An attempt that failed and is not counted is made again under the same number.
    """

    begun: dict[float, _Beginning] = field(default_factory=dict)
    failed: dict[float, None] = field(default_factory=dict)


class Usage:
    """What one lane has sent within the last two days, and when each recipient was last sent something.

    Args:
        recipient_gap: seconds for which the last send to a recipient must be known (`Limits.recipient_gap`).
    """

    def __init__(self, recipient_gap: float = 0.0) -> None:
        # By quarter since 1970: all messages, and those to cold contacts.
        self._counts: dict[int, list[int]] = {}
        self._recipients: OrderedDict[str, _Beginning] = OrderedDict()
        self._attempts: OrderedDict[tuple[str, int, int], _SameAttempt] = OrderedDict()
        # The latest moment that is taken for true, and the latest that something counts for.
        self._latest = self._newest = -math.inf
        self.keep_recipients_for(recipient_gap)

    def keep_recipients_for(self, seconds: float) -> None:
        """From now on the last send to a recipient is known for so long; never less than 25 h."""
        self._recipients_kept = max(_LONGEST_DAY, seconds)

    def apply(self, event: Event, now: float) -> None:
        """Learn of one event of the lane; other events than those of attempts teach nothing.

        Args:
            event: of this lane; in the stream's order, as far as may be. The same one twice counts once.
            now: unix seconds.
        """
        if event.name == EventName.SENDING:
            self._begin(event, now)
        elif event.name == EventName.FAILED:
            attempt = self._attempts.get(_key(event))
            if attempt and FailureClass.read(event.details.get("failure_class")) in TAKEN_BACK:
                self._take_back(attempt, event.at)

    def in_hour(self, zone: str, now: float) -> int:
        """Messages of the clock hour."""
        return self._sum(hour_start(zone, now), now)[0]

    def in_day(self, zone: str, now: float) -> int:
        """Messages of the local day."""
        return self._sum(day_start(zone, day_of(zone, now)), now)[0]

    def cold_in_day(self, zone: str, now: float) -> int:
        """Messages of the local day to cold contacts."""
        return self._sum(day_start(zone, day_of(zone, now)), now)[1]

    def used(self, zone: str, now: float) -> Used:
        """All three counts."""
        day, cold = self._sum(day_start(zone, day_of(zone, now)), now)
        return Used(self.in_hour(zone, now), day, cold)

    def last_sent_to(self, recipient: str) -> float | None:
        """When the latest attempt to send something to a recipient began, unix seconds; None when it was long ago.

        It may lie in the future, by a clock that was set back.
        """
        begun = self._recipients.get(recipient)
        return begun.at if begun else None

    def _begin(self, event: Event, now: float) -> None:
        if event.at < now - max(_KEPT, self._recipients_kept):
            # It counts for nothing any more, and would not be remembered until it comes again.
            return
        attempt = self._attempts.setdefault(_key(event), _SameAttempt())
        if event.at in attempt.begun:
            return
        self._bring_back(now)
        recipient = event.details.get("recipient")
        # An event of an older version does not say whether its contact was cold: no cap was kept then.
        begun = _Beginning(
            self._counted_at(event.at, now),
            event.details.get("cold") is True,
            recipient if isinstance(recipient, str) else "",
        )
        self._count(begun, 1)
        attempt.begun[event.at] = begun
        _keep_latest(attempt.begun)
        self._newest = max(self._newest, begun.at)
        self._attempts.move_to_end(_key(event))
        if begun.recipient:
            self._note_recipient(begun)
        self._forget(now)

    def _counted_at(self, at: float, now: float) -> float:
        """The moment that an attempt counts for."""
        if at > now:
            # By a clock that is wrong: it counts as now, and nothing follows from it for what comes later.
            return max(now, self._latest)
        if self._latest - _LONGEST_DAY <= at < self._latest:
            return self._latest
        # One that is still older is of another day, whatever the clocks did.
        self._latest = max(self._latest, at)
        return at

    def _note_recipient(self, begun: _Beginning) -> None:
        begun.before = self._recipients.get(begun.recipient)
        if begun.before is not None:
            begun.before.before = None
        self._recipients[begun.recipient] = begun
        self._recipients.move_to_end(begun.recipient)

    def _take_back(self, attempt: _SameAttempt, failed_at: float) -> None:
        counting = [begun for at, begun in attempt.begun.items() if begun.counts and at <= failed_at]
        if failed_at in attempt.failed or not counting:
            return
        attempt.failed[failed_at] = None
        _keep_latest(attempt.failed)
        begun = counting[-1]
        begun.counts = False
        self._count(begun, -1)
        if self._recipients.get(begun.recipient) is not begun:
            return
        if begun.before is None:
            del self._recipients[begun.recipient]
        else:
            self._recipients[begun.recipient] = begun.before

    def _count(self, begun: _Beginning, by: int) -> None:
        counts = self._counts.setdefault(int(begun.at // _QUARTER), [0, 0])
        counts[0] += by
        counts[1] += by * begun.is_cold

    def _sum(self, since: float, now: float) -> tuple[int, int]:
        self._bring_back(now)
        first = int(since // _QUARTER)
        counts = [count for quarter, count in self._counts.items() if quarter >= first]
        return sum(everything for everything, _ in counts), sum(cold for _, cold in counts)

    def _forget(self, now: float) -> None:
        """Drop what can count no more; the oldest come first nearly always, so that nothing is searched."""
        while self._attempts:
            key, attempt = next(iter(self._attempts.items()))
            latest = max(begun.at for begun in attempt.begun.values())
            if latest >= now - _KEPT and len(self._attempts) <= _MOST_ATTEMPTS:
                break
            del self._attempts[key]
        while self._recipients:
            recipient, begun = next(iter(self._recipients.items()))
            if begun.at >= now - self._recipients_kept:
                break
            del self._recipients[recipient]
        if len(self._counts) > _MOST_QUARTERS:
            oldest = int((now - _KEPT) // _QUARTER)
            self._counts = {quarter: count for quarter, count in self._counts.items() if quarter >= oldest}

    def _bring_back(self, now: float) -> None:
        """What lies more than a day ahead was sent by a clock that was wrong, nobody knows when: it counts as now."""
        if self._newest <= now + _LONGEST_DAY:
            return
        attempts = (begun for attempt in self._attempts.values() for begun in attempt.begun.values())
        for begun in (*attempts, *self._recipients.values()):
            begun.at = min(begun.at, now)
        here = self._counts.setdefault(int(now // _QUARTER), [0, 0])
        for quarter in [quarter for quarter in self._counts if quarter > now // _QUARTER]:
            everything, cold = self._counts.pop(quarter)
            here[0] += everything
            here[1] += cold
        self._newest = self._latest = now


def _key(event: Event) -> tuple[str, int, int]:
    return event.message_id, event.generation, event.attempt


def _keep_latest(by_time: dict[float, Any]) -> None:
    if len(by_time) > _MOST_BEGINNINGS:
        del by_time[next(iter(by_time))]
