"""What a broker may do to us: die, come back, refuse for want of memory."""

import random
import signal
import threading
from pathlib import Path

import pytest
from node_tools import kill_node, rabbitmqctl

from antrian.broker.connection import open_channel
from antrian.domain.settings import Settings, load_settings
from antrian.sandbox.behaviour import Mode, ModeName
from publisher import Publisher, PublisherError
from waiting import elapsed, wait_until

#: Folders of nodes that have a stream.
_KNOW_STREAMS: set[Path] = set()

#: Each costs a node's start, 4 s of a processor's time; the model of the consumer kills at every step.
KILLS = 3


@pytest.fixture
def settings(own_node, namespace) -> Settings:
    """These tests break their broker, so each has its own."""
    # RabbitMQ 3.10 keeps the register of its streams in memory for about a second after the very first stream of a
    # node; killed within that time it never finds them again. That is the broker's fault and not what we test.
    if own_node.status().folder not in _KNOW_STREAMS:
        with open_channel([own_node.url], name="test set-up") as channel:
            channel.queue_declare("first-stream", durable=True, arguments={"x-queue-type": "stream"})
        wait_until(elapsed(3), 5, "the register is on disk")
        _KNOW_STREAMS.add(own_node.status().folder)
    return load_settings(
        {
            "AMQP_URL": own_node.url,
            "WHATSAPP_QUEUE_NAMESPACE": namespace,
            "WHATSAPP_QUEUE_DELAY": "0.3",
            "WHATSAPP_QUEUE_RETRY_DELAYS": "1",
        }
    )


def test_a_broker_killed_in_the_middle_loses_no_receipt_and_doubles_no_send(
    own_node, consumer, lane, arrivals, records
):
    receipts, errors, go_on = {}, [], threading.Event()

    def publish():
        with Publisher(lane, source="test", confirm_timeout=3) as publisher:
            number = 0
            while not go_on.is_set() and number < 60:
                try:
                    receipt = publisher.queue_message("081234567890", f"text {number}")
                    receipts[receipt.message_id] = f"text {number}"
                except PublisherError as error:
                    errors.append(error)
                number += 1
                go_on.wait(0.05)

    ours = consumer()
    thread = threading.Thread(target=publish)
    thread.start()
    arrivals.wait_for(3, 15)
    kill_node(own_node)
    sent_before = len(arrivals.texts())
    own_node.start(tied_to_parent=True)
    wait_until(lambda: len(arrivals.texts()) > sent_before + 2, 30, "sending goes on")
    go_on.set()
    thread.join()

    wait_until(lambda: set(arrivals.texts()) >= set(receipts.values()), 60, "every receipt is sent")
    uncertain = len(records.events("outcome.uncertain"))
    assert len(arrivals.texts()) - len(set(arrivals.texts())) <= uncertain <= 1
    assert min(arrivals.gaps()) >= 0.3
    assert ours.terminate() == 0


def test_an_outcome_that_could_not_be_recorded_is_recorded_on_the_next_connection(
    own_node, consumer, publisher, sandbox, arrivals, records
):
    sandbox.record.mode = Mode(ModeName.SLOW, seconds=5)
    consumer()
    publisher.queue_message("081234567890", "slow")
    arrivals.wait_for(1, 10)
    kill_node(own_node)
    own_node.start(tied_to_parent=True)

    # Killed between its record and its confirm, the broker may have it twice.
    found = records.wait_for_event("outcome.sent", 20)
    assert {(event.at, event.attempt) for event in found} == {(found[0].at, 1)}
    wait_until(lambda: records.waiting(records.names.lane("default")) == 0, 10, "the redelivery is acked")
    assert arrivals.texts() == ["slow"]
    assert records.events("outcome.uncertain") == []


@pytest.mark.timeout(900)
def test_a_broker_killed_at_every_send_and_started_at_once_has_each_outcome_and_nothing_is_sent_twice(
    own_node, consumer, publisher, sandbox, arrivals, records
):
    dice = random.Random(20261124)
    sandbox.record.mode = Mode(ModeName.SLOW, seconds=0.05)
    ours = consumer()
    ids = set()
    for number in range(KILLS):
        ids.add(publisher.queue_message("081234567890", f"text {number}", timeout=120).message_id)
        arrivals.wait_for(number + 1, 40)
        moment = dice.uniform(0, 0.1)
        wait_until(elapsed(moment), 1, "the moment around the provider's answer has come", every=0.003)
        kill_node(own_node)
        own_node.start(tied_to_parent=True)

    def sent():
        return {event.message_id for event in records.events("outcome.sent")}

    wait_until(lambda: sent() == ids, 40, "every outcome is on record")
    publisher.queue_message("081234567890", "the last", timeout=120)
    assert arrivals.wait_for(KILLS + 1, 40) == [*(f"text {number}" for number in range(KILLS)), "the last"]
    assert records.events("outcome.uncertain") == []
    assert min(arrivals.gaps()) >= 0.3
    assert ours.terminate() == 0


def refusal(publisher: Publisher) -> str:
    """Why a message is not taken."""
    with pytest.raises(PublisherError) as refused:
        publisher.queue_message("081234567890", "not during the alarm", timeout=2)
    return str(refused.value)


def test_a_memory_alarm_is_waited_for_and_said(own_node, consumer, publisher, arrivals):
    ours = consumer(WHATSAPP_QUEUE_DELAY="2", WHATSAPP_QUEUE_HEARTBEAT="60")
    texts = [f"text {number}" for number in range(8)]
    for text in texts:
        publisher.queue_message("081234567890", text)
    arrivals.wait_for(1, 10)
    # It stands still meanwhile, so that some are left, however long the tool and the broker take for the alarm.
    ours.process.send_signal(signal.SIGSTOP)
    rabbitmqctl(own_node, "set_vm_memory_high_watermark", "absolute", "1MB")
    ours.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "broker.blocked" in ours.log(), 15, "the consumer says that the broker takes nothing")
    # The broker says so to whoever publishes, which may take it longer than that one waits.
    wait_until(lambda: "memory" in refusal(publisher), 15, "the publisher says why the broker takes nothing")
    rabbitmqctl(own_node, "set_vm_memory_high_watermark", "0.4")
    publisher.queue_message("081234567890", "after the alarm", timeout=60)

    wait_until(lambda: "after the alarm" in arrivals.texts(), 40, "sending goes on")
    # What was refused meanwhile may be sent all the same: nobody could tell its publisher.
    assert [text for text in arrivals.texts() if text.startswith("text")] == texts
    assert min(arrivals.gaps()) >= 2
