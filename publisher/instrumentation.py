"""Who watches a publisher: nobody, unless the application asks for it (see `publisher.metrics`)."""

from collections.abc import Callable
from typing import Protocol

from publisher.pipeline import PendingPublication, Result

Deliver = Callable[[PendingPublication], None]


class Track(Protocol):
    """One publication, followed to its end."""

    def then(self, deliver: Deliver) -> Deliver:
        """What the pipeline is to call with the finished publication: notes its end first."""

    def end(self, result: Result) -> None:
        """It has ended; a second time changes nothing."""


class Instrumentation(Protocol):
    """What a publisher tells; called in any thread."""

    def track(self) -> Track:
        """A publication is handed over."""

    def refused(self) -> None:
        """A message broke the contract, and nothing was published."""


class NoInstrumentation:
    """Nobody: no cost to speak of."""

    def track(self) -> "NoInstrumentation":
        """See `Instrumentation`."""
        return self

    def refused(self) -> None:
        """See `Instrumentation`."""

    def then(self, deliver: Deliver) -> Deliver:
        """See `Track`."""
        return deliver

    def end(self, result: Result) -> None:
        """See `Track`."""
