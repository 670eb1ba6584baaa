"""Which channel provider the settings ask for."""

from collections.abc import Callable

from pydantic import SecretStr

from antrian.domain.errors import SettingsError
from antrian.domain.settings import Settings
from antrian.providers.contract import Provider
from antrian.providers.mpwa import MpwaProvider

#: The sandbox accepts any key and sender, and MPWA's contract demands both.
SANDBOX_KEY = SecretStr("sandbox")
SANDBOX_SENDER = "6281100000000"

_PLANNED = ("fonnte", "meta_cloud", "waha", "twilio")


def make_provider(settings: Settings) -> Provider:
    """Build the provider that `WHATSAPP_PROVIDER` names.

    Raises:
        SettingsError: the name is unknown, or the provider needs variables that are not set; all are named.
    """
    name = settings.whatsapp_provider
    if name in _PROVIDERS:
        return _PROVIDERS[name](settings)
    known = ", ".join(_PROVIDERS)
    if name in _PLANNED:
        raise SettingsError(f"WHATSAPP_PROVIDER: {name} is planned and not implemented yet; known providers: {known}")
    raise SettingsError(f"WHATSAPP_PROVIDER: {name!r} is not known; known providers: {known}")


def _mpwa(settings: Settings) -> MpwaProvider:
    url, key, sender = settings.whatsapp_api_url, settings.whatsapp_api_key, settings.whatsapp_sender
    if url is None or key is None or sender is None:
        needed = {"WHATSAPP_API_URL": url, "WHATSAPP_API_KEY": key, "WHATSAPP_SENDER": sender}
        missing = ", ".join(variable for variable, value in needed.items() if value is None)
        raise SettingsError(f"WHATSAPP_PROVIDER is mpwa, which also needs: {missing}")
    return MpwaProvider(url, key, sender)


def _sandbox(settings: Settings) -> MpwaProvider:
    return MpwaProvider(
        settings.whatsapp_api_url or f"http://127.0.0.1:{settings.sandbox_port}",
        settings.whatsapp_api_key or SANDBOX_KEY,
        settings.whatsapp_sender or SANDBOX_SENDER,
        name="sandbox",
    )


_PROVIDERS: dict[str, Callable[[Settings], Provider]] = {"mpwa": _mpwa, "sandbox": _sandbox}
