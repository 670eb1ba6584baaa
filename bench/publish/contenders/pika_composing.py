"""Bare pika, confirms pipelined, each message made when its turn comes: a uuid, the JSON, the properties; no checks."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pika

from antrian.broker.topology import Names
from bench.pipelined import Item, PipelinedChannel
from bench.publish.contenders import Prepare, Publish
from bench.publish.sample import Sample, Target


@contextmanager
def connect(target: Target) -> Iterator[Prepare]:
    """Publish to the lane that our publisher uses."""
    exchange = Names(target.namespace).messages

    with PipelinedChannel(target.url) as channel:

        def prepare(samples: Sequence[Sample]) -> Publish:
            return lambda: channel.publish(_compose(exchange, sample) for sample in samples)

        yield prepare


def _compose(exchange: str, sample: Sample) -> Item:
    phone_number, text = sample
    now = time.time()
    body = {"version": 1, "phone_number": f"+62{phone_number[1:]}", "message": text, "source": "bench"}
    properties = pika.BasicProperties(
        message_id=str(uuid.uuid4()),
        priority=5,
        content_type="application/json",
        content_encoding="utf-8",
        delivery_mode=2,
        timestamp=int(now),
        app_id="bench",
        headers={"antrian-attempt": 1, "antrian-queued-at": round(now * 1000)},
    )
    return exchange, "default", json.dumps(body, separators=(",", ":")).encode(), properties
