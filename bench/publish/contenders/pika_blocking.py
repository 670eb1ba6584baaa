"""Bare pika, one message at a time: `BlockingChannel.basic_publish` with confirms, every message made beforehand.

A connection is not for two threads, so each thread has one of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial

import pika
from pika.adapters.blocking_connection import BlockingConnection

from antrian.broker.topology import Names
from bench.pipelined import Item
from bench.publish.contenders import Prepare
from bench.publish.contenders.pika_prepared import wire_items
from bench.publish.sample import Target
from bench.publish.threads import all_at_once


@contextmanager
def connect(target: Target) -> Iterator[Prepare]:
    """Publish to the lane that our publisher uses."""
    exchange = Names(target.namespace).messages
    with ExitStack() as connections:
        publishers = [_connected(target.url, connections) for _ in range(target.threads)]
        yield lambda samples: partial(all_at_once, publishers, wire_items(samples, exchange))


def _connected(url: str, connections: ExitStack) -> Callable[[Item], None]:
    connection = connections.enter_context(closing(BlockingConnection(pika.URLParameters(url))))
    channel = connection.channel()
    channel.confirm_delivery()

    def publish(item: Item) -> None:
        channel.basic_publish(*item, mandatory=True)

    return publish
