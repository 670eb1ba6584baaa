"""`Publisher.queue_message`: one message at a time in each of one or many threads, through one `Publisher`."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from antrian.domain.settings import load_settings
from bench.publish.contenders import Prepare
from bench.publish.sample import Sample, Target
from bench.publish.threads import all_at_once
from publisher import Publisher


@contextmanager
def connect(target: Target) -> Iterator[Prepare]:
    """Publish through one `Publisher`, as a service with as many request threads does."""
    settings = load_settings({"AMQP_URL": target.url, "WHATSAPP_QUEUE_NAMESPACE": target.namespace})
    with Publisher(settings, source="bench", confirm_timeout=60) as publisher:

        def publish(sample: Sample) -> None:
            publisher.queue_message(*sample)

        yield lambda samples: partial(all_at_once, [publish] * target.threads, samples)
