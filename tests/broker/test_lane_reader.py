import time

import pytest
from factories import make_event

from antrian.broker.connection import open_channel
from antrian.broker.lane_state import write_state
from antrian.domain.errors import BrokerError
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.operations.lane import outcome_tail
from antrian.operations.lane.lane_reader import LaneReader
from antrian.operations.lane.outcome_tail import OutcomeTail
from antrian.operations.lane.status import Reason
from waiting import wait_until


@pytest.fixture
def patient(monkeypatch):
    """Where something is told, a silence only means that the machine is busy."""
    monkeypatch.setattr(outcome_tail, "_FIRST_ENTRY", 60)
    monkeypatch.setattr(outcome_tail, "_SILENCE", 60)


def tell(channel, stock, event: Event) -> None:
    channel.basic_publish(stock.names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)


def read(channel, stock):
    reader = LaneReader(channel, stock.settings, "default")
    reader.catch_up()
    return reader


def test_everything_is_counted_and_nothing_taken(stock, channel):
    stock.add_waiting("m1", "m2")
    stock.add_delayed("m3")
    stock.add_dead("m4")
    reader = read(channel, stock)
    for _ in range(3):
        status = reader.status()
        assert (status.waiting, status.scheduled, status.failed_messages) == (2, 1, 1)
        assert (status.consumers, status.next_send_reason) == (0, Reason.NO_CONSUMER)


def test_a_process_that_listens_but_holds_its_lane_counts_as_a_consumer(stock, channel):
    listening = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(listening, stock.names.control)
    status = read(channel, stock).status()
    assert (status.running, status.consumers, status.next_send_reason) == (True, 0, Reason.NOTHING_WAITS)


@pytest.mark.usefixtures("patient")
def test_what_happened_before_and_after_is_both_known(stock, channel):
    now = time.time()
    tell(channel, stock, make_event("sent", at=now))
    reader = read(channel, stock)
    assert reader.status().last_sent_at == pytest.approx(now, abs=0.001)
    with open_channel(stock.settings.amqp_urls, name="test consumer") as other:
        tell(other, stock, make_event("sent", "m2", at=now + 1))

    def last_sent_at():
        reader.listen(0.02)
        return reader.status().last_sent_at

    wait_until(lambda: last_sent_at() == pytest.approx(now + 1, abs=0.001), 5, "the second send is known")


def test_a_pause_is_read_at_first_and_heard_of_later(stock, channel):
    write_state(stock.settings.amqp_urls, stock.names, "default", paused=True, actor="ani")
    reader = read(channel, stock)
    assert reader.status().paused_by == "ani"
    write_state(stock.settings.amqp_urls, stock.names, "default", paused=False, actor="budi")

    def is_paused():
        reader.listen(0.02)
        return reader.status().paused

    wait_until(lambda: not is_paused(), 5, "the lane goes on")


def test_a_missing_lane_is_said_with_what_to_do(settings, channel):
    with pytest.raises(BrokerError, match=r"has no lane default .* run `antrian topology apply`"):
        LaneReader(channel, settings, "default")


@pytest.mark.usefixtures("patient")
def test_a_tail_gives_each_event_once_and_in_order(stock, channel):
    names = [f"m{number}" for number in range(50)]
    for name in names:
        tell(channel, stock, make_event("sent", name, at=time.time()))
    found = []
    OutcomeTail(channel.connection, stock.names.outcomes, found.append).catch_up(time.time() - 60)
    assert [event.message_id for event in found] == names


@pytest.mark.usefixtures("patient")
def test_a_tail_gives_at_least_the_last_event_however_old_it_is(stock, channel):
    tell(channel, stock, make_event("sent", "m1", at=5.0))
    found = []
    OutcomeTail(channel.connection, stock.names.outcomes, found.append).catch_up(time.time())
    assert [event.message_id for event in found] == ["m1"]


def test_the_tail_of_an_empty_stream_is_empty(stock, channel):
    found = []
    OutcomeTail(channel.connection, stock.names.outcomes, found.append).catch_up(0)
    assert found == []
