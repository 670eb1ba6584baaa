"""A release of held messages under kill -9: nothing is lost and nothing is sent twice."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from processes import environment
from queue_fixture import Stock

from antrian.operations.lane.release_filter import ReleaseFilter
from antrian.operations.lane.release_job import release_now
from waiting import elapsed, wait_until

#: Starts a release whenever it is told to, in a process of its own: a fork, because a Python takes a second to start.
_LAUNCHER = """
import os, sys
from antrian.domain.settings import load_settings
from antrian.operations.lane.release import Release
from antrian.operations.lane.release_filter import ReleaseFilter

settings = load_settings()
for line in sys.stdin:
    wanted, rate = map(int, line.split())
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(ours)
        progress = lambda tally: os.write(theirs, b".")
        release = Release(settings, ReleaseFilter.of("default"), "cli:ani", "killed")
        release.run(per_second=rate or None, on_progress=progress)
        os._exit(0)
    os.close(theirs)
    print(child, flush=True)
    for _ in range(wanted):
        if not os.read(ours, 1):
            break
    print("now", flush=True)
    sys.stdin.readline()
    os.close(ours)
    print(os.waitpid(child, 0)[1], flush=True)
"""

_MESSAGES = 2_000
_KILLS = 20


class ReleasesToKill:
    """Releases, one after the other, killed when they have come so far."""

    def __init__(self, launcher: subprocess.Popen[bytes]) -> None:
        self._launcher = launcher

    def kill_after(self, *, messages: int, seconds: float, rate: int) -> bool:
        """Kill one so many seconds after so many messages; whether it was still at it. A rate of 0 is full speed."""
        self._tell(f"{messages} {rate}")
        child = int(self._line())
        assert self._line() == "now"
        wait_until(elapsed(seconds), 10, "the moment has come", every=0.001)
        os.kill(child, signal.SIGKILL)
        self._tell("")
        return int(self._line()) == signal.SIGKILL

    def _tell(self, line: str) -> None:
        assert self._launcher.stdin is not None
        self._launcher.stdin.write(f"{line}\n".encode())
        self._launcher.stdin.flush()

    def _line(self) -> str:
        assert self._launcher.stdout is not None
        return self._launcher.stdout.readline().decode().strip()


@pytest.fixture
def releases(stock: Stock) -> Iterator[ReleasesToKill]:
    with subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER],
        env=os.environ | environment(stock.settings),
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as launcher:
        yield ReleasesToKill(launcher)


def add_held(stock: Stock, dice: random.Random) -> list[str]:
    """Held messages of random priorities, on three rungs of the ladder."""
    expected = [f"m{number}" for number in range(_MESSAGES)]
    kinds = list(product((3_600, 40_000, 900_000), ("low", "normal", "high")))
    chosen = {one: dice.choice(kinds) for one in expected}
    for seconds, priority in kinds:
        mine = [one for one in expected if chosen[one] == (seconds, priority)]
        stock.add_held(*mine, seconds=seconds, priority=priority)
    assert stock.delayed() == _MESSAGES
    return expected


def kill_often(releases: ReleasesToKill, dice: random.Random, kills: int = _KILLS) -> int:
    # At full speed hundreds are under way at once; with a rate it is one, so that the kills hit each of its steps.
    return sum(
        releases.kill_after(
            messages=dice.randrange(60), seconds=dice.uniform(0, 0.01), rate=0 if number % 5 == 4 else 400
        )
        for number in range(kills)
    )


@pytest.mark.timeout(600)
def test_after_twenty_kills_every_message_is_in_the_lane_once_or_a_little_more_often(
    stock: Stock, releases: ReleasesToKill
) -> None:
    dice = random.Random(20261129)
    expected = add_held(stock, dice)
    kills = kill_often(releases, dice)
    wait_until(
        lambda: stock.count(stock.names.lane("default")) + stock.delayed() >= len(expected), 30, "all are in a queue"
    )
    job = release_now(stock.settings, ReleaseFilter.of("default"), "cli:ani")

    assert kills >= _KILLS - 2
    assert (job.state, stock.delayed()) == ("done", 0)
    delivered = Counter((one.message_id, one.generation) for one in stock.in_lane())
    assert set(delivered) == {(one, 0) for one in expected}
    assert max(delivered.values()) <= 1 + kills
    assert {event.message_id for event in stock.events("outcome.released")} == set(expected)


@pytest.mark.timeout(600)
def test_after_twenty_kills_every_message_is_sent_exactly_once(
    stock: Stock, releases: ReleasesToKill, consumer, arrivals
) -> None:
    dice = random.Random(20261130)
    expected = add_held(stock, dice)
    consumer(WHATSAPP_QUEUE_DELAY="0")
    kills = kill_often(releases, dice)
    job = release_now(stock.settings, ReleaseFilter.of("default"), "cli:ani")
    arrivals.wait_for(len(expected), 240)
    wait_until(lambda: stock.count(stock.names.lane("default")) == 0, 60, "the lane is empty")

    assert kills >= _KILLS - 2
    assert (job.state, stock.delayed()) == ("done", 0)
    assert Counter(arrivals.texts()) == Counter(f"text {one}" for one in expected)


@pytest.mark.timeout(600)
def test_what_is_held_again_while_releases_are_killed_stays_under_its_cap(
    stock: Stock, releases: ReleasesToKill, consumer, arrivals
) -> None:
    """A consumer lays on the ladder what the releases take off it: each message is sent once, or waits there."""
    dice, cap = random.Random(20261201), 7
    expected = [f"m{number}" for number in range(120)]
    for number, one in enumerate(expected):
        stock.add_held(one, phone_number=f"+62813{number:07}", seconds=dice.choice((3_600, 90_000)))
    process = consumer(WHATSAPP_QUEUE_DELAY="0", WHATSAPP_QUEUE_COLD_DAILY_CAP=str(cap))
    kill_often(releases, dice, 8)
    release_now(stock.settings, ReleaseFilter.of("default"), "cli:ani")
    arrivals.wait_for(cap, 120)
    wait_until(lambda: stock.count(stock.names.lane("default")) == 0, 120, "the consumer has been given them all")
    # What it was given and has not decided about goes back into the lane.
    assert process.terminate() == 0

    sent = [text.removeprefix("text ") for text in arrivals.texts()]
    assert (len(sent), len(set(sent))) == (cap, cap)
    assert {*stock.on_ladder(), *(one.message_id for one in stock.in_lane())} >= set(expected) - set(sent)
