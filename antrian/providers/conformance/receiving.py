"""One webhook, proved and read by the adapter; whatever it raises is its fault."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Final
from urllib.parse import urlencode

from antrian.domain.events import Event
from antrian.domain.receipt import (
    LONGEST_RAW,
    DeliveryReceipt,
    ProviderEvent,
    UnreadableReport,
    reported,
)
from antrian.providers.conformance.check import ConformanceError, demand
from antrian.providers.conformance.probe import SECRET, ProviderProbe, WebhookProbe, WebhookSample
from antrian.providers.webhook import WebhookReader, WebhookRequest

#: When the checks take place: a fixed moment, so that nothing depends on the day of a run.
NOW: Final = 1_795_000_000.0
#: Of nobody's webhooks.
OTHER_SECRET: Final = "k1t-webhook-secret-of-another-99"  # noqa: S105 (of no one)
#: The lane's address.
URL: Final = "https://receipts.example.com/receipts/default/0123456789abcdef0123456789abcdef"


def has_webhooks(probe: ProviderProbe) -> bool:
    """Whether it has webhooks."""
    return probe.reader is not None and probe.webhooks is not None


def is_signed(probe: ProviderProbe) -> bool:
    """Whether they are signed."""
    return has_webhooks(probe) and probe.webhooks is not None and probe.webhooks.sign is not None


def is_batched(probe: ProviderProbe) -> bool:
    """Whether several events come in one of them."""
    return has_webhooks(probe) and probe.webhooks is not None and probe.webhooks.batch is not None


def parts_of(probe: ProviderProbe) -> tuple[WebhookReader, WebhookProbe]:
    """The reader and the description of the webhooks.

    Raises:
        ConformanceError: there are none.
    """
    if probe.reader is None or probe.webhooks is None:
        raise ConformanceError("no webhooks are described")
    return probe.reader, probe.webhooks


def request_of(webhooks: WebhookProbe, sample: WebhookSample, secret: str = SECRET) -> WebhookRequest:
    """The request that brings a sample, signed where the provider signs."""
    url = f"{URL}?{urlencode(sample.query)}" if sample.query else URL
    headers = {"content-type": sample.media_type, "content-length": str(len(sample.body)), "user-agent": "provider/1"}
    request = WebhookRequest("POST", url, sample.query, headers, sample.body)
    return webhooks.sign(request, secret) if webhooks.sign else request


def read(probe: ProviderProbe, request: WebhookRequest) -> list[ProviderEvent]:
    """Read a request; whatever is raised is the adapter's fault.

    Raises:
        ConformanceError: something was raised, or what came is not a list of events.
    """
    reader, webhooks = parts_of(probe)
    try:
        events = list(reader.read(request, webhooks.lane, NOW))
    except Exception as error:
        raise ConformanceError(f"`read` raised {type(error).__name__}: {error}; body {request.body[:80]!r}") from error
    for event in events:
        demand(isinstance(event, ProviderEvent), f"`read` gave {type(event).__name__}, which is no event")
        _demand_written_down(event)
        long = len(event.raw) if isinstance(event, UnreadableReport) else 0
        demand(long <= LONGEST_RAW, f"an UnreadableReport keeps {long} characters, and {LONGEST_RAW} are allowed")
    return events


def _demand_written_down(event: ProviderEvent) -> None:
    try:
        written = reported(event, lane="default", provider="x", sender="x", at=NOW, source="x").encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise ConformanceError(f"an event cannot be written as JSON: {type(error).__name__}: {error}") from error
    demand(Event.decode(written), f"an event cannot be read again once it is written: {written[:200]!r}")


def verify(probe: ProviderProbe, request: WebhookRequest, secrets: Sequence[str] = (SECRET,)) -> bool:
    """Ask whether a request is genuine; whatever is raised is the adapter's fault.

    Raises:
        ConformanceError: something was raised.
    """
    reader, webhooks = parts_of(probe)
    try:
        return bool(reader.verify(request, secrets, webhooks.lane, NOW))
    except Exception as error:
        raise ConformanceError(f"`verify` raised {type(error).__name__}: {error}") from error


def with_header(request: WebhookRequest, name: str, value: str | None) -> WebhookRequest:
    """The same request with another header, or without it."""
    headers = {key: said for key, said in request.headers.items() if key != name}
    return replace(request, headers=headers if value is None else headers | {name: value})


def demand_events(found: Sequence[ProviderEvent], wanted: Sequence[ProviderEvent], when: str) -> None:
    """Demand these events, in order; what is left at its default in one is not compared."""
    kinds = [type(event).__name__ for event in found]
    demand([type(event) for event in found] == [type(event) for event in wanted], f"{when!r} tells {kinds}: {found}")
    for one, other in zip(found, wanted, strict=True):
        for part in fields(other):
            value, said = getattr(other, part.name), getattr(one, part.name)
            demand(not value or said == value, f"{when!r}: {part.name} is {said!r}, not {value!r}")


def is_receipt(events: Sequence[ProviderEvent]) -> bool:
    """Whether any of these is a receipt."""
    return any(isinstance(event, DeliveryReceipt) for event in events)
