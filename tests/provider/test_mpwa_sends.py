"""The MPWA provider against the sandbox: what the consumer will see of every number and mode."""

import socket
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from antrian.domain.settings import load_settings
from antrian.providers.conformance.fault_server import read_request, serving
from antrian.providers.contract import Failed, Outgoing, SendResult, Sent
from antrian.providers.http import Timeouts
from antrian.providers.mpwa.client import MpwaProvider
from antrian.providers.registry import make_provider
from antrian.sandbox.behaviour import Mode, ModeName
from antrian.sandbox.server import SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        server.record.mode = Mode(seconds=0.5)
        yield server


def provider_for(url: str, patience: float = 60) -> MpwaProvider:
    timeouts = Timeouts(connect=60, read=patience, body=patience)
    return MpwaProvider(url, SecretStr("s3cr3t-key"), "6281100000000", timeouts=timeouts)


def send(sandbox: SandboxServer, ending: str = "7890", text: str = "Halo") -> SendResult:
    # Short where no answer comes, so that a busy machine's answer is waited for everywhere else.
    patience = 1 if ending == "9006" else 60
    return provider_for(sandbox.url, patience).send(Outgoing("id", f"+62812000{ending}", text))


def seen(result: SendResult) -> tuple[str, str]:
    return ("sent", "") if isinstance(result, Sent) else (str(result.failure_class), result.code)


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("7890", [("sent", "")]),
        ("9001", [("rejected", "not-on-whatsapp")]),
        ("9002", [("transient", "send-failed")] * 4),
        ("9003", [("transient", "send-failed")] * 2 + [("sent", "")] * 2),
        ("9004", [("throttled", "throttled"), ("sent", "")]),
        ("9005", [("sent", "")]),
        ("9006", [("uncertain", "no-answer")]),
        ("9007", [("uncertain", "connection-lost")]),
        ("9008", [("rejected", "not-on-whatsapp")]),
    ],
)
def test_simulator_numbers(sandbox: SandboxServer, ending: str, expected: list[tuple[str, str]]) -> None:
    assert [seen(send(sandbox, ending)) for _ in expected] == expected
    assert len(sandbox.record.arrivals()) == len(expected)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("ok", ("sent", "")),
        ("down", ("unavailable", "provider-down")),
        ("unauthorized", ("unavailable", "bad-credentials")),
        ("throttle", ("throttled", "throttled")),
        ("slow", ("sent", "")),
        ("disconnected", ("unavailable", "sender-disconnected")),
    ],
)
def test_modes(sandbox: SandboxServer, mode: str, expected: tuple[str, str]) -> None:
    sandbox.record.mode = Mode(ModeName(mode), 0.1)

    assert seen(send(sandbox)) == expected


def test_stranger_is_refused_until_the_stated_end(sandbox: SandboxServer) -> None:
    record = sandbox.record
    record.note_inbound("628120007891")
    record.mode = Mode(ModeName.COLD_REFUSED, until=record.now() + 600)
    refused = send(sandbox)

    assert isinstance(refused, Failed)
    assert seen(refused) == ("cold_refused", "new-contact-refused")
    assert refused.retry_after is not None
    assert 300 < refused.retry_after <= 600.1
    assert seen(send(sandbox, "7891")) == ("sent", "")


def test_answer_slower_than_our_patience_is_uncertain(sandbox: SandboxServer) -> None:
    sandbox.record.mode = Mode(ModeName.SLOW, 600)
    result = provider_for(sandbox.url, patience=1).send(Outgoing("id", "+628120007890", "Halo"))

    assert seen(result) == ("uncertain", "no-answer")


def test_throttling_says_how_long(sandbox: SandboxServer) -> None:
    sandbox.record.mode = Mode(ModeName.THROTTLE, 7)
    result = send(sandbox)

    assert isinstance(result, Failed)
    assert result.retry_after == 7.0


def test_sandbox_that_is_stopped_is_an_outage() -> None:
    with SandboxServer() as sandbox:
        pass

    assert seen(send(sandbox)) == ("unavailable", "refused")


def test_id_and_text_arrive_unchanged(sandbox: SandboxServer) -> None:
    text = 'Halo 😀\n"Budi" \\ | {x} \x00\u2028 ' + "x" * 4000
    result = send(sandbox, text=text)
    (arrival,) = sandbox.record.arrivals()

    assert result == Sent(arrival.provider_id)
    assert (arrival.submission.message, arrival.submission.number) == (text, "628120007890")


def test_longest_text_brings_its_long_answer_home(sandbox: SandboxServer) -> None:
    assert isinstance(send(sandbox, text="😀" * 65_536), Sent)


def test_settings_lead_to_the_sandbox(sandbox: SandboxServer) -> None:
    settings = load_settings({"WHATSAPP_PROVIDER": "sandbox", "WHATSAPP_API_URL": sandbox.url})
    provider = make_provider(settings.lanes.first, sandbox_port=settings.sandbox_port)
    result = provider.send(Outgoing("id", "+6281234567890", "Halo"))
    provider.close()

    assert isinstance(result, Sent)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (b'{"status": true, "data": true}', ("transient", "send-failed")),
        (b'{"status": true, "msg": false}', ("unavailable", "sender-disconnected")),
        (b"<h1>Not Found</h1>", ("transient", "send-failed")),
        (None, ("transient", "send-failed")),
    ],
)
def test_failed_send_asks_once_whether_the_sender_is_connected(check: bytes | None, expected: tuple[str, str]) -> None:
    pages: list[bytes] = []

    def panel(connection: socket.socket) -> None:
        pages.append(read_request(connection).split(b" ", 2)[1])
        body = b'{"status": false, "msg": "Failed to send message!"}' if pages[-1] == b"/send-message" else check
        if body is not None:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        connection.close()

    with serving(panel) as url:
        result = provider_for(url).send(Outgoing("id", "+6281234567890", "Halo"))

    assert seen(result) == expected
    assert pages == [b"/send-message", b"/check-number"]
