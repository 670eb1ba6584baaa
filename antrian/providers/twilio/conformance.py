"""What Twilio says, for the checks: its answers and webhooks as its documentation has them.

Sources: Twilio's published OpenAPI description of `CreateMessage` (`twilio/twilio-oai`), its "Error and Warning
Dictionary", "Validate requests" and "Track the message status".
"""

import base64
import hashlib
import hmac
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ReceiptStatus
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
from antrian.providers.twilio.client import TwilioProvider
from antrian.providers.twilio.payload import TwilioOptions
from antrian.providers.twilio.receipts import READER
from antrian.providers.webhook import WebhookRequest

_ACCOUNT, _SENDER = f"AC{'0' * 31}7", "628114040707"
_SID = f"SM{'a' * 31}1"
_FORM = "application/x-www-form-urlencoded"


def _client(settings: ClientSettings) -> Provider:
    timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
    options = TwilioOptions(f"whatsapp:+{_SENDER}")
    return TwilioProvider(settings.url, SecretStr(settings.key), _ACCOUNT, options, timeouts=timeouts)


def _error(code: int, words: str, status: int = 400) -> bytes:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return http_answer(status, {"code": code, "message": words, "more_info": more, "status": status})


def _made(status: str = "queued", **more: object) -> bytes:
    message = {"sid": _SID, "account_sid": _ACCOUNT, "status": status, "error_code": None, "error_message": None}
    return http_answer(201, message | more)


def _case(code: int, words: str, expected: FailureClass | Situation, status: int = 400) -> AnswerCase:
    situation = expected if isinstance(expected, Situation) else None
    failure = expected if isinstance(expected, FailureClass) else None
    return AnswerCase(
        name=f"{code}, {words}", failure=failure, situation=situation, answers=(_error(code, words, status),)
    )


CASES = (
    AnswerCase(name="accepted", situation=Situation.ACCEPTED, answers=(_made(),), provider_id=_SID),
    AnswerCase(name="accepted for a service", answers=(_made("accepted"),), provider_id=_SID),
    _case(63003, "Channel could not find To address", Situation.NOT_ON_WHATSAPP),
    _case(20003, "Authenticate", Situation.BAD_CREDENTIALS, 401),
    _case(20429, "Too Many Requests", Situation.THROTTLED, 429),
    _case(63007, "Could not find a Channel with the specified From address", Situation.SESSION_DOWN),
    _case(63016, "Outside the allowed window", FailureClass.REJECTED),
    _case(21610, "Attempt to send to unsubscribed recipient", FailureClass.REJECTED),
    _case(63018, "Rate limit exceeded for Channel", FailureClass.UNAVAILABLE),
    _case(30001, "Queue overflow", FailureClass.TRANSIENT),
    _case(99_999, "A code that nobody knows", FailureClass.REJECTED),
    AnswerCase(
        name="made and failed at once",
        failure=FailureClass.REJECTED,
        answers=(_made("failed", error_code=63016, error_message="Outside the allowed window"),),
    ),
    AnswerCase(
        name="a 5xx with a code that nobody knows",
        failure=FailureClass.UNCERTAIN,
        answers=(_error(20500, "Internal Server Error", 500),),
    ),
)


def _sign(request: WebhookRequest, secret: str) -> WebhookRequest:
    pairs = sorted(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    signed = request.url + "".join(name + value for name, value in pairs)
    digest = hmac.new(secret.encode(), signed.encode("utf-8", "replace"), hashlib.sha1).digest()
    return replace(request, headers={**request.headers, "x-twilio-signature": base64.b64encode(digest).decode()})


def _status(word: str, **more: str) -> bytes:
    form = {"MessageSid": _SID, "SmsSid": _SID, "MessageStatus": word, "SmsStatus": word, "ChannelPrefix": "whatsapp"}
    form |= {"From": f"whatsapp:+{_SENDER}", "To": f"whatsapp:{RECIPIENT}", "AccountSid": _ACCOUNT, **more}
    return urlencode(form | {"ApiVersion": "2010-04-01"}).encode()


def _written(text: str, **more: str) -> bytes:
    form = {"MessageSid": f"SM{'b' * 32}", "SmsStatus": "received", "MessageType": "text", "NumMedia": "0"}
    form |= {"From": f"whatsapp:{RECIPIENT}", "To": f"whatsapp:+{_SENDER}", "WaId": RECIPIENT.removeprefix("+")}
    return urlencode(form | {"Body": text, "AccountSid": _ACCOUNT, "ProfileName": "Budi é"} | more).encode()


def _sample(name: str, body: bytes, *events: DeliveryReceipt | InboundMessage) -> WebhookSample:
    return WebhookSample(name=name, body=body, events=events, media_type=_FORM)


def _receipt(status: ReceiptStatus) -> DeliveryReceipt:
    return DeliveryReceipt(status=status, provider_id=_SID, recipient=RECIPIENT)


_FAILED = replace(_receipt(ReceiptStatus.FAILED), failure_class=FailureClass.REJECTED, code="outside-window")
_MESSAGE = InboundMessage(recipient=RECIPIENT, provider_id=f"SM{'b' * 32}", text="Halo")

WEBHOOKS = WebhookProbe(
    lane=Lane(name="default", provider="twilio", sender=_SENDER, options=(("account_sid", _ACCOUNT),)),
    sign=_sign,
    signature="x-twilio-signature",
    samples=(
        *(_sample(word, _status(word), _receipt(ReceiptStatus(word))) for word in ("sent", "delivered", "read")),
        _sample("queued", _status("queued"), _receipt(ReceiptStatus.ACCEPTED)),
        _sample("undelivered", _status("undelivered", ErrorCode="63016"), _FAILED),
        _sample(
            "failed for now",
            _status("failed", ErrorCode="30003"),
            replace(_FAILED, failure_class=FailureClass.TRANSIENT, code="unreachable"),
        ),
        _sample("a text", _written("Halo"), _MESSAGE),
        _sample("an opt-out", _written("STOP", OptOutType="STOP"), replace(_MESSAGE, text="STOP", preference="stop")),
    ),
    unknown=(
        _sample("a new status", _status("flown")),
        _sample("a report of the debugger", urlencode({"AccountSid": _ACCOUNT, "Level": "ERROR"}).encode()),
    ),
    foreign=(
        _sample("of another sender", _status("delivered", From="whatsapp:+628114040708")),
        _sample("of another account", _status("delivered", AccountSid=f"AC{'9' * 32}")),
    ),
)

PROBE = ProviderProbe(
    provider="twilio",
    make_client=_client,
    sender=_SENDER,
    request=RequestShape(
        path=f"/2010-04-01/Accounts/{_ACCOUNT}/Messages.json",
        media_type=_FORM,
        text="Body",
        recipient="To",
        recipient_value=f"whatsapp:{RECIPIENT}",
        credentials="header:authorization",
        credentials_value=f"Basic {base64.b64encode(f'{_ACCOUNT}:{KEY}'.encode()).decode()}",
        rules=(
            FieldRule("To", r"whatsapp:\+[0-9]{6,15}"),
            FieldRule("From", r"whatsapp:\+[0-9]+"),
            FieldRule("Body", ".{1,1600}"),
            FieldRule("StatusCallback", "https?://.+", required=False),
            FieldRule("MessagingServiceSid", "MG[0-9a-fA-F]{32}", required=False),
            FieldRule("ContentSid", "HX[0-9a-fA-F]{32}", required=False),
            FieldRule("ValidityPeriod", "[0-9]+", required=False),
        ),
        known=frozenset(
            {"To", "From", "Body", "StatusCallback", "MessagingServiceSid", "ContentSid", "ContentVariables", "SendAt"}
            | {"MediaUrl", "ValidityPeriod", "MaxPrice", "ScheduleType", "ShortenUrls", "SmartEncoded", "RiskCheck"}
            | {"ProvideFeedback", "Attempt", "ForceDelivery", "ContentRetention", "AddressRetention", "SendAsMms"}
            | {"ApplicationSid", "PersistentAction", "TrafficType", "FallbackFrom"}
        ),
        source="Twilio's OpenAPI description, CreateMessage",
    ),
    cases=CASES,
    lacks={
        Situation.COLD_REFUSED: "Twilio has no such refusal: outside the 24-hour window WhatsApp demands a template, "
        "which is known before anything is sent"
    },
    complain=lambda words: _error(21212, words),
    reader=READER,
    webhooks=WEBHOOKS,
)
