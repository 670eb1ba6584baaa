"""Tells services what is to be told, a few at once, in threads of the admin side.

One thread owns the connection: it takes tasks, gives them to a few others that call, and puts what failed on the delay
ladder. A task is acked only when its receiver has it, or its next try is in the broker; so after a crash a receiver may
be told twice, under the same id. Of several admin sides one at a time does this.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple

import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from antrian.broker.background_thread import BackgroundThread
from antrian.broker.connection import open_channel
from antrian.broker.queue_scan.publication import Publication
from antrian.broker.topology import Names
from antrian.domain.errors import AntrianError
from antrian.operations.callbacks.call import Call, CallResult, call
from antrian.operations.callbacks.callback_target import CallbackTargets
from antrian.operations.callbacks.callback_task import CallbackTask

#: Calls at once, in all and to one service; and tasks that are on their way to this process.
AT_ONCE, AT_ONCE_FOR_ONE = 12, 4
_PREFETCH = 60

#: Seconds after which a call is slow: what else waits for its receiver comes again by the ladder, after so many more,
#: so that it does not stand in the way of the others.
_SLOW, _PUT_OFF = 2.0, 5.0

#: Seconds: between two looks at what else is to be done, after something went wrong, and between two counts.
_TICK, _TURN, _COUNT_PERIOD = 0.5, 1.0, 5.0

_log = structlog.get_logger("antrian.callbacks")


class CallbackCounts(NamedTuple):
    """How many callbacks there are, as the broker counts them.

    Attributes:
        waiting: to be made at once; those on the delay ladder are not among them.
        dead: given up.
    """

    waiting: int
    dead: int


class CallbackSender:
    """Follows the queue of callbacks as long as the process lives.

    Args:
        targets: whom they go to.
        urls: the broker's addresses.
        names: of the namespace.
        count: takes what became of each try: a `CallResult`, or `dead`.
        on_counts: takes how many there are, every few seconds.
    """

    def __init__(
        self,
        targets: CallbackTargets,
        urls: Sequence[str],
        names: Names,
        *,
        count: Callable[[str], None] = lambda _result: None,
        on_counts: Callable[[CallbackCounts], None] = lambda _counts: None,
    ) -> None:
        self._targets = targets
        self._urls = urls
        self._names = names
        self._count = count
        self._on_counts = on_counts
        self._trouble = ""
        self._stopping = threading.Event()
        self._thread = BackgroundThread(self._run, name="antrian-callbacks", stopping=self._stopping)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End; calls under way are not waited for, and are made again by another process."""
        self._stopping.set()
        self._thread.join(timeout)

    @property
    def is_well(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_well

    def _run(self) -> None:
        callers = _Callers(AT_ONCE)
        try:
            while not self._stopping.is_set():
                try:
                    with open_channel(self._urls, name="antrian callbacks") as channel:
                        self._follow(channel, callers)
                except (AntrianError, AMQPError) as error:
                    self._tell_trouble(str(error) if isinstance(error, AntrianError) else type(error).__name__)
                self._stopping.wait(_TURN)
        finally:
            callers.stop()

    def _follow(self, channel: BlockingChannel, callers: "_Callers") -> None:
        turn = _Turn(channel, callers, self._targets, self._names, self._count)
        channel.basic_qos(prefetch_count=_PREFETCH)
        channel.basic_consume(
            self._names.callbacks, lambda _channel, method, _properties, body: turn.take(method.delivery_tag, body)
        )
        count_at = 0.0
        while not self._stopping.is_set():
            channel.connection.process_data_events(_TICK)
            turn.go_on()
            self._trouble = ""
            if time.monotonic() >= count_at:
                count_at = time.monotonic() + _COUNT_PERIOD
                self._on_counts(counted(channel, self._names))

    def _tell_trouble(self, trouble: str) -> None:
        if trouble != self._trouble and not self._stopping.is_set():
            _log.warning("callbacks.trouble", reason=trouble)
        self._trouble = trouble


class _Callers:
    """Threads that make calls, and that a process which ends does not wait for."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        for number in range(count):
            threading.Thread(target=self._run, name=f"antrian-callback-{number}", daemon=True).start()

    def begin(self, work: Callable[[], None]) -> None:
        """Have it done by the next thread that is free."""
        self._work.put(work)

    def stop(self) -> None:
        """End each of them after what it is at."""
        for _ in range(self._count):
            self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()


class _Waiting(NamedTuple):
    tag: int
    task: CallbackTask


class _Turn:
    """The tasks of one connection; all but `_call` in the thread that owns it."""

    def __init__(
        self,
        channel: BlockingChannel,
        callers: "_Callers",
        targets: CallbackTargets,
        names: Names,
        count: Callable[[str], None],
    ) -> None:
        self._channel = channel
        self._callers = callers
        self._targets = targets
        self._names = names
        self._count = count
        self._waiting: deque[_Waiting] = deque()
        self._begun: dict[int, tuple[str, float]] = {}
        self._done: deque[tuple[_Waiting, Call]] = deque()

    def take(self, tag: int, body: bytes) -> None:
        """A task came."""
        task = CallbackTask.decode(body)
        if task is None:
            self._channel.basic_ack(tag)
            self._count(CallResult.DROPPED)
            return
        self._waiting.append(_Waiting(tag, task))

    def go_on(self) -> None:
        """Settle what is done, and begin what can be begun."""
        while self._done:
            self._settle(*self._done.popleft())
        self._begin()

    def _begin(self) -> None:
        busy = Counter(target for target, _ in self._begun.values())
        slow = {target for target, at in self._begun.values() if time.monotonic() - at > _SLOW}
        left: deque[_Waiting] = deque()
        while self._waiting:
            one = self._waiting.popleft()
            target = one.task.target
            if busy[target] < AT_ONCE_FOR_ONE and len(self._begun) < AT_ONCE:
                busy[target] += 1
                self._begun[one.tag] = target, time.monotonic()
                self._callers.begin(partial(self._call, one))
            elif target in slow and busy[target] >= AT_ONCE_FOR_ONE:
                self._replace(one, one.task.later(self._names, _PUT_OFF))
            else:
                left.append(one)
        self._waiting = left

    def _call(self, one: _Waiting) -> None:
        """In one of the callers' threads."""
        try:
            told = call(self._targets, one.task)
        except Exception as error:  # noqa: BLE001 (one that ends without a word would be under way for ever)
            # Its text may quote the address, which may hold a token.
            _log.error("callback.failed", webhook_id=one.task.webhook_id, error=type(error).__name__)
            told = Call(CallResult.FAILED, type(error).__name__)
        self._done.append((one, told))
        with suppress(AMQPError):
            # The owner of the connection waits for the broker; a connection that is gone needs no more work.
            self._channel.connection.add_callback_threadsafe(lambda: None)

    def _settle(self, one: _Waiting, told: Call) -> None:
        self._begun.pop(one.tag, None)
        about = {"webhook_id": one.task.webhook_id, "type": one.task.kind, "source": one.task.target}
        if told.result is not CallResult.FAILED:
            if told.result is CallResult.DROPPED:
                _log.warning("callback.dropped", **about, reason=told.problem)
            self._channel.basic_ack(one.tag)
            self._count(told.result)
            return
        task = one.task.failed(told.problem)
        self._count(told.result)
        if task.pause is not None:
            self._replace(one, task.later(self._names, max(task.pause, told.retry_after or 0.0)))
            return
        _log.error("callback.dead", **about, reason=told.problem)
        self._replace(one, task.given_up(self._names))
        self._count("dead")

    def _replace(self, one: _Waiting, publication: Publication) -> None:
        publish(self._channel, publication)
        self._channel.basic_ack(one.tag)


def publish(channel: BlockingChannel, one: Publication) -> None:
    """Publish; returns when the broker has it."""
    channel.basic_publish(one.exchange, one.routing_key, one.body, one.properties, one.mandatory)


def counted(channel: BlockingChannel, names: Names) -> CallbackCounts:
    """How many callbacks there are."""
    waiting, dead = (
        channel.queue_declare(queue, passive=True).method.message_count
        for queue in (names.callbacks, names.dead_callbacks)
    )
    return CallbackCounts(int(waiting), int(dead))
