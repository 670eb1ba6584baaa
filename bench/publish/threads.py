"""Publishing from many threads that begin at the same moment."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def one_by_one(publish: Callable[[T], object], items: Sequence[T]) -> list[float]:
    """Publish item after item; seconds from handing each over to its confirm."""
    clock = time.perf_counter
    latencies = []
    for item in items:
        handed = clock()
        publish(item)
        latencies.append(clock() - handed)
    return latencies


def all_at_once(publishers: Sequence[Callable[[T], object]], items: Sequence[T]) -> list[float]:
    """Share the items out to one thread for each publisher, and publish one by one in each.

    Raises:
        BrokenBarrierError: the threads could not be started.
    """
    if len(publishers) == 1:
        return one_by_one(publishers[0], items)
    start = threading.Barrier(len(publishers))
    results: list[list[float]] = [[] for _ in publishers]

    def work(number: int) -> None:
        start.wait()
        results[number] = one_by_one(publishers[number], items[number :: len(publishers)])

    workers = [threading.Thread(target=work, args=(number,)) for number in range(len(publishers))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [latency for result in results for latency in result]
