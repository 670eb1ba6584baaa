"""One thread runs the coroutines of all lanes."""

import threading
import time

import pytest

from consumer.event_loop import EventLoop, paused
from consumer.inbox import Listening, Stop
from waiting import wait_until


class Ear:
    """Receives signals, and wakes one task."""

    def __init__(self) -> None:
        self.heard = []
        self.task = None

    def receive(self, signal) -> None:
        self.heard.append(signal)
        if self.task is not None:
            self.task.wake()


@pytest.fixture
def loop() -> EventLoop:
    return EventLoop()


def test_a_task_waits_until_it_is_woken_and_others_are_not(loop):
    ears, runs = [Ear(), Ear()], [0, 0]

    async def wait(number: int, enough: int) -> None:
        while len(ears[number].heard) < enough:
            await paused(None)
            runs[number] += 1

    for number, ear in enumerate(ears):
        ear.task = loop.start(wait(number, 3 if number == 0 else 1))

    def tell() -> None:
        for _ in range(2):
            loop.inbox.put((ears[0], Listening()))
        wait_until(lambda: len(ears[0].heard) == 2 and runs[0], 10, "the first has run")
        for ear in ears:
            loop.inbox.put((ear, Stop()))

    threading.Timer(0.05, tell).start()
    loop.run()
    assert runs[1] == 1
    assert runs[0] in {2, 3}


def test_deadlines_come_in_their_order_and_not_before_their_time(loop):
    seen = []

    async def wait(seconds: float) -> None:
        until = time.monotonic() + seconds
        await paused(until)
        assert time.monotonic() >= until
        seen.append(seconds)

    for seconds in (0.06, 0.02, 0.04):
        loop.start(wait(seconds))
    loop.run()
    assert seen == [0.02, 0.04, 0.06]


def test_a_deadline_of_an_earlier_wait_wakes_nobody(loop):
    ear, wakes = Ear(), []

    async def wait() -> None:
        began = time.monotonic()
        await paused(began + 0.05)
        await paused(began + 0.15)
        wakes.append(time.monotonic() - began)

    ear.task = loop.start(wait())
    loop.inbox.put((ear, Listening()))
    loop.run()
    assert wakes[0] >= 0.15


def test_all_that_has_arrived_is_taken_in_however_much_it_is(loop):
    ear = Ear()
    known = []

    async def ask() -> None:
        for _ in range(1_000):
            loop.inbox.put((ear, Listening()))
        await loop.taken_in()
        known.append(len(ear.heard))

    loop.start(ask())
    loop.run()
    assert known == [1_000]


def test_an_error_ends_one_task_and_is_told(loop):
    errors, others = [], []

    async def fail() -> None:
        await paused(time.monotonic())
        raise ValueError("a bug")

    async def go_on() -> None:
        await paused(time.monotonic() + 0.02)
        others.append("done")

    loop.start(fail(), errors.append)
    loop.start(go_on(), errors.append)
    loop.run()
    assert [type(error) for error in errors] == [ValueError, type(None)]
    assert others == ["done"]


def test_many_wakes_before_one_deadline_leave_one_deadline(loop):
    ear = Ear()

    async def wait() -> None:
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            await paused(until)

    ear.task = loop.start(wait())
    for _ in range(1_000):
        loop.inbox.put((ear, Listening()))
    threading.Timer(0.05, lambda: seen.append(len(loop._deadlines))).start()
    seen = []
    loop.run()
    assert seen == [1]
