"""Which addresses the server takes webhooks at, and what proves them: made of the lanes, as a value."""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from antrian.domain.lane import VARIABLES, Lane, Lanes
from antrian.domain.provider_catalog import PROVIDERS, ReceiptProof
from antrian.providers.webhook import DEMO_SECRET, WebhookReader, path_secret, weak

#: What every address begins with.
PREFIX: Final = "/receipts/"

#: Providers that sign the address which they called: the server must know it as they do.
SIGN_THEIR_ADDRESS: Final = frozenset({"twilio"})

#: Compared with where there is no such lane, so that an answer takes as long as for a wrong secret.
_NOBODY: Final = (b"0" * 32,)
_PARTS: Final = 2


@dataclass(frozen=True, slots=True)
class LaneWebhook:
    """The webhook of one lane.

    Attributes:
        lane: it.
        reader: of its provider.
        secrets: that count now.
        path_secrets: the last part of its address, one for each secret; the newest last, as they are listed.
    """

    lane: Lane
    reader: WebhookReader
    secrets: tuple[str, ...] = field(repr=False)
    path_secrets: tuple[bytes, ...] = field(repr=False)

    def urls(self, base: str) -> tuple[str, ...]:
        """The addresses at which the provider may call, one for each secret; each is a secret itself."""
        return tuple(f"{base}{PREFIX}{self.lane.name}/{secret.decode()}" for secret in self.path_secrets)


class Webhooks:
    """All webhooks, by their lanes' names; never changed, but replaced as a whole.

    Args:
        lanes: all lanes; those without a webhook secret have no webhook.
        readers: by provider.
    """

    def __init__(self, lanes: Mapping[str, Lane], readers: Mapping[str, WebhookReader]) -> None:
        self.by_lane = {
            name: _webhook(lane, readers[lane.provider])
            for name, lane in lanes.items()
            if lane.webhook_secrets and lane.provider in readers
        }

    def find(self, path: bytes) -> LaneWebhook | None:
        """The webhook at a path; takes as long for an unknown lane as for a wrong secret.

        Args:
            path: as the client wrote it, without the query.
        """
        parts = path.removeprefix(PREFIX.encode()).split(b"/") if path.startswith(PREFIX.encode()) else []
        if len(parts) != _PARTS:
            return None
        webhook = self.by_lane.get(parts[0].decode("latin-1"))
        found = [hmac.compare_digest(secret, parts[1]) for secret in (webhook.path_secrets if webhook else _NOBODY)]
        return webhook if any(found) else None


def _webhook(lane: Lane, reader: WebhookReader) -> LaneWebhook:
    secrets = tuple(secret.get_secret_value() for secret in lane.webhook_secrets)
    paths = tuple(path_secret(secret, lane.name).encode() for secret in secrets)
    return LaneWebhook(lane, reader, secrets, paths)


def why_not(lanes: Lanes, readers: Mapping[str, WebhookReader]) -> tuple[str, ...]:
    """What keeps the server from serving these lanes, a sentence each; no secret is quoted."""
    faults = tuple(fault for lane in lanes.values() for fault in _faults(lane, readers, of_file=bool(lanes.digest)))
    if faults or any(lane.webhook_secrets for lane in lanes.values()):
        return faults
    where = f"webhook_secrets in {lanes.origin}" if lanes.digest else VARIABLES["webhook_secrets"]
    return (f"no lane has a webhook secret: set {where}; `openssl rand -hex 32` makes one",)


def _faults(lane: Lane, readers: Mapping[str, WebhookReader], *, of_file: bool) -> Iterator[str]:
    yield from (line for line in lane.missing if "webhook_secrets_file" in line)
    if not lane.webhook_secrets:
        return
    name = f"[lanes.{lane.name}] webhook_secrets" if of_file else VARIABLES["webhook_secrets"]
    if lane.provider not in readers:
        yield f"{name}: the provider {lane.provider} has no webhooks that can be read"
    elif kind := PROVIDERS.get(lane.provider):
        # Without them nothing that comes could be told to be the lane's.
        missing = list(kind.missing_options(dict(lane.options)))
        if kind.receipts is ReceiptProof.PATH and not lane.sender:
            missing.append("a sender")
        if missing:
            yield f"{name}: to read its webhooks, the provider {lane.provider} also needs {', '.join(missing)}"
    for number, secret in enumerate(lane.webhook_secrets, 1):
        is_demo = lane.is_sandbox and secret.get_secret_value() == DEMO_SECRET
        if not is_demo and (reason := weak(secret.get_secret_value())):
            yield f"{name}: secret {number} {reason}; `openssl rand -hex 32` makes one"
