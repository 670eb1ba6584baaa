"""How the webhooks of each provider are read: one row a provider, for the receipts server."""

from antrian.providers.fonnte import receipts as fonnte
from antrian.providers.gowa import receipts as gowa
from antrian.providers.meta_cloud.receipts import READER as META_CLOUD
from antrian.providers.mpwa import receipts as mpwa
from antrian.providers.sandbox.receipts import READER as SANDBOX
from antrian.providers.twilio.receipts import READER as TWILIO
from antrian.providers.waha import receipts as waha
from antrian.providers.webhook import WebhookReader

#: By the name in the catalog; a provider that is not here has no webhooks.
READERS: dict[str, WebhookReader] = {
    "mpwa": mpwa.READER,
    "waha": waha.READER,
    "gowa": gowa.READER,
    "fonnte": fonnte.READER,
    "meta_cloud": META_CLOUD,
    "twilio": TWILIO,
    "sandbox": SANDBOX,
}
