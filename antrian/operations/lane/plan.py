"""When so many messages would be sent, what would hold them, and how many senders a deadline takes. Pure.

The lane is played through many times (`antrian.operations.lane.plan_play`), each time with other attempts and other
jitter. It is a forecast and promises nothing: nothing is queued, and nobody else publishes meanwhile.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median, pstdev
from typing import Any, Final

from antrian.domain.hold import Candidate, HoldReason
from antrian.domain.lane_limits import PRESETS, Limits
from antrian.domain.priority import Priority
from antrian.domain.send_window import day_of, day_start
from antrian.domain.usage import Used
from antrian.operations.lane.plan_play import Play, PlayedMessage, PlayEnd, PlayStart

#: How often the lane is played through at most: the more often, the fewer messages there are.
_MOST_PLAYS = 21

#: So many messages are played through one by one; of more, the rest takes as long as the second half of these.
MOST_PLANNED = 30_000

#: More messages than this are not planned.
MOST_ASKED = 1_000_000

#: More senders than this nobody has.
MOST_SENDERS = 1_000

#: Weeks that a new number is looked at for.
_WEEKS = 4

_NEW_NUMBER = "new-number"
#: Nine of ten plays end before the median and so many standard deviations.
_P90 = 1.2816
_DAYS_LOOKED_AT = 4


@dataclass(frozen=True, slots=True)
class PlannedRecipient:
    """A person to whom a message is to go.

    Attributes:
        recipient: E.164 with +.
        is_cold: whether the sender does not know them.
        timezone: by whose clocks the message is sent; empty for those of the lane.
    """

    recipient: str
    is_cold: bool
    timezone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuestion:
    """What is asked.

    Attributes:
        messages: how many more messages; 0 asks for what waits already.
        priority: of them, the broker's number.
        cold: which share of them goes to cold contacts, 0 to 1.
        recipients: to whom, where that is known; `messages` and `cold` are not looked at then.
        deadline: until when all of them are to be sent, unix seconds.
    """

    messages: int = 0
    priority: int = Priority.NORMAL
    cold: float = 0.0
    recipients: Sequence[PlannedRecipient] = ()
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class HeldShare:
    """What one reason holds.

    Attributes:
        reason: why.
        messages: how many messages it holds.
        seconds: for how long it holds any of them.
    """

    reason: HoldReason
    messages: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer.

    Attributes:
        lane: which lane.
        messages: how many messages are planned.
        now: when, unix seconds.
        finish_p50: when the last of them has been sent, in half of all cases at the latest; unix seconds.
        finish_p90: in nine of ten.
        held: what holds them, in the fixed order of the reasons.
        senders_needed: with how many senders the deadline is kept, in nine of ten cases; 0 when no number is enough,
            None without a deadline.
        weeks: how many of them a new number would send in its first weeks.
        assumptions: what the answer rests on, a sentence each.
    """

    lane: str
    messages: int
    now: float
    finish_p50: float
    finish_p90: float
    held: Sequence[HeldShare]
    senders_needed: int | None
    weeks: Sequence[int]
    assumptions: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        ends = {"p50": self.finish_p50, "p90": self.finish_p90}
        return {
            "lane": self.lane,
            "messages": self.messages,
            "finish": {name: round(at, 3) for name, at in ends.items()},
            "seconds": {name: round(at - self.now, 3) for name, at in ends.items()},
            "held": [
                {"reason": one.reason.value, "messages": one.messages, "seconds": round(one.seconds, 3)}
                for one in self.held
            ],
            "senders_needed": self.senders_needed,
            "weeks": [{"week": number, "sent": sent} for number, sent in enumerate(self.weeks, 1)],
            "assumptions": list(self.assumptions),
        }


def make_plan(
    lane: str,
    question: PlanQuestion,
    start: PlayStart,
    backlog: Sequence[PlayedMessage],
    assumptions: Sequence[str],
    *,
    effort: int = MOST_PLANNED,
) -> Plan:
    """The answer to a question.

    Args:
        lane: which lane.
        question: what is asked.
        start: the lane as it is now.
        backlog: what it has to send already, in its order.
        assumptions: what else the answer rests on.
        effort: so many messages are played through in all, some 20,000 in a second; for a deadline several times.
    """
    asked = asked_for(question, start)
    messages = [*(replace(one, is_asked_for=not asked) for one in backlog), *asked]
    planned = asked or backlog
    several = _Plays(start, messages, effort)
    needed = None
    if question.deadline is not None:
        needed = 1 if several.p90 <= question.deadline else _senders(start, messages, effort, question.deadline)
    said = [*assumptions, *_assumptions(question, start, is_cut=len(messages) > effort)]
    return Plan(
        lane=lane,
        messages=len(planned),
        now=start.now,
        finish_p50=several.p50,
        finish_p90=several.p90,
        held=several.held,
        senders_needed=needed,
        weeks=_new_number_weeks(start, len(planned), question.priority),
        assumptions=said,
    )


def asked_for(question: PlanQuestion, start: PlayStart) -> list[PlayedMessage]:
    """The messages of a question."""
    people = question.recipients or [
        PlannedRecipient("", _is_among(number, question.cold)) for number in range(question.messages)
    ]
    return [
        PlayedMessage(
            Candidate(
                message_id=f"asked {number}",
                recipient=one.recipient,
                priority=question.priority,
                is_cold=one.is_cold,
                timezone=one.timezone or start.limits.timezone,
            )
        )
        for number, one in enumerate(people)
    ]


def _is_among(number: int, share: float) -> bool:
    """Whether a message is one of a share, evenly spread."""
    return math.floor((number + 1) * share) > math.floor(number * share)


class _Plays:
    """A lane, played through several times.

    Args:
        start: the lane.
        messages: what it has to send.
        effort: so many messages are played through in all.
        most: how often at most.
    """

    def __init__(
        self, start: PlayStart, messages: Sequence[PlayedMessage], effort: int, most: int = _MOST_PLAYS
    ) -> None:
        played, rest = _first(messages, effort)
        number = max(1, min(most, effort // max(1, len(played))))
        self._ends = [Play(start, played, seed).run() for seed in range(number)]
        finishes = sorted(_finish(end, rest, len(played), start.tempo.cycle) for end in self._ends)
        self.p50 = median(finishes)
        # Few plays say little about how far they lie apart; but then there are many messages, each by chance.
        spread = _P90 * _deviation(start) * math.sqrt(len(messages)) if messages else 0.0
        enough = len(finishes) >= _MOST_PLAYS // 2
        self.p90 = finishes[math.ceil(0.9 * len(finishes)) - 1] if enough else self.p50 + spread
        self._scale = (len(played) + rest) / len(played) if played else 1.0

    @property
    def held(self) -> list[HeldShare]:
        """What holds the messages, on average."""
        shares = []
        for reason in HoldReason:
            found = [end.held[reason] for end in self._ends if reason in end.held]
            if found:
                messages = self._scale * sum(one.messages for one in found) / len(self._ends)
                seconds = self._scale * sum(one.seconds for one in found) / len(self._ends)
                shares.append(HeldShare(reason, round(messages), seconds))
        return [share for share in shares if share.messages]


def _first(messages: Sequence[PlayedMessage], most: int) -> tuple[Sequence[PlayedMessage], int]:
    """Those that are played through, and how many are not; of very many, the end of all is what counts."""
    if len(messages) <= most:
        return messages, 0
    return [replace(one, is_asked_for=True) for one in messages[:most]], len(messages) - most


def _finish(end: PlayEnd, rest: int, played: int, cycle: float) -> float:
    """The end of all, where a rest was not played through: it goes as the latest whole days, or as the second half."""
    days = sorted(end.sent)
    whole = days[1:-1][-_DAYS_LOOKED_AT:]
    if not rest or len(whole) < _DAYS_LOOKED_AT:
        return end.finished_at + 2 * rest / played * (end.finished_at - end.halfway_at) if rest else end.finished_at
    each = max(1, round(sum(end.sent[day] for day in whole) / ((whole[-1] - whole[0]).days + 1)))
    # The last day that was played goes on, then others like the latest ones follow, and a part of one.
    of_last = end.sent[days[-1]]
    more_days = (of_last + rest - 1) // each
    of_end = of_last + rest - more_days * each
    return end.finished_at + 86_400 * more_days + (of_end - of_last) * cycle


def _deviation(start: PlayStart) -> float:
    """How far one message's attempt and pause lie apart from the mean, seconds."""
    seconds = [one.seconds for one in start.tempo.samples(1)]
    return math.hypot(start.tempo.terms.jitter / math.sqrt(12), pstdev(seconds) if len(seconds) > 1 else 0.0)


def _senders(start: PlayStart, messages: Sequence[PlayedMessage], effort: int, deadline: float) -> int:
    """The fewest senders like this one with which the deadline is kept, 2 or more; 0 when no number is enough."""

    def is_enough(senders: int) -> bool:
        return _Plays(start, _share(messages, senders), effort, most=3).p90 <= deadline

    most = min(MOST_SENDERS, len(messages))
    too_few, enough = 1, 2
    while enough < most and not is_enough(enough):
        too_few, enough = enough, 2 * enough
    enough = min(enough, most)
    if enough <= too_few or not is_enough(enough):
        return 0
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if is_enough(middle) else (middle, enough)
    return enough


def _share(messages: Sequence[PlayedMessage], senders: int) -> Sequence[PlayedMessage]:
    """What one of several senders has to send: a message of each so many in a row, by chance, but always the same."""
    chance = random.Random(senders)  # noqa: S311 (not a secret)
    parts = [messages[first : first + senders] for first in range(0, len(messages), senders)]
    share = [chance.choice(part) for part in parts]
    return [replace(one, is_asked_for=True) for one in share]


def _new_number_weeks(start: PlayStart, planned: int, priority: int) -> list[int]:
    """How many of the messages a new number would send in each of its first weeks: it knows nobody."""
    limits = new_number_limits(start.limits)
    today = day_of(limits.timezone, start.now)
    days = 7 * _WEEKS
    most = limits.warm_up.ceiling if limits.warm_up else limits.cold_daily_cap
    # More than this it cannot send in that time.
    supply = min(planned, most * days) if priority < Priority.URGENT else min(planned, MOST_PLANNED)
    begun = replace(start, limits=limits, opens_at=start.now, used=Used(), first_cold_at=None, cold_held_until=None)
    question = PlanQuestion(messages=supply, priority=priority, cold=1.0)
    until = day_start(limits.timezone, today + timedelta(days=days))
    end = Play(begun, asked_for(question, begun), 0, until).run()
    weeks = [0] * _WEEKS
    for day, sent in end.sent.items():
        if (week := (day - today).days // 7) < _WEEKS:
            weeks[week] += sent
    return weeks


def new_number_limits(limits: Limits) -> Limits:
    """The limits of a new number, with the hours of the lane."""
    preset = PRESETS[_NEW_NUMBER]
    return replace(preset, windows=limits.windows or preset.windows, timezone=limits.timezone)


#: What every plan assumes; shown to people.
NOBODY_ELSE: Final = "nobody else publishes into the lane meanwhile"
LIKE_THE_LATEST: Final = "attempts go like the latest ones of the lane"
NO_ATTEMPTS: Final = "each attempt takes half a second, because none was made within an hour"
SENDERS_ALIKE: Final = "further senders have the same limits, and the messages are shared evenly"
MANY: Final = "only the first messages were played through, and the rest takes as long in proportion"
NEW_NUMBER: Final = "a new number has the limits of the preset new-number, and knows nobody"


def _assumptions(question: PlanQuestion, start: PlayStart, *, is_cut: bool) -> list[str]:
    facts = {
        NOBODY_ELSE: True,
        LIKE_THE_LATEST: start.tempo.mean_attempt is not None,
        NO_ATTEMPTS: start.tempo.mean_attempt is None,
        SENDERS_ALIKE: question.deadline is not None,
        MANY: is_cut,
        NEW_NUMBER: True,
    }
    return [sentence for sentence, holds in facts.items() if holds]
