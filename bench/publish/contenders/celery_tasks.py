"""Celery with confirms: `send_task` waits for each one, because kombu cannot pipeline them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.celery_client import TASK, celery_app
from bench.publish.contenders import Prepare
from bench.publish.sample import Sample, Target
from bench.publish.threads import all_at_once


@contextmanager
def connect(target: Target) -> Iterator[Prepare]:
    """Publish persistent tasks to one plain queue: less work for the broker than our lane is."""
    app = celery_app(target.url, target.queue)
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:

        def publish(sample: Sample) -> None:
            # A producer at hand spares Celery its connection pool.
            app.send_task(TASK, sample, producer=producer, priority=5)

        yield lambda samples: partial(all_at_once, [publish], samples)
    app.close()
