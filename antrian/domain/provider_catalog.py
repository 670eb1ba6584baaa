"""Which providers there are and what a lane must say about each: one row a provider.

The adapters themselves live elsewhere and are imported by the consumer only; every process must be able to check a
lane, so what is checked stands here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from antrian.domain.suggestion import did_you_mean


class ReceiptProof(StrEnum):
    """What proves that a webhook comes from the provider."""

    #: Its body is signed with the lane's `webhook_secrets`.
    SIGNATURE = "signature"
    #: Nothing but the secret part of its address, and that it names the lane's own device.
    PATH = "path"


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """One provider.

    Attributes:
        name: as `provider = "…"` and `WHATSAPP_PROVIDER` name it.
        title: as people call it.
        needs: fields of a lane without which it cannot send, of `url`, `key` and `sender`.
        options: names of the options that it knows; None where it takes any.
        needs_options: those of them without which it cannot send.
        receipts: what proves its webhooks.
        tells: how far its receipts can follow a message: the highest status; empty where it tells nothing of messages.
        echoes_id: whether it gives our name for an attempt back with its receipts, so that an attempt without an answer
            can be settled.
        is_sandbox: whether it stands in for a provider: nothing reaches WhatsApp.
    """

    name: str
    title: str
    needs: tuple[str, ...] = ("url", "key", "sender")
    options: frozenset[str] | None = frozenset()
    needs_options: tuple[str, ...] = ()
    receipts: ReceiptProof = ReceiptProof.SIGNATURE
    tells: Literal["", "sent", "delivered", "read"] = "read"
    echoes_id: bool = False
    is_sandbox: bool = False


#: Every provider that can be used.
PROVIDERS = {
    kind.name: kind
    for kind in (
        ProviderKind("mpwa", "MPWA", receipts=ReceiptProof.PATH, tells=""),
        ProviderKind("waha", "WAHA", options=frozenset({"session"}), echoes_id=True),
        ProviderKind("gowa", "GOWA", options=frozenset({"device_id"})),
        ProviderKind("fonnte", "Fonnte", needs=("key", "sender"), receipts=ReceiptProof.PATH),
        # It accepts any key and sender, and answers for every provider.
        ProviderKind("sandbox", "Sandbox", needs=(), options=None, echoes_id=True, is_sandbox=True),
    )
}

#: Named in advance, so that a lane that asks for one is told what is the matter.
_PLANNED = ("meta_cloud", "twilio")


def why_unknown(provider: str) -> str:
    """Why this name cannot be used, in one phrase; empty where it can."""
    known = ", ".join(PROVIDERS)
    if provider in PROVIDERS:
        return ""
    if provider in _PLANNED:
        return f"{provider} is planned and not implemented yet; known providers: {known}"
    return f"{provider!r} is not known{did_you_mean(provider, PROVIDERS)}; known providers: {known}"
