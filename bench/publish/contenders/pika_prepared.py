"""Bare pika, confirms pipelined, every message made before the clock starts: all that pika and the broker can do.

The bytes on the wire are those of our publisher, and so is the broker's work.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from antrian.broker.topology import Names
from antrian.domain.message import encode, new_message
from bench.pipelined import Item, PipelinedChannel
from bench.publish.contenders import Prepare
from bench.publish.sample import Sample, Target


@contextmanager
def connect(target: Target) -> Iterator[Prepare]:
    """Publish to the lane that our publisher uses."""
    with PipelinedChannel(target.url) as channel:
        yield lambda samples: partial(channel.publish, wire_items(samples, Names(target.namespace).messages))


def wire_items(samples: Sequence[Sample], exchange: str) -> list[Item]:
    """The samples exactly as our publisher would write them."""
    messages = [new_message(phone_number, text, source="bench", now=time.time()) for phone_number, text in samples]
    return [(exchange, message.lane, *encode(message)) for message in messages]
