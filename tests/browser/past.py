"""Days that are over: a journal in which messages were published and sent long before the test began."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from pika.adapters.blocking_connection import BlockingChannel

from antrian.broker.connection import open_channel
from antrian.broker.topology import Names
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.message import encode, new_message
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, reported
from antrian.domain.settings import Settings

_SOURCES = ("registration", "payment", "reminder")
_PRIORITIES = ("low", "normal", "normal", "high")
_DAY = 86_400

#: What becomes of every seventh message after it was sent; nothing more is known of some.
_DELIVERIES = ("delivered", "read", "delivered", "", "read", "failed", "delivered")


@dataclass(frozen=True)
class _Life:
    """One message's: when it was published, and when and how it ended."""

    message_id: str
    source: str
    priority: str
    queued_at: float
    ended_at: float
    is_sent: bool
    delivery: str = ""


def tell_the_past(settings: Settings, *, days: int, messages: int) -> None:
    """Write into the journal; afterwards nothing waits."""
    names = Names(settings.whatsapp_queue_namespace)
    lives = list(_lives(days, messages))
    entries = [(life.queued_at, True, life) for life in lives] + [(life.ended_at, False, life) for life in lives]
    with open_channel(settings.amqp_urls, name="test set-up") as channel:
        for _, is_begin, life in sorted(entries, key=lambda entry: entry[:2]):
            (_publish if is_begin else _end)(channel, names, life)
        channel.queue_purge(names.lane("default"))


def _lives(days: int, messages: int) -> Iterator[_Life]:
    chance = random.Random(9)
    now = time.time()
    for number in range(messages):
        at = now - 200 - chance.random() ** 1.3 * days * _DAY
        # Most people register by day.
        at -= (at % _DAY < 6 * 3600) * chance.random() * 9 * 3600
        wait = chance.lognormvariate(3, 1)
        ended_at = min(at + wait, now - 1)
        source, priority = _SOURCES[number % 5 % 3], _PRIORITIES[number % 4]
        is_sent, delivery = chance.random() < 0.97, _DELIVERIES[number % len(_DELIVERIES)]
        yield _Life(f"past-{number}", source, priority, at, ended_at, is_sent, delivery if is_sent else "")


def _publish(channel: BlockingChannel, names: Names, life: _Life) -> None:
    message = new_message(
        "+6281234567890",
        "Halo",
        source=life.source,
        priority=life.priority,
        now=life.queued_at,
        message_id=life.message_id,
    )
    body, properties = encode(message)
    channel.basic_publish(names.messages, "default", body, properties)


def _end(channel: BlockingChannel, names: Names, life: _Life) -> None:
    told = [("outcome.sending", {})]
    if life.is_sent:
        told.append(("outcome.sent", {"provider_id": life.message_id, "provider": "waha"}))
    else:
        code = "not-on-whatsapp" if len(life.message_id) % 2 else "media-too-large"
        told += [
            ("outcome.failed", {"failure_class": "rejected", "code": code}),
            ("outcome.dead", {"reason": "rejected"}),
        ]
    for name, details in told:
        _write(channel, names, Event(name, life.ended_at, "default", life.message_id, 0, 1, "test", details))
    for status in (["delivered"] if life.delivery == "read" else []) + ([life.delivery] if life.delivery else []):
        tell_receipt(channel, names, status, life.message_id, life.ended_at + (64 if status == "read" else 4))


def tell_receipt(channel: BlockingChannel, names: Names, status: str, provider_id: str, at: float) -> None:
    """Write down what a provider reports."""
    failed = {"failure_class": FailureClass.REJECTED, "code": "131026", "detail": "Message undeliverable"}
    receipt = DeliveryReceipt(
        status=ReceiptStatus(status), at=at, provider_id=provider_id, **(failed if status == "failed" else {})
    )
    _write(channel, names, reported(receipt, lane="default", provider="waha", sender="62811", at=at, source="receipts"))


def _write(channel: BlockingChannel, names: Names, event: Event) -> None:
    channel.basic_publish(names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
