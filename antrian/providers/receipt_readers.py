"""How the webhooks of each provider are read: one row a provider, for the receipts server."""

from antrian.providers.sandbox.receipts import READER as SANDBOX
from antrian.providers.webhook import WebhookReader

#: By the name in the catalog; a provider that is not here has no webhooks.
READERS: dict[str, WebhookReader] = {
    "sandbox": SANDBOX,
}
