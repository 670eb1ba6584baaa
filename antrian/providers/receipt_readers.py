"""How the webhooks of each provider are read: one row a provider, for the receipts server."""

from antrian.providers.meta_cloud.receipts import READER as META_CLOUD
from antrian.providers.sandbox.receipts import READER as SANDBOX
from antrian.providers.twilio.receipts import READER as TWILIO
from antrian.providers.waha import receipts as waha
from antrian.providers.webhook import WebhookReader

#: By the name in the catalog; a provider that is not here has no webhooks.
READERS: dict[str, WebhookReader] = {
    "waha": waha.READER,
    "meta_cloud": META_CLOUD,
    "twilio": TWILIO,
    "sandbox": SANDBOX,
}
