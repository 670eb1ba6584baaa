"""Receipts of messages that did not arrive, under kill -9: nothing is lost, and nothing is sent twice for it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from processes import environment
from queue_fixture import Stock

from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_event
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, reported
from antrian.history.follower import HistoryFollower
from antrian.history.projection.history_file import history_path
from antrian.history.queries.history import History
from antrian.history.records import MessageRecord
from antrian.operations.receipts.worker import ReceiptsWorker
from waiting import wait_until

_MESSAGES = 30
_KILLS = 20

#: Starts a worker whenever it is told to, in a process of its own (a fork, because a Python takes a second to start),
#: which dies by -9 at a publish: before it, after its confirm, or somewhere in between.
_LAUNCHER = """
import os, signal, sys, threading, time
from pika.adapters.blocking_connection import BlockingChannel
from antrian.domain.settings import load_settings
from antrian.history.follower import HistoryFollower
from antrian.history.projection.history_file import history_path
from antrian.history.queries.history import History
from antrian.operations.receipts.worker import ReceiptsWorker

settings = load_settings()
path = history_path(settings)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def mortal(number, moment, seconds):
    publish, left = BlockingChannel.basic_publish, [number]
    def dies(*args, **options):
        left[0] -= 1
        if not left[0] and moment == "before":
            die()
        if not left[0] and moment == "during":
            threading.Thread(target=lambda: (time.sleep(seconds), die())).start()
        publish(*args, **options)
        if not left[0]:
            die()
    BlockingChannel.basic_publish = dies

for line in sys.stdin:
    number, moment, seconds = line.split()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        mortal(int(number), moment, float(seconds))
        follower = HistoryFollower(settings, path, urls=settings.amqp_urls, quiet=True)
        follower.start()
        ReceiptsWorker(settings, settings.amqp_urls, History(path), follower).start()
        threading.Event().wait(60)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Provider:
    """Writes the reports of a provider, as the server for its webhooks does."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock

    def report(self, provider_ids: Iterable[str], status: ReceiptStatus, **about: object) -> None:
        with open_channel(self._stock.settings.amqp_urls, name="test provider") as channel:
            for provider_id in provider_ids:
                receipt = DeliveryReceipt(status=status, provider_id=provider_id, **about)
                write_event(channel, self._stock.names, self._event(receipt), must_be_kept=True)

    @staticmethod
    def _event(receipt: DeliveryReceipt) -> Event:
        return reported(receipt, lane="default", provider="mpwa", sender="628111", at=time.time(), source="test")


@contextmanager
def history_of(stock: Stock) -> Iterator[HistoryFollower]:
    follower = HistoryFollower(stock.settings, history_path(stock.settings), urls=stock.settings.amqp_urls)
    follower.start()
    try:
        yield follower
    finally:
        follower.stop(60)


class Told:
    """What a worker is told beside its own work."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def bind(self, channel: BlockingChannel) -> None:
        """Nothing else is reported."""

    def of_inbound(self, event: Event) -> tuple[()]:
        self.events.append(event)
        return ()

    def of_receipt(self, event: Event, receipt: DeliveryReceipt, record: MessageRecord) -> tuple[()]:
        del receipt, record
        self.events.append(event)
        return ()

    of_outcome = of_inbound


@contextmanager
def working(stock: Stock, follower: HistoryFollower) -> Iterator[Callable[[], None]]:
    """A worker; what it gives waits until everything that was reported before is worked on."""
    history, told = History(history_path(stock.settings)), Told()
    worker = ReceiptsWorker(stock.settings, stock.settings.amqp_urls, history, follower, more=told)
    worker.start()

    def finish() -> None:
        mark = Event("receipt.mark", time.time(), "default", source="test")
        with open_channel(stock.settings.amqp_urls, name="test provider") as channel:
            write_event(channel, stock.names, mark, must_be_kept=True)
        wait_until(lambda: mark in told.events, 60, "all reports are worked on")

    try:
        yield finish
    finally:
        worker.stop(60)


def send(stock: Stock, names: list[str]) -> dict[str, str]:
    """Have messages sent; the provider's id of each."""
    stock.add_waiting(*names)
    sent = wait_until(
        lambda: found if len(found := stock.events("outcome.sent")) == len(names) else None, 60, "all are sent"
    )
    return {event.message_id: str(event.details["provider_id"]) for event in sent}


def kill_often(stock: Stock, dice: random.Random) -> list[int]:
    """How each of the workers ended."""
    with subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER],
        env=os.environ | environment(stock.settings),
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as launcher:
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        ends = []
        for _ in range(_KILLS):
            moment = dice.choice(("before", "during", "during", "after"))
            launcher.stdin.write(f"{dice.randint(1, 4)} {moment} {dice.uniform(0, 0.003)}\n")
            launcher.stdin.flush()
            ends.append(int(launcher.stdout.readline()))
        launcher.stdin.close()
    return ends


@pytest.mark.timeout(600)
def test_after_twenty_kills_each_message_is_tried_once_more_or_given_up_once(stock: Stock, consumer, arrivals) -> None:
    dice = random.Random(20261130)
    names = [f"m{number}" for number in range(_MESSAGES)]
    consumer(WHATSAPP_QUEUE_DELAY="0")
    provider, transient, rejected = Provider(stock), names[0::2], names[1::2]
    with history_of(stock) as follower:
        ids = send(stock, names)
        for _ in range(2):
            # The provider repeats itself.
            for one in names:
                kind = FailureClass.TRANSIENT if one in transient else FailureClass.REJECTED
                about = {"failure_class": kind, "code": "131026", "detail": "not delivered"}
                provider.report([ids[one]], ReceiptStatus.FAILED, **about)
        ends = kill_often(stock, dice)
        with working(stock, follower) as finish:
            finish()
            arrivals.wait_for(len(names) + len(transient), 60)
            wait_until(lambda: stock.count(stock.names.dead) == len(rejected), 60, "the others are dead letters")
            # What the provider repeats of a send that was followed by another one is about no message any more.
            wait_until(lambda: {*stock.on_ladder()} <= {"None"}, 60, "no message is on the ladder")
        wait_until(lambda: stock.count(stock.names.lane("default")) == 0, 60, "the lane is empty")

    assert ends == [signal.SIGKILL] * _KILLS
    expected = Counter(f"text {one}" for one in names) + Counter(f"text {one}" for one in transient)
    assert Counter(arrivals.texts()) == expected
    assert sorted(one.message_id for one in stock.dead()) == sorted(rejected)
    letters = {(one.message_id, one.generation, one.attempt, one.failures[-1].code) for one in stock.dead()}
    assert letters == {(one, 1, 1, "131026") for one in rejected}
    dead = stock.events("outcome.dead")
    assert {event.message_id for event in dead} == set(rejected)
    assert {event.details["reason"] for event in dead} == {"undelivered"}


@pytest.mark.timeout(300)
def test_what_arrived_or_was_put_back_meanwhile_is_left_alone(stock: Stock, consumer, arrivals) -> None:
    consumer(WHATSAPP_QUEUE_DELAY="0")
    provider = Provider(stock)
    failure = {"failure_class": FailureClass.TRANSIENT, "code": "131026"}
    with history_of(stock) as follower, working(stock, follower) as finish:
        ids = send(stock, ["arrived", "failed"])
        with open_channel(stock.settings.amqp_urls, name="test provider") as channel:
            read = DeliveryReceipt(
                status=ReceiptStatus.READ, provider_id=ids["arrived"], correlation_id="arrived:0:1", recipient="+62811"
            )
            write_event(channel, stock.names, provider._event(read), must_be_kept=True)
        provider.report([ids["arrived"]], ReceiptStatus.FAILED, **failure)
        provider.report([ids["failed"]], ReceiptStatus.FAILED, failure_class=FailureClass.REJECTED, code="131026")
        stock.wait_for(stock.names.dead, 1)
        # Late, but nothing can be taken back now: a note on the letter is all.
        provider.report([ids["failed"]], ReceiptStatus.DELIVERED, recipient="+6281234567890")
        [note] = wait_until(lambda: stock.events("message.noted"), 30, "a note is written")
        provider.report([ids["failed"]] * 3, ReceiptStatus.FAILED, **failure)
        finish()
        # What was reported before the history had its send comes again.
        wait_until(lambda: stock.delayed() == 0, 90, "nothing waits on the ladder")
        finish()

    assert (note.message_id, note.generation) == ("failed", 1)
    assert [one.message_id for one in stock.dead()] == ["failed"]
    assert stock.delayed() == 0
    assert Counter(arrivals.texts()) == {"text arrived": 1, "text failed": 1}
    known = stock.events("contact.known")
    assert {event.details["recipients"][0] for event in known} == {"+62811", "+6281234567890"}
    assert {event.details["how"] for event in known} == {"receipt"}


@pytest.mark.timeout(300)
def test_a_report_whose_message_is_not_known_yet_comes_again(stock: Stock) -> None:
    provider = Provider(stock)
    with history_of(stock) as follower, working(stock, follower):
        stock.add_waiting("m1")
        provider.report(["p1"], ReceiptStatus.FAILED, failure_class=FailureClass.REJECTED, code="131026")
        wait_until(lambda: stock.delayed() == 1, 30, "it waits on the ladder")
        stock.tell("outcome.sent", "m1", provider_id="p1")
        stock.wait_for(stock.names.dead, 1)
    assert stock.delayed() == 0
