"""A provider of the tests' own for the receipts server: signs as Meta does, and says what it means without ado.

Its body is `{"told": [{"kind": "status", …} | {"kind": "inbound", …}]}`; whatever else is in it cannot be read.
"""

import hmac
import json
from collections.abc import Sequence
from typing import Any

from antrian.domain.lane import Lane
from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ProviderEvent, ReceiptStatus, UnreadableReport
from antrian.providers.webhook import WebhookReader, WebhookRequest, is_signed, path_secret

SIGNATURE = "x-hub-signature-256"
SECRET = "a-secret-of-the-tests"


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a request with this body."""
    digest = hmac.digest(secret.encode(), body, "sha256").hex()
    return {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}


def status_body(*provider_ids: str, status: str = "delivered", **more: Any) -> bytes:
    told = [{"kind": "status", "status": status, "provider_id": one, **more} for one in provider_ids]
    return json.dumps({"told": told}).encode()


def inbound_body(recipient: str, text: str, **more: Any) -> bytes:
    return json.dumps({"told": [{"kind": "inbound", "recipient": recipient, "text": text, **more}]}).encode()


def path(lane: str = "default", secret: str = SECRET) -> str:
    return f"/receipts/{lane}/{path_secret(secret, lane)}"


def _verify(request: WebhookRequest, secrets: Sequence[str], _lane: Lane, _now: float) -> bool:
    kind, _, signature = request.header(SIGNATURE).partition("=")
    return kind == "sha256" and is_signed(request.body, signature, secrets, "sha256")


def _read(request: WebhookRequest, _lane: Lane, _now: float) -> Sequence[ProviderEvent]:
    try:
        parts = json.loads(request.body)["told"]
        return [_part(one) for one in parts]
    except (ValueError, TypeError, KeyError, RecursionError):
        return [UnreadableReport(reason="it is no report", raw=request.body[:2000].decode("utf-8", "replace"))]


def _part(part: Any) -> ProviderEvent:
    try:
        kind, about = part["kind"], {name: value for name, value in part.items() if name != "kind"}
        if kind == "status":
            return DeliveryReceipt(**about | {"status": ReceiptStatus(about["status"])})
        return InboundMessage(**about)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return UnreadableReport(reason=type(error).__name__, raw=json.dumps(part)[:2000])


def _challenge(request: WebhookRequest, secrets: Sequence[str], _lane: Lane) -> str | None:
    asked = dict(request.query)
    known = [hmac.compare_digest(secret.encode(), asked.get("hub.verify_token", "").encode()) for secret in secrets]
    return asked.get("hub.challenge") if any(known) and asked.get("hub.mode") == "subscribe" else None


READER = WebhookReader(verify=_verify, read=_read, challenge=_challenge)
