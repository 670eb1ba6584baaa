"""`Publisher.queue_messages`: many messages, confirms pipelined."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from antrian.domain.settings import load_settings
from bench.publish.contenders import Prepare
from bench.publish.sample import Sample, Target
from publisher import Publisher, PublisherError


@contextmanager
def connect(target: Target) -> Iterator[Prepare]:
    """Publish through one `Publisher`, as a service does."""
    settings = load_settings({"AMQP_URL": target.url, "WHATSAPP_QUEUE_NAMESPACE": target.namespace})
    with Publisher(settings, source="bench", confirm_timeout=60) as publisher:
        yield lambda samples: partial(_publish, publisher, samples)


def _publish(publisher: Publisher, samples: Sequence[Sample]) -> list[float]:
    clock = time.perf_counter
    handed: list[float] = []
    latencies: list[float] = []

    def requests() -> Iterator[Sample]:
        for sample in samples:
            handed.append(clock())
            yield sample

    # A receipt comes after its request, so the list is never read further than it has grown.
    for receipt, at in zip(publisher.queue_messages(requests()), handed, strict=False):
        if isinstance(receipt, PublisherError):
            raise receipt
        latencies.append(clock() - at)
    return latencies
