"""Which providers there are and what a lane must say about each: one row a provider.

The adapters themselves live elsewhere and are imported by the consumer only; every process must be able to check a
lane, so what is checked stands here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from antrian.domain.provider_package import ProviderTable, installed_names
from antrian.domain.suggestion import did_you_mean
from antrian.domain.web_address import web_address


class ReceiptProof(StrEnum):
    """What proves that a webhook comes from the provider."""

    #: Its body is signed with the lane's `webhook_secrets`.
    SIGNATURE = "signature"
    #: Nothing but the secret part of its address, and that it names the lane's own device.
    PATH = "path"


@dataclass(frozen=True, slots=True)
class OptionRule:
    """What the value of an option must be, where a wrong one would fail every message.

    Attributes:
        name: of the option.
        is_sound: whether a value may be used.
        words: what it must be, to follow "must be".
    """

    name: str
    is_sound: Callable[[str], object]
    words: str


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """One provider.

    Attributes:
        name: as `provider = "…"` and `WHATSAPP_PROVIDER` name it.
        title: as people call it.
        default_url: the provider's own address, for a lane that names none; empty where each has its own.
        needs: fields of a lane without which it cannot send, of `url`, `key` and `sender`.
        options: names of the options that it knows; None where it takes any.
        needs_options: those of them without which it cannot send.
        option_rules: what their values must be.
        sender_option: the option that names the sender to the provider; empty where that is the lane's `sender`.
        receipts: what proves its webhooks.
        tells: how far its receipts can follow a message: the highest status; empty where it tells nothing of messages.
        echoes_id: whether it gives our name for an attempt back with its receipts, so that an attempt without an answer
            can be settled.
        has_window: whether it may send other messages to a person who wrote to the sender within a day, or knows people
            by names of its own: then it is told both with each message.
        is_sandbox: whether it stands in for a provider: nothing reaches WhatsApp.
    """

    name: str
    title: str
    default_url: str = ""
    needs: tuple[str, ...] = ("url", "key", "sender")
    options: frozenset[str] | None = frozenset()
    needs_options: tuple[str, ...] = ()
    option_rules: tuple[OptionRule, ...] = ()
    sender_option: str = ""
    receipts: ReceiptProof = ReceiptProof.SIGNATURE
    tells: Literal["", "sent", "delivered", "read"] = "read"
    echoes_id: bool = False
    has_window: bool = False
    is_sandbox: bool = False

    def missing_options(self, options: Mapping[str, str]) -> tuple[str, ...]:
        """The options without which it cannot send, and that are not there or empty."""
        return tuple(name for name in self.needs_options if not options.get(name))

    def wrong_options(self, options: Mapping[str, str]) -> Iterator[str]:
        """What is wrong with the options that are there, a phrase each; no value is quoted, for it may be a secret."""
        for rule in self.option_rules:
            if (value := options.get(rule.name)) and not rule.is_sound(value):
                yield f"{rule.name} must be {rule.words}"


def _like(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.ASCII).fullmatch


def _is_ttl(value: str) -> bool:
    return re.fullmatch(r"[0-9]{2,5}", value) is not None and SHORTEST_TTL <= int(value) <= LONGEST_TTL


def _is_address(value: str) -> bool:
    try:
        return bool(web_address(value))
    except ValueError:
        return False


#: Seconds that Meta may try to deliver a message of Direct Send; see `direct-send/configure-message-ttl` of its manual.
SHORTEST_TTL, LONGEST_TTL = 30, 43_200

_META_CLOUD = ProviderKind(
    "meta_cloud",
    "Meta Cloud API",
    default_url="https://graph.facebook.com",
    needs=("key", "sender"),
    options=frozenset(
        {"phone_number_id", "api_version", "template", "template_language", "direct_send", "verify_token", "ttl"}
    ),
    needs_options=("phone_number_id",),
    sender_option="phone_number_id",
    option_rules=(
        OptionRule("phone_number_id", _like(r"[0-9]{1,32}"), "digits: the id of the number, not the number"),
        OptionRule("api_version", _like(r"v[0-9]{1,3}\.[0-9]{1,2}"), "like v25.0"),
        OptionRule("template", _like(r"[a-z0-9_]{1,512}"), "the name of a template: small letters, digits and _"),
        OptionRule("template_language", _like(r"[a-z]{2,3}(_[A-Za-z]{2,4})?"), "a language such as id or en_US"),
        OptionRule("direct_send", {"utility", "authentication"}.__contains__, "utility or authentication"),
        OptionRule("ttl", _is_ttl, f"seconds, {SHORTEST_TTL} to {LONGEST_TTL}"),
    ),
    echoes_id=True,
    has_window=True,
)


_TWILIO = ProviderKind(
    "twilio",
    "Twilio",
    default_url="https://api.twilio.com",
    needs=("key", "sender"),
    options=frozenset(
        {"account_sid", "api_key_sid", "messaging_service_sid", "status_callback", "content_sid", "content_variable"}
    ),
    needs_options=("account_sid",),
    option_rules=(
        OptionRule("account_sid", _like(r"AC[0-9A-Za-z]{1,40}"), "an account's SID, AC…"),
        OptionRule("api_key_sid", _like(r"SK[0-9A-Za-z]{1,40}"), "an API key's SID, SK…"),
        OptionRule("messaging_service_sid", _like(r"MG[0-9A-Za-z]{1,40}"), "a messaging service's SID, MG…"),
        OptionRule("status_callback", _is_address, "an address, https://…"),
        OptionRule("content_sid", _like(r"HX[0-9A-Za-z]{1,40}"), "a content template's SID, HX…"),
        OptionRule("content_variable", _like(r"[0-9A-Za-z_]{1,16}"), "the name of a template's variable, such as 1"),
    ),
    has_window=True,
)

#: Every provider that can be used; those of installed packages come to it when they are named.
PROVIDERS = ProviderTable(
    {
        kind.name: kind
        for kind in (
            ProviderKind("mpwa", "MPWA", receipts=ReceiptProof.PATH, tells=""),
            ProviderKind("waha", "WAHA", options=frozenset({"session"}), echoes_id=True),
            ProviderKind("gowa", "GOWA", options=frozenset({"device_id"})),
            ProviderKind(
                "fonnte",
                "Fonnte",
                default_url="https://api.fonnte.com",
                needs=("key", "sender"),
                receipts=ReceiptProof.PATH,
            ),
            # It accepts any key and sender, and answers for every provider.
            ProviderKind("sandbox", "Sandbox", needs=(), options=None, echoes_id=True, is_sandbox=True),
            _META_CLOUD,
            _TWILIO,
        )
    },
    lambda package: package.kind,
)


def why_unknown(provider: str) -> str:
    """Why this name cannot be used, in one phrase; empty where it can."""
    if provider in PROVIDERS:
        return ""
    names = [*PROVIDERS, *(name for name in installed_names() if not dict.__contains__(PROVIDERS, name))]
    known = ", ".join(names)
    return f"{provider!r} is not known{did_you_mean(provider, names)}; known providers: {known}"
