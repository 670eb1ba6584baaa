"""What the owner's services are told, through a real admin side, a real broker and real HTTP; kill -9 included."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Gate

import pytest
from admin import AdminServer
from callback_receiver import KEY, SECRET, CallbackReceiver, receiving
from cli import Cli
from queue_fixture import Stock

from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_event
from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ReceiptStatus, reported
from antrian.operations.callbacks.callback_target import CallbackTargets
from antrian.operations.callbacks.callback_task import CallbackTask
from antrian.operations.callbacks.sender import CallbackSender, publish
from waiting import wait_until


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    with receiving() as ours:
        yield ours


def report(stock: Stock, told: DeliveryReceipt | InboundMessage) -> None:
    event = reported(told, lane="default", provider="sandbox", sender="628111", at=time.time(), source="test")
    with open_channel(stock.settings.amqp_urls, name="test provider") as channel:
        write_event(channel, stock.names, event, must_be_kept=True)


@pytest.mark.timeout(300)
def test_a_service_is_told_how_its_messages_fare_whatever_is_killed(stock: Stock, consumer, receiver, tmp_path) -> None:
    dice = random.Random(20261129)
    told = {
        "CALLBACK_SOURCES": f"shop={receiver.url}/shop",
        "CALLBACK_URL": f"{receiver.url}/owner",
        "CALLBACK_SECRET": SECRET,
    }
    admin = AdminServer(stock.settings, tmp_path / "admin.log", **told)
    with admin:
        admin.ready()
        consumer(WHATSAPP_QUEUE_DELAY="0")
        good = [f"m{number}" for number in range(12)]
        stock.add_waiting(*good, source="shop")
        stock.add_waiting("bad", source="shop", phone_number="+6281234569001")
        stock.add_waiting("other", source="elsewhere")
        wait_until(lambda: len(stock.events("outcome.sent")) == len(good) + 1, 60, "all are sent")
        for event in stock.events("outcome.sent"):
            report(stock, DeliveryReceipt(status=ReceiptStatus.DELIVERED, provider_id=event.details["provider_id"]))
        for number in range(6):
            message = InboundMessage(recipient="+6281234567890", provider_id=f"in{number}", text=f"Halo {number}")
            report(stock, message)
            report(stock, message)
        for _ in range(3):
            moment = time.monotonic() + dice.uniform(0, 0.7)
            wait_until(lambda until=moment: time.monotonic() >= until, 10, "the moment has come", every=0.01)
            admin.kill()
            admin.start()
        expected = {one: {"handed_over", "delivered"} for one in good} | {"bad": {"dead"}}
        wait_until(lambda: receiver.states() == expected, 60, "the service knows it all")
        texts = lambda: {payload["data"]["text"] for path, _, payload in receiver.got if path == "/owner"}  # noqa: E731
        wait_until(lambda: len(texts()) == 6, 60, "the owner knows what people wrote")

    assert receiver.forged == 0
    ids = {(where, json.dumps(payload, sort_keys=True)): webhook_id for where, webhook_id, payload in receiver.got}
    assert len(ids) == len({webhook_id for _, webhook_id, _ in receiver.got}), "one id for one thing, at each repeat"
    shop = [payload for path, _, payload in receiver.got if path == "/shop"]
    assert not any("81234" in json.dumps(payload) or "text" in payload["data"] for payload in shop)
    [dead] = [payload["data"] for payload in shop if payload["type"] == "message.dead"][:1]
    assert (dead["attempt"], dead["source"], bool(dead["code"])) == (1, "shop", True)


@pytest.mark.timeout(300)
def test_a_wish_is_answered_once_and_passed_on_to_nobody(stock: Stock, consumer, arrivals, receiver, tmp_path) -> None:
    told = {"CALLBACK_URL": f"{receiver.url}/owner", "CALLBACK_SECRET": SECRET, "OPT_OUT_LANGUAGE": "en"}
    with AdminServer(stock.settings, tmp_path / "admin.log", **told):
        for number in range(2):
            report(stock, InboundMessage(recipient="+6281234567890", provider_id=f"s{number}", text="Stop!"))
        report(stock, InboundMessage(recipient="+6281234567890", provider_id="by the provider", preference="stop"))
        report(stock, InboundMessage(recipient="+6281234567890", provider_id="q", text="Can I stop by tomorrow?"))
        wait_until(lambda: receiver.got, 60, "the question is passed on")
        consumer(WHATSAPP_QUEUE_DELAY="0")
        [answer] = arrivals.wait_for(1, 30)
        wait_until(lambda: len(stock.events("outcome.duplicate")) == 1, 30, "the second answer is none")
    assert "You will get no more promotions" in answer
    assert len(arrivals.texts()) == 1
    assert [payload["data"]["text"] for _, _, payload in receiver.got] == ["Can I stop by tomorrow?"]
    assert stock.events("contact.opted_out") == [], "the server for webhooks writes it down"


def task(number: int, target: str) -> CallbackTask:
    return CallbackTask.of("message.read", target, {"n": number}, at=1_000.0, names=str(number))


@contextmanager
def sending(stock: Stock, receiver: CallbackReceiver, *targets: str) -> Iterator[Counter[str]]:
    """A sender in this process, and what it counts."""
    counts: Counter[str] = Counter()
    urls = {target: f"{receiver.url}/{target}" for target in targets}
    sender = CallbackSender(
        CallbackTargets(urls, (KEY,)),
        stock.settings.amqp_urls,
        stock.names,
        count=lambda result: counts.update([str(result)]),
    )
    sender.start()
    try:
        yield counts
    finally:
        sender.stop(60)


def put(stock: Stock, *tasks: CallbackTask) -> None:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        for one in tasks:
            publish(channel, one.at_once(stock.names))


@pytest.mark.timeout(300)
def test_a_slow_receiver_does_not_keep_the_others_waiting(stock: Stock) -> None:
    gate = Gate()

    def answer(path: str) -> int:
        if path == "/slow":
            gate.wait(60)
        return 200

    put(stock, *(task(number, "slow") for number in range(150)), *(task(number, "fast") for number in range(20)))
    with receiving(answer=answer) as receiver, sending(stock, receiver, "slow", "fast"):
        fast = lambda: [path for path, _, _ in receiver.got if path == "/fast"]  # noqa: E731 (shorter here)
        wait_until(lambda: len(fast()) == 20, 60, "the fast one is told everything")
        assert not gate.is_set()
        gate.set()


@pytest.mark.timeout(300)
def test_answers_decide_what_becomes_of_a_callback_and_what_is_given_up_can_be_put_back(stock: Stock) -> None:
    answers = {"/gone": 410, "/moved": 302, "/broken": 500, "/well": 200}
    last = [
        task(number, "broken").failed("x").failed("x").failed("x").failed("x").failed("x").failed("x")
        for number in (7, 8)
    ]
    cli = Cli(stock.settings)
    with receiving(answer=lambda path: answers[path]) as receiver:
        with sending(stock, receiver, "gone", "moved", "broken", "well") as counts:
            put(stock, task(1, "gone"), task(2, "moved"), task(3, "well"), task(4, "nobody"), *last)
            wait_until(lambda: counts["dead"] == 2, 60, "they are given up")
            wait_until(lambda: counts["delivered"] == 1 and counts["dropped"] == 1, 60, "the others are over")
            # A redirect is not followed, and an address may only be missing here: both wait for another try.
            wait_until(lambda: stock.delayed() == 2, 60, "they are tried again")
            assert [path for path, _, _ in receiver.got if path == "/elsewhere"] == []
        listed = cli.json("callbacks", "dead", "list")
        assert {(one["webhook_id"], one["problem"]) for one in listed["callbacks"]} == {
            (one.webhook_id, "http-500") for one in last
        }
        assert cli.json("callbacks", "dead", "purge", last[0].webhook_id, "--yes") == {"purged": 1}
        assert cli.json("callbacks", "dead", "retry", "--all") == {"retried": 1}
        answers["/broken"] = 200
        with sending(stock, receiver, "broken") as counts:
            wait_until(lambda: counts["delivered"] == 1, 60, "it is told at last")
    assert stock.count(stock.names.dead_callbacks) == 0
