"""Where the webhooks of a sandbox go that stands in for the providers of the lanes."""

from collections.abc import Iterator

from antrian.domain.lane import Lane, Lanes
from antrian.providers.registry import SANDBOX_SENDER
from antrian.providers.webhook import path_secret
from antrian.sandbox.report import WebhookTarget


def webhooks_of(lanes: Lanes, receipts_url: str) -> list[WebhookTarget]:
    """The webhooks of every lane that sends to a sandbox and has a webhook secret.

    Args:
        lanes: of the settings.
        receipts_url: base address of the receipts server.
    """
    return [target for lane in lanes.values() for target in _of(lane, receipts_url.rstrip("/"))]


def _of(lane: Lane, base: str) -> Iterator[WebhookTarget]:
    if not lane.webhook_secrets or not lane.is_sandbox:
        return
    secret = lane.webhook_secrets[0].get_secret_value()
    url = f"{base}/receipts/{lane.name}/{path_secret(secret, lane.name)}"
    yield WebhookTarget(url, secret, lane.provider, lane.sender or SANDBOX_SENDER)
