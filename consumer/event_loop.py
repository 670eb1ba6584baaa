"""One thread for all lanes of a process: their coroutines wait here, and nowhere else.

    inbox → the receiver of each signal takes it in, and wakes the tasks that it concerns → they run to their next wait

There is no more to it: no sockets (the I/O thread has them), no futures. A task is looked at only when something that
concerns it has happened, or when its deadline has come, so that a lane that waits costs nothing.
"""

import heapq
import math
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from consumer.inbox import Signal

#: Tasks run at the latest after so many signals, however fast these come.
MOST_SIGNALS = 200


class Receiver(Protocol):
    """What a signal can be put into the inbox for."""

    def receive(self, signal: Signal) -> None:
        """Take it in; called in the event loop, so it must be quick."""


Inbox = SimpleQueue[tuple[Receiver, Signal]]


class _Pause:
    """What a coroutine yields to the loop: run me again when I am woken, or at this monotonic second."""

    __slots__ = ("until",)

    def __init__(self, until: float | None) -> None:
        self.until = until

    def __await__(self) -> Generator["_Pause", None, None]:
        yield self


def paused(until: float | None) -> _Pause:
    """Wait, in a task: until it is woken, or at the latest until a monotonic second."""
    return _Pause(until)


class LoopTask:
    """One coroutine that runs in a loop."""

    def __init__(
        self, loop: "EventLoop", coroutine: Coroutine[_Pause, None, None], done: Callable[[BaseException | None], None]
    ) -> None:
        self._loop = loop
        self._coroutine = coroutine
        self._done = done
        #: When it runs at the latest, monotonic seconds; an entry of the heap with another time is of an earlier wait.
        self.deadline: float | None = None
        self.is_over = False

    def wake(self) -> None:
        """Have it run again; only from within the loop."""
        if not self.is_over:
            self._loop.make_ready(self)

    def step(self) -> _Pause | None:
        """Run to the next wait; None when it has ended."""
        error: BaseException | None = None
        try:
            return self._coroutine.send(None)
        except StopIteration:
            pass
        except Exception as raised:  # noqa: BLE001 (told to whom it concerns)
            error = raised
        self.is_over = True
        self._done(error)
        return None


class EventLoop:
    """Runs tasks until none is left.

    Args:
        clock: monotonic seconds.

    Attributes:
        inbox: for signals from any thread, and from signal handlers.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.inbox: Inbox = SimpleQueue()
        self._clock = clock
        self._tasks = 0
        self._taken = 0
        self._ready: dict[LoopTask, None] = {}
        self._deadlines: list[tuple[float, int, LoopTask]] = []
        self._numbers = count()

    def start(
        self,
        coroutine: Coroutine[Any, None, None],
        done: Callable[[BaseException | None], None] = lambda _error: None,
    ) -> LoopTask:
        """Have a coroutine run.

        Args:
            coroutine: may wait for `paused` only.
            done: told when it has ended, and by which error.
        """
        task = LoopTask(self, coroutine, done)
        self._tasks += 1
        self.make_ready(task)
        return task

    def make_ready(self, task: LoopTask) -> None:
        """The task runs after the signals that are in the inbox now were taken in."""
        self._ready[task] = None

    async def taken_in(self) -> None:
        """Wait, in a task, until what is in the inbox now has been taken in."""
        mark = self._taken + self.inbox.qsize()
        while self._taken < mark:
            await paused(-math.inf)

    def run(self) -> None:
        """Run until every task has ended."""
        while self._tasks:
            self.turn()

    def turn(self) -> None:
        """Wait for something to happen, take it in, and let those run whom it concerns."""
        self._take_in()
        now = self._clock()
        while (at := self._next_deadline()) is not None and at <= now:
            task = heapq.heappop(self._deadlines)[-1]
            task.deadline = None
            self._ready[task] = None
        ready, self._ready = self._ready, {}
        for task in ready:
            self._step(task)

    def _take_in(self) -> None:
        """Wait for a signal, if there is nothing else to do, and take in those that are there."""
        at = self._next_deadline()
        timeout = None if at is None else max(0.0, at - self._clock())
        with suppress(Empty):
            self._receive(*self.inbox.get(not self._ready, timeout))
            for _ in range(min(self.inbox.qsize(), MOST_SIGNALS)):
                self._receive(*self.inbox.get_nowait())

    def _receive(self, receiver: Receiver, signal: Signal) -> None:
        self._taken += 1
        receiver.receive(signal)

    def _next_deadline(self) -> float | None:
        """The earliest that still counts."""
        while self._deadlines:
            at, _, task = self._deadlines[0]
            if at == task.deadline and not task.is_over:
                return at
            heapq.heappop(self._deadlines)
        return None

    def _step(self, task: LoopTask) -> None:
        if task.is_over:
            return
        pause = task.step()
        if pause is None:
            self._tasks -= 1
        elif pause.until != task.deadline:
            task.deadline = pause.until
            if pause.until is not None:
                heapq.heappush(self._deadlines, (pause.until, next(self._numbers), task))
