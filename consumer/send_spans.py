"""Writes a span for each call to the provider, in a process where OpenTelemetry is set up."""

from antrian.broker import tracing
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.providers.contract import Failed
from consumer.observers import ProviderCall


class SendSpans:
    """A lane's observer.

    Args:
        names: of the namespace.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def called(self, call: ProviderCall) -> None:
        """See `consumer.observers.Observer`."""
        failure = call.result if isinstance(call.result, Failed) else None
        tracing.record_send(
            call.message,
            queue=self._names.lane(call.message.lane),
            provider=call.provider,
            began=call.at - call.seconds,
            ended=call.at,
            problem=(failure.failure_class.value, failure.code) if failure else None,
        )

    def recorded(self, event: Event) -> None:
        """Of no interest."""

    def heard(self, event: Event, *, counts: bool) -> None:
        """Of no interest."""

    def broken(self) -> None:
        """Of no interest."""
