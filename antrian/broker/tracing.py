"""Spans for OpenTelemetry, where the application has set it up; nothing at all where it has not.

A program that traces has imported OpenTelemetry already (its SDK, or `opentelemetry-instrument`). So nothing is
imported here that is not there yet: a publisher stays light, and a process without tracing pays one look into a
dictionary.
Attributes follow the messaging conventions; there is no number, text or key among them.
"""

import sys
from typing import Any

from antrian.domain.message import Message
from antrian.domain.trace_context import TraceContext, read_trace, write_trace

_API = "opentelemetry.trace"
_NANOSECONDS = 1_000_000_000
_SCOPE = "antrian"


class Publishing:
    """A publish under way, and its span if there is one.

    Args:
        trace: what the message is to carry; None for nothing.
        span: an OpenTelemetry span, ended by `end`.
    """

    __slots__ = ("_span", "trace")

    def __init__(self, trace: TraceContext | None, span: Any = None) -> None:
        self.trace = trace
        self._span = span

    def end(self, problem: str | None) -> None:
        """The broker has answered; `problem` is the name of what went wrong, None when nothing did."""
        if self._span is None:
            return
        if problem:
            _fail(self._span, problem)
        self._span.end()


_UNTRACED = Publishing(None)


def begin_publish(parent: TraceContext | None, *, exchange: str, lane: str, message_id: str) -> Publishing:
    """Begin the span of a publish: below `parent`, or below what the application is doing just now."""
    api = sys.modules.get(_API)
    if api is None:
        return Publishing(parent) if parent else _UNTRACED
    span = api.get_tracer(_SCOPE).start_span(
        f"send {exchange}",
        context=_context(parent),
        kind=api.SpanKind.PRODUCER,
        attributes={
            "messaging.system": "rabbitmq",
            "messaging.operation.name": "publish",
            "messaging.operation.type": "send",
            "messaging.destination.name": exchange,
            "messaging.rabbitmq.destination.routing_key": lane,
            "messaging.message.id": message_id,
        },
    )
    return Publishing(_carried(api, span) or parent, span)


def record_send(
    message: Message, *, queue: str, provider: str, began: float, ended: float, problem: tuple[str, str] | None
) -> None:
    """Write the span of one call to a provider, after it has ended.

    Args:
        message: which was sent.
        queue: which it came from.
        provider: which provider.
        began: unix seconds.
        ended: unix seconds.
        problem: failure class and code; None when the provider took it.
    """
    api = sys.modules.get(_API)
    if api is None:
        return
    span = api.get_tracer(_SCOPE).start_span(
        f"process {queue}",
        context=_context(message.trace),
        kind=api.SpanKind.CONSUMER,
        start_time=int(began * _NANOSECONDS),
        attributes={
            "messaging.system": "rabbitmq",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": queue,
            "messaging.message.id": message.message_id,
            "antrian.lane": message.lane,
            "antrian.priority": message.priority,
            "antrian.attempt": message.attempt,
            "antrian.provider": provider,
        },
    )
    if problem:
        span.set_attribute("antrian.failure_class", problem[0])
        _fail(span, problem[1])
    span.end(end_time=int(ended * _NANOSECONDS))


def _context(parent: TraceContext | None) -> Any:
    """The parent as OpenTelemetry's context; None for what is current."""
    if parent is None:
        return None
    # Imported late, and only where OpenTelemetry is there.
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    return TraceContextTextMapPropagator().extract(write_trace(parent))


def _carried(api: Any, span: Any) -> TraceContext | None:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers, context=api.set_span_in_context(span))
    return read_trace(headers.get("traceparent"), headers.get("tracestate"))


def _fail(span: Any, problem: str) -> None:
    api = sys.modules[_API]
    span.set_attribute("error.type", problem)
    span.set_status(api.Status(api.StatusCode.ERROR))
