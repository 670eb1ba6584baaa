"""The provider of Meta's Cloud API against a server that answers as Meta does."""

import json
import socket
import time

import pytest

from antrian.domain.settings import load_settings
from antrian.providers.conformance.fault_server import answer_with, read_request, serving
from antrian.providers.contract import Failed, Outgoing, Provider, SendResult, Sent
from antrian.providers.registry import make_provider

TOKEN = "EAAG-s3cr3t"
OUTGOING = Outgoing("id", "+6281234567890", "Kode OTP 4411", correlation_id="id:0:1", window_until=time.time() + 3600)


def provider_for(url: str, **more: str) -> Provider:
    settings = load_settings(
        {
            "WHATSAPP_PROVIDER": "meta_cloud",
            "WHATSAPP_API_URL": url,
            "WHATSAPP_API_KEY": TOKEN,
            "WHATSAPP_SENDER": "628114040707",
            "WHATSAPP_PROVIDER_OPTIONS": "phone_number_id=1066,api_version=v25.0,verify_token=kata",
            **more,
        }
    )
    return make_provider(settings.lanes.first, sandbox_port=0)


def answered(status: str, body: object) -> tuple[SendResult, bytes, Provider]:
    """What becomes of a send that is answered so, and the request that it made."""
    requests: list[bytes] = []
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def fault(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(content), content))
        connection.close()

    with serving(fault) as url:
        provider = provider_for(url)
        result = provider.send(OUTGOING)
    return result, requests[0], provider


def test_message_is_handed_over_with_the_token_and_our_id() -> None:
    result, request, provider = answered("200 OK", {"messages": [{"id": "wamid.A"}]})
    head, _, body = request.partition(b"\r\n\r\n")

    assert result == Sent("wamid.A")
    assert head.startswith(b"POST /v25.0/1066/messages HTTP/1.1\r\n")
    assert f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() in head
    assert json.loads(body)["biz_opaque_callback_data"] == "id:0:1"
    assert provider.echoed_id("id:0:1") == "id:0:1"
    assert (provider.name, provider.patience) == ("meta_cloud", 30.0)
    assert TOKEN not in repr(vars(provider))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        ("400 Bad Request", {"error": {"code": 131047, "message": "x"}}, ("rejected", "outside-window")),
        ("401 Unauthorized", {"error": {"code": 190, "message": TOKEN}}, ("unavailable", "bad-credentials")),
        ("429 Slow", {"error": {"code": 130429, "message": "x"}}, ("throttled", "throughput")),
        ("400 Bad Request", {"error": {"code": 131056, "message": "x"}}, ("recipient_busy", "pair-rate")),
        ("500 Oops", {"error": {"code": 131000, "message": "x"}}, ("transient", "something-went-wrong")),
        ("502 Bad Gateway", b"<html>", ("uncertain", "gateway-error")),
        ("302 Found", b"", ("unavailable", "redirected")),
    ],
)
def test_failures(status: str, body: object, expected: tuple[str, str]) -> None:
    result, _, _ = answered(status, body)

    assert isinstance(result, Failed)
    assert (str(result.failure_class), result.code) == expected
    assert TOKEN not in result.detail


def test_connection_that_breaks_after_the_request_is_uncertain() -> None:
    with serving(answer_with(b"")) as url:
        result = provider_for(url).send(OUTGOING)

    assert isinstance(result, Failed)
    assert (str(result.failure_class), result.code) == ("uncertain", "connection-lost")


def test_message_that_needs_a_template_makes_no_request() -> None:
    # Any request would end as unavailable: nothing can listen on port 0.
    result = provider_for("http://127.0.0.1:0").send(Outgoing("id", "+6281234567890", "Halo"))

    assert isinstance(result, Failed)
    assert (str(result.failure_class), result.code) == ("rejected", "needs-template")


def test_key_that_no_header_can_hold_is_a_wrong_key() -> None:
    result = provider_for("http://127.0.0.1:0", WHATSAPP_API_KEY="kunci\nrahasia é").send(OUTGOING)

    assert isinstance(result, Failed)
    assert (str(result.failure_class), result.code) == ("unavailable", "bad-credentials")
