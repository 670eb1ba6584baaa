"""A re-drive under kill -9: nothing is lost and nothing is sent twice."""

import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from antrian_process import AntrianProcess
from processes import environment
from queue_fixture import Stock, ids

from antrian.broker.queue_scan.pipelined_operation import WINDOW
from antrian.history.follower import HistoryFollower
from antrian.history.projection.history_file import history_path
from antrian.history.queries.history import History
from antrian.history.records import DeadFilter, Job
from antrian.operations.dead_letters.service import DeadLetterService
from waiting import elapsed, wait_until

_JOB = """
from antrian.operations.dead_letters.service import DeadLetterService
from antrian.history.follower import HistoryFollower
from antrian.history.projection.history_file import history_path
from antrian.history.records import DeadFilter
from antrian.history.queries.history import History
from antrian.domain.settings import load_settings

settings = load_settings()
path = history_path(settings)
follower = HistoryFollower(settings, path, urls=settings.amqp_urls)
follower.start()
follower.barrier(120)
service = DeadLetterService(settings, History(path), follower)
job = service.redrive(DeadFilter(), "cli:ani")
service.wait(job.job_id)
"""

#: Starts a redrive whenever it is told to, in a process of its own: a fork, because a Python takes a second to start.
_LAUNCHER = """
import os, sys
from antrian.domain.settings import load_settings
from antrian.operations.dead_letters.dead_letters import EVERYTHING, DeadLetters

letters = DeadLetters(load_settings())
for line in sys.stdin:
    wanted, rate = map(int, line.split())
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(ours)
        progress = lambda tally: os.write(theirs, b".")
        letters.redrive(EVERYTHING, "cli:ani", per_second=rate or None, on_progress=progress)
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


class RedrivesToKill:
    """Redrives without a history, one after the other, killed when they have put so many letters back."""

    def __init__(self, launcher: AntrianProcess) -> None:
        self._launcher = launcher

    def kill_after(self, *, letters: int, seconds: float, rate: int) -> bool:
        """Kill one so many seconds after so many letters; whether it was still at it. A rate of 0 is full speed."""
        self._tell(f"{letters} {rate}")
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


@contextmanager
def service_of(stock: Stock) -> Iterator[DeadLetterService]:
    path = history_path(stock.settings)
    follower = HistoryFollower(stock.settings, path, urls=stock.settings.amqp_urls)
    follower.start()
    service = DeadLetterService(stock.settings, History(path), follower)
    try:
        assert follower.barrier(120), follower.trouble
        yield service
    finally:
        service.close()
        follower.stop()


def kill_in_the_middle(stock: Stock, moment: float) -> None:
    """Run a re-drive, and kill it so many seconds after its first letter."""
    root = Path(__file__).parents[2]
    with stock.counting(stock.names.lane("default")) as count:
        before = count()
        job = AntrianProcess(["-c", _JOB], env=os.environ | environment(stock.settings), cwd=root)
        wait_until(lambda: count() > before or job.poll() is not None, 60, "the re-drive is under way", every=0.001)
        wait_until(elapsed(moment), 10, "the moment has come", every=0.001)
        job.kill()
    job.wait(60)


def do_it_again(stock: Stock) -> Job:
    with service_of(stock) as service:
        return service.wait(service.redrive(DeadFilter(), "cli:ani").job_id, 600)


@pytest.mark.timeout(900)
def test_a_job_killed_at_random_moments_loses_nothing_and_doubles_nothing(stock):
    dice = random.Random(20261124)
    expected = [f"m{number}" for number in range(2_000)]
    stock.add_dead(*expected)
    kills = 4
    for _ in range(kills):
        kill_in_the_middle(stock, dice.uniform(0, 0.4))
        wait_until(
            lambda: stock.count(stock.names.lane("default")) + stock.count(stock.names.dead) >= len(expected),
            10,
            "what the killed one held is back in a queue",
        )
    assert do_it_again(stock).state == "done"

    delivered = Counter((one.message_id, one.generation) for one in stock.in_lane())
    assert set(delivered) == {(one, 2) for one in expected}
    # Only what was on its way when the process died may be there twice: the consumer sends one of a generation.
    assert sum(delivered.values()) - len(expected) <= kills * WINDOW
    assert max(delivered.values()) <= 1 + kills
    assert stock.count(stock.names.dead) == 0


@pytest.fixture
def redrives(stock: Stock) -> Iterator[RedrivesToKill]:
    root = Path(__file__).parents[2]
    with AntrianProcess(
        ["-c", _LAUNCHER],
        env=os.environ | environment(stock.settings),
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as launcher:
        yield RedrivesToKill(launcher)


@pytest.mark.timeout(600)
def test_after_forty_kills_every_message_arrives_exactly_once(stock, consumer, arrivals, redrives):
    dice = random.Random(20261125)
    expected = [f"m{number}" for number in range(2_200)]
    stock.add_dead(*expected)
    # Of these, the redrive must take a cancellation back before the copy arrives.
    for cancelled in expected[::100]:
        stock.tell("outcome.cancelling", cancelled)
    consumer(WHATSAPP_QUEUE_DELAY="0")
    # At full speed hundreds are under way at once; with a rate it is one, so that the kills hit each of its steps.
    killed = [
        redrives.kill_after(
            letters=dice.randrange(30), seconds=dice.uniform(0, 0.01), rate=0 if number % 14 == 13 else 400
        )
        for number in range(44)
    ]
    assert sum(killed) >= 40
    do_it_again(stock)
    arrivals.wait_for(len(expected), 240)
    wait_until(lambda: stock.count(stock.names.lane("default")) == 0, 60, "the lane is empty")
    assert Counter(arrivals.texts()) == Counter(f"text {one}" for one in expected)
    assert stock.count(stock.names.dead) == 0


def test_an_edited_copy_is_really_sent_though_it_has_the_idempotency_key_of_the_letter(
    cli, consumer, publisher, arrivals, records
):
    consumer(WHATSAPP_QUEUE_DELAY="0")
    letter = publisher.queue_message("081234569001", "Halo", idempotency_key="invoice-17").message_id
    records.wait_for_dead_letters(1)
    answer = cli.json("dead", "redrive", letter, "--phone-number", "081234567890")
    assert answer["copy_of"] == letter
    arrivals.wait_for(2, 10)
    [sent] = records.wait_for_event("outcome.sent")
    assert sent.message_id == answer["message_id"] != letter


def test_a_canary_that_fails_again_stops_the_rest(cli, consumer, publisher, records, stock):
    consumer(WHATSAPP_QUEUE_DELAY="0")
    for number in range(4):
        publisher.queue_message("081234569001", f"text {number}")
    records.wait_for_dead_letters(4)
    job = cli.json("dead", "redrive", "--all", "--canary", "1", code=1)
    assert (job["state"], job["done"], job["failed_again"]) == ("stopped", 1, 1)
    assert "one of the first 1 letters was not sent" in job["detail"]
    stock.wait_for(stock.names.dead, 4)


def test_the_rest_follows_a_canary_that_is_sent(cli, consumer, arrivals, stock):
    stock.add_dead("m1", "m2", "m3")
    consumer(WHATSAPP_QUEUE_DELAY="0")
    job = cli.json("dead", "redrive", "--all", "--canary", "1")
    assert (job["state"], job["done"]) == ("done", 3)
    arrivals.wait_for(3, 10)
    assert [one["state"] for one in cli.json("dead", "jobs")["jobs"]] == ["done"]


def test_the_command_line_writes_notes_and_takes_purges_back(cli, stock):
    stock.add_dead("m1", "m2")
    cli.json("dead", "note", "m1", "asked the customer")
    undo_id = cli.json("dead", "purge", "--all", "--yes")["undo_id"]
    assert stock.dead() == []
    assert cli.json("undo", undo_id)["restored"] == 2
    assert "already undone" in cli.run("undo", undo_id).stderr
    assert cli.json("undo")["removals"][0]["undone_by"] == "cli:ani"
    assert ids(stock.dead()) == ["m1", "m2"]
    life = cli.json("dead", "show", "m1")["life"]
    assert [one["details"].get("note") for one in life if one["name"] == "message.noted"] == ["asked the customer"]


def test_one_letter_is_changed_at_a_time_and_to_something_that_can_be_sent(cli, stock):
    stock.add_dead("m1", "m2")
    for words in (["--all", "--message", "x"], ["m1", "m2", "--message", "x"], ["m1", "--phone-number", "12"]):
        assert cli.run("dead", "redrive", *words).returncode == 2
    assert stock.count(stock.names.dead) == 2
    assert "an edited copy of m1" in cli.say("dead", "redrive", "m1", "--priority", "high")
