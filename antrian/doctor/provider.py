"""Whether the provider can be reached. Nothing is sent: its front door is looked at, and its certificate."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3

from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.domain.errors import SettingsError
from antrian.domain.human_time import rough_duration
from antrian.domain.lane import Lane, check_complete
from antrian.domain.provider_catalog import PROVIDERS
from antrian.domain.settings import Settings
from antrian.providers.http import failure_of, is_loopback

SUBJECT = "provider"

_TIMEOUT = 5.0
_DAY = 86_400.0
#: A certificate that ends within so many seconds should have been renewed already.
_RENEW_BEFORE = 14 * _DAY
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What a look at the provider's address tells.

    Attributes:
        name: the adapter's.
        where: host and port.
        trouble: why it cannot be reached; empty when it can.
        status: of its answer, whatever was asked; 0 without one.
        ahead: seconds that our clock is ahead of its clock; None when it does not say.
        certificate_ends_in: seconds; None without TLS, or when it was not seen.
    """

    name: str
    where: str
    trouble: str = ""
    status: int = 0
    ahead: float | None = None
    certificate_ends_in: float | None = None


def check(facts: ProviderFacts) -> Iterator[Finding]:
    """What that means."""
    if facts.trouble:
        yield problem(
            SUBJECT,
            f"The provider {facts.name} at {facts.where} cannot be reached: {facts.trouble}.",
            "Check its address, the network, and the provider. Until then the lane waits, and no message is lost.",
        )
    elif facts.status >= _SERVER_ERROR:
        yield warning(
            SUBJECT,
            f"The provider {facts.name} at {facts.where} answers with HTTP {facts.status}.",
            "Look at the provider's own status page.",
        )
    else:
        yield ok(SUBJECT, f"The provider {facts.name} answers at {facts.where}.")
    ends_in = facts.certificate_ends_in
    if ends_in is not None and ends_in < _RENEW_BEFORE:
        yield warning(
            SUBJECT,
            f"The provider's certificate ends in {rough_duration(max(0.0, ends_in))}.",
            "Ask the provider to renew it: afterwards nothing can be sent.",
        )


def check_settings(settings: Settings) -> Finding | None:
    """The finding when a lane's provider cannot even be made; None when it can."""
    try:
        check_complete(settings.lanes.values())
    except SettingsError as error:
        return problem(SUBJECT, f"{error}.", "Set what is missing; docs/reference/settings.md explains each variable.")
    return None


def addresses(settings: Settings) -> dict[str, Lane]:
    """Where the lanes send to: each address once, with a lane that sends there."""
    sandbox = f"http://127.0.0.1:{settings.sandbox_port}"
    return {
        lane.url or (sandbox if lane.is_sandbox else PROVIDERS[lane.provider].default_url): lane
        for lane in reversed(tuple(settings.lanes.values()))
    }


def look(name: str, url: str, *, is_sandbox: bool = False) -> ProviderFacts:
    """Knock at a provider's address, without key and without message.

    Args:
        name: of the provider.
        url: its address.
        is_sandbox: whether it answers as the sandbox does.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    where = f"{parts.hostname}:{port}"
    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(url)
            path = "/healthz" if is_sandbox else "/"
            answer = session.get(f"{url}{path}", timeout=_TIMEOUT, allow_redirects=False, stream=True)
            answer.close()
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        return ProviderFacts(name, where, failure_of(error, begun=False).detail)
    ends_in = _certificate_ends_in(parts.hostname or "", port) if parts.scheme == "https" else None
    ahead = seconds_ahead(answer.headers.get("Date"), datetime.now(UTC))
    return ProviderFacts(name, where, "", answer.status_code, ahead, ends_in)


def seconds_ahead(date: str | None, now: datetime) -> float | None:
    """How far `now` is ahead of an HTTP `Date`, to a second, which is as exactly as the header says it; or None."""
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    difference = (now - (there if there.tzinfo else there.replace(tzinfo=UTC))).total_seconds()
    # The header leaves out the part of the second.
    return difference - min(max(difference, 0.0), 1.0)


def _certificate_ends_in(host: str, port: int) -> float | None:
    # Behind a proxy there may be no direct route; then it is not known.
    with (
        suppress(OSError, ValueError),
        socket.create_connection((host, port), _TIMEOUT) as plain,
        ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure,
    ):
        certificate = secure.getpeercert() or {}
        return ssl.cert_time_to_seconds(str(certificate["notAfter"])) - datetime.now(UTC).timestamp()
    return None
