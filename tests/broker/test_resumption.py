"""Where a history reads on, as a real journal answers."""

import pytest
from queue_fixture import Stock

from antrian.broker.connection import open_channel
from antrian.broker.stream.entry import NOWHERE, StreamPlace, place_of
from antrian.broker.stream.lookup import NoStream, first_from, stream_channel
from antrian.broker.stream.resume import Resumption
from antrian.domain.errors import BrokerUnreachable


@pytest.fixture
def resumption(stock: Stock) -> Resumption:
    return Resumption(stock.settings.amqp_urls, stock.names.journal, name="test")


def test_it_goes_on_at_what_it_has_read_last(stock: Stock, resumption: Resumption) -> None:
    stock.add_waiting("m1", "m2", "m3")
    with stream_channel(stock.settings.amqp_urls, stock.names.journal, name="test") as channel:
        second = first_from(channel, stock.names.journal, 1, 60)
    assert second is not None
    decision = resumption.decide(place_of(second))
    assert (decision.start, decision.missed) == (1, None)


def test_nothing_read_is_the_beginning(resumption: Resumption) -> None:
    assert resumption.decide(NOWHERE).start == "first"


def test_another_entry_in_the_same_place_is_another_journal(stock: Stock, resumption: Resumption) -> None:
    stock.add_waiting("m1", "m2", "m3")
    decision = resumption.decide(StreamPlace(1, "of something else"))
    assert (decision.start, decision.is_new_stream) == ("first", True)


def test_a_journal_that_is_shorter_is_believed_when_it_is_shorter_once_more(
    stock: Stock, resumption: Resumption
) -> None:
    """In a cluster, a node that has just come back may not have all of it yet."""
    stock.add_waiting("m1")
    place = StreamPlace(50, "of an entry that is not there")
    with pytest.raises(BrokerUnreachable, match="ends earlier than expected"):
        resumption.decide(place)
    assert resumption.decide(place).is_new_stream


def test_a_doubt_is_forgotten_when_the_journal_is_whole(stock: Stock, resumption: Resumption) -> None:
    stock.add_waiting("m1")
    place = StreamPlace(50, "of an entry that is not there")
    with pytest.raises(BrokerUnreachable):
        resumption.decide(place)
    resumption.decide(NOWHERE)
    with pytest.raises(BrokerUnreachable):
        resumption.decide(place)


def test_a_missing_journal_is_said(stock: Stock, resumption: Resumption) -> None:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_delete(stock.names.journal)
    with pytest.raises(NoStream):
        resumption.decide(StreamPlace(1, ""))
