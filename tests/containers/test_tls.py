"""`amqps://` with certificates on both sides, against RabbitMQ 4.3; and what is said when one of them is wrong."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from arrivals import Arrivals
from authority import Authority
from broker_with_users import broker_container, import_into
from processes import ConsumerProcess

from antrian.broker.connection import connection_parameters, open_channel
from antrian.domain.errors import BrokerRefused, BrokerUnreachable, SettingsError
from antrian.domain.settings import load_settings
from antrian.sandbox.server import SandboxServer
from publisher import Publisher
from waiting import wait_until

CONFIGURATION = """
listeners.ssl.default = 5671
ssl_options.cacertfile = /certificates/ca.pem
ssl_options.certfile = /certificates/localhost.pem
ssl_options.keyfile = /certificates/localhost.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
auth_mechanisms.1 = EXTERNAL
auth_mechanisms.2 = PLAIN
ssl_cert_login_from = common_name
"""


#: A user without a password, who comes with the certificate of that name; here it may do everything.
CONSUMER = {
    "users": [{"name": "consumer", "password_hash": "", "tags": []}],
    "permissions": [{"user": "consumer", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
}


class SecureBroker:
    """Where a broker with TLS is, and certificates for it."""

    def __init__(self, where: str, folder: Path, authority: Authority) -> None:
        self.port = where.rpartition(":")[2]
        self.folder = folder
        self.authority = authority

    def url(self, host: str = "localhost", user: str = "guest:guest@", **query: object) -> str:
        """An address; by default with everything that it takes."""
        asked = {
            "cacertfile": self.authority.certificate,
            "certfile": self.folder / "antrian.pem",
            "keyfile": self.folder / "antrian.key",
        } | query
        words = "&".join(f"{name}={value}" for name, value in asked.items() if value)
        return f"amqps://{user}{host}:{self.port}/%2F?{words}"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    folder = tmp_path_factory.mktemp("certificates")
    folder.chmod(0o755)
    authority = Authority(folder)
    authority.sign("localhost", "DNS:localhost")
    authority.sign("antrian")
    authority.sign("consumer")
    Authority(folder, "stranger").sign("unknown")
    (folder / "tls.conf").write_text(CONFIGURATION)
    (folder / "plugins").write_text("[rabbitmq_management,rabbitmq_auth_mechanism_ssl].")
    mounts = {
        folder: "/certificates",
        folder / "tls.conf": "/etc/rabbitmq/conf.d/30-tls.conf",
        folder / "plugins": "/etc/rabbitmq/enabled_plugins",
    }
    options = [word for source, target in mounts.items() for word in ("--volume", f"{source}:{target}:ro")]
    image = os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4.3-management")
    with broker_container(image, *options, port=5671) as (container, where):
        ours = SecureBroker(where, folder, authority)
        wait_until(lambda: answers(ours.url()), 90, "the broker speaks TLS")
        import_into(container, json.dumps(CONSUMER))
        yield ours


def answers(url: str) -> bool:
    try:
        with open_channel((url,), name="test"):
            return True
    except BrokerUnreachable:
        return False


def refusal(url: str) -> str:
    with pytest.raises(BrokerRefused) as raised, open_channel((url,), name="test"):
        pass
    return str(raised.value)


def test_messages_go_through_a_broker_that_asks_for_certificates(secure, namespace, tmp_path):
    with SandboxServer() as sandbox:
        variables = {
            "WHATSAPP_API_URL": sandbox.url,
            "WHATSAPP_QUEUE_NAMESPACE": namespace,
            "WHATSAPP_QUEUE_DELAY": "0.2",
            "ANTRIAN_HOME": str(tmp_path),
        }
        # The consumer is who its certificate says: no password anywhere.
        certificate = {"certfile": secure.folder / "consumer.pem", "keyfile": secure.folder / "consumer.key"}
        by_certificate = secure.url(user="", auth_mechanism="external", **certificate)
        consumer = load_settings(variables | {"AMQP_URL": by_certificate})
        publishing = load_settings(variables | {"AMQP_URL": secure.url()})
        with ConsumerProcess(consumer, tmp_path / "log"), Publisher(publishing, source="test") as publisher:
            publisher.queue_message("081234567890", "over TLS")
            assert publisher.send_message("081234567890", "urgent, over TLS", timeout=60).status == "sent"
            assert set(Arrivals(sandbox).wait_for(2, 60)) == {"over TLS", "urgent, over TLS"}


def test_a_certificate_of_an_unknown_authority_is_refused_in_one_sentence(secure):
    said = refusal(secure.url(cacertfile=secure.folder / "stranger.pem"))
    assert said.startswith(f"the certificate of the broker at localhost:{secure.port} is not trusted: ")
    assert "cacertfile" in said
    assert "\n" not in said


def test_the_systems_authorities_are_asked_where_none_is_named(secure):
    assert "is not trusted" in refusal(secure.url(cacertfile=None))


def test_another_host_than_the_certificates_is_refused_in_one_sentence(secure):
    said = refusal(secure.url(host="127.0.0.1"))
    assert "127.0.0.1" in said
    assert "mismatch" in said
    assert "server_name_indication" in said


def test_the_name_in_the_certificate_can_be_given(secure):
    with open_channel((secure.url(host="127.0.0.1", server_name_indication="localhost"),), name="test") as channel:
        assert channel.is_open


@pytest.mark.parametrize("name", [None, "unknown"])
def test_without_a_certificate_that_the_broker_trusts_we_are_refused_in_one_sentence(secure, name):
    files = {"certfile": name and secure.folder / f"{name}.pem", "keyfile": name and secure.folder / f"{name}.key"}
    said = refusal(secure.url(**files))
    assert said.startswith(f"the broker at localhost:{secure.port} refuses our certificate")
    assert "certfile" in said


def test_plain_text_to_a_tls_port_is_no_conversation(secure):
    with pytest.raises(BrokerUnreachable), open_channel((f"amqp://localhost:{secure.port}",), name="test"):
        pass


def test_tls_to_a_plain_port_is_said_in_one_sentence(broker_url, secure):
    port = broker_url.rpartition(":")[2].split("/")[0]
    url = secure.url().replace(f":{secure.port}/", f":{port}/")
    assert "does not speak TLS" in refusal(url)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"cacertfile": "/nowhere/ca.pem"}, "cacertfile /nowhere/ca.pem cannot be used: no such file"),
        ({"certfile": "/nowhere/me.pem"}, "certfile /nowhere/me.pem and keyfile"),
        ({"certfile": None}, "keyfile needs a certfile"),
        ({"verify": "verify_none"}, "an unverified broker could be an impostor"),
    ],
)
def test_what_cannot_be_used_is_a_wrong_setting(secure, query, told):
    with pytest.raises(SettingsError, match=told):
        connection_parameters((secure.url(**query),), name="test", heartbeat=10)
