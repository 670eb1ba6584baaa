"""Where the webhooks of a sandbox go that stands in for the providers of the lanes."""

from antrian.domain.lane import Lane, Lanes
from antrian.providers.registry import SANDBOX_SENDER
from antrian.providers.webhook import path_secret
from antrian.sandbox.report import WebhookTarget


def webhooks_of(lanes: Lanes, receipts_url: str, public_url: str = "") -> list[WebhookTarget]:
    """The webhooks of every lane that sends to a sandbox, in whatever dialect, and has a webhook secret.

    Args:
        lanes: of the settings.
        receipts_url: base address of the receipts server, where it is called.
        public_url: as it knows itself, `RECEIPTS_PUBLIC_URL`; empty where that is the same.
    """
    served = [lane for lane in lanes.values() if lane.webhook_secrets and (lane.is_sandbox or _speaks_dialect(lane))]
    return [_target(lane, receipts_url, public_url) for lane in served]


def _speaks_dialect(lane: Lane) -> bool:
    return f"/dialect/{lane.provider}" in (lane.url or "")


def _target(lane: Lane, base: str, public_base: str) -> WebhookTarget:
    secret = lane.webhook_secrets[0].get_secret_value()
    path = f"/receipts/{lane.name}/{path_secret(secret, lane.name)}"
    return WebhookTarget(
        base.rstrip("/") + path,
        secret,
        lane.provider,
        _sender(lane),
        account=lane.option("account_sid"),
        own_number="".join(filter(str.isdecimal, lane.sender or "")) or SANDBOX_SENDER,
        public_url=public_base.rstrip("/") + path if public_base else "",
    )


def _sender(lane: Lane) -> str:
    """The sender as the provider's requests name it; empty for any."""
    match lane.provider:
        case "sandbox":
            return lane.sender or SANDBOX_SENDER
        case "meta_cloud":
            return lane.option("phone_number_id")
        case "waha":
            return lane.option("session", "default")
        case "gowa":
            return lane.option("device_id")
        case _:
            return lane.sender or ""
