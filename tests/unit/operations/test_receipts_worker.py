"""Reports that cannot be worked on: they come again a few times, and keep nobody waiting."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pika
import pytest
from factories import make_settings
from pika.exceptions import ChannelClosedByBroker

from antrian.broker.queue_scan.publication import Publication
from antrian.domain.events import Event
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, reported
from antrian.operations.receipts.delayed_report import TRIES
from antrian.operations.receipts.status_work import HistoryNotCaughtUp
from antrian.operations.receipts.worker import PAUSES, ReceiptsWorker

OUTCOME = Event("outcome.dead", 1_000.0, "gone", "m1")
FORBIDDEN = Publication("wa.dead", "gone", b"", pika.BasicProperties())


class Channel:
    """Refuses what goes to the dead letters, and keeps what goes elsewhere."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, int] | None]] = []

    def basic_publish(self, exchange: str, _key: str, _body: bytes, properties: Any, _mandatory: object) -> None:
        if exchange == "wa.dead":
            raise ChannelClosedByBroker(403, "ACCESS_REFUSED")
        self.published.append((exchange, properties.headers))


def worker(tmp_path: Path, *, is_caught_up: bool = True) -> ReceiptsWorker:
    history: Any = SimpleNamespace(path=tmp_path / "history.db", message=lambda _id: None)
    follower: Any = SimpleNamespace(catch_up=lambda _timeout: is_caught_up)

    def refused(_event: Event) -> Iterator[Publication]:
        yield FORBIDDEN

    more: Any = SimpleNamespace(of_outcome=refused)
    return ReceiptsWorker(make_settings(), ["amqp://127.0.0.1:1/"], history, follower, more=more)


def handle(ours: ReceiptsWorker, channel: Channel, event: Event, tries: int = 0) -> str:
    headers = {TRIES: tries} if tries else None
    return ours._handle(channel, pika.BasicProperties(headers=headers), event.encode())  # type: ignore[arg-type]


def test_what_the_broker_refuses_comes_again_and_is_dropped_in_the_end(tmp_path):
    ours, channel = worker(tmp_path), Channel()
    for tries in range(len(PAUSES) + 1):
        with pytest.raises(ChannelClosedByBroker):
            handle(ours, channel, OUTCOME, tries)
        assert handle(ours, channel, OUTCOME, tries) == ("delayed" if tries < len(PAUSES) else "dropped")
    assert channel.published == [
        ("wa.delay.02", {TRIES: 1}),
        ("wa.delay.05", {TRIES: 2}),
        ("wa.delay.09", {TRIES: 3}),
    ]


def test_what_is_not_known_is_dropped_only_by_a_history_that_has_caught_up(tmp_path):
    receipt = DeliveryReceipt(status=ReceiptStatus.DELIVERED, provider_id="p1")
    event = reported(receipt, lane="default", provider="mpwa", sender="x", at=time.time(), source="test")
    channel = Channel()
    assert handle(worker(tmp_path), channel, event, len(PAUSES)) == "dropped"
    with pytest.raises(HistoryNotCaughtUp):
        handle(worker(tmp_path, is_caught_up=False), channel, event, len(PAUSES))
    assert handle(worker(tmp_path, is_caught_up=False), channel, event) == "delayed"


def test_what_is_no_report_is_dropped(tmp_path):
    ours = worker(tmp_path)
    assert ours._handle(Channel(), pika.BasicProperties(), b"{oops") == "dropped"  # type: ignore[arg-type]


def test_an_outcome_that_came_as_a_receipt_is_dropped(tmp_path):
    ours, key = worker(tmp_path), "receipt.status.gone.m1"
    assert ours._handle(Channel(), pika.BasicProperties(), OUTCOME.encode(), key) == "dropped"  # type: ignore[arg-type]


def test_a_history_that_has_just_caught_up_is_not_asked_again_for_each_old_report(tmp_path):
    ours, channel, asked = worker(tmp_path), Channel(), []
    ours._catch_up = lambda: not asked.append(1)  # type: ignore[method-assign]
    receipt = DeliveryReceipt(status=ReceiptStatus.DELIVERED, provider_id="p1")
    event = reported(receipt, lane="default", provider="mpwa", sender="x", at=time.time(), source="test")
    assert {handle(ours, channel, event, len(PAUSES)) for _ in range(20)} == {"dropped"}
    assert len(asked) == 1
