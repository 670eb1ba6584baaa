"""A lane's status, put together from the broker and the history."""

import asyncio
import time

from fastapi.concurrency import run_in_threadpool

from admin_api.history.depths import Depths
from admin_api.history.records import Position, State
from admin_api.lane.observer import Reading
from admin_api.web.answers import LaneInHistory, lane_status
from admin_api.web.metrics import HistoryReading
from admin_api.web.parts import Parts
from admin_api.web.schemas.lane import Differences, HistoryState, LaneStatus, RetentionAlarm
from broker.errors import BrokerUnavailable

#: How many of the messages that go next are shown; one more is asked for, because the first may be under way.
NEXT = 10

#: Seconds for the broker to answer: one that hangs is noticed by its connection only after a minute.
_PATIENCE = 5.0


async def read_status(parts: Parts, lane: str, *, masked: bool) -> LaneStatus:
    """The lane as it is now.

    Raises:
        BrokerError: the broker is away, or has no such lane.
    """
    try:
        reading = await asyncio.wait_for(asyncio.wrap_future(parts.observers[lane].ask()), _PATIENCE)
    except TimeoutError as error:
        raise BrokerUnavailable(f"the broker has not answered for {_PATIENCE:g} s") from error
    return await run_in_threadpool(_compose, parts, lane, reading, masked=masked)


def _compose(parts: Parts, lane: str, reading: Reading, *, masked: bool) -> LaneStatus:
    sending = reading.sending
    seen = LaneInHistory(
        waiting=parts.history.next_messages(lane, NEXT + 1),
        retrying=parts.history.next_retries(lane, NEXT),
        sending=parts.history.message(sending.message_id) if sending else None,
        state=history_state(parts, lane, reading),
        alarm=retention_alarm(parts),
    )
    answer = lane_status(reading, seen, parts.settings, masked=masked)
    answer.next_messages = answer.next_messages[:NEXT]
    return answer


def history_state(parts: Parts, lane: str, reading: Reading) -> HistoryState:
    """How far the history is, and where it and the broker differ."""
    position: Position = parts.history.position()
    counts = parts.history.counts(lane)
    dead = parts.history.counts().get(State.DEAD, 0)
    status = reading.status
    lag = parts.follower.lag_seconds
    differences = Differences(
        waiting=status.waiting + status.in_flight - counts.get(State.WAITING, 0) - counts.get(State.SENDING, 0),
        failed=status.failed_messages - dead,
    )
    return HistoryState(
        offset=position.offset,
        behind_seconds=round(lag, 3),
        caught_up=lag < 1 and position.checked_at is not None,
        writes=parts.follower.is_writer,
        trouble=parts.follower.trouble,
        differences=differences,
        differs_since=None,
        gaps=list(position.gaps),
    )


def read_history(parts: Parts) -> HistoryReading:
    """What metrics tell of the history."""
    depths = Depths(parts.history.path)
    counts = parts.history.counts()
    near = parts.desk.retention_alarm(time.time())
    reading = HistoryReading(
        lag=parts.follower.lag_seconds,
        offset=parts.history.position().offset,
        waiting=counts[State.WAITING] + counts[State.SENDING],
        dead=counts[State.DEAD],
        depths=depths.waiting(),
        dead_by_class=depths.dead(),
        near_retention=near.count if near else 0,
    )
    depths.close()
    return reading


def retention_alarm(parts: Parts) -> RetentionAlarm | None:
    """Dead letters that the history will soon forget."""
    alarm = parts.desk.retention_alarm(time.time())
    if alarm is None:
        return None
    return RetentionAlarm(count=alarm.count, oldest=alarm.oldest, seconds_left=alarm.seconds_left)
