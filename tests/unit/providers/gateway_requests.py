"""Webhook requests of gateways, signed as they sign them, and what their readers make of them."""

import hmac
import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from antrian.domain.lane import Lane
from antrian.domain.receipt import ProviderEvent, UnreadableReport
from antrian.providers.webhook import WebhookReader, WebhookRequest

SENDER = "628114040707"
SECRET = "k3y-of-the-webhook"
NOW = 1_764_000_000.0

# Names and words that the readers look for, among whatever JSON can hold.
_NAMES = """
    event session payload id ids key from to fromMe is_from_me ack status statuses timestamp body message text device
    device_id token sender stateid state reason receipt_type chat_id from_lid member participant inboxid hasMedia media
    mimetype _data Info SenderAlt location vCards name image type
"""
_WORDS = f"""
    message message.ack message.any session.status WORKING delivered read sent invalid connect disconnect true default
    {SENDER} {SENDER}@c.us 123@lid 1@g.us true_{SENDER}@c.us_3EB0A70123456789ABCDEF 2025-11-24T16:00:00Z
"""
NAMES, WORDS = _NAMES.split(), _WORDS.split()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6),
    max_leaves=20,
)
BODIES = st.binary(max_size=200) | st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8).map(
    lambda fields: json.dumps(fields).encode()
)


@st.composite
def spoiled(draw: st.DrawFn, *bodies: dict[str, Any]) -> bytes:
    """A body of which up to three values, at any depth, are replaced by what JSON can hold besides, or gone."""
    body = json.loads(json.dumps(draw(st.sampled_from(bodies))))
    for _ in range(draw(st.integers(1, 3))):
        parts = list(_parts(body))
        part = draw(st.sampled_from(parts))
        name = draw(st.sampled_from(sorted(part))) if part else draw(st.sampled_from(NAMES))
        if draw(st.integers(0, 4)):
            part[name] = draw(VALUES)
        else:
            part.pop(name, None)
    return json.dumps(body).encode()


def _parts(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _parts(inner)


def lane_of(provider: str, **fields: Any) -> Lane:
    """A lane whose sender is `SENDER`."""
    return Lane(name="default", provider=provider, **({"sender": SENDER} | fields))


def posted(body: bytes | dict[str, Any], **headers: str) -> WebhookRequest:
    """A request with this body; names of headers with `_` for `-`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    by_name = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return WebhookRequest("POST", "https://receipts.example/receipts/default/x", (), by_name, raw)


def signature(body: bytes, algorithm: str, secret: str = SECRET) -> str:
    """The HMAC of a body, as hexadecimal digits."""
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


def told(reader: WebhookReader, body: bytes | dict[str, Any], lane: Lane) -> Sequence[ProviderEvent]:
    """What a reader makes of a body."""
    return tuple(reader.read(posted(body), lane, NOW))


def is_kept(events: Sequence[ProviderEvent]) -> bool:
    """Whether there is nothing but one report that cannot be read."""
    return [type(event) for event in events] == [UnreadableReport]
