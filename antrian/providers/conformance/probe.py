"""What an adapter tells the checks about its provider: raw bytes from the provider's contract, never its own code."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.provider_catalog import ProviderKind
from antrian.domain.receipt import ProviderEvent
from antrian.providers.contract import Provider
from antrian.providers.webhook import WebhookReader, WebhookRequest

#: To whom the checks send, in E.164.
RECIPIENT = "+6281234567890"
#: Of the provider; every check looks for it where it must not be.
KEY = "k1t-s3cr3t-key-5f2c9a"
#: What signs webhooks, and what will once it is replaced.
SECRET, NEXT_SECRET = "k1t-webhook-secret-old-77", "k1t-webhook-secret-new-78"


class Situation(StrEnum):
    """What every provider can get into; each must be described, or named in `ProviderProbe.lacks` with the reason."""

    ACCEPTED = "accepted"
    NOT_ON_WHATSAPP = "not on WhatsApp"
    BAD_CREDENTIALS = "bad credentials"
    THROTTLED = "throttled"
    COLD_REFUSED = "new contact refused"
    SESSION_DOWN = "session down"

    @property
    def failure(self) -> FailureClass | None:
        """The class that the adapter must tell; None where the message was taken."""
        return _FAILURES[self]


_FAILURES: Mapping[Situation, FailureClass | None] = {
    Situation.ACCEPTED: None,
    Situation.NOT_ON_WHATSAPP: FailureClass.REJECTED,
    Situation.BAD_CREDENTIALS: FailureClass.UNAVAILABLE,
    Situation.THROTTLED: FailureClass.THROTTLED,
    Situation.COLD_REFUSED: FailureClass.COLD_REFUSED,
    Situation.SESSION_DOWN: FailureClass.UNAVAILABLE,
}


def http_answer(status: int, body: object = b"", **headers: str) -> bytes:
    """A whole HTTP answer.

    Args:
        status: of HTTP.
        body: bytes as they are, anything else as JSON.
        headers: further ones, with `_` for `-`.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    media_type = "text/html" if content.lstrip()[:1] == b"<" else "application/json"
    lines = {"Content-Type": media_type, "Content-Length": str(len(content)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Said So\r\n{head}\r\n".encode() + content


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCase:
    """How the provider answers in one case, and what the adapter must make of it.

    Attributes:
        name: what happened.
        answers: whole HTTP answers, to the first request of the send, the second, …: as many as the adapter may make.
        failure: the class to tell; None where the message was taken. Follows from `situation` where that is given.
        situation: which of those that every provider must describe.
        provider_id: the provider's name for an accepted message.
        retry_after: the least and the most seconds that the result must say; None where it may say anything.
    """

    name: str
    answers: tuple[bytes, ...]
    failure: FailureClass | None = None
    situation: Situation | None = None
    provider_id: str = ""
    retry_after: tuple[float, float] | None = None

    @property
    def expected(self) -> FailureClass | None:
        """The class to tell; None where the message was taken."""
        return self.situation.failure if self.situation else self.failure


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What the vendor's published description demands of one field of the request.

    Attributes:
        place: a path such as `text.body` or `data.0.phone` into the JSON, the name of a form's field, or `header:name`.
        pattern: of the whole value, as text (`true`, `17`).
        required: whether it must be there.
        kind: its type in JSON, where that is no text.
    """

    place: str
    pattern: str
    required: bool = True
    kind: type = str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestShape:
    """The request that sends one message.

    Attributes:
        path: with the query, where there is one.
        media_type: JSON or a form.
        text: where the text stands; see `FieldRule.place`.
        recipient: where the recipient stands.
        recipient_value: how the provider writes `RECIPIENT`.
        credentials: where the key stands.
        credentials_value: how the provider writes `KEY` there.
        rules: what else must be so.
        known: the names of all fields that the vendor's description has at the top; empty where there is none.
        correlation: where our name for the attempt stands; empty where the provider takes none.
        source: where the contract is written down.
    """

    path: str
    text: str
    recipient: str
    recipient_value: str
    credentials: str
    credentials_value: str
    source: str
    media_type: str = "application/json"
    rules: tuple[FieldRule, ...] = ()
    known: frozenset[str] = frozenset()
    correlation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What the checks want a client to be made with.

    Attributes:
        url: base address of the provider that the checks play.
        key: `KEY`.
        patience: seconds to wait for each piece of an answer, and for all of its body.
        connect: seconds to wait for a connection.
    """

    url: str
    patience: float = 60.0
    connect: float = 60.0
    key: str = KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSample:
    """A genuine webhook, and what it tells.

    Attributes:
        name: what it reports.
        body: as the provider sends it, before it is signed.
        events: what the reader must make of it, in order; what is left at its default in one is not compared.
        media_type: of the body.
        query: of the address, in order.
    """

    name: str
    body: bytes
    events: tuple[ProviderEvent, ...] = ()
    media_type: str = "application/json"
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookBatch:
    """How several events come in one request.

    Attributes:
        join: makes the body of these parts.
        parts: genuine parts, with the event that each must become.
        bad: parts that mean nothing.
    """

    join: Callable[[Sequence[object]], bytes]
    parts: tuple[tuple[object, ProviderEvent], ...]
    bad: tuple[object, ...] = (None, 17, "x", {}, [], {"id": None}, {"id": {}, "status": [], "timestamp": "later"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookProbe:
    """The provider's webhooks.

    Attributes:
        lane: whose webhooks they are; its `webhook_secrets` are not looked at.
        sign: adds to an unsigned request what proves it, with a secret; written by hand from the provider's contract.
            None for a provider that signs nothing.
        signature: the header with the signature, lower-case.
        samples: genuine ones; at least one for each kind of event that the adapter knows.
        unknown: webhooks of a kind, or with a status, that nobody has described yet: they must be kept.
        foreign: webhooks that name another sender than the lane's: `verify` must refuse them. For a provider that signs
            nothing, there must be one.
        batch: how several events come in one request; None where they never do.
        signs_time: seconds after which a signature is too old; None where the provider does not sign the time.
        challenge: a GET that proves the address, and the answer; None where there is none.
    """

    lane: Lane
    samples: tuple[WebhookSample, ...]
    unknown: tuple[WebhookSample, ...]
    sign: Callable[[WebhookRequest, str], WebhookRequest] | None = None
    signature: str = ""
    foreign: tuple[WebhookSample, ...] = ()
    batch: WebhookBatch | None = None
    signs_time: float | None = None
    challenge: tuple[tuple[tuple[str, str], ...], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderProbe:
    """Everything that the checks know about one provider.

    Attributes:
        provider: its name in the catalog.
        make_client: the adapter's client, for a server that the checks play.
        sender: the sender's number or name; looked for where it must not be.
        request: the request that sends one message.
        cases: how the provider answers.
        lacks: situations that this provider has no answer for, each with the reason.
        complain: a failure in the provider's own words; the checks put private texts into them.
        refused_texts: those of the checks' texts, by name, that the adapter must refuse before anything is sent.
        secrets: private texts beside the key.
        reader: of the webhooks; None where there are none.
        webhooks: what these look like.
        follows_up: requests that a send may make after the first, at most; they must not send.
        outgoing: further arguments for every `Outgoing`.
        kind: the provider's row for the catalog, where it is not installed.
    """

    provider: str
    make_client: Callable[[ClientSettings], Provider]
    sender: str
    request: RequestShape
    cases: tuple[AnswerCase, ...]
    complain: Callable[[str], bytes]
    lacks: Mapping[Situation, str] = field(default_factory=dict)
    refused_texts: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()
    reader: WebhookReader | None = None
    webhooks: WebhookProbe | None = None
    follows_up: int = 0
    outgoing: Mapping[str, Any] = field(default_factory=dict)
    kind: ProviderKind | None = None

    def case(self, situation: Situation) -> AnswerCase | None:
        """The first case of a situation."""
        return next((case for case in self.cases if case.situation is situation), None)
