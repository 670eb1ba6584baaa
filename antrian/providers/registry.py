"""Makes the provider of a lane."""

from collections.abc import Callable

from pydantic import SecretStr

from antrian.domain.lane import Lane, check_complete
from antrian.domain.provider_catalog import PROVIDERS
from antrian.domain.provider_package import ProviderPackage, ProviderTable, load
from antrian.providers.contract import Provider
from antrian.providers.fonnte.client import FonnteProvider
from antrian.providers.gowa.client import GowaProvider
from antrian.providers.meta_cloud.client import DEFAULT_VERSION, MetaCloudProvider
from antrian.providers.meta_cloud.payload import MetaOptions
from antrian.providers.mpwa.client import MpwaProvider
from antrian.providers.twilio.client import TwilioProvider
from antrian.providers.twilio.payload import TwilioOptions
from antrian.providers.waha.client import WahaProvider

#: The sandbox accepts any key and sender, and MPWA's contract demands both.
SANDBOX_KEY = SecretStr("sandbox")
SANDBOX_SENDER = "6281100000000"


def make_provider(lane: Lane, *, sandbox_port: int) -> Provider:
    """Build the provider that a lane sends with.

    Args:
        lane: says which, and with what.
        sandbox_port: where the sandbox of this machine listens, for a lane that names no other.

    Raises:
        SettingsError: the lane cannot send; see `Lane.missing`.
    """
    check_complete([lane])
    return _PROVIDERS[lane.provider](lane, sandbox_port)


def _address(lane: Lane) -> str:
    return lane.url or PROVIDERS[lane.provider].default_url


def _mpwa(lane: Lane, _sandbox_port: int) -> MpwaProvider:
    # The catalog's row of `mpwa` says that all three are needed.
    return MpwaProvider(lane.url or "", lane.key or SecretStr(""), lane.sender or "")


def _waha(lane: Lane, _sandbox_port: int) -> WahaProvider:
    return WahaProvider(lane.url or "", lane.key or SecretStr(""), lane.option("session"))


def _gowa(lane: Lane, _sandbox_port: int) -> GowaProvider:
    return GowaProvider(lane.url or "", lane.key or SecretStr(""), lane.option("device_id"))


def _fonnte(lane: Lane, _sandbox_port: int) -> FonnteProvider:
    return FonnteProvider(lane.key or SecretStr(""), _address(lane))


def _sandbox(lane: Lane, sandbox_port: int) -> MpwaProvider:
    return MpwaProvider(
        lane.url or f"http://127.0.0.1:{sandbox_port}",
        lane.key or SANDBOX_KEY,
        lane.sender or SANDBOX_SENDER,
        name="sandbox",
        echoes_id=True,
    )


def _meta_cloud(lane: Lane, _sandbox_port: int) -> MetaCloudProvider:
    return MetaCloudProvider(
        _address(lane),
        lane.key or SecretStr(""),
        lane.option("phone_number_id"),
        MetaOptions.of(lane),
        version=lane.option("api_version") or DEFAULT_VERSION,
    )


def _twilio(lane: Lane, _sandbox_port: int) -> TwilioProvider:
    return TwilioProvider(
        _address(lane),
        lane.key or SecretStr(""),
        lane.option("account_sid"),
        TwilioOptions.of(lane),
        api_key_sid=lane.option("api_key_sid"),
    )


def _of_package(package: ProviderPackage) -> Callable[[Lane, int], Provider]:
    make: Callable[[Lane], Provider] = load(package.client)
    return lambda lane, _sandbox_port: make(lane)


_PROVIDERS: ProviderTable[Callable[[Lane, int], Provider]] = ProviderTable(
    {
        "mpwa": _mpwa,
        "waha": _waha,
        "gowa": _gowa,
        "fonnte": _fonnte,
        "sandbox": _sandbox,
        "meta_cloud": _meta_cloud,
        "twilio": _twilio,
    },
    _of_package,
)
