import pytest

from antrian.doctor import receipts
from antrian.doctor.finding import Severity
from antrian.domain.settings import load_settings

SECRET = "a-secret-of-the-tests"
TWILIO = {
    "WHATSAPP_WEBHOOK_SECRET": SECRET,
    "WHATSAPP_PROVIDER": "twilio",
    "WHATSAPP_PROVIDER_OPTIONS": "account_sid=AC1",
}


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"WHATSAPP_WEBHOOK_SECRET": SECRET}, []),
        ({}, ["no lane has a webhook secret"]),
        ({"WHATSAPP_WEBHOOK_SECRET": "changeme"}, ["is a word that everyone knows"]),
        (TWILIO, ["RECEIPTS_PUBLIC_URL is not set"]),
        (TWILIO | {"WHATSAPP_PROVIDER_OPTIONS": "", "RECEIPTS_PUBLIC_URL": "https://x"}, ["also needs account_sid"]),
        (TWILIO | {"RECEIPTS_PUBLIC_URL": "https://wa.example.com"}, []),
    ],
)
def test_what_keeps_webhooks_from_working_is_a_problem(variables, found):
    findings = list(receipts.check_settings(load_settings({"WHATSAPP_PROVIDER": "sandbox"} | variables)))
    assert [one.state for one in findings] == [Severity.PROBLEM] * len(found)
    assert all(words in one.found for words, one in zip(found, findings, strict=True))
    assert SECRET not in "".join(one.found for one in findings)


def test_a_server_that_does_not_answer_is_a_warning():
    settings = load_settings({"RECEIPTS_HOST": "0.0.0.0", "RECEIPTS_PORT": "1"})  # noqa: S104 (nobody listens)
    where, answers = receipts.look(settings)
    assert (where, answers) == ("127.0.0.1:1", False)
    assert receipts.check_server(where, answers=answers).state is Severity.WARNING
    assert receipts.check_server(where, answers=True).state is Severity.OK
