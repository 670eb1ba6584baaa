"""The provider of Twilio against a server that answers as Twilio does."""

import base64
import json
import socket
import time
from urllib.parse import parse_qs

import pytest

from antrian.domain.settings import load_settings
from antrian.providers.conformance.fault_server import answer_with, read_request, serving
from antrian.providers.contract import Failed, Outgoing, Provider, SendResult, Sent
from antrian.providers.registry import make_provider

KEY = "s3cr3t-auth-token"
OUTGOING = Outgoing("id", "+6281234567890", "Kode OTP 4411 é", window_until=time.time() + 3600)


def provider_for(url: str, options: str = "account_sid=AC0a") -> Provider:
    settings = load_settings(
        {
            "WHATSAPP_PROVIDER": "twilio",
            "WHATSAPP_API_URL": url,
            "WHATSAPP_API_KEY": KEY,
            "WHATSAPP_SENDER": "628114040707",
            "WHATSAPP_PROVIDER_OPTIONS": options,
        }
    )
    return make_provider(settings.lanes.first, sandbox_port=0)


def answered(status: str, body: object, options: str = "account_sid=AC0a") -> tuple[SendResult, bytes, Provider]:
    """What becomes of a send that is answered so, and the request that it made."""
    requests: list[bytes] = []
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def fault(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(content), content))
        connection.close()

    with serving(fault) as url:
        provider = provider_for(url, options)
        result = provider.send(OUTGOING)
    return result, requests[0], provider


@pytest.mark.parametrize(
    ("options", "user"), [("account_sid=AC0a", "AC0a"), ("account_sid=AC0a,api_key_sid=SK0b", "SK0b")]
)
def test_message_is_handed_over_as_a_form_with_the_key(options: str, user: str) -> None:
    result, request, provider = answered("201 Created", {"sid": "SM0a", "status": "queued"}, options)
    head, _, body = request.partition(b"\r\n\r\n")
    login = base64.b64encode(f"{user}:{KEY}".encode())

    assert result == Sent("SM0a")
    assert head.startswith(b"POST /2010-04-01/Accounts/AC0a/Messages.json HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Basic " + login + b"\r\n" in head
    assert parse_qs(body.decode()) == {
        "To": ["whatsapp:+6281234567890"],
        "From": ["whatsapp:+628114040707"],
        "Body": ["Kode OTP 4411 é"],
    }
    assert provider.echoed_id("id:0:1") == ""
    assert (provider.name, provider.patience) == ("twilio", 30.0)
    assert KEY not in repr(vars(provider))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        ("400 Bad Request", {"code": 63016, "message": KEY}, ("rejected", "outside-window")),
        ("401 Unauthorized", {"code": 20003, "message": "Authenticate"}, ("unavailable", "bad-credentials")),
        ("429 Too Many", {"code": 20429, "message": "x"}, ("throttled", "throttled")),
        ("500 Oops", b"<html>", ("uncertain", "gateway-error")),
    ],
)
def test_failures(status: str, body: object, expected: tuple[str, str]) -> None:
    result, _, _ = answered(status, body)

    assert isinstance(result, Failed)
    assert (str(result.failure_class), result.code) == expected
    assert KEY not in result.detail


def test_connection_that_breaks_after_the_request_is_uncertain() -> None:
    with serving(answer_with(b"")) as url:
        result = provider_for(url).send(OUTGOING)

    assert isinstance(result, Failed)
    assert (str(result.failure_class), result.code) == ("uncertain", "connection-lost")
