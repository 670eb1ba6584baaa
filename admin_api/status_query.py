"""A lane's status, put together from the broker and the history."""

import asyncio
import time

from fastapi.concurrency import run_in_threadpool

from admin_api.comparison import CountDifference
from admin_api.dependencies import Services
from admin_api.metrics import HistoryReading
from admin_api.presenters import LaneInHistory, lane_status
from admin_api.schemas.lane import Differences, HistoryState, LaneStatus, RetentionAlarmItem
from antrian.domain.errors import BrokerUnreachable
from antrian.history.queries.counts import DepthCounts
from antrian.history.records import MessageState, Position
from antrian.operations.lane.look_at_all import Reading

#: How many of the messages that go next are shown; one more is asked for, because the first may be under way.
NEXT = 10

#: Seconds that a comparison waits for the history.
_GLANCE = 0.3

#: Seconds for the broker to answer: one that hangs is noticed by its connection only after a minute.
_PATIENCE = 5.0


async def read_status(parts: Services, lane: str, *, masked: bool) -> LaneStatus:
    """The lane as it is now.

    Raises:
        BrokerError: the broker is away, or has no such lane.
    """
    try:
        reading = await asyncio.wait_for(asyncio.wrap_future(parts.observer.ask(lane)), _PATIENCE)
    except TimeoutError as error:
        raise BrokerUnreachable(f"the broker has not answered for {_PATIENCE:g} s") from error
    return await run_in_threadpool(_compose, parts, lane, reading, masked=masked)


def _compose(parts: Services, lane: str, reading: Reading, *, masked: bool) -> LaneStatus:
    sending = reading.sending
    seen = LaneInHistory(
        waiting=parts.history.next_messages(lane, NEXT + 1),
        retrying=parts.history.next_retries(lane, NEXT),
        sending=parts.history.message(sending.message_id) if sending else None,
        state=history_state(parts, lane, reading),
        alarm=retention_alarm(parts),
    )
    answer = lane_status(reading, seen, parts.settings, masked=masked)
    parts.comparison.tell_failed(reading.status.failed_messages, time.time())
    answer.next_messages = answer.next_messages[:NEXT]
    return answer


def history_state(parts: Services, lane: str, reading: Reading) -> HistoryState:
    """How far the history is, and where it and the broker differ."""
    difference = _difference(parts, lane, reading)
    if any(difference) and parts.follower.is_writer:
        # The history is a moment later than the broker's count: that is no difference.
        parts.follower.catch_up(_GLANCE)
        difference = _difference(parts, lane, reading)
    position: Position = parts.history.position()
    lag = parts.follower.lag_seconds
    return HistoryState(
        offset=position.offset,
        behind_seconds=round(lag, 3),
        caught_up=lag < 1 and position.checked_at is not None,
        writes=parts.follower.is_writer,
        trouble=parts.follower.trouble,
        differences=Differences(waiting=difference.waiting, failed=difference.failed),
        differs_since=parts.comparison.look(lane, difference, time.time()),
        gaps=list(position.gaps),
    )


def _difference(parts: Services, lane: str, reading: Reading) -> CountDifference:
    status, counts = reading.status, parts.history.counts(lane)
    waiting = status.waiting + status.in_flight - counts[MessageState.WAITING] - counts[MessageState.SENDING]
    has_sent = status.last_sent_at is not None or status.mean_attempt is not None
    if waiting == 1 and has_sent and not status.running:
        # A consumer holds its message through the pause after the send. Where it ended within it, the message is back
        # in the queue, and the next consumer acks it without sending.
        waiting = 0
    return CountDifference(waiting, status.failed_messages - parts.history.counts()[MessageState.DEAD])


def read_history(parts: Services) -> HistoryReading:
    """What metrics tell of the history."""
    depths = DepthCounts(parts.history.path)
    counts = parts.history.counts()
    near = parts.dead_letters.retention_alarm(time.time())
    reading = HistoryReading(
        lag=parts.follower.lag_seconds,
        offset=parts.history.position().offset,
        waiting=counts[MessageState.WAITING] + counts[MessageState.SENDING],
        dead=counts[MessageState.DEAD],
        depths=depths.waiting(),
        dead_by_class=depths.dead(),
        near_retention=near.count if near else 0,
    )
    depths.close()
    return reading


def retention_alarm(parts: Services) -> RetentionAlarmItem | None:
    """Dead letters that the history will soon forget."""
    alarm = parts.dead_letters.retention_alarm(time.time())
    if alarm is None:
        return None
    return RetentionAlarmItem(count=alarm.count, oldest=alarm.oldest, seconds_left=alarm.seconds_left)
