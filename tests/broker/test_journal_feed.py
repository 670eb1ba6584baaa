"""The journal as it is read: what is in memory, and when its end has been seen."""

import time

from queue_fixture import Stock

from antrian.broker.connection import open_channel
from antrian.broker.stream.feed import PREFETCH, SILENCE, StreamFeed
from waiting import wait_until


def test_a_history_that_is_slower_than_the_broker_never_has_more_than_two_windows_in_memory(stock: Stock) -> None:
    count, batch = PREFETCH * 5, 500
    stock.pour(*(f"m{number}" for number in range(count)))
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        feed = StreamFeed(channel, stock.names.journal, "first", batch=batch)
        read, most = 0, 0
        while read < count:
            # As a follower does whose every batch takes longer than a round.
            feed.look_for_the_end()
            read += len(taken := feed.take(60))
            assert taken
            most = max(most, len(feed._entries))
        assert most <= PREFETCH * 2
        wait_until(lambda: feed.look_for_the_end() or feed.end_passed_at(), 5, "the end is seen")


def test_the_end_is_not_seen_before_what_there_is(stock: Stock) -> None:
    stock.pour(*(f"m{number}" for number in range(10)))
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        feed = StreamFeed(channel, stock.names.journal, 3)
        feed.look_for_the_end()
        assert feed.end_passed_at() is None
        read = []
        wait_until(lambda: read.extend(feed.take(0.1)) or len(read) >= 7, 10, "the rest is read")
        assert read[-1].offset == 9
        asked_at = time.time()
        at = wait_until(lambda: feed.look_for_the_end() or feed.end_passed_at(), 5, "the end is seen")
        assert at >= asked_at


def test_an_empty_journal_is_empty_after_a_while(stock: Stock) -> None:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        began_at = time.monotonic()
        feed = StreamFeed(channel, stock.names.journal, "first")
        wait_until(lambda: feed.look_for_the_end() or feed.end_passed_at(), 5, "the end is seen")
        assert time.monotonic() - began_at > SILENCE
