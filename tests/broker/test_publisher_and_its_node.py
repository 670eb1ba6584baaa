"""What a broker may do to a publisher: die, run out of memory, forbid. One node for all, because it takes seconds."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from factories import PHONE
from node_tools import kill_node, rabbitmqctl
from queue_fixture import Stock

from antrian.broker.connection import open_channel
from antrian.broker.node.private_node import PrivateNode
from antrian.domain.settings import Settings, load_settings
from publisher import BrokerUnavailable, ConfirmTimeout, Publisher, PublisherError
from waiting import elapsed, wait_until


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    node = PrivateNode(tmp_path_factory.mktemp("node"))
    try:
        node.start(tied_to_parent=True)
        # RabbitMQ 3.10 writes the register of its streams down about a second after the very first one.
        with open_channel([node.url], name="test set-up") as channel:
            channel.queue_declare("first-stream", durable=True, arguments={"x-queue-type": "stream"})
        wait_until(elapsed(5), 10, "the register is on disk")
        yield node
    finally:
        node.stop()


@pytest.fixture
def settings(node: PrivateNode, namespace: str) -> Settings:
    return load_settings({"AMQP_URL": node.url, "WHATSAPP_QUEUE_NAMESPACE": namespace})


def ids_in_lane(stock: Stock) -> Counter[str]:
    return Counter(one.message_id for one in stock.in_lane())


def test_a_broker_killed_in_the_middle_has_every_message_that_got_a_receipt(node: PrivateNode, stock: Stock) -> None:
    receipts: set[str] = set()
    errors: list[PublisherError] = []
    over = threading.Event()

    def publish(publisher: Publisher) -> None:
        while not over.is_set():
            try:
                receipts.add(publisher.queue_message(PHONE, "Halo", timeout=0.5).message_id)
            except (BrokerUnavailable, ConfirmTimeout) as error:
                errors.append(error)

    with Publisher(stock.settings) as publisher, ThreadPoolExecutor(8) as pool:
        threads = [pool.submit(publish, publisher) for _ in range(8)]
        wait_until(lambda: len(receipts) > 200, 20, "publishing goes on")
        kill_node(node)
        wait_until(lambda: errors, 20, "publishing fails")
        node.start(tied_to_parent=True)
        before = len(receipts)
        wait_until(lambda: len(receipts) > before + 200, 20, "publishing goes on after the restart")
        over.set()
        for thread in threads:
            thread.result(60)
    in_lane = ids_in_lane(stock)
    assert receipts <= set(in_lane)
    # A broker that has just started confirms what its streams never get.
    assert receipts <= stock.journal_ids()
    # Written on two connections at most, and only what was under way when the broker died.
    assert sum(in_lane.values()) - len(in_lane) <= 8


def test_a_memory_alarm_is_named_and_publishing_goes_on_when_it_is_over(node: PrivateNode, stock: Stock) -> None:
    with Publisher(stock.settings) as publisher:
        publisher.queue_message(PHONE, "Halo", message_id="before", timeout=60)
        rabbitmqctl(node, "set_vm_memory_high_watermark", "absolute", "1MB")
        try:
            with pytest.raises(ConfirmTimeout, match="the broker is not accepting messages now: low on memory"):
                publisher.queue_message(PHONE, "Halo", message_id="written", timeout=4)
            with pytest.raises(BrokerUnavailable, match="the broker is not accepting messages now: low on memory"):
                publisher.queue_message(PHONE, "Halo", message_id="given-up", timeout=0.5)
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(publisher.queue_message, PHONE, "Halo", message_id="patient", timeout=120)
                rabbitmqctl(node, "set_vm_memory_high_watermark", "0.4")
                assert waiting.result(120).message_id == "patient"
        finally:
            rabbitmqctl(node, "set_vm_memory_high_watermark", "0.4")
    assert ids_in_lane(stock) == {"before": 1, "written": 1, "patient": 1}


def as_user(node: PrivateNode, stock: Stock, may_write: str) -> Settings:
    """Settings of a service whose user may write to the exchanges that match a pattern, and read nothing."""
    namespace = stock.settings.whatsapp_queue_namespace
    user = f"service-{namespace}"
    rabbitmqctl(node, "add_user", user, "s3cret")
    rabbitmqctl(node, "set_permissions", user, "^$", may_write, "^$")
    port = urlsplit(node.url).port
    return load_settings(
        {"AMQP_URL": f"amqp://{user}:s3cret@127.0.0.1:{port}/%2F", "WHATSAPP_QUEUE_NAMESPACE": namespace}
    )


def test_a_user_who_may_write_nowhere_is_told_where(node: PrivateNode, stock: Stock) -> None:
    with Publisher(as_user(node, stock, "^$"), confirm_timeout=60) as publisher:
        with pytest.raises(PublisherError, match=f"refuses: ACCESS_REFUSED.*'{stock.names.messages}'") as caught:
            publisher.queue_message(PHONE, "Halo")
        assert "s3cret" not in str(caught.value)
    assert stock.count(stock.names.lane("default")) == 0


def test_a_right_that_is_missing_for_one_exchange_does_no_harm_to_the_others(node: PrivateNode, stock: Stock) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with Publisher(as_user(node, stock, "messages$"), confirm_timeout=60) as publisher:
        with pytest.raises(PublisherError, match="refuses: ACCESS_REFUSED"):
            publisher.queue_message(PHONE, "Halo", deliver_at=tomorrow)
        receipts = [publisher.queue_message(PHONE, "Halo", priority=name).message_id for name in ("urgent", "low")]
        receipts += [publisher.queue_message(PHONE, "Halo").message_id for _ in range(20)]
    assert set(receipts) == set(ids_in_lane(stock))
    assert stock.count(stock.names.lane("default")) <= len(receipts) + 1


def test_what_is_confirmed_by_a_broker_that_has_just_started_is_in_the_journal_too(
    node: PrivateNode, stock: Stock
) -> None:
    node.stop()
    node.start(tied_to_parent=True)
    with Publisher(stock.settings, confirm_timeout=60) as publisher:
        message_id = publisher.queue_message(PHONE, "Halo").message_id
    assert set(ids_in_lane(stock)) == {message_id}
    assert stock.journal_ids() == {message_id}
