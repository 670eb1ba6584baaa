import pytest

from antrian.broker.connection import connection_parameters
from antrian.domain.errors import SettingsError


def parameters(url: str):
    [one] = connection_parameters((url,), name="test", heartbeat=10)
    return one


def test_without_tls_nothing_changes():
    assert parameters("amqp://guest:guest@host/%2F").ssl_options is None


def test_with_tls_the_name_and_the_chain_are_checked():
    options = parameters("amqps://guest:guest@rabbit.example.org/%2F").ssl_options
    assert options.server_hostname == "rabbit.example.org"
    assert options.context.check_hostname


def test_our_words_and_the_librarys_go_together():
    one = parameters(
        "amqps://rabbit/%2F?heartbeat=7&server_name_indication=other&auth_mechanism=EXTERNAL&verify=verify_peer"
    )
    assert one.heartbeat == 7
    assert one.ssl_options.server_hostname == "other"
    assert type(one.credentials).__name__ == "ExternalCredentials"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("verify=verify_none", "an unverified broker could be an impostor"),
        ("cacertfile=/nowhere/ca.pem", "cacertfile /nowhere/ca.pem cannot be used: no such file"),
        ("certfile=/nowhere/me.pem&keyfile=/nowhere/me.key", "certfile /nowhere/me.pem and keyfile /nowhere/me.key"),
        ("keyfile=/nowhere/me.key", "keyfile needs a certfile"),
        ("no_such_word=1", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_a_wrong_setting(query, told):
    with pytest.raises(SettingsError, match=told):
        parameters(f"amqps://rabbit/%2F?{query}")


def test_a_file_that_is_no_certificate_is_a_wrong_setting(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(SettingsError, match=r"cacertfile .* cannot be used: "):
        parameters(f"amqps://rabbit/%2F?cacertfile={file}")
