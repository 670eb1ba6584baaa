"""A book that follows the contacts stream: killed at any time, and of a stream that was deleted and made again."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from declaration import declare

from antrian.broker.connection import open_channel
from antrian.broker.event_log import event_arguments, write_events
from antrian.broker.stream import reader
from antrian.broker.stream.read_ahead import ReadAhead, ReaderLost
from antrian.contacts.book import ContactBook
from antrian.contacts.book_file import book_folder
from antrian.contacts.follower import ContactsFollower, following
from antrian.domain import contact_event
from antrian.domain.contact import Standing
from waiting import wait_until

SENDER = "628114040707"
SCRIPT = """
import time
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.contacts.book_file import book_folder
from antrian.contacts.follower import ContactsFollower
from antrian.domain.settings import load_settings
settings = load_settings()
book = ContactBook(book_folder(settings), clock=lambda: time.monotonic() * 100)
names = Names(settings.whatsapp_queue_namespace)
ContactsFollower(settings.amqp_urls, names, book, name="test").start()
while True:
    print(book.position, flush=True)
    time.sleep(0.01)
"""


def number(index):
    return f"+628123{index:07}"


def write(stock, indexes):
    """One event for each of these contacts, confirmed together."""
    events = [contact_event.known(SENDER, [number(one)], "receipt", at=1_000.0 + one, source="test") for one in indexes]
    with open_channel(stock.settings.amqp_urls, name="test") as channel, channel.connection.channel() as fast:
        for event in events[:-1]:
            fast.basic_publish(*event_arguments(stock.names, event))
    write_events(stock.settings.amqp_urls, stock.names, events[-1:], name="test")


@contextmanager
def followed(stock, *, in_memory=False):
    book = ContactBook(None if in_memory else book_folder(stock.settings))
    with following(ContactsFollower(stock.settings.amqp_urls, stock.names, book, name="test")) as follower:
        yield follower


def knows(book, indexes):
    return {book.standing(SENDER, number(one)) for one in indexes} == {Standing.KNOWN}


def reach(follower, position):
    wait_until(lambda: follower.caught_up_book(60).position == position, 30, f"the book is at {position}")


def test_a_book_whose_process_is_killed_goes_on_where_its_file_ends(stock):
    environment = os.environ | {
        "AMQP_URL": stock.settings.amqp_urls[0],
        "ANTRIAN_HOME": str(stock.settings.antrian_home),
        "WHATSAPP_QUEUE_NAMESPACE": stock.settings.whatsapp_queue_namespace,
    }
    write(stock, range(2_000))
    for round_number in (1, 2):
        with subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.PIPE) as process:
            try:
                wait_until(lambda: int(process.stdout.readline()) > 0, 60, "it reads", every=0)
                write(stock, range(2_000 * round_number, 2_000 * (round_number + 1)))
            finally:
                process.send_signal(signal.SIGKILL)
    with followed(stock) as follower:
        began_at = follower.book.position
        reach(follower, 6_000)
        assert follower.book.count() == 6_000
        assert knows(follower.book, range(6_000))
    assert began_at > 0
    with followed(stock, in_memory=True) as follower:
        reach(follower, 6_000)
        assert follower.book.count() == 6_000


def test_a_stream_that_was_made_again_is_read_from_its_beginning(stock):
    write(stock, range(20))
    with followed(stock) as follower:
        reach(follower, 20)
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_delete(stock.names.contacts)
    declare(stock.settings)
    write(stock, [50])
    with followed(stock) as follower:
        reach(follower, 1)
        assert follower.book.count() == 1
        assert knows(follower.book, [50])
        with open_channel(stock.settings.amqp_urls, name="test") as channel:
            channel.queue_delete(stock.names.contacts)
        declare(stock.settings)
        write(stock, [60, 61])
        wait_until(lambda: follower.book.position == 2 and knows(follower.book, [60, 61]), 60, "the new one is read")
        assert follower.book.count() == 2


def test_a_book_that_was_lost_is_read_again_when_it_is_asked(stock):
    write(stock, range(20))
    with followed(stock) as follower:
        reach(follower, 20)
        follower.book._is_lost = True
        assert not follower.is_caught_up
        reach(follower, 20)
        assert knows(follower.book, range(20))


def test_an_empty_stream_is_caught_up_with_and_what_follows_comes_by_itself(stock):
    with followed(stock) as follower:
        assert follower.caught_up_book(60).count() == 0
        write(stock, [1])
        wait_until(lambda: knows(follower.book, [1]), 10, "it comes by itself")


def test_a_long_stream_is_read_by_a_process_of_its_own_and_then_followed(stock, monkeypatch):
    monkeypatch.setattr(reader, "FAR", 100)
    started = []

    class Watched(ReadAhead):
        def __init__(self, *task, **more):
            super().__init__(*task, **more)
            started.append(self._process)

    monkeypatch.setattr(reader, "ReadAhead", Watched)
    write(stock, range(3_000))
    with followed(stock) as follower:
        reach(follower, 3_000)
        write(stock, [5_000])
        reach(follower, 3_001)
        assert knows(follower.book, [*range(3_000), 5_000])
        [process] = started
        wait_until(lambda: process.poll() is not None, 20, "it has ended")


def test_where_no_process_can_be_started_it_is_read_alone(stock, monkeypatch):
    def refuse(*_task, **_more):
        raise ReaderLost("no process can be started")

    monkeypatch.setattr(reader, "FAR", 100)
    monkeypatch.setattr(reader, "ReadAhead", refuse)
    write(stock, range(300))
    with followed(stock) as follower:
        reach(follower, 300)
        assert knows(follower.book, range(300))
