import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antrian.broker.node.ports import free_port
from antrian.domain.failure_class import FailureClass
from antrian.providers.conformance.fault_server import (
    Fault,
    answer_with,
    drip,
    read_request,
    reset,
    serving,
    stall_after,
)
from antrian.providers.contract import Failed
from antrian.providers.http import ANSWER_LIMIT, Answer, Timeouts, post_json

#: For what never comes, and for what surely comes, however busy the machine is.
SHORT, PATIENT = Timeouts(connect=0.3, read=0.3, body=0.3), Timeouts(connect=60, read=60, body=60)
PAYLOAD = {"message": "Halo"}


def http(body: bytes = b"{}", status: str = "200 OK", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status.encode(), len(body), headers, body)


def outcome(url: str, timeouts: Timeouts = PATIENT) -> tuple[FailureClass, str]:
    result = post_json(url, PAYLOAD, timeouts)
    assert isinstance(result, Failed)
    assert result.detail
    return result.failure_class, result.code


def test_refused_connection_is_an_outage() -> None:
    assert outcome(f"http://127.0.0.1:{free_port()}") == (FailureClass.UNAVAILABLE, "refused")


def test_unknown_host_is_an_outage() -> None:
    assert outcome("http://host.invalid", PATIENT) == (FailureClass.UNAVAILABLE, "unknown-host")


def test_connection_that_is_never_accepted_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        address = listener.getsockname()
        # The kernel completes as many handshakes as the backlog holds; those after them wait.
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.settimeout(0)
            client.connect_ex(address)
        assert outcome(f"http://127.0.0.1:{address[1]}", SHORT) == (FailureClass.UNAVAILABLE, "connect-timeout")


def test_tls_handshake_that_fails_is_an_outage() -> None:
    with serving(lambda connection: connection.sendall(b"220 this is no TLS\r\n")) as url:
        assert outcome(url.replace("http:", "https:")) == (FailureClass.UNAVAILABLE, "tls")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(reset, "connection-lost", id="reset after the request was read"),
        pytest.param(answer_with(b""), "connection-lost", id="closed after the request was read"),
        pytest.param(stall_after(b""), "no-answer", id="no answer in time"),
        pytest.param(stall_after(b"HTTP/1.1 200 OK\r\nContent-"), "no-answer", id="headers stall"),
        pytest.param(stall_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), "no-answer", id="body never comes"),
        pytest.param(stall_after(http(b"{}" * 9)[:-3]), "no-answer", id="body stalls"),
        pytest.param(answer_with(http(b"{}" * 9)[:-3]), "connection-lost", id="body cut short"),
        pytest.param(
            answer_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "connection-lost",
            id="bad chunk",
        ),
        pytest.param(
            answer_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
            "connection-lost",
            id="chunk cut short",
        ),
        pytest.param(answer_with(b"SSH-2.0-OpenSSH\r\n"), "connection-lost", id="another protocol"),
        pytest.param(
            answer_with(http(b"no gzip", headers=b"Content-Encoding: gzip\r\n")),
            "connection-lost",
            id="bad compression",
        ),
        pytest.param(drip, "no-answer", id="dripping body"),
    ],
)
def test_fault_after_the_request_left_is_uncertain(fault: Fault, code: str) -> None:
    with serving(fault) as url:
        assert outcome(url, SHORT if code == "no-answer" else PATIENT) == (FailureClass.UNCERTAIN, code)


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "502 Bad Gateway", "503 Unavailable", "999 What"])
def test_every_status_is_an_answer(status: str) -> None:
    with serving(answer_with(http(b'{"a": 1}', status))) as url:
        assert post_json(url, PAYLOAD, PATIENT) == Answer(int(status[:3]), b'{"a": 1}')


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_redirect_is_not_followed(status: str) -> None:
    requests: list[bytes] = []

    def fault(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(http(b"", status, headers=b"Location: /elsewhere\r\nConnection: close\r\n"))
        connection.close()

    with serving(fault) as url:
        assert post_json(url, PAYLOAD, PATIENT) == Answer(int(status[:3]), b"")
    assert len(requests) == 1


def test_retry_after_is_read() -> None:
    with serving(answer_with(http(status="429 Slow", headers=b"Retry-After: 7\r\n"))) as url:
        assert post_json(url, PAYLOAD, PATIENT) == Answer(429, b"{}", 7.0)


def test_huge_answer_is_cut_and_not_waited_for() -> None:
    with serving(stall_after(http(b"x" * (3 * ANSWER_LIMIT))[: 2 * ANSWER_LIMIT])) as url:
        answer = post_json(url, PAYLOAD, PATIENT)

    assert isinstance(answer, Answer)
    assert len(answer.body) == ANSWER_LIMIT


def test_every_send_has_a_connection_of_its_own_and_says_so() -> None:
    peers: list[tuple[str, int]] = []
    heads: list[bytes] = []

    def fault(connection: socket.socket) -> None:
        peers.append(connection.getpeername())
        heads.append(read_request(connection))
        connection.sendall(http())
        while connection.recv(65536):
            pass
        connection.close()

    with serving(fault) as url:
        for _ in range(3):
            assert isinstance(post_json(url, PAYLOAD, PATIENT), Answer)
    assert len(set(peers)) == 3
    assert all(b"\r\nConnection: close\r\n" in head for head in heads)


def test_request_is_json_with_its_length() -> None:
    requests: list[bytes] = []

    def fault(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(http())
        connection.close()

    with serving(fault) as url:
        post_json(f"{url}/send-message", {"message": "Halo 😀"}, PATIENT)
    head, _, body = requests[0].partition(b"\r\n\r\n")

    assert head.startswith(b"POST /send-message HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert json.loads(body) == {"message": "Halo 😀"}


def test_environment_s_proxy_is_not_asked_about_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with serving(answer_with(http())) as url:
        assert post_json(url, PAYLOAD, PATIENT) == Answer(200, b"{}")


def test_proxy_that_is_down_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")

    assert outcome("http://provider.invalid") == (FailureClass.UNAVAILABLE, "proxy")


status_lines = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 400\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 100 Go\r\n\r\n"]
)
header_lines = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 5\r\n",
            b"Content-Length: -1\r\n",
            b"Content-Length: 5, 6\r\n",
            b"Content-Length: \xd9\xa5\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Content-Encoding: gzip\r\n",
            b"Content-Encoding: deflate, br\r\n",
            b"Retry-After: \xff\r\n",
            b"Location: http://[\r\n",
            b"Set-Cookie: \x00=\xff; Domain=[\r\n",
            b": no name\r\n",
        ]
    )
    | st.binary(max_size=20),
    max_size=4,
).map(b"".join)


@pytest.fixture(scope="module")
def garbage_server() -> Iterator[tuple[str, list[bytes]]]:
    answers: list[bytes] = [b""]

    def fault(connection: socket.socket) -> None:
        answer_with(answers[0])(connection)

    with serving(fault) as url:
        yield url, answers


@settings(max_examples=300, deadline=None)
@given(start=status_lines | st.binary(max_size=40), headers=header_lines, body=st.binary(max_size=30))
def test_no_garbage_raises(garbage_server: tuple[str, list[bytes]], start: bytes, headers: bytes, body: bytes) -> None:
    url, answers = garbage_server
    answers[0] = start + headers + b"\r\n" + body

    result = post_json(url, PAYLOAD, PATIENT)

    # The whole request was read before the garbage came: nobody may say that it surely was not sent.
    assert isinstance(result, Answer) or result.failure_class is FailureClass.UNCERTAIN
