"""Dramatiq with `confirm_delivery=True`: each `send` waits for its confirm."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bench.publish.contenders import Prepare
from bench.publish.sample import Sample, Target
from bench.publish.threads import all_at_once


@contextmanager
def connect(target: Target) -> Iterator[Prepare]:
    """Publish persistent messages to one plain queue: less work for the broker than our lane is."""
    broker = RabbitmqBroker(url=target.url, confirm_delivery=True, max_priority=10)
    actor = dramatiq.actor(broker=broker, queue_name=f"{target.queue}.actors", actor_name="send")(_send)

    def publish(sample: Sample) -> None:
        actor.send_with_options(args=sample, broker_priority=5)

    try:
        yield lambda samples: partial(all_at_once, [publish], samples)
    finally:
        broker.close()


def _send(phone_number: str, text: str) -> None:
    """What a worker would run; here, none does."""
