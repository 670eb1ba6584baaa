"""An examination over HTTP: one at a time, shared for a while, and never waited for too long."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from admin_api.checkup import Checkups
from antrian.doctor.finding import ok, problem


@dataclass
class Slow:
    """An examination that stops after its first finding until it is let go on."""

    go_on: threading.Event
    fails: bool = False
    versions: dict[str, str] = field(default_factory=dict)

    def findings(self):
        yield ok("disk", "There is room.")
        self.versions["rabbitmq"] = "4.3.0"
        assert self.go_on.wait(60)
        if self.fails:
            raise RuntimeError("secret")
        yield problem("broker", "It is away.", "Start it.")


class Examinations(list[Slow]):
    def __init__(self, *, fails: bool = False) -> None:
        self.go_on = threading.Event()
        self._fails = fails

    def start(self) -> Slow:
        self.append(Slow(self.go_on, self._fails))
        return self[-1]


@pytest.fixture
def made() -> Examinations:
    return Examinations()


def subjects(checkup) -> list[str]:
    return [finding.subject for finding in checkup.findings]


def test_many_who_ask_share_one_examination(made):
    made.go_on.set()

    async def ask():
        checkups = Checkups(made.start)
        answers = await asyncio.gather(*(checkups.latest() for _ in range(10)))
        return [*answers, await checkups.latest()]

    answers = asyncio.run(ask())
    assert len(made) == 1
    assert all(answer.is_complete and subjects(answer) == ["disk", "broker"] for answer in answers)
    assert answers[0].versions == {"rabbitmq": "4.3.0"}


def test_who_has_waited_long_enough_gets_what_is_known_and_the_event_loop_goes_on(made):
    async def ask():
        checkups = Checkups(made.start, patience=0.05)
        first, second = await checkups.latest(), await checkups.latest()
        made.go_on.set()
        return first, second

    first, second = asyncio.run(ask())
    assert len(made) == 1
    assert (first.is_complete, second.is_complete) == (False, False)
    assert subjects(first) == ["disk"]


def test_an_examination_that_breaks_keeps_what_it_found(capfd):
    made = Examinations(fails=True)
    made.go_on.set()
    answer = asyncio.run(Checkups(made.start).latest())
    assert (answer.is_complete, subjects(answer)) == (False, ["disk"])
    assert "secret" not in "".join(capfd.readouterr())


def test_a_fresh_look_is_a_new_one_but_not_more_often_than_is_good(made, monkeypatch):
    made.go_on.set()
    clock = [1_000.0]
    monkeypatch.setattr("admin_api.checkup.time.time", lambda: clock[0])

    async def ask():
        checkups = Checkups(made.start)
        for seconds, fresh in ((0, True), (1, True), (4, False), (4, True), (20, False)):
            clock[0] = 1_000.0 + seconds
            await checkups.latest(**({"most_seconds_old": 0} if fresh else {}))

    asyncio.run(ask())
    assert len(made) == 3
