"""When everything that a lane has to send will have been sent; pure.

The rest of the queue is played through with attempts like the latest ones: each takes as long as one of them took, and
fails as one of them did; a failed message comes back when its wait is over, behind what waits. What waits and is soon
over is played through many times, and the median told: one slow message in twenty does not make the last three slow.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from statistics import median

from antrian.operations.lane.recent_attempts import Attempt, Terms

#: How often the rest is played through: the more often, the fewer messages there are.
_FEWEST_PLAYS, _MOST_PLAYS, _ATTEMPTS_PLAYED = 5, 25, 500

#: So many messages are played through one by one; of more, the rest takes as long in proportion.
_MANY = 500

#: How many attempts that simply succeed are assumed beside the known ones, so that two failures are not a rule.
_GOODWILL = 10

#: A provider that asks for silence again and again leaves nothing to forecast; nor does a message without an end.
_MOST_HOLDS = 1_000
_MOST_ATTEMPTS = 20

#: So many attempts with one number say enough; of fewer, those with other numbers are asked, too.
_ENOUGH = 3

#: Seconds that an attempt takes as long as none is known.
_UNKNOWN_ATTEMPT = 0.5

#: Seconds before another attempt as long as none is known.
_UNKNOWN_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """An attempt as it may happen again.

    Attributes:
        seconds: how long it takes.
        gap: seconds after it until the next may begin.
        keeps_place: whether the message is attempted again at once, because the provider asked for silence.
        retry_in: seconds until the message comes back; None when it does not.
    """

    seconds: float
    gap: float
    keeps_place: bool = False
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class Returning:
    """A message that comes back, or came back, for another attempt.

    Attributes:
        due_in: seconds until then; 0 when it waits already.
        attempt: which attempt comes next.
        goes_first: whether it is more urgent than what waits.
    """

    due_in: float
    attempt: int
    goes_first: bool = False


@dataclass(frozen=True, slots=True)
class InFlight:
    """The attempt under way.

    Attributes:
        attempt: which.
        elapsed: seconds since it began.
        left: seconds until it is given up; None when that is not known.
    """

    attempt: int
    elapsed: float
    left: float | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What a lane has to send.

    Attributes:
        fresh: messages that wait for their first attempt.
        returning: messages that wait for another one.
        in_flight: the attempt under way.
        opens_in: seconds until the next attempt may begin.
    """

    fresh: int
    returning: Sequence[Returning] = ()
    in_flight: InFlight | None = None
    opens_in: float = 0.0


class Tempo:
    """How attempts go.

    Args:
        attempts: the latest ones.
        terms: how the consumer runs.

    Attributes:
        terms: how the consumer runs.
        late: seconds between the end of a pause and the beginning of the next attempt.
        pause: seconds between an attempt and the beginning of the next one, on average.
    """

    def __init__(self, attempts: Sequence[Attempt], terms: Terms) -> None:
        self.terms = terms
        self._attempts = attempts
        self._known: dict[int, Sequence[Sample]] = {}
        late = [one.late for one in attempts if one.late is not None]
        self.late = median(late) if late else 0.0
        self.pause = terms.pause + self.late

    @property
    def mean_attempt(self) -> float | None:
        """How long an attempt takes on average, in seconds; None when no recent one is known."""
        if not self._attempts:
            return None
        return sum(one.seconds for one in self._attempts) / len(self._attempts)

    @property
    def cycle(self) -> float:
        """Seconds on average from the beginning of one message's attempt to the beginning of the next one's."""
        samples = self.samples(1)
        done = sum(not one.keeps_place for one in samples) or 1
        return sum(one.seconds + one.gap for one in samples) / done

    def samples(self, number: int) -> Sequence[Sample]:
        """What an attempt with that number may be like, each as likely as the others."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._find(number)
        return known

    def _find(self, number: int) -> Sequence[Sample]:
        alike = [one for one in self._attempts if one.number == number]
        if number == 1:
            return _mixed([self._sample(one, 1) for one in alike], [Sample(self._usual(), self.pause)] * _GOODWILL)
        if len(alike) < _ENOUGH:
            alike = [one for one in self._attempts if one.number > 1]
        if alike:
            return [self._sample(one, number) for one in alike]
        # Nobody knows how second attempts go: as likely well as not.
        usual = self._usual()
        return [Sample(usual, self.pause), Sample(usual, self.pause, retry_in=self._wait_after(number))]

    def _sample(self, attempt: Attempt, number: int) -> Sample:
        if attempt.hold:
            return Sample(attempt.seconds, max(attempt.hold + self.late, self.pause), keeps_place=True)
        retry_in = attempt.retry_in
        if retry_in is not None and (attempt.number != number or number >= _MOST_ATTEMPTS):
            retry_in = self._wait_after(number)
        return Sample(attempt.seconds, self.pause, retry_in=retry_in)

    def _wait_after(self, number: int) -> float | None:
        """Seconds after a failed attempt with that number; None when it is the last."""
        terms = self.terms
        if number >= (terms.max_attempts or _MOST_ATTEMPTS):
            return None
        if terms.retry_delays:
            return terms.retry_delays[min(number, len(terms.retry_delays)) - 1]
        known = [one.retry_in for one in self._attempts if one.retry_in is not None]
        return known[-1] if known else _UNKNOWN_WAIT

    def _usual(self) -> float:
        return median(one.seconds for one in self._attempts) if self._attempts else _UNKNOWN_ATTEMPT


def _mixed(some: Sequence[Sample], others: Sequence[Sample]) -> list[Sample]:
    """Both, the shorter one evenly spread over the longer."""
    placed = [(place / len(part), one) for part in (some, others) for place, one in enumerate(part)]
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]


#: What the next attempt with that number is like.
_Draw = Callable[[int], Sample]


def forecast(load: Load, tempo: Tempo) -> float:
    """Seconds until everything has been sent or given up; 0 when there is nothing."""
    size = load.fresh + len(load.returning) + (load.in_flight is not None)
    if not size:
        return 0.0
    plays = min(_MOST_PLAYS, max(_FEWEST_PLAYS, _ATTEMPTS_PLAYED // size))
    played = Load(min(load.fresh, _MANY), tuple(load.returning)[:_MANY], load.in_flight, load.opens_in)
    some = median(_Play(played, tempo, _from(tempo, number / plays)).end() for number in range(plays))
    return some * load.fresh / played.fresh if load.fresh > _MANY else some


def _from(tempo: Tempo, start: float) -> _Draw:
    """The known attempts again, in their order, from a place among them on: `start` of 1."""
    taken: dict[int, int] = {}

    def draw(number: int) -> Sample:
        samples = tempo.samples(number)
        place = taken.get(number)
        taken[number] = place = int(start * len(samples)) if place is None else place + 1
        return samples[place % len(samples)]

    return draw


class _Play:
    """One way in which it may go on.

    Args:
        load: what is to be sent.
        tempo: how attempts go.
        draw: which of the known attempts the next one is like.
    """

    def __init__(self, load: Load, tempo: Tempo, draw: _Draw) -> None:
        self._load, self._tempo, self._draw = load, tempo, draw
        # What goes before, and after, the messages that wait for their first attempt: number, whether it goes first.
        self._ahead: deque[tuple[int, bool]] = deque()
        self._behind: deque[tuple[int, bool]] = deque()
        self._ladder = [(one.due_in, place, one.attempt, one.goes_first) for place, one in enumerate(load.returning)]
        heapify(self._ladder)
        self._fresh, self._opens, self._end = load.fresh, load.opens_in, 0.0
        self._pushed, self._holds = len(self._ladder), 0

    def end(self) -> float:
        """Seconds until the last outcome."""
        if self._load.in_flight is not None:
            number = self._load.in_flight.attempt
            sample = _rest(self._load.in_flight, self._tempo, self._draw(number))
            self._attempt(sample, number, first=False, begins=0.0)
        while (turn := self._next()) is not None:
            number, first = turn
            self._attempt(self._draw(number), number, first=first, begins=self._opens)
        return self._end

    def _next(self) -> tuple[int, bool] | None:
        """Whose turn it is; None when everything is done."""
        ladder = self._ladder
        if not (self._fresh or self._ahead or self._behind) and ladder:
            self._opens = max(self._opens, ladder[0][0])
        while ladder and ladder[0][0] <= self._opens:
            _due, _place, number, first = heappop(ladder)
            (self._ahead if first else self._behind).append((number, first))
        if self._ahead:
            return self._ahead.popleft()
        if self._fresh:
            self._fresh -= 1
            return 1, False
        return self._behind.popleft() if self._behind else None

    def _attempt(self, sample: Sample, number: int, *, first: bool, begins: float) -> None:
        self._end = begins + sample.seconds
        self._opens = self._end + sample.gap
        if sample.keeps_place and self._holds < _MOST_HOLDS:
            self._holds += 1
            self._ahead.appendleft((number, first))
        elif sample.retry_in is not None:
            self._pushed += 1
            heappush(self._ladder, (self._end + sample.retry_in, self._pushed, number + 1, first))


def _rest(attempt: InFlight, tempo: Tempo, drawn: Sample) -> Sample:
    """What is left of an attempt that has taken some time already: it is like one that took longer."""
    if drawn.seconds > attempt.elapsed:
        longer = drawn
    else:
        samples = sorted(tempo.samples(attempt.attempt), key=lambda one: one.seconds)
        rest = samples[bisect_right([one.seconds for one in samples], attempt.elapsed) :]
        # One that takes longer than all before may take as long again, but not longer than it is waited for.
        longer = rest[len(rest) // 2] if rest else Sample(2 * attempt.elapsed, tempo.pause)
    left = longer.seconds - attempt.elapsed
    if attempt.left is not None:
        left = min(left, attempt.left)
    return Sample(max(0.0, left), longer.gap, longer.keeps_place, longer.retry_in)
