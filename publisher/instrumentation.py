"""What watches a publisher: nothing, unless the application asks for it (see `publisher.metrics`)."""

from typing import Protocol

from publisher.pipeline import Result


class Track(Protocol):
    """One publication, followed to its end."""

    def end(self, result: Result) -> None:
        """It has ended; a second time changes nothing. Called in any thread."""


class Instrumentation(Protocol):
    """What a publisher tells; called in any thread."""

    def track(self) -> Track | None:
        """A publication is handed over; None for one that is of no interest."""

    def refused(self) -> None:
        """A message broke the contract, and nothing was published."""


class NoInstrumentation:
    """Watches nothing, and costs next to nothing."""

    def track(self) -> None:
        """See `Instrumentation`."""

    def refused(self) -> None:
        """See `Instrumentation`."""
