"""Which providers there are and what a lane must say about each: one row a provider.

The adapters themselves live elsewhere and are imported by the consumer only; every process must be able to check a
lane, so what is checked stands here.
"""

from dataclasses import dataclass

from antrian.domain.suggestion import did_you_mean


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """One provider.

    Attributes:
        name: as `provider = "…"` and `WHATSAPP_PROVIDER` name it.
        needs: fields of a lane without which it cannot send, of `url`, `key` and `sender`.
        options: names of the options that it knows; None where it takes any.
        is_sandbox: whether it stands in for a provider: nothing reaches WhatsApp.
    """

    name: str
    needs: tuple[str, ...] = ("url", "key", "sender")
    options: frozenset[str] | None = frozenset()
    is_sandbox: bool = False


#: Every provider that can be used.
PROVIDERS = {
    kind.name: kind
    for kind in (
        ProviderKind("mpwa"),
        # It accepts any key and sender, and answers for every provider.
        ProviderKind("sandbox", needs=(), options=None, is_sandbox=True),
    )
}

_PLANNED = ("fonnte", "meta_cloud", "waha", "gowa", "twilio")


def why_unknown(provider: str) -> str:
    """Why this name cannot be used, in one phrase; empty where it can."""
    known = ", ".join(PROVIDERS)
    if provider in PROVIDERS:
        return ""
    if provider in _PLANNED:
        return f"{provider} is planned and not implemented yet; known providers: {known}"
    return f"{provider!r} is not known{did_you_mean(provider, PROVIDERS)}; known providers: {known}"
