"""Messages for the peers that take ours, from a plain queue."""

import json
from collections.abc import Sequence

import pika

from bench.pipelined import PipelinedChannel
from bench.publish.sample import Sample


def fill(url: str, queue: str, samples: Sequence[Sample]) -> None:
    """Put persistent messages into a queue, as JSON with our field names; returns when the broker has them all.

    Args:
        url: the broker's address.
        queue: which exists.
        samples: phone number and text of each.
    """
    properties = pika.BasicProperties(delivery_mode=2)
    bodies = [json.dumps({"phone_number": phone_number, "message": text}).encode() for phone_number, text in samples]
    with PipelinedChannel(url) as channel:
        channel.publish(("", queue, body, properties) for body in bodies)
