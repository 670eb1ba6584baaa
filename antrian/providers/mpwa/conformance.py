"""What MPWA's panel says, for the checks: its answers as the published copy of the panel words them.

Source: the API page and controllers of the panel (`zymzz-id/MPWA`); texts of forks as their clients quote them.
"""

import json

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import InboundMessage
from antrian.providers.conformance.probe import (
    KEY,
    RECIPIENT,
    AnswerCase,
    ClientSettings,
    FieldRule,
    ProviderProbe,
    RequestShape,
    Situation,
    WebhookProbe,
    WebhookSample,
    http_answer,
)
from antrian.providers.contract import Provider
from antrian.providers.http import Timeouts
from antrian.providers.mpwa.client import MpwaProvider
from antrian.providers.mpwa.receipts import READER

_SENDER = "6281100000000"
_KEY_OF_MESSAGE = {"remoteJid": "6281234567890@c.us", "fromMe": True, "id": "3EB0F4C2A1"}
_CONNECTED = http_answer(200, {"status": True, "data": {"jid": f"{_SENDER}@s.whatsapp.net", "exists": True}})
_FAR = 4_102_444_800  # 2100-01-01


def _client(settings: ClientSettings) -> Provider:
    timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
    return MpwaProvider(settings.url, SecretStr(settings.key), _SENDER, timeouts=timeouts)


def _refused(words: str, status: int = 400, **more: object) -> bytes:
    return http_answer(status, {"status": False, "msg": words, **more})


def _case(name: str, failure: FailureClass | None, *answers: bytes, situation: Situation | None = None) -> AnswerCase:
    return AnswerCase(name=name, failure=failure, answers=answers, situation=situation)


CASES = (
    AnswerCase(
        name="accepted, with full=1",
        situation=Situation.ACCEPTED,
        answers=(
            http_answer(200, {"status": True, "data": {"key": _KEY_OF_MESSAGE, "messageTimestamp": "1795000000"}}),
        ),
        provider_id="3EB0F4C2A1",
    ),
    _case("accepted by an older panel", None, http_answer(200, {"status": True, "msg": "Message sent successfully!"})),
    _case("status as text", None, http_answer(200, {"status": "true", "msg": "ok"})),
    _case(
        "number without WhatsApp",
        None,
        _refused("The number is not registered on WhatsApp"),
        situation=Situation.NOT_ON_WHATSAPP,
    ),
    _case(
        "wrong key",
        None,
        _refused("Invali api_key or sender,please check again (2)"),
        situation=Situation.BAD_CREDENTIALS,
    ),
    _case(
        "throttled by the web server", None, http_answer(429, b"<html>Too Many Requests"), situation=Situation.THROTTLED
    ),
    AnswerCase(
        name="new contact refused, until a date",
        situation=Situation.COLD_REFUSED,
        answers=(
            http_answer(500, {"status": False, "message": "server returned error 463", "timeEnforcementEnds": _FAR}),
        ),
        retry_after=(86_400.0, 31 * 86_400.0),
    ),
    _case("device away", None, _refused("The sender is invalid or disconnected."), situation=Situation.SESSION_DOWN),
    _case("plan used up", FailureClass.UNAVAILABLE, _refused("You no longer have enough messages, upgrade your plan")),
    _case("fields refused", FailureClass.REJECTED, _refused("Invalid data!", errors={"number": ["is required"]})),
    _case("failed while connected", FailureClass.TRANSIENT, _refused("Failed to send message!"), _CONNECTED),
    _case(
        "failed while disconnected",
        FailureClass.UNAVAILABLE,
        _refused("Failed to send message!"),
        http_answer(200, {"status": True, "msg": False}),
    ),
    _case("node's answer lost", FailureClass.UNCERTAIN, _refused("Failed to send message!, Check your connection!")),
    _case("true with a failure's status", FailureClass.UNCERTAIN, http_answer(500, {"status": True})),
)


def _webhook(name: str, *events: InboundMessage, **more: object) -> WebhookSample:
    fields = {"device": _SENDER, "message": "Halo", "from": "6281234567890", "name": "Budi", "participant": None}
    body = json.dumps(fields | {"ppUrl": None, "media": None, "mimetype": None} | more).encode()
    return WebhookSample(name=name, body=body, events=events)


_HEARD = InboundMessage(recipient=RECIPIENT, text="Halo")

WEBHOOKS = WebhookProbe(
    lane=Lane(name="default", provider="mpwa", sender=_SENDER),
    samples=(
        _webhook("a text", _HEARD),
        _webhook(
            "a picture",
            InboundMessage(recipient=RECIPIENT, text="", kind="image"),
            message="",
            media="iVBORw0KGgo=",
            mimetype="image/png",
        ),
    ),
    unknown=(_webhook("from nobody", **{"from": None}), _webhook("a new event", **{"from": {"poll": 1}})),
    foreign=(_webhook("of another device", device="6281100000001"), _webhook("of no device", device="")),
)

PROBE = ProviderProbe(
    provider="mpwa",
    make_client=_client,
    sender=_SENDER,
    request=RequestShape(
        path="/send-message",
        text="message",
        recipient="number",
        recipient_value="6281234567890",
        credentials="api_key",
        credentials_value=KEY,
        rules=(FieldRule("sender", _SENDER), FieldRule("full", "1", kind=int)),
        known=frozenset({"api_key", "sender", "number", "message", "footer", "msgid", "full"}),
        source="MPWA's API page, send-message",
    ),
    cases=CASES,
    complain=_refused,
    refused_texts=frozenset({"choice", "placeholders"}),
    follows_up=1,
    reader=READER,
    webhooks=WEBHOOKS,
)
