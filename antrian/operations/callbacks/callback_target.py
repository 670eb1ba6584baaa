"""Whom callbacks go to, as the settings say; no I/O."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from antrian.domain.errors import SettingsError
from antrian.domain.settings import Settings
from antrian.domain.web_address import web_address
from antrian.operations.callbacks.standard_webhooks import read_secret

#: Whom messages of people go to; no publishing service has an empty name.
OWNER = ""

#: Ends of names that no public server has.
_PRIVATE_ENDS = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc", ".test")


@dataclass(frozen=True, slots=True)
class CallbackTargets:
    """Addresses, and what callbacks are signed with.

    Attributes:
        urls: by publishing service; `OWNER` for the messages of people.
        keys: every current one.
    """

    urls: Mapping[str, str] = field(default_factory=dict, repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def sources(self) -> frozenset[str]:
        """The publishing services that are told how their messages fare."""
        return frozenset(self.urls) - {OWNER}

    @classmethod
    def of(cls, settings: Settings) -> "CallbackTargets":
        """The targets of some settings.

        Raises:
            SettingsError: an address or a secret is wrong, or missing; names every fault.
        """
        problems: list[str] = []
        urls = (
            {} if settings.callback_url is None else {OWNER: _checked(settings.callback_url, "CALLBACK_URL", problems)}
        )
        for source, url in settings.callback_sources.items():
            urls[source] = _checked(url, f"CALLBACK_SOURCES: {source}", problems)
        keys = _keys(settings, problems) if urls else ()
        if problems:
            raise SettingsError("wrong settings:\n" + "\n".join(f"  {problem}" for problem in problems))
        return cls(urls, keys)


def _checked(url: str, what: str, problems: list[str]) -> str:
    try:
        address = web_address(url)
    except ValueError as error:
        problems.append(f"{what}: {error}")
        return url
    if urlsplit(address).scheme == "http" and not _is_private(urlsplit(address).hostname or ""):
        problems.append(f"{what}: must begin with https:// unless it is in the private network: it names people")
    return address


def _is_private(host: str) -> bool:
    """Whether a host is this machine or one of the own network, by its name alone."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_ENDS)
    return address.is_loopback or address.is_private


def _keys(settings: Settings, problems: list[str]) -> tuple[bytes, ...]:
    written = settings.callback_secret.get_secret_value() if settings.callback_secret else ""
    secrets = [one.strip() for one in written.split(",") if one.strip()]
    if not secrets:
        problems.append("CALLBACK_SECRET: is needed to sign callbacks, such as whsec_… with the base64 of 32 bytes")
    keys = []
    for secret in secrets:
        try:
            keys.append(read_secret(secret))
        except ValueError as error:
            problems.append(f"CALLBACK_SECRET: {error}")
    return tuple(keys)
