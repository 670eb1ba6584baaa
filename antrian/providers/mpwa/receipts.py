"""How MPWA's webhook is proved and read: what people write, and nothing else (zymzz-id/MPWA, webhook). Pure.

It is not signed: the server has compared the secret part of the address, and the body must name the lane's own device.
It gives a message no name and no time, so two equal texts cannot be told from one that is repeated.
"""

from collections.abc import Sequence

from antrian.domain.lane import Lane
from antrian.domain.receipt import InboundMessage, ProviderEvent
from antrian.providers.gateway_webhook import (
    LONGEST_TEXT,
    fields_of,
    is_device,
    is_group,
    person_of,
    unreadable,
)
from antrian.providers.json_fields import text
from antrian.providers.webhook import WebhookReader, WebhookRequest


def _verify(request: WebhookRequest, secrets: Sequence[str], lane: Lane, _now: float) -> bool:
    return any(secrets) and is_device(fields_of(request).get("device"), lane.sender)


def _read(request: WebhookRequest, _lane: Lane, _now: float) -> Sequence[ProviderEvent]:
    fields = fields_of(request)
    writer = fields.get("from")
    if fields.get("participant") or is_group(writer):
        return ()
    person = person_of(writer)
    if person is None:
        return (unreadable("is no message of MPWA", fields or request.body),)
    family = text(fields.get("mimetype"), 64).partition("/")[0]
    return (
        InboundMessage(
            recipient=person.recipient,
            text=text(fields.get("message"), LONGEST_TEXT),
            kind=family if family and fields.get("media") else "text",
            identities=person.identities,
        ),
    )


def _no_key(_request: WebhookRequest) -> str:
    """None of its requests is known again: who writes STOP, START and STOP writes the first body twice."""
    return ""


READER = WebhookReader(verify=_verify, read=_read, repeat_key=_no_key)
