"""Meta's webhooks, in the shapes of its manual and of what clients of it captured."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import (
    AccountNotice,
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    ReceiptStatus,
    UnreadableReport,
    reported,
)
from antrian.providers.receipt_readers import READERS
from antrian.providers.webhook import WebhookRequest

READER = READERS["meta_cloud"]
LANE = Lane(
    name="default",
    provider="meta_cloud",
    sender="628114040707",
    options=(("phone_number_id", "1066"), ("verify_token", "kata-rahasia")),
)
SECRETS = ["old app secret", "new app secret"]
METADATA = {"display_phone_number": "628114040707", "phone_number_id": "1066"}
PERSON = "6281234567890"
SENT = {"id": "wamid.A", "status": "sent", "timestamp": "1749416383", "recipient_id": PERSON}


def posted(body: bytes, signature: str = "") -> WebhookRequest:
    return WebhookRequest("POST", "https://r.example/receipts/default/x", (), {"x-hub-signature-256": signature}, body)


def signed(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def change(value: object, field: str = "messages") -> bytes:
    changes = [{"field": field, "value": value}]
    entry = [{"id": "102290129340398", "time": 1749416400, "changes": changes}]
    return json.dumps({"object": "whatsapp_business_account", "entry": entry}).encode()


def read(body: bytes) -> list[ProviderEvent]:
    return list(READER.read(posted(body), LANE, 0.0))


def told(field: str = "messages", **value: object) -> list[ProviderEvent]:
    return read(change({"messaging_product": "whatsapp", "metadata": METADATA, **value}, field))


def status(**more: object) -> ProviderEvent:
    (event,) = told(statuses=[SENT | more])
    return event


def message(**more: Any) -> ProviderEvent:
    base = {"from": PERSON, "id": "wamid.I", "timestamp": "1749416383"}
    (event,) = told(contacts=[{"wa_id": PERSON}], messages=[base | more])
    return event


@pytest.mark.parametrize("secret", SECRETS)
def test_body_signed_with_any_of_the_secrets_is_metas(secret: str) -> None:
    body = b'{"entry": "\\u00e9"}'

    assert READER.verify(posted(body, signed(body, secret)), SECRETS, LANE, 0.0)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        signed(b"{}", "another secret"),
        signed(b"{} ", SECRETS[0]),
        signed(b"{}", SECRETS[0]).removeprefix("sha256="),
        signed(b"{}", SECRETS[0]).replace("sha256=", "sha1="),
        signed(b"{}", SECRETS[0])[:-1],
        "sha256=\udcff",
    ],
)
def test_forged_signature_is_refused(signature: str) -> None:
    assert not READER.verify(posted(b"{}", signature), SECRETS, LANE, 0.0)
    assert not READER.verify(posted(b"{}", signed(b"{}", "")), ["", *SECRETS], LANE, 0.0)
    assert not READER.verify(posted(b"{}", signed(b"{}", SECRETS[0])), [], LANE, 0.0)


def asked(*query: tuple[str, str], lane: Lane = LANE) -> str | None:
    return READER.challenge(WebhookRequest("GET", "https://r.example/", query, {}, b""), SECRETS, lane)


def test_challenge_is_answered_to_who_knows_the_word() -> None:
    mode, word, number = (
        ("hub.mode", "subscribe"),
        ("hub.verify_token", "kata-rahasia"),
        ("hub.challenge", "1158201444"),
    )

    assert asked(mode, number, word) == "1158201444"
    assert asked(mode, number, ("hub.verify_token", "kata-rahasi")) is None
    assert asked(mode, number) is None
    assert asked(("hub.mode", "unsubscribe"), number, word) is None
    assert asked(mode, word) is None
    assert asked(mode, word, ("hub.challenge", "<script> ")) is None
    assert asked(mode, number, ("hub.verify_token", ""), lane=Lane(name="default")) is None


@pytest.mark.parametrize("word", ["sent", "delivered", "read"])
def test_status_names_the_message_by_both_ids(word: str) -> None:
    assert status(status=word, biz_opaque_callback_data="id:0:1") == DeliveryReceipt(
        status=ReceiptStatus(word),
        at=1749416383.0,
        provider_id="wamid.A",
        correlation_id="id:0:1",
        recipient=f"+{PERSON}",
    )


def test_voice_message_that_was_played_is_read() -> None:
    assert isinstance(event := status(status="played"), DeliveryReceipt)
    assert event.status is ReceiptStatus.READ


def test_status_without_a_number_names_the_person_by_metas_id() -> None:
    (event,) = told(statuses=[{"id": "w", "status": "read", "recipient_user_id": "ID.1349"}])

    assert event == DeliveryReceipt(status=ReceiptStatus.READ, provider_id="w", recipient="ID.1349")


@pytest.mark.parametrize(
    ("code", "failure_class", "own"),
    [
        (131026, FailureClass.REJECTED, "undeliverable"),
        (131047, FailureClass.REJECTED, "outside-window"),
        (130472, FailureClass.REJECTED, "recipient-in-experiment"),
        (131000, FailureClass.TRANSIENT, "something-went-wrong"),
        (131042, FailureClass.TRANSIENT, "payment-problem"),
        (130429, FailureClass.TRANSIENT, "throughput"),
        (131056, FailureClass.TRANSIENT, "pair-rate"),
        (999_999, FailureClass.REJECTED, "unrecognised"),
    ],
)
@pytest.mark.parametrize("is_shared", [False, True])
def test_failed_message_has_its_class_from_the_table_of_answers(
    *, code: int, failure_class: FailureClass, own: str, is_shared: bool
) -> None:
    errors = [{"code": code, "title": "Title", "error_data": {"details": f"No way to {PERSON}"}}]
    failed = {"id": "wamid.A", "status": "failed", "timestamp": "1749416383"}
    value: dict[str, object] = (
        {"statuses": [failed], "errors": errors} if is_shared else {"statuses": [failed | {"errors": errors}]}
    )
    (event,) = told(**value)

    assert isinstance(event, DeliveryReceipt)
    assert (event.status, event.failure_class, event.code) == (ReceiptStatus.FAILED, failure_class, own)
    assert event.detail.endswith("Title No way to …")


def test_failed_message_without_a_reason_is_given_up() -> None:
    event = status(status="failed")

    assert isinstance(event, DeliveryReceipt)
    assert (event.failure_class, event.code, bool(event.detail)) == (FailureClass.REJECTED, "unrecognised", True)


def test_one_bad_part_hides_no_other() -> None:
    events = told(
        statuses=[SENT, None, {"status": "sent"}, SENT | {"status": "flown"}, SENT | {"timestamp": "soon"}],
        messages=[7, {"type": "text"}],
        errors=[{"code": 131031, "message": "Account locked"}, "?"],
    )

    assert [type(event) for event in events] == [
        *(DeliveryReceipt, UnreadableReport, UnreadableReport, UnreadableReport, DeliveryReceipt),
        *(UnreadableReport, UnreadableReport),
        *(AccountNotice, AccountNotice),
    ]
    assert isinstance(events[4], DeliveryReceipt)
    assert events[4].at is None
    assert events[7] == AccountNotice(
        kind="error", detail="Account locked", at=1749416400.0, values={"code": 131031, "meaning": "account-locked"}
    )


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        ({"type": "text", "text": {"body": "Halo \ud83d"}}, "text", "Halo ?"),
        ({"type": "button", "button": {"payload": "P", "text": "Ya"}}, "button", "Ya"),
        ({"type": "interactive", "interactive": {"button_reply": {"id": "1", "title": "Ya"}}}, "button", "Ya"),
        ({"type": "interactive", "interactive": {"list_reply": {"id": "1", "title": "Dua"}}}, "button", "Dua"),
        ({"type": "interactive", "interactive": {"nfm_reply": {}}}, "interactive", ""),
        ({"type": "image", "image": {"id": "1", "caption": "Foto"}}, "image", ""),
        ({"type": "reaction", "reaction": {"emoji": "x"}}, "reaction", ""),
        ({"type": "text", "text": None}, "text", ""),
        ({"type": "<b>"}, "unknown", ""),
        ({}, "unknown", ""),
    ],
)
def test_message_of_a_person(content: dict[str, object], kind: str, text: str) -> None:
    assert message(**content) == InboundMessage(
        recipient=f"+{PERSON}", provider_id="wamid.I", at=1749416383.0, text=text, kind=kind
    )


def test_message_without_a_number_is_from_metas_id_and_one_with_both_links_them() -> None:
    hidden = message(**{"from": None}, from_user_id="ID.1349", type="text", text={"body": "Halo"})
    both = message(from_user_id="ID.1349", type="text", text={"body": "Halo"})

    assert isinstance(hidden, InboundMessage)
    assert isinstance(both, InboundMessage)
    assert (hidden.recipient, both.recipient) == ("ID.1349", f"+{PERSON}")
    assert hidden.identities == both.identities == {"bsuid": "ID.1349"}


def test_what_no_person_wrote_is_no_message() -> None:
    changed = {"body": "User changed", "user_id": "MX.09", "previous_user_id": "CO.12", "type": "user_changed_user_id"}

    assert message(type="system", system=changed) == AccountNotice(
        kind="contact-changed",
        detail="a recipient's number or id changed",
        at=1749416383.0,
        values={"type": "user_changed_user_id", "from": PERSON, "user_id": "MX.09", "previous_user_id": "CO.12"},
    )
    assert isinstance(message(type="request_welcome"), AccountNotice)
    assert isinstance(message(type="text", text={"body": "Halo"}, group_id="G"), UnreadableReport)


@pytest.mark.parametrize(("word", "wanted"), [("stop", "stop"), ("resume", "start")])
def test_preference_is_about_marketing_only(word: str, wanted: str) -> None:
    preference = {"wa_id": PERSON, "category": "marketing_messages", "value": word, "timestamp": 1731705721}
    (event,) = told("user_preferences", user_preferences=[preference])

    assert event == InboundMessage(
        recipient=f"+{PERSON}", at=1731705721.0, kind="marketing_messages", preference=wanted
    )


def test_change_of_an_id_is_told() -> None:
    update = {"wa_id": PERSON, "user_id": "ID.2", "previous_user_id": "ID.1"}
    events = [*told("user_id_update", user_id_update=[update]), *told("user_id_update", **update)]

    assert [event.values for event in events if isinstance(event, AccountNotice)] == [update, update]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("phone_number_quality_update", {"display_phone_number": "628114040707", "event": "FLAGGED"}, "quality"),
        ("business_capability_update", {"max_daily_conversations_per_business": 2000}, "capability"),
        (
            "account_update",
            {
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [
                    {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1641330498}
                ],
            },
            "restriction",
        ),
        ("account_update", {"event": "ACCOUNT_RECONNECTED"}, "account"),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}, "restriction"),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}, "account"),
        ("account_alerts", {"alert_severity": "CRITICAL", "alert_type": "OBA_APPROVED"}, "alert"),
        ("message_template_status_update", {"event": "PAUSED", "message_template_name": "info"}, "template"),
        ("message_template_quality_update", {"new_quality_score": "RED"}, "template"),
    ],
)
def test_notice_about_the_account(field: str, value: dict[str, object], kind: str) -> None:
    (event,) = read(change(value, field))

    assert isinstance(event, AccountNotice)
    assert (event.kind, event.at, event.values) == (kind, 1749416400.0, value)
    assert event.detail.startswith(field)


def test_large_notice_is_cut() -> None:
    (event,) = read(change({"event": "x" * 5000}, "account_alerts"))

    assert isinstance(event, AccountNotice)
    assert len(event.values["beginning"]) == 2000
    assert event.detail == "account_alerts"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"object": "page", "entry": []}',
        b"[" * 100_000,
        b'{"object": "whatsapp_business_account"}',
        b'{"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages"}]}]}',
        change({"metadata": METADATA}, "calls"),
        change({"metadata": METADATA}, "messages"),
        change({"metadata": METADATA, "statuses": [], "messages": []}, "messages"),
        b'{"object": "whatsapp_business_account", "entry": []}',
        b'{"object": "whatsapp_business_account", "entry": [{"changes": []}]}',
        change({"metadata": METADATA | {"phone_number_id": "1067"}, "statuses": [SENT]}),
        change({"metadata": None, "statuses": [SENT]}),
        change({"display_phone_number": "15550783881", "event": "FLAGGED"}, "phone_number_quality_update"),
    ],
)
def test_what_cannot_be_read_or_is_not_the_lanes_is_kept(body: bytes) -> None:
    (event,) = read(body)

    assert isinstance(event, UnreadableReport)
    assert event.reason
    assert len(event.raw) <= 2000


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["sent", "failed", "text", "system", "1066", PERSON, "stop", "1e999", "account_update"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "status",
                    "timestamp",
                    "errors",
                    "code",
                    "from",
                    "from_user_id",
                    "type",
                    "text",
                    "body",
                    "system",
                    "wa_id",
                    "value",
                    "category",
                    "metadata",
                    "phone_number_id",
                    "event",
                    "error_data",
                    "details",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
webhooks = st.builds(
    lambda field, value: change({"metadata": METADATA} | value, field),
    st.sampled_from(["messages", "user_preferences", "user_id_update", "account_update", "security", "calls"]),
    st.dictionaries(
        st.sampled_from(["statuses", "messages", "errors", "user_preferences", "metadata", "event"]), values, max_size=4
    ),
)


@given(body=st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()) | webhooks)
def test_any_body_is_read_and_what_it_tells_can_be_written_down(body: bytes) -> None:
    events = read(body)

    assert events
    for event in events:
        reported(event, lane="default", provider="meta_cloud", sender="6281", at=0.0, source="test").encode()
    READER.verify(posted(body, "sha256=" + body.hex()), SECRETS, LANE, 0.0)
