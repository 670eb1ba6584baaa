"""The adapter of a gateway that does not exist, with a fault of one's choice in it.

Its contract: `POST /v1/messages`, JSON `{to, text, ref}`, a bearer; 201 `{"id"}`, or `{"error": {"code", "message"}}`.
Webhooks: `{"events": [{"type", "id", "ref", "status", "at"}]}`, `X-Kabar-Signature: sha256=<HMAC of the body>`.
"""

# A fault is a branch: there are as many of these as faults, and the order of the page is that of a real adapter.
# ruff: noqa: C901, PLR0911, PLR0915, T201

import hmac
import json
import logging
import re
import uuid
import warnings
from dataclasses import replace

import requests
from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass as Class
from antrian.domain.lane import Lane
from antrian.domain.provider_catalog import ProviderKind
from antrian.domain.receipt import AccountNotice, DeliveryReceipt, InboundMessage, ReceiptStatus, UnreadableReport
from antrian.providers.conformance.probe import (
    KEY,
    SECRET,
    AnswerCase,
    FieldRule,
    ProviderProbe,
    RequestShape,
    Situation,
    WebhookBatch,
    WebhookProbe,
    WebhookSample,
    http_answer,
)
from antrian.providers.contract import Failed, Sent
from antrian.providers.http import Answer, Timeouts, failure_of, parse_retry_after, post_json
from antrian.providers.redaction import quote
from antrian.providers.webhook import WebhookReader, is_signed

LOG = logging.getLogger("kabar")
CODES = {
    "no_whatsapp": (Class.REJECTED, "not-on-whatsapp"),
    "bad_key": (Class.UNAVAILABLE, "bad-credentials"),
    "slow_down": (Class.THROTTLED, "throttled"),
    "new_contact": (Class.COLD_REFUSED, "new-contact-refused"),
    "logged_out": (Class.UNAVAILABLE, "session-down"),
}
SENDER = "6281100000000"


class KabarProvider:
    """The client; `fault` names what is wrong with it."""

    name = "kabar"

    def __init__(self, settings, fault):
        self.patience = settings.patience
        self._url, self._fault = settings.url, fault
        self._key = settings.key if fault == "keeps the key openly" else SecretStr(settings.key)
        self._timeouts = Timeouts(settings.connect, settings.patience, settings.patience)
        self._session = requests.Session()

    def __repr__(self):
        return f"KabarProvider({KEY})" if self._fault == "shows the key" else "KabarProvider()"

    def close(self):
        self._session.close()

    def echoed_id(self, correlation_id):
        return "kabar" if self._fault == "promises another ref" else correlation_id

    def send(self, outgoing):
        text, fault = outgoing.text, self._fault
        if not re.fullmatch(r"\+[0-9]{6,15}", outgoing.recipient) and fault != "sends to lists":
            return Failed(Class.REJECTED, "bad-recipient", "the recipient is not one number")
        try:
            text.encode()
        except UnicodeEncodeError:
            if fault != "sends half characters":
                return Failed(Class.REJECTED, "not-unicode", "the text contains half of a surrogate pair")
        if fault == "logs the number":
            LOG.debug("sending", extra={"to": outgoing.recipient})
        if fault == "prints the text":
            print(text)
        answer = self._post(self._payload(outgoing))
        if fault == "logs the key":
            LOG.info("sent with %s", KEY)
        if isinstance(answer, Failed):
            return self._network(answer)
        return self._classify(answer, outgoing)

    def _payload(self, outgoing):
        fault, text = self._fault, outgoing.text
        changed = {
            "strips the text": text.strip(),
            "normalises lines": text.replace("\r\n", "\n"),
            "drops what is no ASCII": text.encode("ascii", "ignore").decode(),
            "formats the text": text.replace("{{", "{").replace("}}", "}"),
            "cuts the text": text[:1000],
            "drops emoji": re.sub("[\U0001f000-\U0001ffff]", "", text),
        }.get(fault, text)
        number = outgoing.recipient.lstrip("+")
        fields = {"to": number, "text": changed, "ref": outgoing.correlation_id}
        if fault == "names the recipient twice":
            fields["cc"] = number
        if fault == "leaves the plus":
            fields["to"] = outgoing.recipient
        if fault == "one ref for all attempts":
            fields["ref"] = outgoing.message_id
        if fault == "a new ref each time":
            fields["ref"] = uuid.uuid4().hex
        if fault == "a number as a string":
            fields["priority"] = "high"
        else:
            fields["priority"] = 5
        return fields

    def _post(self, fields):
        fault, path = self._fault, "/v1/messages"
        if fault == "puts the key into the path":
            path += f"?key={KEY}"
        if fault == "calls another path":
            path = "/v2/messages"
        headers = {"Authorization": f"Bearer {KEY}"}
        if fault == "forgets the key":
            headers = {}
        url = self._url + path
        if fault == "follows redirects":
            try:
                got = requests.post(url, json=fields, headers=headers, timeout=(60, self.patience))
                return Answer(got.status_code, got.content, parse_retry_after(got.headers.get("Retry-After"), _now()))
            except (requests.RequestException, OSError) as error:
                return failure_of(error, begun=True)
        if fault == "trusts every certificate":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                got = requests.post(url, json=fields, headers=headers, timeout=60, verify=False)  # noqa: S501
            return Answer(got.status_code, got.content)
        if fault in {"waits for ever", "raises what requests raises", "keeps cookies"}:
            patience = 20 * self.patience if fault == "waits for ever" else self.patience
            try:
                got = self._session.post(url, json=fields, headers=headers, timeout=patience, allow_redirects=False)
            except requests.RequestException as error:
                if fault == "raises what requests raises":
                    raise
                return failure_of(error, begun=True)
            return Answer(got.status_code, got.content, parse_retry_after(got.headers.get("Retry-After"), _now()))
        answer = post_json(url, fields, self._timeouts, headers)
        if fault == "tries again by itself" and isinstance(answer, Answer) and answer.status >= 500:
            answer = post_json(url, fields, self._timeouts, headers)
        if fault == "asks for the state" and isinstance(answer, Answer) and answer.status == 409:
            post_json(self._url + "/v1/state", {}, self._timeouts, headers)
        return answer

    def _network(self, failed):
        swapped = {
            "calls a time-out transient": ("no-answer", Class.TRANSIENT),
            "calls a lost connection transient": ("connection-lost", Class.TRANSIENT),
            "calls a refused connection uncertain": ("refused", Class.UNCERTAIN),
            "calls a wrong certificate rejected": ("tls", Class.REJECTED),
        }.get(self._fault)
        if self._fault == "tells the address":
            return replace(failed, detail=f"POST {self._url} with Bearer {KEY} failed")
        return replace(failed, failure_class=swapped[1]) if swapped and failed.code == swapped[0] else failed

    def _classify(self, answer, outgoing):
        fault, status = self._fault, answer.status
        if fault == "takes every 2xx for accepted" and 200 <= status < 300:
            return Sent("k-1")
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            if fault == "raises on broken JSON":
                raise
            if fault == "quotes the page":
                return Failed(Class.UNCERTAIN, "unclear", repr(answer.body)[:200])
            if fault == "gives up on broken JSON":
                return Failed(Class.REJECTED, "unclear", type(error).__name__)
            said = None
        said = said if isinstance(said, dict) else {}
        if 200 <= status < 300 and isinstance(said.get("id"), str):
            return Sent(None if fault == "forgets the provider's id" else said["id"])
        error = said.get("error") if isinstance(said.get("error"), dict) else {}
        code, words = str(error.get("code")), str(error.get("message", ""))
        return self._failed(status, code, words, answer, outgoing)

    def _failed(self, status, code, words, answer, outgoing):
        fault = self._fault
        found = CODES.get(code) or self._by_status(status)
        number = outgoing.recipient.lstrip("+")
        private = (KEY, outgoing.text, number, SENDER)
        detail = quote(words, private) or f"HTTP {status}"
        if fault == "repeats the provider's words":
            detail = words[:200] or "none"
        if fault == "quotes without end":
            detail = words or "none"
        label = words[:30] if fault == "words as a code" and words else found[1]
        classes = {
            "calls a new contact transient": {Class.COLD_REFUSED: Class.TRANSIENT},
            "calls bad credentials rejected": {Class.UNAVAILABLE: Class.REJECTED},
            "calls throttling transient": {Class.THROTTLED: Class.TRANSIENT},
            "calls everything unclear transient": {Class.UNCERTAIN: Class.TRANSIENT},
        }.get(fault, {})
        wait = None if fault == "ignores Retry-After" else answer.retry_after
        if fault == "waits for days":
            wait = wait and wait * 1000
        return Failed(classes.get(found[0], found[0]), label, detail, wait)

    def _by_status(self, status):
        if status == 429:
            return Class.THROTTLED, "throttled"
        if status == 400:
            return Class.REJECTED, "refused"
        return (Class.UNCERTAIN, "unclear") if status < 300 or status >= 500 else (Class.UNAVAILABLE, "refused-by-web")


def _now():
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.now(UTC)


STATUSES = {one.value: one for one in ReceiptStatus if one is not ReceiptStatus.ACCEPTED}


def reader(fault):
    """The webhooks' reader, with a fault in it."""
    seen = []

    def verify(request, secrets, _lane, now):
        header = request.header("x-kabar-signature")
        if fault == "needs no signature" and not header:
            return True
        if fault == "believes everyone":
            return True
        if fault == "forgets an hour-old one" and now > 1_795_003_600:
            return False
        if fault == "counts the first secret only":
            secrets = secrets[:1]
        if fault == "an empty secret counts":
            return any(_hmac(request.body, one) == header.removeprefix("sha256=") for one in secrets)
        if fault == "compares the beginning":
            given = header.removeprefix("sha256=")[:16]
            return bool(given) and any(_hmac(request.body, one)[:16] == given for one in secrets if one)
        if fault == "compares as far as it goes":
            given = header.removeprefix("sha256=")
            return any(_hmac(request.body, one).startswith(given) for one in secrets if one)
        if fault == "looks at the form only":
            return re.fullmatch(r"sha256=[0-9a-f]{64}", header) is not None and any(secrets)
        if fault == "raises on odd signatures":
            return any(hmac.compare_digest(_hmac(request.body, one), header[7:]) for one in secrets if one)
        return header.startswith("sha256=") and is_signed(request.body, header[7:], secrets, "sha256")

    def read(request, _lane, now):
        if fault == "raises on a spoilt body":
            said = json.loads(request.body)
        else:
            try:
                said = json.loads(request.body)
            except ValueError:
                return [UnreadableReport(reason="no JSON", raw=_raw(request.body))]
            except RecursionError:
                if fault == "raises on a nested body":
                    raise
                return [UnreadableReport(reason="too deep", raw=_raw(request.body))]
        if fault == "walks through what is nested":
            _walk(said)
        events = said.get("events") if isinstance(said, dict) else None
        if not isinstance(events, list):
            return [UnreadableReport(reason="no events", raw=_raw(request.body))]
        told = [
            event for one in events for event in event_of(one if fault == "keeps half characters" else _clean(one), now)
        ]
        if fault == "a bad event spoils the batch" and any(isinstance(one, UnreadableReport) for one in told):
            return [one for one in told if isinstance(one, UnreadableReport)]
        if fault == "remembers what it read":
            told = [one for one in told if one not in seen]
            seen.extend(told)
        if fault == "only the first of a batch":
            return told[:1]
        if fault == "turns a batch round":
            return told[::-1]
        return told

    def _raw(body):
        limit = None if fault == "keeps everything" else 2000
        return body.decode("utf-8", "replace")[:limit]

    def event_of(one, now):
        is_event = isinstance(one, dict) and isinstance(one.get("id"), str)
        if not is_event and fault == "raises on a bad event":
            return [DeliveryReceipt(status=STATUSES[one["status"]], provider_id=one["id"])]
        if not is_event or not isinstance(one.get("at"), int) or not 0 <= one["at"] < 10**10:
            return [] if fault == "loses a bad event" else [UnreadableReport(reason="no event", raw=str(one)[:2000])]
        at = now if fault == "tells its own time" else float(one["at"])
        if one.get("type") == "message":
            return [
                InboundMessage(recipient=f"+{one.get('from')}", provider_id=one["id"], at=at, text=str(one.get("text")))
            ]
        if one.get("type") == "status":
            status = one.get("status") if isinstance(one.get("status"), str) else ""
            if fault == "takes the unknown for delivered":
                status = status if status in STATUSES else "delivered"
            if fault == "loses an unknown status" and status not in STATUSES:
                return []
            if status in STATUSES:
                failure = Class.REJECTED if status == "failed" else None
                ref = one.get("ref") if isinstance(one.get("ref"), str) else ""
                if fault == "read is delivered":
                    status = "delivered" if status == "read" else status
                return [DeliveryReceipt(status=STATUSES[status], at=at, provider_id=one["id"], correlation_id=ref,
                                failure_class=failure)]  # fmt: skip
        if fault == "loses unknown events":
            return []
        return [
            AccountNotice(
                kind="unknown",
                detail=SECRET if fault == "tells the secret" else "",
                values={"is": str(one)[:200]},
            )
        ]

    def challenge(request, secrets, _lane):
        asked = dict(request.query)
        given, word = asked.get("token", ""), asked.get("challenge")
        if fault == "answers every challenge":
            return word
        found = any(hmac.compare_digest(one.encode(), given.encode()) for one in secrets if one)
        return word if found and word else None

    keys = {
        "a new key each time": lambda _request: uuid.uuid4().hex,
        "a key from a header": lambda request: request.header("user-agent") + request.body.hex(),
        "one key for all": lambda _request: "kabar",
    }
    more = {"repeat_key": keys[fault]} if fault in keys else {}
    return WebhookReader(verify, read, challenge, **more)


def _hmac(body, secret):
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def _walk(value):
    _walk_all(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())


def _walk_all(values):
    for one in values:
        _walk(one)


def _clean(value):
    """The same JSON without halves of surrogate pairs."""
    try:
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        return None


def _refused(code, status=400, words="refused"):
    return http_answer(status, {"error": {"code": code, "message": words}})


def _sign(request, secret):
    return replace(request, headers=request.headers | {"x-kabar-signature": "sha256=" + _hmac(request.body, secret)})


def _status(status, **more):
    return {"type": "status", "id": "k-17", "ref": "m-1:0:1", "status": status, "at": 1_794_999_000} | more


def _sample(name, *parts, events=()):
    return WebhookSample(name=name, body=json.dumps({"events": parts}).encode(), events=events)


def _receipt(status, **more):
    return DeliveryReceipt(status=status, at=1_794_999_000.0, provider_id="k-17", correlation_id="m-1:0:1", **more)


_INBOUND = {"type": "message", "id": "k-18", "from": "6281234567890", "text": "Halo", "at": 1_794_999_100}
_HEARD = InboundMessage(recipient="+6281234567890", provider_id="k-18", at=1_794_999_100.0, text="Halo")
_WEBHOOKS = WebhookProbe(
    lane=Lane(name="default", provider="kabar", sender=SENDER),
    sign=_sign,
    signature="x-kabar-signature",
    samples=(
        *(_sample(one, _status(one), events=(_receipt(ReceiptStatus(one)),)) for one in ("sent", "delivered", "read")),
        _sample("failed", _status("failed"), events=(_receipt(ReceiptStatus.FAILED, failure_class=Class.REJECTED),)),
        _sample("inbound", _INBOUND, events=(_HEARD,)),
    ),
    unknown=(_sample("a new status", _status("framed")), _sample("a new event", {"type": "poll", "id": "1", "at": 1})),
    batch=WebhookBatch(
        join=lambda parts: json.dumps({"events": parts}).encode(),
        parts=((_status("delivered"), _receipt(ReceiptStatus.DELIVERED)), (_INBOUND, _HEARD)),
    ),
    challenge=((("token", SECRET), ("challenge", "4711")), "4711"),
)


def probe(fault="", follows_up=0):
    """The description of the adapter that has this fault."""
    situations = {
        Situation.NOT_ON_WHATSAPP: ("no_whatsapp", 400),
        Situation.BAD_CREDENTIALS: ("bad_key", 401),
        Situation.THROTTLED: ("slow_down", 429),
        Situation.COLD_REFUSED: ("new_contact", 403),
        Situation.SESSION_DOWN: ("logged_out", 409),
    }
    cases = [
        AnswerCase(name=code, situation=situation, answers=(_refused(code, status),))
        for situation, (code, status) in situations.items()
    ]
    taken = http_answer(201, {"id": "k-17"})
    return ProviderProbe(
        provider="kabar",
        make_client=lambda settings: KabarProvider(settings, fault),
        sender=SENDER,
        request=RequestShape(
            path="/v1/messages",
            text="text",
            recipient="to",
            recipient_value="6281234567890",
            credentials="header:authorization",
            credentials_value=f"Bearer {KEY}",
            correlation="ref",
            rules=(FieldRule("priority", "[0-9]+", kind=int), FieldRule("to", "[0-9]{6,15}")),
            known=frozenset({"to", "text", "ref", "priority"}),
            source="its manual",
        ),
        cases=(AnswerCase(name="taken", situation=Situation.ACCEPTED, answers=(taken,), provider_id="k-17"), *cases),
        complain=lambda words: _refused("other", 400, words),
        reader=reader(fault),
        webhooks=_WEBHOOKS,
        follows_up=follows_up,
        kind=ProviderKind("kabar", "Kabar", echoes_id=True),
    )
