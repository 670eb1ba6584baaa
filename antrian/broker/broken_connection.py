"""Doing short work again on a new connection when its connection breaks in the middle.

RabbitMQ ends a publisher's connection (506, RESOURCE_ERROR) when a queue vanishes while a publish is being routed to
it; seen with 4.3. Others' exclusive queues are bound to the events and the control exchange and vanish with their
owners: an outcome that is waited for, a command that follows a lane, a consumer that restarts. So the connection of
anyone who writes an event may end at any time, with nothing wrong, and the next one works.
"""

from collections.abc import Callable
from typing import TypeVar

from antrian.domain.errors import ConnectionBroke

#: Connections that may break before it is an error.
TRIES = 4

_Result = TypeVar("_Result")


def despite_broken_connections(work: Callable[[], _Result]) -> _Result:
    """The result of the work, which is done again when its connection broke in the middle.

    A broker that is not there, or refuses, is an error at once.

    Args:
        work: opens a connection of its own each time; doing it twice, or a part of it, does no harm.

    Raises:
        ConnectionBroke: every one of `TRIES` connections broke.
        Exception: whatever else the work raised.
    """
    for _ in range(TRIES - 1):
        try:
            return work()
        except ConnectionBroke:
            pass
    return work()
