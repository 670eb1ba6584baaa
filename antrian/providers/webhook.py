"""What the receipts server and the providers' adapters agree on: a request in, what it tells out. No I/O.

Each adapter has a `receipts.py` with one `WebhookReader`, listed in `antrian.providers.receipt_readers`. The server has
compared the secret part of the address before, and asks `verify` with every secret that the lane has now, so that one
can be replaced without losing a receipt. `read` is asked only when `verify` said yes, and never raises: what it cannot
read is an `UnreadableReport`, and the other parts of the same request count.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from antrian.domain.lane import Lane
from antrian.domain.receipt import ProviderEvent

#: What docker-compose.yml has where nobody chose one: good for the sandbox alone, of which nothing is real.
DEMO_SECRET = "antrian-demo-secret"  # noqa: S105 (everyone may know it)

#: Secrets that everyone knows: a server with one of them does not start.
WELL_KNOWN_SECRETS = frozenset(
    {"secret", "changeme", "change-me", "password", "webhook-secret", "my-secret-key", "12345678", "123456789"}
) | {DEMO_SECRET}

#: Characters of a webhook secret at least.
SHORTEST_SECRET = 8


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request as it came.

    Attributes:
        method: `GET` or `POST`.
        url: the whole public address that the provider called, from `RECEIPTS_PUBLIC_URL` and the path and query of the
            request: never from what a proxy says.
        query: the query's pairs, decoded, in their order.
        headers: by lower-case name; of several with one name the first.
        body: the raw bytes.
    """

    method: str
    # All else holds secrets, numbers and texts.
    url: str = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """A header's value; empty where there is none."""
        return self.headers.get(name.lower(), "")

    @property
    def content_type(self) -> str:
        """The media type, lower-case, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()


def _no_challenge(_request: WebhookRequest, _secrets: Sequence[str], _lane: Lane) -> str | None:
    return None


def _digest_of_body(request: WebhookRequest) -> str:
    return hashlib.sha256(request.body).hexdigest()


@dataclass(frozen=True, slots=True)
class WebhookReader:
    """How one provider's webhooks are proved and read; pure functions.

    Attributes:
        verify: whether the request is the provider's: (request, the lane's secrets, lane, now in unix seconds).
            Compares in constant time, over the raw body.
        read: what it tells, in its order: (request, lane, now). Never raises.
        challenge: what a GET that proves the address is answered, as plain text; None refuses it.
        repeat_key: a name that is the same when the provider sends the same request again, and which it signs or which
            follows from what it signs; empty where there is none. For the replay guard.
        content_types: of its POST requests, lower-case; others are refused (415). None named: any.
    """

    verify: Callable[[WebhookRequest, Sequence[str], Lane, float], bool]
    read: Callable[[WebhookRequest, Lane, float], Sequence[ProviderEvent]]
    challenge: Callable[[WebhookRequest, Sequence[str], Lane], str | None] = field(default=_no_challenge)
    repeat_key: Callable[[WebhookRequest], str] = field(default=_digest_of_body)
    content_types: frozenset[str] = frozenset()


def path_secret(secret: str, lane: str) -> str:
    """The secret part of a lane's webhook address: follows from its webhook secret, so nothing more must be kept."""
    return hmac.digest(secret.encode(), f"antrian receipts {lane}".encode(), "sha256").hex()[:32]


def is_signed(
    body: bytes, signature: str, secrets: Sequence[str], algorithm: str, encode: Callable[[bytes], str] = bytes.hex
) -> bool:
    """Whether the signature is the body's HMAC with one of the secrets; compared in constant time.

    Args:
        body: what is signed.
        signature: as the provider wrote it, without a prefix.
        secrets: those that count; an empty one never does.
        algorithm: of `hashlib`.
        encode: how the provider writes the digest.
    """
    given = signature.strip().encode("utf-8", "surrogatepass")
    found = [
        hmac.compare_digest(encode(hmac.digest(secret.encode(), body, algorithm)).encode(), given)
        for secret in secrets
        if secret
    ]
    return any(found)


def weak(secret: str) -> str:
    """Why a webhook secret must not be used, in one phrase; empty where it may."""
    if secret.strip().casefold() in WELL_KNOWN_SECRETS:
        return "is a word that everyone knows"
    return "" if len(secret.strip()) >= SHORTEST_SECRET else f"is shorter than {SHORTEST_SECRET} characters"
