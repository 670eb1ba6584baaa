"""The broker is gone between the provider's answer and the confirm of its record, or confirms what it does not keep."""

import signal
from collections.abc import Callable, Iterator

import pytest
from exposition import Exposition
from processes import ConsumerProcess
from tcp_proxy import TcpProxy, proxy_before

from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.node.ports import free_port
from antrian.broker.topology import topology
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from waiting import wait_until

#: Of the sandbox: not on WhatsApp.
UNKNOWN_NUMBER = "+6281234569001"


@pytest.fixture
def wire(lane: Settings) -> Iterator[TcpProxy]:
    """What the consumer reaches its broker by, and nobody else."""
    with proxy_before(lane.amqp_urls[0]) as proxy:
        yield proxy


@pytest.fixture
def line(lane: Settings) -> Iterator[TcpProxy]:
    """What that consumer reaches its provider by."""
    with proxy_before(lane.whatsapp_api_url) as proxy:
        yield proxy


@pytest.fixture
def wired(
    lane: Settings, wire: TcpProxy, line: TcpProxy, consumer: Callable[..., ConsumerProcess]
) -> Callable[..., ConsumerProcess]:
    urls = {
        "AMQP_URL": wire.through(lane.amqp_urls[0]),
        "WHATSAPP_API_URL": line.through(lane.whatsapp_api_url),
    }
    return lambda **more: consumer(**urls, **more)


@pytest.fixture
def in_a_send(wired, wire, line, lane, publisher, arrivals) -> Callable[..., ConsumerProcess]:
    """A consumer whose provider had a message, and answers only when the wire to the broker is frozen."""

    def start(
        number: str = "081234567890",
        *,
        answers_only: bool = False,
        beside: Callable[[], object] = lambda: None,
        **more: str,
    ) -> ConsumerProcess:
        ours = wired(**more)
        # Whoever subscribes first is the active one.
        wait_until(lambda: subscribers(lane) == 1, 10, "it is subscribed")
        if beside():
            wait_until(lambda: subscribers(lane) == 2, 10, "the standby is subscribed, too")
        line.freeze(answers_only=True)
        publisher.queue_message(number, "once")
        arrivals.wait_for(1, 15)
        wire.freeze(answers_only=answers_only)
        line.thaw()
        return ours

    return start


@pytest.fixture
def check_that_it_goes_on(publisher, arrivals) -> Callable[[], None]:
    """The next message is delivered only when the one before is acked."""

    def check() -> None:
        publisher.queue_message("081234567890", "next")
        assert arrivals.wait_for(2, 20) == ["once", "next"]

    return check


def subscribers(lane: Settings) -> int:
    with open_channel(lane.amqp_urls, name="test") as channel:
        queue = f"{lane.whatsapp_queue_namespace}.lane.default"
        return int(channel.queue_declare(queue, passive=True).method.consumer_count)


def wait_for_the_record(wire: TcpProxy) -> None:
    """The provider has answered, and the outcome is on the wire."""
    wait_until(lambda: wire.held_questions, 10, "the outcome is written")


def cut(wire: TcpProxy) -> None:
    """What is held is lost; the next connection is a good one."""
    wire.cut()
    wire.thaw()


def alter(lane: Settings, change: Callable) -> None:
    with open_channel(lane.amqp_urls, name="test vandal") as channel:
        change(channel)


def tellings(events: list[Event]) -> set[tuple]:
    """What happened, however often it is on record."""
    return {(event.name, event.at, event.message_id, event.attempt, event.source) for event in events}


@pytest.mark.parametrize("answers_only", [False, True], ids=["the broker never got it", "the broker has it"])
def test_an_outcome_without_a_confirm_is_recorded_on_the_next_connection_and_nothing_is_sent_again(
    in_a_send, wire, check_that_it_goes_on, records, *, answers_only
):
    in_a_send(answers_only=answers_only)
    if answers_only:
        records.wait_for_event("outcome.sent")
    else:
        wait_for_the_record(wire)
        assert records.events("outcome.sent") == []
    cut(wire)

    found = records.wait_for_event("outcome.sent", 15, 1 + answers_only)
    assert len(tellings(found)) == 1
    check_that_it_goes_on()
    assert len(tellings(records.wait_for_event("outcome.sent", count=2 + answers_only))) == 2
    assert records.events("outcome.uncertain") == []


def test_a_failure_without_a_confirm_is_recorded_and_has_one_consequence(
    in_a_send, wire, records, check_that_it_goes_on
):
    in_a_send(UNKNOWN_NUMBER)
    wait_for_the_record(wire)
    cut(wire)

    records.wait_for_event("outcome.dead", 15)
    check_that_it_goes_on()
    assert [event.details["code"] for event in records.events("outcome.failed")] == ["not-on-whatsapp"]
    assert len(records.dead_letters()) == 1


def test_a_process_told_to_end_leaves_no_outcome_unrecorded(in_a_send, wire, consumer, records, check_that_it_goes_on):
    ours = in_a_send()
    wait_for_the_record(wire)
    ours.process.send_signal(signal.SIGTERM)
    wire.cut()
    wait_until(lambda: "broker.gone" in ours.log(), 10, "the consumer knows that its connection is gone")
    assert ours.process.poll() is None
    wire.thaw()
    assert ours.process.wait(60) == 0
    assert len(records.events("outcome.sent")) == 1

    consumer()
    check_that_it_goes_on()
    assert records.events("outcome.uncertain") == []


def test_what_was_confirmed_and_never_reached_the_stream_is_recorded_again(
    in_a_send, wire, lane, records, check_that_it_goes_on
):
    """As a starting RabbitMQ 3.10 does it: it confirms before its streams are up."""
    port = free_port()
    ours = in_a_send(CONSUMER_METRICS_PORT=str(port))
    names = records.names
    wait_for_the_record(wire)
    alter(lane, lambda channel: channel.queue_unbind(names.outcomes, names.events, "outcome.#"))
    cut(wire)

    sent = records.wait_for_event("outcome.sent", 15)
    assert ours.log().count("stream.lost") == 1
    assert len(sent) == 1
    wait_until(lambda: len(records.events("outcome.sent", names.journal)) == 2, 10, "the journal has it twice")
    assert tellings(records.events("outcome.sent", names.journal)) == tellings(sent)
    assert Exposition.of(f"http://127.0.0.1:{port}/metrics").value("antrian_messages_total", end="sent") == 1
    check_that_it_goes_on()
    assert records.events("outcome.uncertain") == []


def test_a_process_told_to_end_waits_until_the_stream_shows_what_was_confirmed(
    in_a_send, wire, lane, consumer, records, check_that_it_goes_on
):
    ours = in_a_send()
    names = records.names
    wait_for_the_record(wire)
    alter(lane, lambda channel: channel.queue_unbind(names.outcomes, names.events, "outcome.#"))
    ours.process.send_signal(signal.SIGTERM)
    # Slow enough that the second connection, which looks after the topology, is cut before the stream could be read.
    wire.delay(0.1)
    before = wire.connections
    cut(wire)
    wait_until(lambda: wire.connections >= before + 2, 20, "the topology is being looked at")
    wait_until(lambda: records.events("outcome.sent", names.journal), 10, "the journal has it")
    assert records.events("outcome.sent") == []
    wire.cut()
    wire.delay(0)

    assert ours.process.wait(60) == 0, ours.log()
    assert len(records.events("outcome.sent")) == 1
    consumer()
    check_that_it_goes_on()


def test_an_outcome_is_recorded_before_anything_else_so_that_a_standby_sends_nothing_again(
    in_a_send, wire, consumer, records, check_that_it_goes_on
):
    delay = {"WHATSAPP_QUEUE_DELAY": "10"}
    standbys = []

    def stand_by() -> list[ConsumerProcess]:
        standbys.append(consumer(**delay))
        return standbys

    ours = in_a_send(beside=stand_by, **delay)
    wait_for_the_record(wire)
    # To look after the topology takes longer than the standby's pause on such a wire.
    wire.delay(0.1)
    cut(wire)

    assert len(records.wait_for_event("outcome.sent", 15)) == 1
    assert "lane.ready" not in ours.log().partition("broker.gone")[2]
    wait_until(lambda: '"reason": "pause"' in standbys[0].log(), 10, "the standby's turn has come")
    check_that_it_goes_on()
    # It gives the send up for lost only when its pause is over, and then the outcome is on record.
    assert records.events("outcome.uncertain") == []


def test_an_outcome_that_finds_its_exchange_gone_is_recorded_when_it_has_been_made_again(
    in_a_send, wire, lane, records, check_that_it_goes_on
):
    ours = in_a_send()
    wait_for_the_record(wire)
    alter(lane, lambda channel: channel.exchange_delete(records.names.events))
    cut(wire)

    records.wait_for_event("outcome.sent", 15)
    check_that_it_goes_on()
    assert ours.log().count("broker.gone") >= 2
    assert records.events("outcome.uncertain") == []


def test_nothing_is_lost_by_a_topology_that_has_changed_meanwhile(
    in_a_send, wire, lane, records, check_that_it_goes_on
):
    """The consumer has to end; what it knows is on record before."""
    ours = in_a_send()
    names = records.names
    wait_for_the_record(wire)

    def change(channel):
        channel.queue_delete(names.dead)
        channel.queue_declare(names.dead, durable=True, arguments={"x-max-length": 5})

    alter(lane, change)
    cut(wire)
    assert ours.process.wait(60) != 0
    assert len(records.events("outcome.sent")) == 1

    alter(lane, lambda channel: channel.queue_delete(names.dead))
    alter(lane, lambda channel: topology_sync.apply(channel.connection, topology(lane)))
    ours.started()
    check_that_it_goes_on()
