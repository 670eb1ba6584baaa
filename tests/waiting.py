"""The only place in the tests that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout: float, what: str, *, every: float = 0.05) -> T:
    """Wait until `condition` returns something true, and return that.

    Args:
        condition: asked again and again.
        timeout: longest wait, in seconds.
        what: completes the sentence "waited … s until …" of the failure.
        every: pause between two questions, in seconds.
    """
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s until {what}; the last answer was {answer!r}")
        time.sleep(every)
    return answer


def elapsed(seconds: float) -> Callable[[], bool]:
    """A condition that holds once so many seconds have passed: for tests about time itself."""
    moment = time.monotonic() + seconds
    return lambda: time.monotonic() >= moment
