"""Makes the provider of a lane."""

from collections.abc import Callable, Iterable

from pydantic import SecretStr

from broker.errors import SettingsError
from broker.lane import Lane
from consumer.providers.contract import Provider
from consumer.providers.mpwa import MpwaProvider

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


def check_complete(lanes: Iterable[Lane]) -> None:
    """See that all lanes can send.

    Raises:
        SettingsError: names everything that is missing.
    """
    missing = list(dict.fromkeys(line for lane in lanes for line in lane.missing))
    if missing:
        raise SettingsError(missing[0] if len(missing) == 1 else "\n  ".join(["lanes cannot send:", *missing]))


def _mpwa(lane: Lane, _sandbox_port: int) -> MpwaProvider:
    # The catalog's row of `mpwa` says that all three are needed.
    return MpwaProvider(lane.url or "", lane.key or SecretStr(""), lane.sender or "")


def _sandbox(lane: Lane, sandbox_port: int) -> MpwaProvider:
    return MpwaProvider(
        lane.url or f"http://127.0.0.1:{sandbox_port}",
        lane.key or SANDBOX_KEY,
        lane.sender or SANDBOX_SENDER,
        name="sandbox",
    )


_PROVIDERS: dict[str, Callable[[Lane, int], Provider]] = {"mpwa": _mpwa, "sandbox": _sandbox}
