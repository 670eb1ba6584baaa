"""What to keep of a delivery that cannot be read."""

import time

import pika

from antrian.domain.errors import MalformedMessage
from antrian.domain.failure_class import MALFORMED
from antrian.domain.headers import write_failures
from antrian.domain.message import AttemptFailure, message_id_of
from antrian.domain.trace_context import TRACEPARENT, TRACESTATE, read_trace, write_trace

__all__ = ["MALFORMED", "dead_letter_of"]


def dead_letter_of(body: bytes, properties: pika.BasicProperties, problem: MalformedMessage) -> pika.BasicProperties:
    """The properties for its dead letter: its own, and the reason where every dead letter has its failures.

    Headers that are not ours are dropped, a well-formed trace aside: they may be part of the problem.
    """
    headers = properties.headers or {}
    trace = read_trace(headers.get(TRACEPARENT), headers.get(TRACESTATE))
    failure = AttemptFailure(0, time.time(), MALFORMED, problem.code, problem.detail)
    return pika.BasicProperties(
        message_id=message_id_of(body, properties),
        priority=properties.priority,
        content_type=properties.content_type,
        content_encoding=properties.content_encoding,
        app_id=properties.app_id,
        timestamp=properties.timestamp,
        delivery_mode=2,
        headers=write_failures((failure,)) | write_trace(trace),
    )
