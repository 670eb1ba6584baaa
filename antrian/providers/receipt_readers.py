"""How the webhooks of each provider are read: one row a provider, for the receipts server."""

from antrian.domain.errors import SettingsError
from antrian.domain.provider_package import ProviderPackage, ProviderTable, load
from antrian.providers.fonnte import receipts as fonnte
from antrian.providers.gowa import receipts as gowa
from antrian.providers.meta_cloud.receipts import READER as META_CLOUD
from antrian.providers.mpwa import receipts as mpwa
from antrian.providers.sandbox.receipts import READER as SANDBOX
from antrian.providers.twilio.receipts import READER as TWILIO
from antrian.providers.waha import receipts as waha
from antrian.providers.webhook import WebhookReader


def _of_package(package: ProviderPackage) -> WebhookReader | None:
    found = load(package.reader) if package.reader else None
    if found is not None and not isinstance(found, WebhookReader):
        raise SettingsError(f"provider {package.kind.name}: {package.reader} is no WebhookReader")
    return found


#: By the name in the catalog; a provider that is not here has no webhooks.
READERS: ProviderTable[WebhookReader] = ProviderTable(
    {
        "mpwa": mpwa.READER,
        "waha": waha.READER,
        "gowa": gowa.READER,
        "fonnte": fonnte.READER,
        "meta_cloud": META_CLOUD,
        "twilio": TWILIO,
        "sandbox": SANDBOX,
    },
    _of_package,
)
