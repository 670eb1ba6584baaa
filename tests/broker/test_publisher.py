"""Every receipt is true, whatever the broker and the network do."""

import gc
import json
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from factories import PHONE
from queue_fixture import Stock
from tcp_proxy import TcpProxy, proxy_before, tcp_proxy

from antrian.broker.connection import open_channel
from antrian.broker.topology import topology
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.settings import Settings, load_settings
from publisher import (
    BrokerUnavailable,
    ConfirmTimeout,
    InvalidMessage,
    Outcome,
    Publisher,
    PublisherError,
    Receipt,
    Unroutable,
)
from publisher.pipeline import WINDOW, PendingPublication
from waiting import wait_until

#: A wait that a test hopes to see the end of, in seconds. A busy machine may not have begun by then.
SHORT = 0.6
NOW, ONE_DAY = datetime.now(UTC), timedelta(days=1)


def behind(port: int, settings: Settings) -> Settings:
    """The same settings, with the broker's address at another port."""
    there = urlsplit(settings.amqp_urls[0])
    credentials = there.netloc.rpartition("@")[0]
    return with_url(settings, f"amqp://{credentials}@127.0.0.1:{port}{there.path}")


def with_url(settings: Settings, url: str) -> Settings:
    return load_settings({"AMQP_URL": url, "WHATSAPP_QUEUE_NAMESPACE": settings.whatsapp_queue_namespace})


@pytest.fixture(scope="module")
def common_stock(broker_url: str) -> Iterator[Stock]:
    stock = Stock(load_settings({"AMQP_URL": broker_url, "WHATSAPP_QUEUE_NAMESPACE": f"t{secrets.token_hex(4)}"}))
    yield stock
    ours = topology(stock.settings)
    with open_channel([broker_url], name="test sweep") as channel:
        for queue in ours.queues:
            channel.queue_delete(queue.name)
        for exchange in ours.exchanges:
            channel.exchange_delete(exchange.name)


@pytest.fixture
def stock(common_stock: Stock) -> Stock:
    """One topology for all, emptied for each: making one takes longer than most of these tests."""
    with open_channel(common_stock.settings.amqp_urls, name="test") as channel:
        for queue in topology(common_stock.settings).queues:
            if not queue.is_stream:
                channel.queue_purge(queue.name)
    return common_stock


@pytest.fixture
def own_stock(settings: Settings) -> Stock:
    """For a test that takes its topology apart."""
    return Stock(settings)


@pytest.fixture
def publisher(stock: Stock) -> Iterator[Publisher]:
    with Publisher(stock.settings, source="test", confirm_timeout=60) as publisher:
        yield publisher


@pytest.fixture
def proxy(broker_url: str) -> Iterator[TcpProxy]:
    with proxy_before(broker_url) as proxy:
        yield proxy


@pytest.fixture
def proxied(stock: Stock, proxy: TcpProxy) -> Iterator[Publisher]:
    """A publisher whose connection can be frozen and cut; it is connected already."""
    with Publisher(behind(proxy.port, stock.settings), source="test", confirm_timeout=60) as publisher:
        publisher.queue_message(PHONE, "first", message_id="first")
        yield publisher


def ids_in_lane(stock: Stock) -> Counter[str]:
    return Counter(one.message_id for one in stock.in_lane())


@contextmanager
def in_background(work: Callable[[], Receipt]) -> Iterator[Future[Receipt]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def publications_in_memory() -> int:
    gc.collect()
    return sum(type(thing) is PendingPublication for thing in gc.get_objects())


def failure_of(work: Callable[[], object]) -> PublisherError:
    with pytest.raises(PublisherError) as caught:
        work()
    return caught.value


def failure_at_last(work: Callable[[], object], words: str) -> PublisherError:
    """The failure that says so; before it is known, others are true."""
    return wait_until(lambda: error if words in str(error := failure_of(work)) else None, 20, f"it says {words!r}")


def seconds_for(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


# Many at once


def test_every_receipt_of_300_threads_and_4_processes_is_true(stock: Stock, tmp_path: Path) -> None:
    settings = stock.settings
    environment = {
        "AMQP_URL": settings.amqp_urls[0],
        "WHATSAPP_QUEUE_NAMESPACE": settings.whatsapp_queue_namespace,
        "ANTRIAN_HOME": str(tmp_path),
    }
    crowd = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("busy_publisher.py")), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert crowd.returncode == 0, crowd.stderr
    receipts = json.loads(crowd.stdout)
    assert len(receipts) == 2 + 300 * 4 + 4 * 150
    assert ids_in_lane(stock) == Counter(receipts)


def test_many_messages_come_back_in_their_order_with_the_wrong_ones_in_their_place(
    stock: Stock, publisher: Publisher
) -> None:
    wrong: dict[int, tuple[object, type[PublisherError]]] = {
        3: (("not a number", "Halo"), InvalidMessage),
        10: ({"phone_number": PHONE, "message": "Halo", "lane": "misspelt"}, Unroutable),
        11: ({"phone_number": PHONE, "message": "Halo", "lane": None}, InvalidMessage),
        12: ({"phone_number": PHONE, "message": "Halo", "colour": "blue"}, InvalidMessage),
        13: (None, InvalidMessage),
        14: ((PHONE, "Halo", "more"), InvalidMessage),
        15: ({"phone_number": PHONE, "message": "Halo", "deliver_at": "tomorrow"}, InvalidMessage),
        16: (
            {"phone_number": PHONE, "message": "Halo", "deliver_at": datetime.now(UTC) + 200 * ONE_DAY},
            InvalidMessage,
        ),
        17: ({"phone_number": PHONE, "message": "Halo", "expires_at": 5}, InvalidMessage),
        18: ({"phone_number": PHONE, "message": "Halo", "priority": "highest"}, InvalidMessage),
    }
    requests = [
        wrong[number][0] if number in wrong else {"phone_number": PHONE, "message": "Halo", "message_id": f"m{number}"}
        for number in range(30)
    ]
    answers = list(publisher.queue_messages(requests))  # type: ignore[arg-type]
    assert [number for number, answer in enumerate(answers) if not isinstance(answer, Receipt)] == list(wrong)
    assert [type(answers[number]) for number in wrong] == [kind for _, kind in wrong.values()]
    accepted = [answer.message_id for answer in answers if isinstance(answer, Receipt)]
    assert accepted == [f"m{number}" for number in range(30) if number not in wrong]
    assert ids_in_lane(stock) == Counter(accepted)


def test_a_long_import_reads_and_remembers_only_a_little_ahead(publisher: Publisher) -> None:
    read = 0

    def requests() -> Iterator[tuple[str, str]]:
        nonlocal read
        for number in range(3 * WINDOW):
            read += 1
            yield PHONE, f"number {number}"

    before = publications_in_memory()
    answers = publisher.queue_messages(requests())
    for taken in range(1, 3 * WINDOW):
        assert isinstance(next(answers), Receipt)
        assert read - taken <= WINDOW
    assert publications_in_memory() - before <= WINDOW
    assert len(list(answers)) == 1


def test_a_slow_import_forgets_what_is_done(publisher: Publisher) -> None:
    def is_idle() -> bool:
        pipeline = publisher._pipeline
        return pipeline is None or not (pipeline._waiting or pipeline._in_flight)

    def requests() -> Iterator[tuple[str, str]]:
        for number in range(200):
            yield PHONE, f"number {number}"
            wait_until(is_idle, 5, "it is confirmed", every=0.001)

    before = publications_in_memory()
    answers = publisher.queue_messages(requests())
    assert all(isinstance(next(answers), Receipt) for _ in range(190))
    assert publications_in_memory() - before < 100


def test_an_iterable_that_fails_does_not_take_the_receipts_with_it(stock: Stock, publisher: Publisher) -> None:
    def requests() -> Iterator[tuple[str, str]]:
        yield PHONE, "Halo"
        raise ValueError("line 2 of the file")

    answers = publisher.queue_messages(requests())
    assert isinstance(next(answers), Receipt)
    with pytest.raises(ValueError, match="line 2"):
        next(answers)
    assert len(ids_in_lane(stock)) == 1


# What cannot be routed


@pytest.mark.parametrize("deliver_at", [None, ONE_DAY])
def test_an_unknown_lane_is_an_error_and_leaves_nothing(
    stock: Stock, publisher: Publisher, deliver_at: timedelta | None
) -> None:
    when = NOW + deliver_at if deliver_at else None
    error = failure_of(lambda: publisher.queue_message(PHONE, "Halo", lane="misspelt", deliver_at=when))
    assert isinstance(error, Unroutable)
    assert str(error) == f"there is no lane 'misspelt' in namespace {stock.settings.whatsapp_queue_namespace!r}"
    assert stock.delayed() == 0


def test_one_id_on_its_way_several_times_gets_the_right_answer_each_time(stock: Stock, publisher: Publisher) -> None:
    lanes = ["misspelt", "default", "misspelt", "default", "elsewhere"] * 40
    requests = [{"phone_number": PHONE, "message": "Halo", "message_id": "same", "lane": lane} for lane in lanes]
    answers = list(publisher.queue_messages(requests))
    assert [isinstance(answer, Receipt) for answer in answers] == [lane == "default" for lane in lanes]
    assert ids_in_lane(stock) == {"same": 80}


def test_a_message_for_later_waits_outside_its_lane(stock: Stock, publisher: Publisher) -> None:
    publisher.queue_message(PHONE, "Halo", deliver_at=NOW + ONE_DAY)
    publisher.queue_message(PHONE, "Halo", message_id="late", deliver_at=NOW - ONE_DAY)
    assert stock.delayed() == 1
    assert ids_in_lane(stock) == {"late": 1}


# A broker that is not there, or not ready


def test_a_missing_topology_is_said_and_a_later_one_is_found(settings: Settings, proxy: TcpProxy) -> None:
    began = time.monotonic()
    with Publisher(behind(proxy.port, settings), confirm_timeout=2.5) as publisher:
        entrance = f"{settings.whatsapp_queue_namespace}.messages"
        words = f"exchange {entrance} does not exist: run `antrian topology apply`"
        error = failure_at_last(lambda: publisher.queue_message(PHONE, "Halo"), words)
        assert isinstance(error, BrokerUnavailable)
        assert str(error).endswith(words)
        most = 5 + time.monotonic() - began
        assert proxy.connections <= most, "the broker is asked again and again without a pause"
        stock = Stock(settings)
        receipt = publisher.queue_message(PHONE, "Halo", timeout=60)
        assert ids_in_lane(stock) == {receipt.message_id: 1}


def test_a_publisher_may_start_before_its_broker(stock: Stock) -> None:
    with tcp_proxy(1) as nobody:
        port = nobody.port
    with Publisher(behind(port, stock.settings), confirm_timeout=SHORT) as publisher:
        words = f"no broker answers at 127.0.0.1:{port}: connection refused"
        error = failure_at_last(lambda: publisher.queue_message(PHONE, "Halo"), words)
        assert isinstance(error, BrokerUnavailable)
        assert str(error).endswith(words)
        with proxy_before(stock.settings.amqp_urls[0], port):
            receipt = publisher.queue_message(PHONE, "Halo", timeout=60)
            assert ids_in_lane(stock) == {receipt.message_id: 1}
            publisher.close()


def test_an_outage_does_not_fill_the_memory(stock: Stock) -> None:
    with tcp_proxy(1) as nobody:
        port = nobody.port
    with Publisher(behind(port, stock.settings)) as publisher:
        before = publications_in_memory()
        for _ in range(500):
            assert isinstance(failure_of(lambda: publisher.queue_message(PHONE, "Halo", timeout=0)), BrokerUnavailable)
        wait_until(lambda: publications_in_memory() <= before + 1, 5, "what was given up is forgotten")


@pytest.mark.parametrize(
    ("credentials", "path"), [("antrian:wrong-s3cret", "/%2F"), ("nobody:s3cret", "/%2F"), (None, "/no-such-vhost")]
)
def test_a_broker_that_refuses_us_says_so_quickly_and_tells_no_secret(
    settings: Settings, credentials: str | None, path: str
) -> None:
    there = urlsplit(settings.amqp_urls[0])
    credentials = credentials or there.netloc.rpartition("@")[0]
    url = f"amqp://{credentials}@127.0.0.1:{there.port}{path}"
    with Publisher(with_url(settings, url), confirm_timeout=60) as publisher:
        caught: list[PublisherError] = []
        took = seconds_for(lambda: caught.append(failure_of(lambda: publisher.queue_message(PHONE, "Halo"))))
    [error] = caught
    assert isinstance(error, BrokerUnavailable)
    assert "refuses this user, password or virtual host" in str(error)
    assert credentials.rpartition(":")[2] not in everything_in(error)
    assert took < 30


def test_no_error_text_tells_a_secret(stock: Stock) -> None:
    url = "amqp://antrian:s3cret@127.0.0.1:1/"
    with Publisher(with_url(stock.settings, url), confirm_timeout=SHORT) as publisher:
        errors = [
            failure_of(lambda: publisher.queue_message(PHONE, "Halo")),
            failure_of(lambda: publisher.queue_message(PHONE, "The code is 77441", lane="?")),
            failure_of(lambda: publisher.send_message(PHONE, "The code is 77441")),
            failure_of(lambda: publisher.queue_message("0812-abc", "The code is 77441")),
            failure_of(lambda: publisher.queue_message(PHONE, "The code is 77441", idempotency_key="\n77441")),
        ]
        said = " ".join(everything_in(error) for error in errors) + repr(publisher)
    for secret in ("s3cret", "77441", PHONE, "0812"):
        assert secret not in said


def everything_in(error: BaseException) -> str:
    parts = [str(error), repr(error)]
    if error.__cause__:
        parts.append(everything_in(error.__cause__))
    return " ".join(parts)


# A network that plays tricks


def test_what_was_never_written_was_certainly_not_accepted(stock: Stock, proxy: TcpProxy) -> None:
    proxy.freeze()
    with Publisher(behind(proxy.port, stock.settings), confirm_timeout=SHORT) as publisher:
        error = failure_of(lambda: publisher.queue_message(PHONE, "Halo"))
        assert isinstance(error, BrokerUnavailable)
        assert str(error) == "the message was not accepted: the broker has not answered yet"
        proxy.thaw()
        publisher.queue_message(PHONE, "Halo", message_id="second", timeout=60)
    assert ids_in_lane(stock) == {"second": 1}


@pytest.mark.parametrize("answers_only", [False, True])
def test_what_was_written_without_an_answer_is_unknown(
    stock: Stock, proxy: TcpProxy, proxied: Publisher, *, answers_only: bool
) -> None:
    proxy.freeze(answers_only=answers_only)
    # Where it could not even be written in time, it was certainly not accepted, and is not counted below.
    error = failure_at_last(
        lambda: proxied.queue_message(PHONE, "Halo", message_id="lost", timeout=SHORT), "no confirm for message"
    )
    assert isinstance(error, ConfirmTimeout)
    assert "no confirm for message lost: it may have been accepted" in str(error)
    proxy.thaw()
    proxied.queue_message(PHONE, "Halo", message_id="later")
    assert ids_in_lane(stock) == {"first": 1, "lost": 1, "later": 1}


@pytest.mark.parametrize("answers_only", [False, True])
def test_a_connection_that_breaks_before_the_confirm_is_made_good(
    stock: Stock, proxy: TcpProxy, proxied: Publisher, *, answers_only: bool
) -> None:
    proxy.freeze(answers_only=answers_only)
    with in_background(lambda: proxied.queue_message(PHONE, "Halo", message_id="again")) as receipt:
        wait_until(lambda: proxied._pipeline._in_flight, 5, "it is written")  # type: ignore[union-attr]
        if answers_only:
            wait_until(lambda: ids_in_lane(stock)["again"], 5, "it has arrived")
        proxy.cut()
        proxy.thaw()
        assert receipt.result(60).message_id == "again"
    # Twice where the broker had it already: the consumer sends an id once.
    assert ids_in_lane(stock) == {"first": 1, "again": 1 + answers_only}


def test_a_slow_network_is_only_slow(stock: Stock, proxy: TcpProxy, proxied: Publisher) -> None:
    proxy.delay(0.2)
    requests = [{"phone_number": PHONE, "message": "Halo", "message_id": f"m{number}"} for number in range(200)]
    assert all(isinstance(answer, Receipt) for answer in proxied.queue_messages(requests))
    assert ids_in_lane(stock) == Counter(["first", *(f"m{number}" for number in range(200))])


def test_eight_threads_and_a_network_that_breaks_all_the_time(
    stock: Stock, proxy: TcpProxy, proxied: Publisher
) -> None:
    received: set[str] = set()
    over = threading.Event()

    def publish(name: int) -> None:
        for number in range(10**6):
            if over.is_set():
                return
            received.add(proxied.queue_message(PHONE, "Halo", message_id=f"{name}-{number}").message_id)

    with ThreadPoolExecutor(8) as pool:
        threads = [pool.submit(publish, name) for name in range(8)]
        for _ in range(6):
            progress = len(received)
            wait_until(lambda enough=progress + 50: len(received) > enough, 20, "publishing goes on")  # type: ignore[misc]
            proxy.cut()
        over.set()
        for thread in threads:
            thread.result(60)
    assert received <= set(ids_in_lane(stock))


# The end of a publisher


def test_closing_twice_is_closing_once_and_publishing_opens_again(stock: Stock) -> None:
    publisher = Publisher(stock.settings)
    publisher.close()
    first = publisher.queue_message(PHONE, "Halo")
    publisher.close()
    publisher.close()
    second = publisher.queue_message(PHONE, "Halo")
    publisher.close()
    assert ids_in_lane(stock) == Counter([first.message_id, second.message_id])


@pytest.mark.parametrize("frozen", [False, True])
def test_closing_does_not_wait_for_a_silent_broker(settings: Settings, proxy: TcpProxy, *, frozen: bool) -> None:
    if frozen:
        proxy.freeze()
    publisher = Publisher(behind(proxy.port, settings), confirm_timeout=SHORT)
    failure_of(lambda: publisher.queue_message(PHONE, "Halo", timeout=0.1))
    assert seconds_for(lambda: publisher.close(60)) < 30


def test_whoever_waits_when_the_publisher_is_closed_is_told_at_once(
    stock: Stock, proxy: TcpProxy, proxied: Publisher
) -> None:
    proxy.freeze(answers_only=True)
    with in_background(lambda: proxied.queue_message(PHONE, "Halo", timeout=60)) as receipt:
        stock.wait_for(stock.names.lane("default"), 2)
        proxied.close(timeout=0.3)
        error = receipt.exception(60)
    assert isinstance(error, ConfirmTimeout)
    assert "the publisher was closed" in str(error)
    assert stock.count(stock.names.lane("default")) == 2


def test_closing_amid_a_crowd_loses_nobody(stock: Stock) -> None:
    publisher = Publisher(stock.settings)

    def publish(_number: int) -> str | None:
        try:
            return publisher.queue_message(PHONE, "Halo", timeout=60).message_id
        except (ConfirmTimeout, BrokerUnavailable):
            return None

    with ThreadPoolExecutor(32) as pool:
        answers = pool.map(publish, range(600))
        for _ in range(5):
            publisher.close()
        received = {answer for answer in answers if answer}
    publisher.close()
    assert received <= set(ids_in_lane(stock))


# Urgent messages and their outcome


def test_an_outcome_that_nobody_brings_is_pending(stock: Stock, publisher: Publisher) -> None:
    outcome = publisher.send_message(PHONE, "OTP 123456", timeout=SHORT)
    assert outcome.status == "pending"
    [waiting] = stock.in_lane()
    assert (waiting.message_id, waiting.priority) == (outcome.message_id, 10)


@pytest.mark.parametrize("message_id", ["m1", "*", "#", "m" * 150])
def test_the_outcome_is_that_of_the_message_and_of_no_other(
    stock: Stock, publisher: Publisher, message_id: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(publisher.send_message, PHONE, "OTP 123456", message_id=message_id, timeout=60)
        stock.wait_for(stock.names.lane("default"), 1)
        announce(stock, "outcome.sent", "another")
        announce(stock, "outcome.sent", "m" * 149 + "n")
        announce(stock, "outcome.sending", message_id)
        announce(stock, "outcome.dead", message_id)
        assert outcome.result(60) == Outcome(message_id, "dead", 2, detail="not on WhatsApp")


def announce(stock: Stock, name: str, message_id: str) -> None:
    event = Event(name, time.time(), "default", message_id, attempt=2, details={"detail": "not on WhatsApp"})
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.basic_publish(stock.names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)


def test_an_urgent_message_needs_no_second_publish(own_stock: Stock) -> None:
    with open_channel(own_stock.settings.amqp_urls, name="test") as channel:
        channel.exchange_delete(own_stock.names.urgent)
    with Publisher(own_stock.settings, confirm_timeout=60) as publisher:
        receipts = [publisher.queue_message(PHONE, "Halo", priority="urgent").message_id for _ in range(3)]
        receipts += [publisher.queue_message(PHONE, "Halo").message_id for _ in range(3)]
    assert set(receipts) <= set(ids_in_lane(own_stock))
    assert own_stock.count(own_stock.names.lane("default")) == len(receipts)


def test_an_exchange_that_vanished_is_named(own_stock: Stock) -> None:
    with open_channel(own_stock.settings.amqp_urls, name="test") as channel:
        channel.exchange_delete(own_stock.names.scheduled)
    with Publisher(own_stock.settings, confirm_timeout=60) as publisher:
        error = failure_of(lambda: publisher.queue_message(PHONE, "Halo", deliver_at=NOW + ONE_DAY))
    assert isinstance(error, ConfirmTimeout)
    assert f"exchange {own_stock.names.scheduled} does not exist" in str(error)
