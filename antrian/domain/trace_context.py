"""W3C Trace Context: which trace a message belongs to, as its publisher said.

What a stranger wrote is taken over only where it is well-formed; what is not is ignored, as the W3C asks, so that a
broken header never stops a message. Nothing here needs OpenTelemetry.
"""

import re
from dataclasses import dataclass

#: Names of the AMQP headers, and of the HTTP headers that they come from.
TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

#: Characters of `tracestate` that everybody must be able to carry, and its members.
LONGEST_TRACESTATE = 512
MOST_MEMBERS = 32

_TRACEPARENT = re.compile(r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}")
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]")
#: Room for what a later version adds.
_LONGEST_TRACEPARENT = 255


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where in which trace the message was published.

    Attributes:
        traceparent: `00-{trace}-{parent}-{flags}`, all lower-case hexadecimal.
        tracestate: what tracing systems add for themselves; empty for nothing.
    """

    traceparent: str
    tracestate: str = ""

    @property
    def trace_id(self) -> str:
        """The trace's own 32 digits, as log lines and events show them."""
        return self.traceparent[3:35]

    @property
    def parent_id(self) -> str:
        """The 16 digits of the span in which the message was published."""
        return self.traceparent[36:52]

    @property
    def flags(self) -> int:
        """The trace flags; bit 0 says that the trace is recorded."""
        return int(self.traceparent[53:55], 16)


def read_trace(traceparent: object, tracestate: object = None) -> TraceContext | None:
    """The context in two headers, or None where there is no usable one.

    Args:
        traceparent: any value; what is malformed counts as absent, and `tracestate` with it.
        tracestate: any value; what is malformed is dropped alone.
    """
    if not isinstance(traceparent, str) or not _is_traceparent(traceparent):
        return None
    return TraceContext(traceparent, tracestate if isinstance(tracestate, str) and _is_tracestate(tracestate) else "")


def write_trace(trace: TraceContext | None) -> dict[str, str]:
    """The headers for a context; none for none."""
    if trace is None:
        return {}
    headers = {TRACEPARENT: trace.traceparent}
    return headers | {TRACESTATE: trace.tracestate} if trace.tracestate else headers


def _is_traceparent(text: str) -> bool:
    found = _TRACEPARENT.match(text) if len(text) <= _LONGEST_TRACEPARENT else None
    if found is None or found["version"] == "ff" or not int(found["trace"], 16) or not int(found["parent"], 16):
        return False
    rest = text[found.end() :]
    if found["version"] == "00":
        return not rest
    # A later version may add fields, each after a dash.
    return not rest or (rest.startswith("-") and rest.isascii() and rest.isprintable())


def _is_tracestate(text: str) -> bool:
    members = [member.strip(" \t") for member in text.split(",")]
    named = [member for member in members if member]
    keys = [member.partition("=")[0] for member in named]
    return (
        0 < len(named) <= MOST_MEMBERS
        and len(text) <= LONGEST_TRACESTATE
        and len(set(keys)) == len(keys)
        and all(_MEMBER.fullmatch(member) for member in named)
    )
