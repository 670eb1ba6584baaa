"""One way in which a lane may go on, played through from send to send with the rules that its consumer keeps to. Pure.

What may be sent when is asked of the very functions that the consumer asks (`antrian.domain.hold`, `usage`, `slots`);
only time, attempts and the delay ladder are paper. Time jumps from one thing that happens to the next, so that a month
in which nothing may be sent costs nothing.
"""

import math
import random
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from heapq import heapify, heappop, heappush
from itertools import count

from antrian.domain.budget import Budget, budget
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import Candidate, Hold, HoldFacts, HoldReason, lane_hold, message_hold
from antrian.domain.lane_limits import Limits
from antrian.domain.priority import Priority
from antrian.domain.send_window import day_of, day_start, hour_start, next_hour_start
from antrian.domain.slots import Slots
from antrian.domain.usage import Usage, Used
from antrian.operations.lane.forecast import Sample, Tempo


@dataclass(frozen=True, slots=True)
class PlayedMessage:
    """A message of the play.

    Attributes:
        candidate: what the rules see of it.
        due_at: when the delay ladder gives it back, unix seconds; 0 for one that waits in the lane.
        is_asked_for: whether its end counts.
        slot: the day that it was given.
    """

    candidate: Candidate
    due_at: float = 0.0
    is_asked_for: bool = True
    slot: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayStart:
    """A lane at the moment from which it is played through.

    Attributes:
        now: unix seconds.
        limits: the lane's.
        tempo: how its attempts go.
        opens_at: when its next attempt may begin, unix seconds.
        used: what it has sent in this hour and on this day.
        first_cold_at: since when its sender writes to cold contacts, unix seconds.
        cold_held_until: until when its sender may not write to them, unix seconds.
    """

    now: float
    limits: Limits
    tempo: Tempo
    opens_at: float = 0.0
    used: Used = field(default_factory=Used)
    first_cold_at: float | None = None
    cold_held_until: float | None = None


@dataclass(slots=True)
class PlayedHold:
    """What one reason held in a play.

    Attributes:
        messages: how many it held at all.
        seconds: for how long it held any.
    """

    messages: int = 0
    seconds: float = 0.0
    _until: float = -math.inf

    def add(self, begins: float, until: float) -> None:
        """It held something from then until then; beginnings come in order."""
        self.seconds += max(0.0, until - max(begins, self._until))
        self._until = max(self._until, until)


@dataclass(slots=True)
class PlayEnd:
    """How a play went.

    Attributes:
        finished_at: when the last message that was asked for had its last outcome, unix seconds.
        halfway_at: when half of them had.
        sent: how many of them were sent on each local day of the lane.
        held: what held them, by reason.
    """

    finished_at: float
    halfway_at: float = 0.0
    sent: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    held: dict[HoldReason, PlayedHold] = field(default_factory=lambda: defaultdict(PlayedHold))


class Play:
    """One way in which a lane may go on.

    Args:
        start: the lane.
        messages: what it has to send; those in the lane in their order.
        seed: of chance: which of the recent attempts each is like, and the jitter.
        until: when to end at the latest, unix seconds.
    """

    def __init__(self, start: PlayStart, messages: Sequence[PlayedMessage], seed: int, until: float = math.inf) -> None:
        self._tempo, self._limits, self._zone = start.tempo, start.limits, start.limits.timezone
        self._chance = random.Random(seed)  # noqa: S311 (not a secret)
        self._now, self._until = max(start.now, start.opens_at), until
        usage = used_already(start.used, self._zone, start.now, start.limits.recipient_gap)
        slots = Slots((one.candidate.message_id, one.slot) for one in messages if one.slot)
        self._facts = HoldFacts(
            limits=start.limits,
            usage=usage,
            slots=slots,
            first_cold_at=start.first_cold_at,
            cold_held_until=start.cold_held_until,
        )
        self._queues: dict[int, deque[PlayedMessage]] = defaultdict(deque)
        self._order = count()
        self._ladder = [(one.due_at, next(self._order), one) for one in messages if one.due_at > start.now]
        heapify(self._ladder)
        for one in messages:
            if one.due_at <= start.now:
                self._queues[one.candidate.priority].append(one)
        self._lane_caps = _LaneCaps(self._zone)
        self._attempts: dict[str, int] = {}
        self._held: set[tuple[HoldReason, str]] = set()
        self._known: set[str] = set()
        # When each message came into the lane's queue from the ladder, and when each cap last shut the lane.
        self._came_at: dict[str, float] = {}
        self._shut_at: dict[HoldReason, float] = {}
        self._has_urgent = any(one.candidate.priority >= Priority.URGENT for one in messages)
        self._left = sum(one.is_asked_for for one in messages)
        self._half = self._left // 2
        self._end = PlayEnd(start.now)

    def run(self) -> PlayEnd:
        """Play it through."""
        while self._left and self._now < self._until:
            queue = self._next_queue()
            if queue is None:
                self._now = self._ladder[0][0]
                continue
            message = queue[0]
            if (cap := self._cap_for(message)) is not None:
                self._wait_for(cap)
                continue
            queue.popleft()
            message = self._as_known(message)
            hold = message_hold(message.candidate, self._facts, self._now)
            if hold is None:
                self._attempt(message)
            else:
                self._hold(message, hold)
        return self._end

    def _next_queue(self) -> deque[PlayedMessage] | None:
        """The queue whose first message has its turn; None while everything is on the ladder."""
        while self._ladder and self._ladder[0][0] <= self._now:
            message = heappop(self._ladder)[2]
            self._came_at[message.candidate.message_id] = self._now
            self._queues[message.candidate.priority].append(message)
        waiting = [priority for priority, queue in self._queues.items() if queue]
        return self._queues[max(waiting)] if waiting else None

    def _cap_for(self, message: PlayedMessage) -> Hold | None:
        if message.candidate.priority >= Priority.URGENT:
            return None
        return self._lane_caps.hold(self._facts, self._now)

    def _wait_for(self, cap: Hold) -> None:
        """A cap shuts the lane; what waits in it, waits for that. An urgent message that comes passes it."""
        until = cap.until or self._now
        if self._has_urgent:
            urgent = (due_at for due_at, _, one in self._ladder if one.candidate.priority >= Priority.URGENT)
            until = max(self._now, min([until, *urgent]))
        self._end.held[cap.reason].add(self._now, until)
        self._shut_at[cap.reason] = self._now
        self._now = until

    def _as_known(self, message: PlayedMessage) -> PlayedMessage:
        """A contact to whom something was sent meanwhile is not cold any more."""
        candidate = message.candidate
        if not candidate.is_cold or candidate.recipient not in self._known:
            return message
        return replace(message, candidate=replace(candidate, is_cold=False))

    def _hold(self, message: PlayedMessage, hold: Hold) -> None:
        until = hold.until or self._now
        if hold.slot is not None:
            self._facts.slots.give(message.candidate.message_id, hold.slot)
        self._note(hold.reason, message, self._now, until)
        heappush(self._ladder, (until, next(self._order), message))

    def _attempt(self, message: PlayedMessage) -> None:
        candidate = message.candidate
        number = self._attempts.get(candidate.message_id, 1)
        sample = self._chance.choice(self._tempo.samples(number))
        begins, ends = self._now, self._now + sample.seconds
        self._tell(EventName.SENDING, candidate, number, begins)
        self._facts.slots.give_back(candidate.message_id)
        pause = self._tempo.late + self._tempo.terms.delay + self._chance.uniform(0, self._tempo.terms.jitter)
        self._now = ends + (max(sample.gap, pause) if sample.keeps_place else pause)
        self._note(HoldReason.PACE, message, begins, self._now)
        if sample.keeps_place or sample.retry_in is not None:
            self._come_back(message, number, sample, ends)
            return
        if candidate.is_cold and candidate.recipient:
            self._known.add(candidate.recipient)
        if message.is_asked_for:
            self._count_caps(candidate.message_id)
            self._left -= 1
            self._end.finished_at = ends
            if self._left == self._half:
                self._end.halfway_at = ends
            self._end.sent[day_of(self._zone, begins)] += 1

    def _come_back(self, message: PlayedMessage, number: int, sample: Sample, ended_at: float) -> None:
        """An attempt that surely reached nobody, and is made again."""
        candidate = message.candidate
        self._tell(EventName.FAILED, candidate, number, ended_at, failure_class=FailureClass.TRANSIENT)
        if sample.keeps_place:
            self._queues[candidate.priority].appendleft(message)
            return
        self._attempts[candidate.message_id] = number + 1
        due_at = ended_at + (sample.retry_in or 0.0)
        self._note(HoldReason.RETRY, message, ended_at, due_at)
        heappush(self._ladder, (due_at, next(self._order), message))

    def _tell(self, name: str, candidate: Candidate, number: int, at: float, **details: object) -> None:
        """What the lane's events tell of an attempt."""
        details |= {"recipient": candidate.recipient, "cold": candidate.is_cold}
        self._facts.usage.apply(Event(name, at, "", candidate.message_id, 0, number, "", details), at)
        self._lane_caps.count(name)
        if candidate.is_cold and self._facts.first_cold_at is None:
            self._facts = replace(self._facts, first_cold_at=at)

    def _count_caps(self, message_id: str) -> None:
        """The caps that shut the lane while this message was in its queue held it."""
        for reason, shut_at in self._shut_at.items():
            if shut_at >= self._came_at.get(message_id, 0.0):
                self._end.held[reason].messages += 1

    def _note(self, reason: HoldReason, message: PlayedMessage, begins: float, until: float) -> None:
        if not message.is_asked_for:
            return
        held = self._end.held[reason]
        key = (reason, message.candidate.message_id)
        if key not in self._held:
            self._held.add(key)
            held.messages += 1
        held.add(begins, until)


class _LaneCaps:
    """The lane's hourly and daily cap, asked again only when they may have been reached.

    Until as many messages were sent as were left, and the clock hour is not over, neither can have been.
    """

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._left = 0
        self._good_until = -math.inf

    def hold(self, facts: HoldFacts, now: float) -> Hold | None:
        """What keeps the lane shut now."""
        if self._left > 0 and now < self._good_until:
            return None
        caps: Budget = budget(facts.limits, facts.first_cold_at, now)
        if not caps.hour and not caps.day:
            self._left, self._good_until = 1, math.inf
            return None
        used = facts.usage.used(self._zone, now)
        hold = lane_hold(used, caps, self._zone, now)
        lefts = [cap - one for cap, one in ((caps.hour, used.hour), (caps.day, used.day)) if cap]
        self._left, self._good_until = min(lefts), next_hour_start(self._zone, now)
        return hold

    def count(self, event_name: str) -> None:
        """An attempt began; what is taken back later is found when the rest is used up."""
        if event_name == EventName.SENDING and self._good_until < math.inf:
            self._left -= 1


def used_already(used: Used, zone: str, now: float, recipient_gap: float = 0.0) -> Usage:
    """A usage that says this of the present hour and day."""
    usage = Usage(recipient_gap)
    today, hour = day_start(zone, day_of(zone, now)), hour_start(zone, now)
    # What is of an earlier hour of today; where there was none yet, all of it is of this one.
    early = used.day - used.hour if today < hour else 0
    for number in range(max(used.day, used.hour)):
        at = today if number < early else now
        details: Mapping[str, object] = {"cold": number < used.cold}
        usage.apply(Event(EventName.SENDING, at, "", f"before {number}", details=details), now)
    return usage
