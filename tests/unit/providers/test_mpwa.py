import pytest
from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing
from antrian.providers.mpwa.client import MpwaProvider
from antrian.providers.mpwa.payload import message_fields, refuse


def outgoing(text: str = "Halo", recipient: str = "+6281234567890") -> Outgoing:
    return Outgoing("id", recipient, text)


@pytest.mark.parametrize(
    "text",
    [
        "{Halo|Hai} Budi",
        "pilih {a|b|c}",
        "a {x {b|c} y}",
        "nomor {number}",
        "{NUMBER}",
        "{random_text}",
        "{Random_Num}",
        "{|}",
    ],
)
def test_text_that_mpwa_would_alter_is_refused(text: str) -> None:
    refusal = refuse(outgoing(text))

    assert refusal is not None
    assert (refusal.failure_class, refusal.code) == (FailureClass.REJECTED, "spintax")


@pytest.mark.parametrize("text", ["Halo", "a|b", "{Budi}", '{"total": 5}', "{}", "} a|b {", "{a}|{b}", "😀 {nama}"])
def test_text_that_mpwa_leaves_alone_is_not_refused(text: str) -> None:
    assert refuse(outgoing(text)) is None


@pytest.mark.parametrize(
    "recipient", ["6281234567890", "+62812|+62813", "+62 812", "", "+6281x", "12345@g.us", "+٦٢٨١١١٢٢"]
)
def test_recipient_must_be_one_number(recipient: str) -> None:
    refusal = refuse(outgoing(recipient=recipient))

    assert refusal is not None
    assert (refusal.failure_class, refusal.code) == (FailureClass.REJECTED, "bad-recipient")


def test_half_a_surrogate_pair_is_refused() -> None:
    refusal = refuse(outgoing("Halo \ud83d"))

    assert refusal is not None
    assert (refusal.failure_class, refusal.code) == (FailureClass.REJECTED, "not-unicode")


def test_refusal_makes_no_http_call() -> None:
    # Any call would end as UNAVAILABLE: nothing can listen on port 0.
    provider = MpwaProvider("http://127.0.0.1:0", SecretStr("key"), "6281100000000")

    assert provider.send(outgoing("{a|b}")) == refuse(outgoing("{a|b}"))


def test_many_open_braces_are_read_in_no_time() -> None:
    assert refuse(outgoing("{" + "|" * 60_000)) is None
    assert refuse(outgoing("{|" * 30_000)) is None


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://a b/", "ftp://host", "http://" + "x" * 300 + "/", "http://host:99999"]
)
def test_address_that_is_none_is_an_outage_and_no_exception(url: str) -> None:
    result = MpwaProvider(url, SecretStr("key"), "6281100000000").send(outgoing())

    assert isinstance(result, Failed)
    assert (result.failure_class, result.code) == (FailureClass.UNAVAILABLE, "bad-address")


def test_key_is_not_shown_by_repr() -> None:
    provider = MpwaProvider("http://127.0.0.1:0", SecretStr("s3cr3t"), "6281100000000")

    assert "s3cr3t" not in repr(vars(provider))


def test_our_name_for_an_attempt_is_given_to_the_sandbox_alone() -> None:
    assert message_fields(outgoing(), "m:0:1")["correlation_id"] == "m:0:1"
    assert message_fields(outgoing()) == {"number": "6281234567890", "message": "Halo", "full": 1}
