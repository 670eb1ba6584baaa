"""One send against a server that the checks play."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from antrian.domain.receipt import correlation_of
from antrian.providers.conformance.check import ConformanceError
from antrian.providers.conformance.fault_server import Fault, FaultServer
from antrian.providers.conformance.probe import RECIPIENT, ClientSettings, ProviderProbe
from antrian.providers.conformance.strict_json import read_json
from antrian.providers.contract import Outgoing, Provider, SendResult

#: Seconds that are waited for what never comes. Nothing is expected within them, so a busy machine changes nothing.
SHORT = 0.3
#: Seconds that are waited for what comes.
PATIENT = 60.0

TEXT = "Halo Budi, kode Anda 4411 7788"
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as the server got it.

    Attributes:
        method: of HTTP.
        path: with the query.
        headers: by lower-case name.
        body: raw.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, raw: bytes) -> "HttpRequest":
        """Take a request apart."""
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        return cls(method, path, {name.strip().lower(): value.strip() for name, _, value in pairs}, body)

    def fields(self, media_type: str) -> Any:
        """The body, decoded: what JSON says, or the pairs of a form, of which each may stand there once.

        Raises:
            ConformanceError: it is not of this type.
        """
        if media_type == "application/json":
            return read_json(self.body)
        try:
            pairs = parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
        except ValueError as error:
            raise ConformanceError(f"the request's body is no form: {error}") from error
        names = [name for name, _ in pairs]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ConformanceError(f"the request's form says {', '.join(sorted(twice))} more than once")
        return dict(pairs)

    def value(self, place: str, fields: Any) -> object:
        """What stands at a place (see `FieldRule.place`); None where nothing does."""
        if place.startswith("header:"):
            return self.headers.get(place.removeprefix("header:").lower())
        if isinstance(fields, dict) and place in fields:
            return fields[place]
        found = fields
        for step in place.split("."):
            if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            elif isinstance(found, dict):
                found = found.get(step)
            else:
                return None
        return found


@dataclass(slots=True)
class SendAttempt:
    """What became of one send.

    Attributes:
        result: what the adapter said.
        requests: what the server got.
        connections: how many it accepted, requests or none.
        seconds: how long it took.
    """

    result: SendResult
    requests: list[HttpRequest] = field(default_factory=list)
    connections: int = 0
    seconds: float = 0.0


def message(
    probe: ProviderProbe, text: str = TEXT, recipient: str = RECIPIENT, message_id: str = "m-1", attempt: int = 1
) -> Outgoing:
    """What is sent: to somebody who wrote to the sender a moment ago, so that any text may be written to them."""
    fields: dict[str, Any] = {"window_until": time.time() + _DAY} | dict(probe.outgoing)
    return Outgoing(message_id, recipient, text, correlation_id=correlation_of(message_id, 0, attempt), **fields)


@contextmanager
def client(probe: ProviderProbe, url: str, patience: float = PATIENT, connect: float = PATIENT) -> Iterator[Provider]:
    """The adapter's client for a server."""
    made = probe.make_client(ClientSettings(url=url, patience=patience, connect=connect))
    try:
        yield made
    finally:
        made.close()


def attempt(
    probe: ProviderProbe,
    fault: Fault,
    outgoing: Outgoing | None = None,
    *,
    patience: float = PATIENT,
    tls: bool = False,
) -> SendAttempt:
    """Send one message to a server that treats each connection with `fault`.

    Raises:
        ConformanceError: the adapter raised something; it never may.
    """
    with FaultServer(fault) as server:
        url = server.url.replace("http:", "https:") if tls else server.url
        with client(probe, url, patience) as provider:
            start = time.monotonic()
            result = send(provider, outgoing or message(probe))
            seconds = time.monotonic() - start
        return SendAttempt(result, list(map(HttpRequest.read, server.requests)), server.connections, seconds)


def send(provider: Provider, outgoing: Outgoing) -> SendResult:
    """Send; whatever the adapter raises is its fault.

    Raises:
        ConformanceError: it raised something.
    """
    try:
        return provider.send(outgoing)
    except Exception as error:
        raise ConformanceError(f"`send` raised {type(error).__name__}: {error}; it never may") from error
