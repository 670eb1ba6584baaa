"""The only place in the benchmarks that waits by looking again and again."""

import time
from collections.abc import Callable
from typing import TypeVar

from bench.errors import BenchmarkFailed

T = TypeVar("T")


def wait_until(condition: Callable[[], T], patience: float, what: str, *, every: float = 0.01) -> T:
    """Wait until `condition` returns something true, and return that.

    Args:
        condition: asked again and again.
        patience: longest wait, in seconds.
        what: completes the sentence "waited … s until …".
        every: seconds between two questions.

    Raises:
        BenchmarkFailed: it did not become true in time.
    """
    deadline = time.monotonic() + patience
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"waited {patience:g} s in vain until {what}")
        time.sleep(every)
    return answer
