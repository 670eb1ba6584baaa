"""Where the webhooks of a sandbox go that stands in for the providers of the lanes."""

from collections import Counter
from typing import Final

from antrian.domain.lane import Lane, Lanes
from antrian.providers.registry import SANDBOX_SENDER
from antrian.providers.webhook import path_secret
from antrian.sandbox.report import WebhookTarget

#: Options by which a provider names the sender in its requests.
_SENDER_OPTIONS: Final = ("phone_number_id", "session", "device_id")


def webhooks_of(lanes: Lanes, receipts_url: str) -> list[WebhookTarget]:
    """The webhooks of every lane that sends to a sandbox, in whatever dialect, and has a webhook secret.

    Args:
        lanes: of the settings.
        receipts_url: base address of the receipts server.
    """
    served = [lane for lane in lanes.values() if lane.webhook_secrets and (lane.is_sandbox or _speaks_dialect(lane))]
    lanes_of_provider = Counter(lane.provider for lane in served)
    base = receipts_url.rstrip("/")
    return [_target(lane, base, is_only=lanes_of_provider[lane.provider] == 1) for lane in served]


def _speaks_dialect(lane: Lane) -> bool:
    return f"/dialect/{lane.provider}" in (lane.url or "")


def _target(lane: Lane, base: str, *, is_only: bool) -> WebhookTarget:
    secret = lane.webhook_secrets[0].get_secret_value()
    url = f"{base}/receipts/{lane.name}/{path_secret(secret, lane.name)}"
    return WebhookTarget(url, secret, lane.provider, "" if is_only else _sender(lane))


def _sender(lane: Lane) -> str:
    named = next(filter(None, map(lane.option, _SENDER_OPTIONS)), "")
    return SANDBOX_SENDER if lane.is_sandbox and not lane.sender else named or lane.sender or ""
