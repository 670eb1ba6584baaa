"""A lane's status, put together from the broker and the history."""

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import Future

from fastapi.concurrency import run_in_threadpool

from admin_api.comparison import CountDifference
from admin_api.dependencies import Services
from admin_api.metrics import HistoryReading
from admin_api.presenters import LaneInHistory, lane_status
from admin_api.schemas.lane import Differences, HistoryState, LaneStatus, RetentionAlarmItem
from antrian.contacts.book import ContactsLost
from antrian.domain.errors import BrokerError, BrokerUnreachable
from antrian.domain.lane import Lane
from antrian.domain.provider_catalog import PROVIDERS
from antrian.history.queries.counts import DepthCounts
from antrian.history.records import MessageRecord, MessageState, Position
from antrian.operations.lane.hold_summary import waits_by_lane
from antrian.operations.lane.look_at_all import Reading
from antrian.operations.lane.status import Status

#: How many of the messages that go next are shown; one more is asked for, because the first may be under way.
NEXT = 10

#: States of messages that wait for what their lane waits for; a hold may just be over.
_IN_LANE = frozenset({MessageState.WAITING, MessageState.HELD})

#: Seconds that a comparison waits for the history.
_GLANCE = 0.3

#: Seconds for the broker to answer: one that hangs is noticed by its connection only after a minute.
_PATIENCE = 5.0


async def read_status(services: Services, lane: str, *, masked: bool) -> LaneStatus:
    """The lane as it is now.

    Raises:
        BrokerError: the broker is away, or has no such lane.
    """
    reading = await read_lane(services, lane)
    return await run_in_threadpool(_compose, services, lane, reading, masked=masked)


async def read_lane(services: Services, lane: str) -> Reading:
    """The lane as the broker tells it.

    Raises:
        BrokerError: the broker is away, or has no such lane.
    """
    try:
        return await asyncio.wait_for(asyncio.wrap_future(services.observer.ask(lane)), _PATIENCE)
    except TimeoutError as error:
        raise BrokerUnreachable(f"the broker has not answered for {_PATIENCE:g} s") from error


def lanes_of(services: Services, records: Iterable[MessageRecord]) -> dict[str, Status]:
    """The lanes in whose queues any of these messages wait; those of which the broker tells nothing are left out."""
    lanes = {one.lane for one in records if one.state in _IN_LANE}
    asked = {lane: services.observer.ask(lane) for lane in lanes}
    known = {lane: _answered(answer) for lane, answer in asked.items()}
    return {lane: status for lane, status in known.items() if status is not None}


def lane_or_none(services: Services, lane: str) -> Status | None:
    """The lane as the broker tells it; None when it does not answer, or has no such lane."""
    return _answered(services.observer.ask(lane))


def refused_until(services: Services, lane: str) -> float | None:
    """Until when WhatsApp refuses new contacts of a lane's sender, unix seconds; 0 for not at all, None: not known."""
    if not services.contacts.is_caught_up:
        return None
    try:
        return services.contacts.book.cold_held_until(services.settings.lanes.known(lane).sender_key) or 0.0
    except ContactsLost:
        return None


def _answered(answer: "Future[Reading]") -> Status | None:
    try:
        return answer.result(_PATIENCE).status
    except (BrokerError, TimeoutError):
        return None


def _compose(services: Services, lane: str, reading: Reading, *, masked: bool) -> LaneStatus:
    sending = reading.sending
    seen = LaneInHistory(
        waiting=services.history.next_messages(lane, NEXT + 1),
        retrying=services.history.next_retries(lane, NEXT),
        sending=services.history.message(sending.message_id) if sending else None,
        state=history_state(services, lane, reading),
        alarm=retention_alarm(services),
        held=services.held.of(services.history, lane),
        held_in_all=services.history.counts()[MessageState.HELD],
        session=services.history.sessions().get(lane),
    )
    answer = lane_status(reading, seen, services.settings, masked=masked)
    services.comparison.tell_failed(reading.status.failed_messages, time.time())
    answer.next_messages = answer.next_messages[:NEXT]
    return answer


def history_state(services: Services, lane: str, reading: Reading) -> HistoryState:
    """How far the history is, and where it and the broker differ."""
    difference = _difference(services, lane, reading)
    if any(difference) and services.follower.is_writer:
        # The history is a moment later than the broker's count: that is no difference.
        services.follower.catch_up(_GLANCE)
        difference = _difference(services, lane, reading)
    position: Position = services.history.position()
    lag = services.follower.lag_seconds
    return HistoryState(
        offset=position.offset,
        behind_seconds=round(lag, 3),
        caught_up=lag < 1 and position.checked_at is not None,
        writes=services.follower.is_writer,
        trouble=services.follower.trouble,
        differences=Differences(waiting=difference.waiting, failed=difference.failed),
        differs_since=services.comparison.look(lane, difference, time.time()),
        gaps=list(position.gaps),
    )


def _difference(services: Services, lane: str, reading: Reading) -> CountDifference:
    status, counts = reading.status, services.history.counts(lane)
    waiting = status.waiting + status.in_flight - counts[MessageState.WAITING] - counts[MessageState.SENDING]
    has_sent = status.last_sent_at is not None or status.mean_attempt is not None
    if waiting == 1 and has_sent and not status.running:
        # A consumer holds its message through the pause after the send. Where it ended within it, the message is back
        # in the queue, and the next consumer acks it without sending.
        waiting = 0
    return CountDifference(waiting, status.failed_messages - services.history.counts()[MessageState.DEAD])


def read_history(services: Services) -> HistoryReading:
    """What metrics tell of the history."""
    depths, now = DepthCounts(services.history.path), time.time()
    counts = services.history.counts()
    waiting = depths.waiting()
    near = services.dead_letters.retention_alarm(time.time())
    reading = HistoryReading(
        lag=services.follower.lag_seconds,
        offset=services.history.position().offset,
        waiting=counts[MessageState.WAITING] + counts[MessageState.SENDING],
        dead=counts[MessageState.DEAD],
        depths=waiting,
        waits=waits_by_lane(waiting, depths.held(now), depths.delayed(now)),
        refused={lane: refused_until(services, lane) for lane in services.observer.lanes},
        dead_by_class=depths.dead(),
        near_retention=near.count if near else 0,
        receipts=depths.receipts((lane.name for lane in services.settings.lanes.values() if tells_receipts(lane)), now),
        parked=depths.parked(),
    )
    depths.close()
    return reading


def tells_receipts(lane: Lane) -> bool:
    """Whether receipts that say what arrived are to be expected."""
    kind = PROVIDERS.get(lane.provider)
    return bool(lane.webhook_secrets) and kind is not None and kind.tells in {"delivered", "read"}


def retention_alarm(services: Services) -> RetentionAlarmItem | None:
    """Dead letters that the history will soon forget."""
    alarm = services.dead_letters.retention_alarm(time.time())
    if alarm is None:
        return None
    return RetentionAlarmItem(count=alarm.count, oldest=alarm.oldest, seconds_left=alarm.seconds_left)
