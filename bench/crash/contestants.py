"""Three paced senders with the same delay: ours, the one that one writes first, and Celery's rate limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from antrian.providers.registry import SANDBOX_SENDER
from bench.child import Child
from bench.peer_queue import fill
from bench.provider import Provider
from bench.publish.sample import Sample
from bench.stage import Stage
from publisher import Publisher

_NAIVE_SENDER = "6282200000000"
_CELERY_SENDER = "6283300000000"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A sender that is not started yet, with messages in its queue.

    Attributes:
        sender: the number that it sends from.
        child: its process.
    """

    sender: str
    child: Child


def antrian(stage: Stage, provider: Provider, samples: Sequence[Sample], delay: float) -> Contestant:
    """Our consumer."""
    lane = stage.lane(WHATSAPP_QUEUE_DELAY=str(delay))
    with Publisher(lane, source="bench") as publisher:
        for phone_number, text in samples:
            publisher.queue_message(phone_number, text)
    return Contestant(SANDBOX_SENDER, stage.consumer(lane, provider.url))


def naive(stage: Stage, provider: Provider, samples: Sequence[Sample], delay: float) -> Contestant:
    """Plain pika that holds each message un-acked for the delay."""
    queue = stage.queue()
    fill(stage.url, queue, samples)
    arguments = ("-m", "bench.pace.naive_consumer", stage.url, queue, provider.url, _NAIVE_SENDER, str(delay))
    return Contestant(_NAIVE_SENDER, stage.child(*arguments))


def celery(stage: Stage, provider: Provider, samples: Sequence[Sample], delay: float) -> Contestant:
    """A Celery worker with `rate_limit` and `acks_late`, everything that it does not need switched off."""
    from bench.celery_client import TASK, celery_app  # noqa: PLC0415 (the findings are tested without the peers)

    queue = stage.queue()
    app = celery_app(stage.url, queue)
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for sample in samples:
            app.send_task(TASK, sample, producer=producer)
    app.close()
    worker = ("-m", "celery", "-A", "bench.crash.celery_worker", "worker", "--pool", "solo", "--loglevel", "WARNING")
    child = stage.child(
        *worker,
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        BENCH_BROKER=stage.url,
        BENCH_QUEUE=queue,
        BENCH_RATE_LIMIT=f"{60 / delay:g}/m",
        BENCH_API=provider.url,
        BENCH_SENDER=_CELERY_SENDER,
    )
    return Contestant(_CELERY_SENDER, child)
