import json
from typing import Any

import pytest

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.providers.contract import Failed, Outgoing
from antrian.providers.meta_cloud.payload import LONGEST_TEXT, MetaOptions, payload_of
from antrian.providers.template import private_texts

NOW = 1_796_000_000.0
NUMBER = "+6281234567890"
OPEN = NOW + 1
CODE_TEMPLATE = {"name": "otp", "language": "en_US", "parameters": ["4411"], "buttons": ["4411"]}


def asked(options: MetaOptions | None = None, **message: Any) -> dict[str, Any]:
    payload = payload_of(outgoing(**message), options or MetaOptions(), NOW)
    assert isinstance(payload, dict), payload
    return payload


def refused(options: MetaOptions | None = None, **message: Any) -> str:
    payload = payload_of(outgoing(**message), options or MetaOptions(), NOW)
    assert isinstance(payload, Failed), payload
    assert payload.failure_class is FailureClass.REJECTED
    assert NUMBER.removeprefix("+") not in payload.detail
    return payload.code


def outgoing(text: str = "Halo", recipient: str = NUMBER, **more: Any) -> Outgoing:
    return Outgoing("id", recipient, text, **more)


def test_text_within_the_window_is_a_text_with_our_id() -> None:
    assert asked(window_until=OPEN, correlation_id="id:0:1") == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": NUMBER,
        "type": "text",
        "text": {"body": "Halo", "preview_url": False},
        "biz_opaque_callback_data": "id:0:1",
    }


@pytest.mark.parametrize("window_until", [None, 0.0, NOW - 1, NOW])
def test_outside_the_window_nothing_is_sent_without_a_template(window_until: float | None) -> None:
    assert refused(window_until=window_until) == "needs-template"


def test_templates_and_direct_send_are_for_outside_the_window_only() -> None:
    options = MetaOptions(template="info", direct_send="utility", ttl=60)
    payload = asked(options, window_until=OPEN, metadata={"whatsapp_template": CODE_TEMPLATE})

    assert payload["type"] == "text"
    assert not {"template", "category", "ttl_seconds"} & set(payload)


def test_template_of_the_lane_carries_the_text_on_one_line() -> None:
    payload = asked(MetaOptions(template="info"), text="Yth. Budi,\r\n\n\tbayar     di sini\u2028ya \n")

    assert payload["template"] == {
        "name": "info",
        "language": {"code": "id"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Yth. Budi, bayar di sini ya"}]}],
    }


@pytest.mark.parametrize("written", [CODE_TEMPLATE, json.dumps(CODE_TEMPLATE)])
def test_template_of_the_message_wins_over_the_lanes(written: object) -> None:
    payload = asked(MetaOptions(template="info", direct_send="utility"), metadata={"whatsapp_template": written})

    assert payload["template"] == {
        "name": "otp",
        "language": {"code": "en_US"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "4411"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "4411"}]},
        ],
    }


def test_template_s_parameters_may_be_none_or_named_or_numbers() -> None:
    without = asked(MetaOptions(template_language="en"), metadata={"whatsapp_template": {"name": "hello"}})
    named = asked(metadata={"whatsapp_template": {"name": "due", "parameters": {"name": "Budi", "sum": 17}}})

    assert without["template"] == {"name": "hello", "language": {"code": "en"}}
    assert named["template"]["components"][0]["parameters"] == [
        {"type": "text", "text": "Budi", "parameter_name": "name"},
        {"type": "text", "text": "17", "parameter_name": "sum"},
    ]


@pytest.mark.parametrize(
    "template",
    [
        "hello",
        {},
        {"name": "No Spaces"},
        {"name": "../x"},
        {"name": "ok", "language": "Bahasa Indonesia"},
        "{",
        "[]",
        7,
        {"name": "ok", "parameters": "Budi"},
        {"name": "ok", "parameters": [""]},
        {"name": "ok", "parameters": [" \n"]},
        {"name": "ok", "parameters": [None]},
        {"name": "ok", "parameters": [["a"]]},
        {"name": "ok", "parameters": ["half \ud83d"]},
        {"name": "ok", "parameters": ["x"] * 101},
        {"name": "ok", "parameters": {"not a name": "x"}},
        {"name": "ok", "buttons": [None]},
    ],
)
def test_unusable_template_of_a_message_is_refused(template: object) -> None:
    assert refused(MetaOptions(template="info"), metadata={"whatsapp_template": template}) == "bad-template"


def test_empty_parameter_of_the_lanes_template_is_refused() -> None:
    assert refused(MetaOptions(template="info"), text=" \n") == "bad-template"


@pytest.mark.parametrize(
    ("category", "ttl", "sent"), [("utility", 43_200, 43_200), ("authentication", 43_200, 900), ("utility", None, None)]
)
def test_direct_send_is_a_text_with_a_category(category: str, ttl: int | None, sent: int | None) -> None:
    payload = asked(MetaOptions(direct_send=category, ttl=ttl), text="a\nb")

    assert (payload["type"], payload["text"]["body"], payload["category"]) == ("text", "a\nb", category)
    assert payload.get("ttl_seconds") == sent


@pytest.mark.parametrize(
    ("recipient", "bsuid", "expected"),
    [
        (NUMBER, "ID.13491208655302741918", {"to": NUMBER}),
        ("", "ID.13491208655302741918", {"recipient": "ID.13491208655302741918"}),
        ("ID.ENT.1349", "", {"recipient": "ID.ENT.1349"}),
    ],
)
def test_phone_number_wins_over_the_id_that_meta_gives_people(
    recipient: str, bsuid: str, expected: dict[str, str]
) -> None:
    payload = asked(recipient=recipient, bsuid=bsuid, window_until=OPEN)

    assert {name: payload[name] for name in ("to", "recipient") if name in payload} == expected


@pytest.mark.parametrize("recipient", ["6281234567890", "+62812|+62813", "", "12345@g.us", "+٦٢٨١١١٢٢", "ID.", "id.1"])
def test_recipient_must_be_one_person(recipient: str) -> None:
    assert refused(recipient=recipient, window_until=OPEN) == "bad-recipient"


def test_code_is_not_sent_to_someone_without_a_number() -> None:
    assert refused(MetaOptions(direct_send="authentication"), recipient="", bsuid="ID.1") == "needs-phone"


def test_what_meta_would_refuse_for_sure_is_not_sent() -> None:
    assert refused(text="x" * (LONGEST_TEXT + 1), window_until=OPEN) == "too-long"
    assert refused(text="x" * (LONGEST_TEXT + 1), options=MetaOptions(direct_send="utility")) == "too-long"
    assert refused(text="Halo \ud83d", window_until=OPEN) == "not-unicode"
    assert "biz_opaque_callback_data" not in asked(window_until=OPEN, correlation_id="x" * 513)


def test_parameters_count_as_private() -> None:
    written = json.dumps({"parameters": ["Budi\n1"], "buttons": [7]})
    message = outgoing("a\nb", bsuid="ID.1", metadata={"whatsapp_template": written})

    assert set(private_texts(message)) >= {"a\nb", "a b", "6281234567890", "ID.1", "Budi 1", "7"}


def test_options_are_the_lanes() -> None:
    options = (("template", "info"), ("template_language", "en"), ("direct_send", "utility"), ("ttl", "60"))

    assert MetaOptions.of(Lane(name="a")) == MetaOptions()
    assert MetaOptions.of(Lane(name="a", options=options)) == MetaOptions("info", "en", "utility", 60)
