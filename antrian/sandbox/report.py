"""What the sandbox reports by webhook, before a dialect words it; and where its webhooks go."""

from dataclasses import dataclass, field

from antrian.sandbox.follow_up import Status

#: States of a sender's connection that a notice can tell.
SESSION_STATES = ("connected", "disconnected", "needs_qr", "needs_passkey", "banned")


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where the webhooks of one sender go.

    Args:
        url: the whole address.
        secret: what they are signed with.
        provider: the dialect they are written in.
        sender: of which sender, as the dialect names it; empty for all that have none of their own.
        account: of the provider, where its webhooks name one.
        own_number: the sender's, in digits, where its webhooks name it.
        public_url: the address as the receiver knows it, for a provider that signs it; empty where it is `url`.
    """

    url: str = field(repr=False)
    secret: str = field(repr=False)
    provider: str = "sandbox"
    sender: str = ""
    account: str = ""
    own_number: str = "6281100000000"
    public_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """One request to a webhook, ready to be sent again and again."""

    url: str = field(repr=False)
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """How far a message has come.

    Args:
        status: of `antrian.sandbox.follow_up.STATUSES`.
        at: when, unix seconds.
        provider_id: of the message.
        correlation_id: the client's own name for it.
        number: the recipient's digits.
        sender: as the dialect names it.
        account: as the request named it, empty where it did not.
        is_final: of `failed`: whether another attempt is useless.
    """

    status: Status
    at: float
    provider_id: str
    correlation_id: str = ""
    number: str = ""
    sender: str = ""
    account: str = ""
    is_final: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundReport:
    """A message that a person wrote to the sender; `number` is theirs, in digits."""

    number: str
    text: str
    at: float
    provider_id: str
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """The sender's connection changed; `state` is one of `SESSION_STATES`."""

    state: str
    at: float
    sender: str = ""


WebhookReport = StatusReport | InboundReport | SessionReport
