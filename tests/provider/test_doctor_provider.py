"""The doctor's look at a provider's front door, over real HTTP and TLS."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from containers.authority import Authority

from antrian.doctor import provider
from antrian.doctor.finding import Severity
from antrian.domain.lanes_file import LaneDefaults, parse_lanes

DAY = 86_400.0


class _Door(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def door():
    """A server that answers a GET with its `status`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    server.status = 404
    # A client that does not trust us hangs up in the middle.
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def secure_door(door, tmp_path, monkeypatch):
    """The same with TLS, and a certificate for two days that Python's own sockets trust."""
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("localhost"))
    door.socket = context.wrap_socket(door.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    return door


def look(scheme, server):
    return provider.look("mpwa", f"{scheme}://localhost:{server.server_port}")


def test_any_answer_shows_that_the_provider_is_there_and_what_time_it_has(door):
    facts = look("http", door)
    assert (facts.trouble, facts.status, facts.certificate_ends_in) == ("", 404, None)
    # To a minute: what would go wrong is an hour, and a busy machine may stand still between its answer and our look.
    assert facts.ahead == pytest.approx(0, abs=60)


def test_a_provider_that_fails_is_there_and_not_well(door):
    door.status = 502
    assert [one.state for one in provider.check(look("http", door))] == [Severity.WARNING]


def test_a_certificate_that_nobody_trusts_is_named(secure_door):
    facts = look("https", secure_door)
    assert facts.trouble == "the provider's TLS handshake or certificate failed"


def test_the_end_of_a_certificate_is_known_in_time(secure_door):
    ends_in = provider._certificate_ends_in("localhost", secure_door.server_port)
    assert ends_in == pytest.approx(2 * DAY, abs=600)
    assert provider._certificate_ends_in("127.0.0.1", secure_door.server_port) is None, "not the name in it"


def test_a_name_that_nobody_knows_is_told():
    facts = provider.look("mpwa", "https://gateway.invalid")
    assert facts.trouble
    assert facts.where == "gateway.invalid:443"


def test_lane_without_an_address_is_looked_for_at_its_provider_s_own():
    lanes = """
        [lanes.a]
        provider = "meta_cloud"
        key = "a"
        sender = "1"
        options = { phone_number_id = "1" }
        [lanes.b]
        provider = "twilio"
        url = "http://127.0.0.1:9"
        key = "a"
        sender = "2"
        options = { account_sid = "AC1" }
        [lanes.c]
        provider = "sandbox"
    """
    settings = SimpleNamespace(
        lanes=parse_lanes(lanes.encode(), LaneDefaults(), read_secret=lambda _path: ""), sandbox_port=8089
    )

    assert {url: lane.name for url, lane in provider.addresses(settings).items()} == {
        "https://graph.facebook.com": "a",
        "http://127.0.0.1:9": "b",
        "http://127.0.0.1:8089": "c",
    }
