"""Celery as both benchmarks use it: one plain queue, confirms on, no results."""

from celery import Celery
from kombu.entity import Queue

TASK = "bench.send"


def celery_app(url: str, queue: str) -> Celery:
    """An application that publishes to, and works on, a queue which exists.

    Args:
        url: the broker's address.
        queue: its name.
    """
    app = Celery("bench", broker=url, set_as_current=False)
    app.conf.update(
        broker_transport_options={"confirm_publish": True},
        broker_connection_retry_on_startup=True,
        task_ignore_result=True,
        task_queues=[Queue(queue, exchange="", routing_key=queue, no_declare=True)],
        task_default_queue=queue,
    )
    return app
