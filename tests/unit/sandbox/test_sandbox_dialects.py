"""Every dialect: what it reads, how it refuses, what it says of each decision, and what its webhooks are."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, ModeName, Submission
from antrian.sandbox.dialects.catalog import DIALECTS, dialect_at
from antrian.sandbox.exchange import Reply, SandboxRequest
from antrian.sandbox.follow_up import STATUSES
from antrian.sandbox.report import SESSION_STATES, InboundReport, SessionReport, StatusReport, WebhookTarget

BASIC = f"Basic {base64.b64encode(b'user:secret').decode()}"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MPWA = {"api_key": "key", "sender": "6281100000000", "number": "6281234567890", "message": "Halo"}
META = {"messaging_product": "whatsapp", "to": "6281234567890", "type": "text", "text": {"body": "Halo"}}
TWILIO = {"To": "whatsapp:+6281234567890", "From": "whatsapp:+6281100000000", "Body": "Halo"}
WAHA = {"session": "default", "chatId": "6281234567890@c.us", "text": "Halo"}
GOWA = {"phone": "6281234567890@s.whatsapp.net", "message": "Halo"}
FONNTE = {"target": "6281234567890", "message": "Halo"}
TWILIO_PATH = "/2010-04-01/Accounts/AC123/Messages.json"

#: Of each dialect: where a message is sent, with what, and the header that proves who sends.
SENDS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "sandbox": ("/send-message", MPWA, {}),
    "mpwa": ("/send-message", MPWA, {}),
    "meta_cloud": ("/v25.0/1066/messages", META, {"authorization": "Bearer token"}),
    "twilio": (TWILIO_PATH, TWILIO, {"authorization": BASIC}),
    "waha": ("/api/sendText", WAHA, {"x-api-key": "key"}),
    "gowa": ("/send/message", GOWA, {"authorization": BASIC, "x-device-id": "org_2"}),
    "fonnte": ("/send", FONNTE, {"authorization": "token"}),
}
FORMS = {"twilio", "fonnte"}


def request_of(name: str, fields: object, headers: dict[str, str], path: str = "") -> SandboxRequest:
    is_form = name in FORMS and isinstance(fields, dict)
    body = urlencode(fields) if is_form and isinstance(fields, dict) else json.dumps(fields)
    told = {"content-type": FORM if is_form else JSON} | headers
    return SandboxRequest("POST", path or SENDS[name][0], headers=told, body=body.encode())


def read(name: str, *, without_key: bool = False, **more: object) -> Submission | Reply | None:
    _, fields, headers = SENDS[name]
    told = fields | more
    if without_key and name in {"mpwa", "sandbox"}:
        told.pop("api_key")
    return DIALECTS[name].read(request_of(name, told, {} if without_key else headers))


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("sandbox", "6281100000000"),
        ("mpwa", "6281100000000"),
        ("meta_cloud", "1066"),
        ("twilio", "+6281100000000"),
        ("waha", "default"),
        ("gowa", "org_2"),
        ("fonnte", ""),
    ],
)
def test_message_is_read(name: str, sender: str) -> None:
    found = read(name)

    assert isinstance(found, Submission)
    assert (found.digits, found.message, found.kind, found.sender) == ("6281234567890", "Halo", "text", sender)


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("mpwa", 400, "Invalid api_key or sender"),
        ("meta_cloud", 401, '"code": 190'),
        ("twilio", 401, '"code": 20003'),
        ("waha", 401, "Unauthorized"),
        ("gowa", 401, "Unauthorized"),
        ("fonnte", 200, "token invalid"),
    ],
)
def test_request_without_a_key_is_refused_in_the_providers_words(name: str, status: int, words: str) -> None:
    found = read(name, without_key=True)

    assert isinstance(found, Reply)
    assert found.status == status
    assert words in found.content.decode()


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("meta_cloud", {"to": ""}, '"code": 100'),
        ("meta_cloud", {"text": {"body": "x" * 4097}}, '"code": 100'),
        ("meta_cloud", {"biz_opaque_callback_data": "x" * 513}, '"code": 100'),
        ("meta_cloud", {"type": "template", "template": {"name": "bill"}}, '"code": 100'),
        ("twilio", {"To": "6281234567890"}, '"code": 21211'),
        ("twilio", {"Body": ""}, '"code": 21619'),
        ("twilio", {"Body": "x" * 1601}, '"code": 21617'),
        ("twilio", {"From": ""}, '"code": 21603'),
        ("waha", {"chatId": "6281234567890"}, "chatId must be"),
        ("gowa", {"phone": "abc"}, "VALIDATION_ERROR"),
        ("fonnte", {"message": ""}, "invalid/empty body value"),
        ("fonnte", {"target": "6281234567890,6281234567891"}, "target input invalid"),
    ],
)
def test_wrong_request_is_refused_in_the_providers_words(name: str, fields: dict[str, Any], words: str) -> None:
    found = read(name, **fields)

    assert isinstance(found, Reply)
    assert words in found.content.decode()


def test_fonnte_does_not_understand_json() -> None:
    found = DIALECTS["fonnte"].read(SandboxRequest("POST", "/send", headers={"authorization": "t"}, body=b"{}"))

    assert isinstance(found, Reply)
    assert found.body["reason"] == "invalid/empty body value"


def test_what_names_an_attempt_is_read() -> None:
    named = [
        read("sandbox", correlation_id="id:1:2"),
        read("mpwa", correlation_id="id:1:2"),
        read("meta_cloud", biz_opaque_callback_data="id:1:2"),
        read("waha", id="3EB0OURS"),
    ]

    assert [one.correlation_id for one in named if isinstance(one, Submission)] == ["id:1:2", "", "id:1:2", "3EB0OURS"]
    assert isinstance(named[3], Submission)
    assert DIALECTS["waha"].new_id(named[3]) == "true_6281234567890@c.us_3EB0OURS"


def test_templates_are_read() -> None:
    parameters = [{"type": "body", "parameters": [{"type": "text", "text": "Ayu"}]}]
    template = {"name": "bill", "language": {"code": "id"}, "components": parameters}
    found = [
        read("meta_cloud", type="template", template=template),
        read("twilio", ContentSid="HX1", ContentVariables='{"1": "Ayu"}', StatusCallback="https://own/?c=1"),
    ]

    assert [(one.kind, one.message) for one in found if isinstance(one, Submission)] == [
        ("template", "bill|Ayu"),
        ("template", 'HX1|{"1": "Ayu"}'),
    ]
    assert isinstance(found[1], Submission)
    assert (found[1].callback, found[1].account) == ("https://own/?c=1", "AC123")


ANSWERS = {
    "mpwa": {"sent": (200, "3EB0AB"), "not-on-whatsapp": (400, "not registered"), "cold-refused": (500, "463")},
    "meta_cloud": {
        "sent": (200, "3EB0AB"),
        "not-on-whatsapp": (400, '"code": 131026'),
        "failed": (500, '"code": 131000'),
        "throttled": (429, '"code": 130429'),
        "unauthorized": (401, '"code": 190'),
        "disconnected": (403, '"code": 131031'),
        "cold-refused": (400, '"code": 131048'),
    },
    "twilio": {
        "sent": (201, '"sid": "3EB0AB"'),
        "not-on-whatsapp": (400, '"code": 63003'),
        "failed": (400, '"code": 30001'),
        "throttled": (429, '"code": 20429'),
        "unauthorized": (401, '"code": 20003'),
        "disconnected": (400, '"code": 63007'),
        "cold-refused": (400, '"code": 63018'),
    },
    "waha": {
        "sent": (201, '"id": "3EB0AB"'),
        "not-on-whatsapp": (422, "not registered"),
        "failed": (500, "failed to send"),
        "throttled": (429, "Too Many"),
        "unauthorized": (401, "Unauthorized"),
        "disconnected": (422, "SCAN_QR_CODE"),
        "cold-refused": (500, "server returned error 463"),
    },
    "gowa": {
        "sent": (200, '"message_id": "3EB0AB"'),
        "not-on-whatsapp": (400, "is not on whatsapp"),
        "failed": (500, "INTERNAL_SERVER_ERROR"),
        "throttled": (429, "Too Many"),
        "unauthorized": (401, "Unauthorized"),
        "disconnected": (401, "AUTHENTICATION_ERROR"),
        "cold-refused": (429, "WA_REACHOUT_TIMELOCK"),
    },
    "fonnte": {
        "sent": (200, '"id": ["3EB0AB"]'),
        "not-on-whatsapp": (200, "target invalid"),
        "failed": (200, "url unreachable"),
        "throttled": (429, "Too Many"),
        "unauthorized": (200, "token invalid"),
        "disconnected": (200, "disconnected device"),
        "cold-refused": (200, "463"),
    },
}


@pytest.mark.parametrize(
    ("name", "kind", "status", "words"),
    [(name, kind, *answer) for name, answers in ANSWERS.items() for kind, answer in answers.items()],
)
def test_decision_is_worded(name: str, kind: str, status: int, words: str) -> None:
    submission = Submission(sender="628110", number="6281234567890", message="Halo", full=True)
    decision = Decision(answered="", kind=AnswerKind(kind), seconds=4.2, until=1_800_000_000)
    reply = DIALECTS[name].render(submission, decision, "3EB0AB", 1_764_000_000)

    assert (reply.status, words in reply.content.decode()) == (status, True), reply.content
    assert reply.headers.get("Retry-After") == ("5" if kind == "throttled" else None)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("kind", [kind for kind in AnswerKind if kind is not AnswerKind.DOWN])
def test_no_decision_is_without_words(name: str, kind: AnswerKind) -> None:
    submission = Submission(sender="628110", number="6281234567890", message="Halo")

    assert DIALECTS[name].render(submission, Decision(answered="", kind=kind), "3EB0AB", 0).content


TARGET = WebhookTarget("https://host/receipts/one/x?y=z", "the-secret")


def status_report(status: Any, **more: Any) -> StatusReport:
    told = {"at": 1764000000.5, "provider_id": "3EB0AB", "number": "6281234567890", "correlation_id": "id:1:2"}
    return StatusReport(status=status, **told | more)


def written(name: str, report: Any) -> dict[str, Any]:
    call = DIALECTS[name].write(report, TARGET)
    assert call is not None
    assert call.url == TARGET.url
    return dict(parse_qsl(call.body.decode(), keep_blank_values=True)) if name == "twilio" else json.loads(call.body)


@pytest.mark.parametrize(
    ("name", "header", "algorithm", "prefix"),
    [
        ("sandbox", "X-Sandbox-Signature", "sha256", "sha256="),
        ("meta_cloud", "X-Hub-Signature-256", "sha256", "sha256="),
        ("gowa", "X-Hub-Signature-256", "sha256", "sha256="),
        ("waha", "X-Webhook-Hmac", "sha512", ""),
    ],
)
def test_webhook_is_signed_over_its_body(name: str, header: str, algorithm: str, prefix: str) -> None:
    call = DIALECTS[name].write(status_report("delivered"), TARGET)
    assert call is not None

    assert call.headers[header] == prefix + hmac.new(b"the-secret", call.body, algorithm).hexdigest()


@pytest.mark.parametrize("public_url", ["", "https://public/receipts/one/x"])
def test_twilio_signs_the_address_and_the_fields_in_their_order(public_url: str) -> None:
    target = replace(TARGET, public_url=public_url)
    call = DIALECTS["twilio"].write(status_report("delivered", account="AC1"), target)
    assert call is not None
    fields = sorted(parse_qsl(call.body.decode()))
    signed = (public_url or TARGET.url) + "".join(name + value for name, value in fields)

    assert (
        call.headers["X-Twilio-Signature"]
        == base64.b64encode(hmac.new(b"the-secret", signed.encode(), hashlib.sha1).digest()).decode()
    )
    assert dict(fields)["AccountSid"] == "AC1"


def test_statuses_in_each_dialect() -> None:
    meta = [written("meta_cloud", status_report(one))["entry"][0]["changes"][0]["value"] for one in STATUSES]
    twilio = [written("twilio", status_report(one)) for one in STATUSES]
    waha = [written("waha", status_report(one))["payload"] for one in STATUSES]
    gowa = [written("gowa", status_report(one))["payload"] for one in ("delivered", "read")]
    fonnte = [written("fonnte", status_report(one)) for one in STATUSES]

    assert [value["statuses"][0]["status"] for value in meta] == list(STATUSES)
    assert {value["statuses"][0]["biz_opaque_callback_data"] for value in meta} == {"id:1:2"}
    assert [one["code"] for one in meta[3]["statuses"][0]["errors"]] == [131026]
    assert ["contacts" in value for value in meta] == [True, True, True, False]
    assert [form["MessageStatus"] for form in twilio] == ["sent", "delivered", "read", "undelivered"]
    assert (twilio[3]["ErrorCode"], twilio[0]["To"]) == ("63024", "whatsapp:+6281234567890")
    assert [payload["ack"] for payload in waha] == [1, 2, 3, -1]
    assert [(payload["ids"], payload["receipt_type"]) for payload in gowa] == [
        (["3EB0AB"], "delivered"),
        (["3EB0AB"], "read"),
    ]
    assert [(one.get("id"), one.get("status"), one.get("state")) for one in fonnte] == [
        ("3EB0AB", "sent", "sent"),
        (None, None, "delivered"),
        (None, None, "read"),
        ("3EB0AB", "invalid", None),
    ]
    assert fonnte[0]["stateid"] == fonnte[1]["stateid"] == fonnte[2]["stateid"]


def test_failure_that_allows_another_attempt_is_worded_otherwise() -> None:
    failed = status_report("failed", is_final=False)
    status = written("meta_cloud", failed)["entry"][0]["changes"][0]["value"]["statuses"][0]

    assert status["errors"][0]["code"] == 131000
    assert written("twilio", failed)["ErrorCode"] == "30003"
    assert written("fonnte", failed)["status"] == "url unreachable"


def test_messages_of_people_in_each_dialect() -> None:
    inbound = InboundReport(number="6281234567890", text="BERHENTI & co", at=5, provider_id="3EB0CD", sender="62811")
    message = written("meta_cloud", inbound)["entry"][0]["changes"][0]["value"]["messages"][0]
    form, waha, gowa = (written(name, inbound) for name in ("twilio", "waha", "gowa"))

    assert (message["from"], message["text"]["body"]) == ("6281234567890", "BERHENTI & co")
    assert (form["From"], form["Body"], form["To"]) == ("whatsapp:+6281234567890", "BERHENTI & co", "whatsapp:+62811")
    assert (waha["event"], waha["payload"]["from"], waha["payload"]["fromMe"]) == (
        "message",
        "6281234567890@c.us",
        False,
    )
    assert (gowa["event"], gowa["payload"]["body"]) == ("message", "BERHENTI & co")
    assert written("fonnte", inbound)["sender"] == "6281234567890"
    assert written("mpwa", inbound)["device"] == "62811"


def test_states_of_the_sender_in_the_dialects_that_tell_them() -> None:
    told = {
        name: [state for state in SESSION_STATES if DIALECTS[name].write(SessionReport(state=state, at=5), TARGET)]
        for name in DIALECTS
    }

    assert told == {
        "sandbox": list(SESSION_STATES),
        "mpwa": [],
        "meta_cloud": ["connected", "banned"],
        "twilio": [],
        "waha": list(SESSION_STATES),
        "gowa": [],
        "fonnte": list(SESSION_STATES),
    }


@pytest.mark.parametrize(
    ("name", "method", "path", "ok", "disconnected"),
    [
        ("waha", "GET", "/api/sessions/default", "WORKING", "SCAN_QR_CODE"),
        ("gowa", "GET", "/app/status", '"is_connected": true', '"is_connected": false'),
        ("fonnte", "POST", "/device", '"device_status": "connect"', '"device_status": "disconnect"'),
    ],
)
def test_connection_can_be_asked_for(name: str, method: str, path: str, ok: str, disconnected: str) -> None:
    request = SandboxRequest(method, path, headers=SENDS[name][2])
    pages = [DIALECTS[name].other(request, Mode(mode)) for mode in (ModeName.OK, ModeName.DISCONNECTED)]

    assert [words in page.content.decode() for words, page in zip((ok, disconnected), pages, strict=True) if page] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/send-message", ("sandbox", "/send-message")),
        ("/dialect/waha/api/sendText", ("waha", "/api/sendText")),
        ("/dialect/mpwa", ("mpwa", "/")),
        ("/dialect/nobody/x", None),
    ],
)
def test_address_says_the_dialect(path: str, found: tuple[str, str] | None) -> None:
    dialect = dialect_at(path)

    assert (dialect and (dialect[0].name, dialect[1])) == found


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(name=st.sampled_from(list(DIALECTS)), data=st.data())
def test_no_request_is_a_surprise(name: str, data: st.DataObject) -> None:
    path, fields, headers = SENDS[name]
    drawn = data.draw(st.dictionaries(st.sampled_from([*fields, "template", "id", "recipient"]), anything, max_size=4))
    body = data.draw(st.binary(max_size=40) | st.just(request_of(name, fields | drawn, {}).body))
    told = data.draw(st.sampled_from([{}, {"authorization": "Basic !"}, headers]))
    kind = data.draw(st.sampled_from([JSON, FORM, ""]))
    dialect = DIALECTS[name]
    for method, where in (("POST", path), ("GET", "/user/check"), ("POST", "/validate"), ("GET", "/v1.0/1")):
        request = SandboxRequest(method, where, {"phone": "1"}, told | {"content-type": kind}, body)
        found = dialect.read(request)
        assert found is None or isinstance(found, Submission | Reply)
        page = dialect.other(request, Mode())
        assert page is None or page.content is not None
