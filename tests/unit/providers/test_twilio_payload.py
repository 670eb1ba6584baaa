import json
from typing import Any

import pytest

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.providers.contract import Failed, Outgoing
from antrian.providers.twilio.payload import LONGEST_TEXT, TwilioOptions, form_of, sender_of

NOW = 1_796_000_000.0
OPEN = NOW + 1
PLAIN = TwilioOptions("whatsapp:+628114040707")
WITH_TEMPLATE = TwilioOptions("whatsapp:+628114040707", content_sid="HX0a", content_variable="1")


def outgoing(text: str = "Halo", recipient: str = "+6281234567890", **more: Any) -> Outgoing:
    return Outgoing("id", recipient, text, **more)


def asked(options: TwilioOptions = PLAIN, **message: Any) -> dict[str, str]:
    form = form_of(outgoing(**message), options, NOW)
    assert isinstance(form, dict), form
    return form


def refused(options: TwilioOptions = PLAIN, **message: Any) -> str:
    form = form_of(outgoing(**message), options, NOW)
    assert isinstance(form, Failed), form
    assert form.failure_class is FailureClass.REJECTED
    return form.code


def test_text_within_the_window_is_a_body() -> None:
    assert asked(text="Halo\nBudi", window_until=OPEN) == {
        "To": "whatsapp:+6281234567890",
        "From": "whatsapp:+628114040707",
        "Body": "Halo\nBudi",
    }


@pytest.mark.parametrize("window_until", [None, NOW - 1, NOW])
def test_outside_the_window_nothing_is_sent_without_a_template(window_until: float | None) -> None:
    assert refused(window_until=window_until) == "needs-template"
    # The template would go out without the text.
    assert refused(TwilioOptions("whatsapp:+62", content_sid="HX0a")) == "needs-template"


def test_template_of_the_lane_carries_the_text_on_one_line() -> None:
    form = asked(WITH_TEMPLATE, text="Yth. Budi,\n\tbayar     ya é")

    assert "Body" not in form
    assert form["ContentSid"] == "HX0a"
    assert json.loads(form["ContentVariables"]) == {"1": "Yth. Budi, bayar ya é"}
    assert "ContentSid" not in asked(WITH_TEMPLATE, window_until=OPEN)


@pytest.mark.parametrize(
    ("template", "variables"),
    [
        ({"content_sid": "HX9", "name": "otp", "parameters": ["4411", 17]}, {"1": "4411", "2": "17"}),
        ({"name": "HX9", "parameters": {"code": "4411"}}, {"code": "4411"}),
        ({"name": "HX9"}, None),
    ],
)
def test_template_of_the_message_wins_over_the_lanes(
    template: dict[str, object], variables: dict[str, str] | None
) -> None:
    form = asked(WITH_TEMPLATE, metadata={"whatsapp_template": template})

    assert form["ContentSid"] == "HX9"
    assert json.loads(form.get("ContentVariables", "null")) == variables


@pytest.mark.parametrize(
    "template", ["HX9", {}, {"name": "otp"}, {"name": "HX9", "parameters": [""]}, {"name": "HX9", "parameters": 7}]
)
def test_unusable_template_of_a_message_is_refused(template: Any) -> None:
    assert refused(WITH_TEMPLATE, metadata={"whatsapp_template": template}) == "bad-template"


def test_what_twilio_would_refuse_for_sure_is_not_sent() -> None:
    assert refused(text="x" * (LONGEST_TEXT + 1), window_until=OPEN) == "too-long"
    assert refused(text="Halo \ud83d", window_until=OPEN) == "not-unicode"
    assert refused(WITH_TEMPLATE, text=" \n") == "bad-template"
    assert refused(recipient="6281234567890", window_until=OPEN) == "bad-recipient"


def test_person_without_a_number_is_named_by_metas_id() -> None:
    assert asked(recipient="", bsuid="ID.1349", window_until=OPEN)["To"] == "whatsapp:ID.1349"


@pytest.mark.parametrize("written", ["628114040707", "+62 811-4040-707", "whatsapp:+628114040707"])
def test_sender_may_be_written_in_any_way(written: str) -> None:
    assert sender_of(written) == "whatsapp:+628114040707"


def test_options_are_the_lanes() -> None:
    options = (("messaging_service_sid", "MG1"), ("status_callback", "https://r.example/x"))
    form = asked(TwilioOptions.of(Lane(name="a", sender="628114040707", options=options)), window_until=OPEN)

    assert form["From"] == "whatsapp:+628114040707"
    assert (form["MessagingServiceSid"], form["StatusCallback"]) == ("MG1", "https://r.example/x")
