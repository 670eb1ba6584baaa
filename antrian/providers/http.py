"""One request over HTTP and what became of it: the only place that knows the exceptions of `requests`.

A POST that failed either surely never left, or may have been acted upon. Exception types do not tell the two apart
(urllib3 reports a TLS error in the middle of an answer exactly like a failed handshake), so the request's body
remembers whether the connection ever asked for it: a server cannot act on a body of which it has not seen a byte.
"""

import io
import ipaddress
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3

from antrian.domain.failure_class import FailureClass
from antrian.domain.metric import our_version
from antrian.providers.contract import Failed

#: Bytes of an answer that are kept. MPWA repeats the message in its answer, up to twelve bytes per character.
ANSWER_LIMIT = 2 * 1024 * 1024

#: Seconds; a longer `Retry-After` is cut to this, so that one wrong header cannot stop a lane for days.
LONGEST_RETRY_AFTER = 3600.0

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    # Meta's own description of its API demands a name and a version.
    "User-Agent": f"antrian/{our_version()}",
    # The server would close a kept connection during the pause, and a send into a closed one is an uncertain one.
    "Connection": "close",
}

_NEVER_LEFT = {
    "connect-timeout": "the provider could not be reached in time",
    "unknown-host": "the provider's host name cannot be resolved",
    "refused": "nothing is listening at the provider's address",
    "tls": "the provider's TLS handshake or certificate failed",
    "proxy": "the HTTP proxy cannot be reached, or refused the connection",
    "bad-address": "the provider's address is not a valid URL",
    "not-connected": "the connection broke before the request was sent",
}
_MAY_HAVE_LEFT = {
    "no-answer": "the request was sent, but no complete answer came in time",
    "connection-lost": "the request was sent, but the connection broke before the whole answer came",
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for a connection, for each piece of the answer, for the answer's whole body."""

    connect: float = 5.0
    read: float = 30.0
    body: float = 60.0


DEFAULT_TIMEOUTS = Timeouts()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Args:
        status: the HTTP status, redirects included (they are not followed).
        body: at most `ANSWER_LIMIT` bytes.
        retry_after: seconds, from the header of that name.
    """

    status: int
    body: bytes
    retry_after: float | None = None


class Body(io.BytesIO):
    """A request's body that remembers whether any of it was handed out."""

    begun = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Hand out bytes; from now on the request may have been acted upon."""
        self.begun = True
        return super().read(size)


def post_json(
    url: str, payload: Mapping[str, object], timeouts: Timeouts, headers: Mapping[str, str] | None = None
) -> Answer | Failed:
    """POST JSON once; see `request`."""
    content_type = {"Content-Type": "application/json"}
    return request("POST", url, timeouts, {**content_type, **(headers or {})}, json.dumps(payload).encode("ascii"))


def post_form(
    url: str, fields: Mapping[str, str], timeouts: Timeouts, headers: Mapping[str, str] | None = None
) -> Answer | Failed:
    """POST a form once; see `request`."""
    content_type = {"Content-Type": "application/x-www-form-urlencoded"}
    return request("POST", url, timeouts, {**content_type, **(headers or {})}, urlencode(fields).encode("ascii"))


def get(url: str, timeouts: Timeouts, headers: Mapping[str, str] | None = None) -> Answer | Failed:
    """GET once; see `request`."""
    return request("GET", url, timeouts, headers or {})


def request(
    method: str, url: str, timeouts: Timeouts, headers: Mapping[str, str], content: bytes | None = None
) -> Answer | Failed:
    """Make one request, over a connection of its own, without retries and without following redirects.

    Args:
        method: of HTTP.
        url: the whole address.
        timeouts: how long to wait.
        headers: on top of `HEADERS`.
        content: the body; None for none.

    Returns:
        the answer, whatever its status, or what the network did instead. Nothing is raised for either.
    """
    body = None if content is None else Body(content)
    try:
        with requests.Session() as session:
            # Proxies and certificates of the environment are for the world outside, never for this machine. Nor is a
            # password from a .netrc ours to send.
            session.trust_env = not is_loopback(url)
            session.auth = _no_auth
            wanted = requests.Request(method, url, {**HEADERS, **headers}, data=body)
            return _exchange(session, wanted, timeouts)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        return failure_of(error, begun=body is not None and body.begun)


def _no_auth(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def failure_of(error: Exception, *, begun: bool) -> Failed:
    """Say what a network error means for the message; `begun` says whether its bytes began to leave."""
    if begun:
        code = "no-answer" if _is_time_out(error) else "connection-lost"
        return Failed(FailureClass.UNCERTAIN, code, _MAY_HAVE_LEFT[code])
    code = _why_not_connected(error)
    return Failed(FailureClass.UNAVAILABLE, code, _NEVER_LEFT[code])


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header (RFC 9110 §10.2.3): seconds from `now`, 0 to `LONGEST_RETRY_AFTER`, or None."""
    if value is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,300}(\.[0-9]*)?\s*", value):
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def is_loopback(url: str) -> bool:
    """Whether an address leads nowhere but to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _exchange(session: requests.Session, wanted: requests.Request, timeouts: Timeouts) -> Answer:
    with session.request(
        str(wanted.method),
        str(wanted.url),
        data=wanted.data,
        headers=wanted.headers,
        timeout=(timeouts.connect, timeouts.read),
        allow_redirects=False,
        stream=True,
    ) as response:
        return Answer(
            response.status_code,
            _read(response.raw, time.monotonic() + timeouts.body),
            parse_retry_after(response.headers.get("Retry-After"), datetime.now(UTC)),
        )


def _read(raw: Any, deadline: float) -> bytes:
    # Piece by piece: the read time-out starts again with every piece, so a dripping server could hold us for days.
    body = bytearray()
    while len(body) < ANSWER_LIMIT and (piece := raw.read1(65536, decode_content=True)):
        body += piece
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body[:ANSWER_LIMIT])


def _is_time_out(error: Exception) -> bool:
    # Headers that are followed by a stalled body raise a plain `ConnectionError` around the `ReadTimeoutError`.
    return isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError) or isinstance(
        _reason(error), urllib3.exceptions.TimeoutError
    )


def _why_not_connected(error: Exception) -> str:
    reasons: dict[str, tuple[type[Exception], ...]] = {
        "connect-timeout": (requests.ConnectTimeout,),
        "proxy": (requests.exceptions.ProxyError,),
        "tls": (requests.exceptions.SSLError,),
        "unknown-host": (urllib3.exceptions.NameResolutionError,),
        "refused": (urllib3.exceptions.NewConnectionError,),
        "bad-address": (ValueError,),  # `requests` gives its InvalidURL and its kin this second base
    }
    for code, kinds in reasons.items():
        if isinstance(error, kinds) or isinstance(_reason(error), kinds):
            return code
    return "not-connected"


def _reason(error: Exception) -> object:
    wrapped = error.args[0] if error.args else None
    return wrapped.reason if isinstance(wrapped, urllib3.exceptions.MaxRetryError) else wrapped
