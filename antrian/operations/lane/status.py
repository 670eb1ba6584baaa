"""How a lane is doing, as a value: what waits, what is being sent, and when the next send is due and why not now.

Everything here is pure: `status_of` computes the value from what the broker counts, what the events tell, and the
clock. `antrian.operations.lane.lane_reader` fetches these.
"""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from antrian.broker.lane_state import PauseState
from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import Hold, HoldReason, lane_hold
from antrian.domain.settings import Settings
from antrian.operations.lane.activity import Activity, Comeback
from antrian.operations.lane.forecast import InFlight, Load, Returning, Tempo, forecast
from antrian.operations.lane.lane_budget import LaneBudget, lane_budget
from antrian.operations.lane.lane_hold import LaneObstacles, hold_json, hold_of_lane
from antrian.operations.lane.recent_attempts import Terms, seconds
from antrian.operations.lane.waits import time_left

_PACE = Hold(HoldReason.PACE, None)
_NOT_TOLD = frozenset({"turns", "pace", "tempo"})


class Reason(StrEnum):
    """What the next send waits for."""

    #: Nothing: it is due.
    DUE = "due"
    #: The pause after the last send.
    PAUSE = "pause"
    #: The provider asked for silence.
    THROTTLED = FailureClass.THROTTLED.value
    #: The provider is not there; the lane probes from time to time.
    UNAVAILABLE = FailureClass.UNAVAILABLE.value
    #: A send is in progress.
    SENDING = "sending"
    #: Nothing waits in the lane, but a message is due for another attempt.
    RETRY = "retry"
    #: As many messages were sent today as may be.
    DAILY_CAP = HoldReason.DAILY_CAP.value
    #: As many messages were sent in this hour as may be.
    HOURLY_CAP = HoldReason.HOURLY_CAP.value
    #: Somebody paused the lane.
    PAUSED = "paused"
    #: No consumer is running.
    NO_CONSUMER = "no-consumer"
    #: The lane is empty.
    NOTHING_WAITS = "nothing-waits"


@dataclass(frozen=True, slots=True)
class Counts:
    """What the broker counts at one moment.

    Attributes:
        ready: messages in the lane's queue, without the one that a consumer holds.
        consumers: consumers subscribed to it; none while the lane is paused or holds.
        listening: whether any consumer process listens for commands.
        delayed: messages on the delay ladder, of all lanes.
        dead: dead letters, of all lanes.
        dead_callbacks: callbacks to the owner's services that were given up.
    """

    ready: int
    consumers: int
    listening: bool
    delayed: int
    dead: int
    dead_callbacks: int = 0


@dataclass(frozen=True, slots=True)
class Turns:
    """When the messages that wait have their turns.

    Attributes:
        first_in: seconds until the first of them.
        each: seconds from one to the next.
    """

    first_in: float = 0.0
    each: float = 0.0


@dataclass(frozen=True, slots=True)
class Status:
    """A lane at one moment. Times are unix seconds, durations seconds.

    Attributes:
        lane: which lane.
        at: the moment.
        queue_length: what waits in the lane, the message being sent included.
        is_processing: a message is being sent, or its pause afterwards is running.
        failed_messages: dead letters; of all lanes, because they share a queue.
        estimated_time: until everything queued now has been sent; None while that cannot be told: the lane is paused,
            the provider is down, or no consumer runs.
        waiting: messages ready in the lane's queue.
        in_flight: messages being sent, 0 or 1.
        retrying: messages of this lane that wait for another attempt.
        scheduled: messages that wait for a time of their own; of all lanes, because they share the ladder.
        consumers: consumers subscribed to the lane's queue.
        running: whether a consumer serves the lane.
        paused: whether somebody paused the lane.
        paused_by: who.
        paused_at: when.
        last_sent_at: when the provider last accepted a message; None when the record does not reach so far back.
        next_send_in: None when nobody can tell.
        next_send_reason: what the next send waits for.
        delay: the pause between two sends, as the consumer runs.
        jitter: up to so many seconds more, as the consumer runs.
        mean_attempt: how long recent attempts took on average; None when there was none within an hour.
        pause_left: until the lane's pause, or the provider's hold, is over; also while nothing waits.
        estimate_after_resume: `estimated_time` from the moment of a resume on; only while the lane is paused.
        standby: whether another consumer would take over; None when that cannot be told, as while the lane holds.
        needs_newer_consumer: messages of a later version, which wait until a consumer can read it.
        turns: when the messages that wait have their turns; for programs it is in each message's forecast.
        hold: what a message that waits in the lane, and is not urgent, waits for.
        pace: the same for one that no cap holds.
        budget: the lane's caps, and what is used of them; None when its limits are not known.
        held: messages of this lane that a rule holds; None when nobody has counted them.
        dead_callbacks: callbacks to the owner's services that were given up, of all lanes.
        tempo: how its attempts go; for a plan, and not for programs.
        estimate_needs_plan: why `estimated_time` cannot be told although messages leave: only a plan can tell when the
            last one does; None where that is no reason.
    """

    lane: str
    at: float
    queue_length: int
    is_processing: bool
    failed_messages: int
    estimated_time: float | None
    waiting: int
    in_flight: int
    retrying: int
    scheduled: int
    consumers: int
    running: bool
    paused: bool
    paused_by: str | None
    paused_at: float | None
    last_sent_at: float | None
    next_send_in: float | None
    next_send_reason: Reason
    delay: float = 0.0
    jitter: float = 0.0
    mean_attempt: float | None = None
    pause_left: float = 0.0
    estimate_after_resume: float | None = None
    standby: bool | None = None
    needs_newer_consumer: int = 0
    turns: Turns = Turns()
    hold: Hold = _PACE
    pace: Hold = _PACE
    budget: LaneBudget | None = None
    held: int | None = None
    dead_callbacks: int = 0
    estimate_needs_plan: HoldReason | None = None
    tempo: Tempo | None = field(default=None, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The status for programs, rounded to milliseconds."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in _NOT_TOLD}
        told = {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}
        return told | {"hold": hold_json(self.hold), "budget": self.budget and self.budget.as_json()}


def status_of(
    lane: str, counts: Counts, activity: Activity, state: PauseState, *, settings: Settings, now: float
) -> Status:
    """The lane's status.

    Args:
        lane: which lane.
        counts: what the broker counts.
        activity: what the events tell.
        state: whether the lane is paused.
        settings: the lane's delay and jitter are used where no event tells those of the consumer.
        now: unix seconds.
    """
    # A paused lane has a subscriber only while its one message is kept, which the broker does not count as ready.
    counts = replace(counts, ready=counts.ready + int(_is_kept(counts, activity, state)))
    own = settings.lanes.known(lane)
    terms = activity.attempts.terms or Terms(own.delay, own.jitter)
    pause, hold = time_left(activity, terms.delay, now)
    budget = lane_budget(activity.usage, own.limits, now)
    cap = lane_hold(budget.used, budget.caps, own.limits.timezone, now) if budget.used else None
    capped_for = max(0.0, cap.until - now) if cap and cap.until else 0.0
    # Without a consumer the message that was being sent is back in the queue, and counted there.
    in_flight = int(activity.sending is not None and counts.consumers > 0)
    # The ladder's own count has the last word: it may have been purged by hand.
    retries = activity.retries_due(now)[: counts.delayed]
    running = counts.consumers > 0 or counts.listening
    reason = _obstacle(counts, state, in_flight=in_flight)
    retry = retries[0].due_at - now if retries else None
    next_send = (None, reason) if reason else _next_send(counts, activity, retry, pause, hold)
    if cap and capped_for > (next_send[0] or 0.0) and next_send[1] in _CAPPED:
        next_send = capped_for, Reason(cap.reason.value)
    opens_in = max(pause, hold, capped_for)
    opens_at = None if in_flight else now + max(pause, hold)
    obstacles = _obstacles(state, activity, terms, opens_at, is_running=running, now=now)
    load = _load(counts, activity, retries, opens_in, is_sending=bool(in_flight), now=now)
    outlook = _Outlook(load, Tempo(list(activity.attempts.since(now)), terms), is_down=_is_down(activity, load))
    return Status(
        lane=lane,
        at=now,
        queue_length=counts.ready + in_flight,
        is_processing=bool(in_flight or (pause > 0 and counts.consumers > 0)),
        failed_messages=counts.dead,
        dead_callbacks=counts.dead_callbacks,
        waiting=counts.ready,
        in_flight=in_flight,
        retrying=len(retries),
        scheduled=counts.delayed - len(retries),
        consumers=counts.consumers,
        running=running,
        last_sent_at=activity.last_sent_at or None,
        next_send_in=next_send[0],
        next_send_reason=next_send[1],
        pause_left=0.0 if in_flight else opens_in,
        standby=counts.consumers > 1 if counts.consumers or not running else None,
        needs_newer_consumer=len(activity.too_new),
        budget=budget,
        hold=hold_of_lane(obstacles, cap),
        pace=hold_of_lane(obstacles, None),
        **_pause_of(state),
        **outlook.fields(is_paused=state.paused, is_running=running),
    )


#: What gives way to a cap that lasts longer.
_CAPPED = frozenset({Reason.DUE, Reason.PAUSE, Reason.RETRY, Reason.THROTTLED})


def _pause_of(state: PauseState) -> dict[str, Any]:
    """Whether, by whom and since when the lane is paused."""
    by, since = (state.actor, state.since) if state.paused else (None, None)
    return {"paused": state.paused, "paused_by": by, "paused_at": since}


def _obstacles(
    state: PauseState, activity: Activity, terms: Terms, opens_at: float | None, *, is_running: bool, now: float
) -> LaneObstacles:
    """What keeps the lane from sending, its caps aside."""
    pause, hold = time_left(activity, terms.delay, now)
    is_away = activity.times.held_because == FailureClass.UNAVAILABLE
    return LaneObstacles(
        paused_by=(state.actor or "an administrator") if state.paused else None,
        is_away=is_away,
        away_until=now + max(pause, hold) if is_away and max(pause, hold) else None,
        throttled_until=now + hold if hold > pause and not is_away else None,
        opens_at=opens_at,
        delay=terms.delay,
        jitter=terms.jitter,
        is_running=is_running,
        session=activity.times.session,
    )


class _Outlook:
    """What is to be expected if the lane goes on.

    Args:
        load: what it has to send.
        tempo: how its attempts go.
        is_down: the provider is: nothing is to be expected.
    """

    def __init__(self, load: Load, tempo: Tempo, *, is_down: bool) -> None:
        self.tempo = tempo
        self.end = None if is_down else forecast(load, tempo)
        # While a message is being sent, the pause after it has not begun.
        rest = Load(0, (), load.in_flight) if load.in_flight else None
        first_in = tempo.pause + forecast(rest, tempo) if rest else load.opens_in
        self.turns = Turns(first_in, tempo.cycle)

    def fields(self, *, is_paused: bool, is_running: bool) -> dict[str, Any]:
        """What a status tells of it."""
        return {
            "estimated_time": None if is_paused or not is_running else self.end,
            "estimate_after_resume": self.end if is_paused and is_running else None,
            "delay": self.tempo.terms.delay,
            "jitter": self.tempo.terms.jitter,
            "mean_attempt": self.tempo.mean_attempt,
            "turns": self.turns,
            "tempo": self.tempo,
        }


def _is_down(activity: Activity, load: Load) -> bool:
    """Whether the latest call found the provider unavailable; without anything to send, nobody needs it."""
    has_work = load.fresh or load.returning or load.in_flight
    return bool(has_work) and activity.times.held_because == FailureClass.UNAVAILABLE


def _load(
    counts: Counts, activity: Activity, retries: list[Comeback], opens_in: float, *, is_sending: bool, now: float
) -> Load:
    """What the lane has to send."""
    waiting_again = activity.returned(now)[: counts.ready]
    returning = [Returning(0.0, one.attempt, one.priority > activity.priority) for one in waiting_again]
    returning += [Returning(one.due_at - now, one.attempt, one.priority > activity.priority) for one in retries]
    in_flight = None
    if is_sending and activity.sending is not None:
        begun, deadline = activity.sending, seconds(activity.sending.details.get("deadline"))
        left = None if deadline is None else max(0.0, deadline - now)
        in_flight = InFlight(begun.attempt, max(0.0, now - begun.at), left)
    return Load(counts.ready - len(waiting_again), tuple(returning), in_flight, 0.0 if is_sending else opens_in)


def _is_kept(counts: Counts, activity: Activity, state: PauseState) -> bool:
    return state.paused and counts.consumers > 0 and activity.chosen is not None


def _obstacle(counts: Counts, state: PauseState, *, in_flight: int) -> Reason | None:
    """What the next send waits for without anybody knowing how long; None when there is no such thing."""
    if state.paused:
        return Reason.PAUSED
    if not counts.consumers and not counts.listening:
        return Reason.NO_CONSUMER
    return Reason.SENDING if in_flight else None


def _next_send(
    counts: Counts, activity: Activity, retry: float | None, pause: float, hold: float
) -> tuple[float | None, Reason]:
    """Seconds until the next send may begin, and what it waits for."""
    if not counts.ready:
        return (None, Reason.NOTHING_WAITS) if retry is None else (max(retry, pause, hold), Reason.RETRY)
    if max(pause, hold) and activity.times.held_because == FailureClass.UNAVAILABLE:
        # The first probes come sooner than the pause allows, but what people need to know is that nothing goes out.
        return max(pause, hold), Reason.UNAVAILABLE
    if hold > pause:
        return hold, Reason.THROTTLED
    return (pause, Reason.PAUSE) if pause else (0.0, Reason.DUE)
