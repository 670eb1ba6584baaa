import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from antrian.sandbox.server import LARGEST_BODY, SandboxServer
from waiting import wait_until

FIELDS = {"api_key": "key", "sender": "6281100000000", "number": "6281234567890", "message": "Halo"}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def post(http: requests.Session, sandbox: SandboxServer, **fields: object) -> requests.Response:
    return http.post(f"{sandbox.url}/send-message", json=FIELDS | fields, timeout=60)


def listed(http: requests.Session, sandbox: SandboxServer) -> list[dict[str, Any]]:
    answer = http.get(f"{sandbox.url}/_sandbox/requests", timeout=60)
    assert answer.status_code == 200
    return list(answer.json())


def set_mode(http: requests.Session, sandbox: SandboxServer, **mode: object) -> requests.Response:
    return http.post(f"{sandbox.url}/_sandbox/mode", json=mode, timeout=60)


def connections(sandbox: SandboxServer) -> int:
    """How many are open; each has a thread."""
    assert sandbox._listener is not None
    return len(sandbox._listener._connections)


def raw(sandbox: SandboxServer, request: bytes) -> bytes:
    """Send bytes and read until the sandbox closes the connection."""
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_message_is_answered_and_listed(http: requests.Session, sandbox: SandboxServer) -> None:
    before = time.time()
    answer = post(http, sandbox, full=1)
    after = time.time()
    (arrival,) = listed(http, sandbox)

    assert answer.json()["data"]["key"]["id"] == arrival["provider_id"]
    assert before - 0.01 <= arrival["at"] <= after + 0.01
    assert {name: arrival[name] for name in ("number", "message", "sender", "answered")} == {
        "number": "6281234567890",
        "message": "Halo",
        "sender": "6281100000000",
        "answered": "sent",
    }


def test_key_is_nowhere_in_the_list(http: requests.Session, sandbox: SandboxServer) -> None:
    post(http, sandbox, api_key="s3cr3t-key")

    assert "s3cr3t-key" not in json.dumps(listed(http, sandbox))


def test_form_is_accepted_as_mpwa_accepts_it(http: requests.Session, sandbox: SandboxServer) -> None:
    answer = http.post(f"{sandbox.url}/send-message", data=FIELDS, timeout=60)

    assert answer.json() == {"status": True, "msg": "Message sent successfully!"}


def test_list_is_emptied(http: requests.Session, sandbox: SandboxServer) -> None:
    post(http, sandbox)
    answer = http.delete(f"{sandbox.url}/_sandbox/requests", timeout=60)

    assert (answer.json(), listed(http, sandbox)) == ({"removed": 1}, [])


def test_fifty_clients_at_once_are_listed_in_order_of_arrival(http: requests.Session, sandbox: SandboxServer) -> None:
    together = threading.Barrier(50)

    def send_four(client: int) -> list[int]:
        with requests.Session() as session:
            session.trust_env = False
            together.wait(60)
            return [post(session, sandbox, message=f"{client}/{turn}").status_code for turn in range(4)]

    with ThreadPoolExecutor(50) as clients:
        statuses = [status for answered in clients.map(send_four, range(50)) for status in answered]
    arrivals = listed(http, sandbox)
    times = [arrival["at"] for arrival in arrivals]

    assert statuses == [200] * 200
    assert len({arrival["message"] for arrival in arrivals}) == 200
    assert times == sorted(times)
    for client in range(50):
        own = [arrival["message"] for arrival in arrivals if arrival["message"].startswith(f"{client}/")]
        assert own == [f"{client}/{turn}" for turn in range(4)]


@pytest.mark.parametrize("mode", ["ok", "down", "unauthorized", "throttle", "slow", "disconnected"])
def test_mode_is_set_and_told(http: requests.Session, sandbox: SandboxServer, mode: str) -> None:
    answer = set_mode(http, sandbox, mode=mode, seconds=1.5)
    told = http.get(f"{sandbox.url}/_sandbox/mode", timeout=60)

    assert (answer.status_code, answer.json()) == (200, {"mode": mode, "seconds": 1.5})
    assert told.json() == answer.json()


def test_unknown_mode_is_explained_and_changes_nothing(http: requests.Session, sandbox: SandboxServer) -> None:
    answer = set_mode(http, sandbox, mode="fast")

    assert (answer.status_code, answer.json()["error"][:24]) == (400, "The mode must be one of:")
    assert post(http, sandbox).status_code == 200


def test_provider_that_is_down_has_no_body_of_its_own(http: requests.Session, sandbox: SandboxServer) -> None:
    set_mode(http, sandbox, mode="down")
    answers = [post(http, sandbox), post(http, sandbox, number="")]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert all(answer.headers["Content-Type"] == "text/html" for answer in answers)
    assert [arrival["answered"] for arrival in listed(http, sandbox)] == ["unavailable"]


def test_control_works_whatever_the_mode(http: requests.Session, sandbox: SandboxServer) -> None:
    for mode in ("down", "unauthorized", "throttle", "slow", "disconnected"):
        set_mode(http, sandbox, mode=mode, seconds=3600)
        assert http.get(f"{sandbox.url}/healthz", timeout=60).json() == {"status": "ok"}
        assert listed(http, sandbox) == []


def test_person_who_writes_first_is_no_stranger(http: requests.Session, sandbox: SandboxServer) -> None:
    told = set_mode(http, sandbox, mode="cold-refused", **{"for": 3600}).json()
    before = post(http, sandbox)
    wrote = http.post(
        f"{sandbox.url}/_sandbox/inbound", json={"number": "+62 812-3456-7890", "text": "Halo"}, timeout=60
    )
    wrong = http.post(f"{sandbox.url}/_sandbox/inbound", json={"text": "Halo"}, timeout=60)

    assert told["until"] > time.time()
    assert (before.status_code, before.json()["reachoutTimeLock"]["isActive"]) == (500, True)
    assert wrote.json() == {"number": "6281234567890", "known": True, "forwarded": False}
    assert (wrong.status_code, post(http, sandbox).status_code) == (400, 200)
    assert http.delete(f"{sandbox.url}/_sandbox/contacts", timeout=60).json() == {"forgotten": 1}


def test_slow_takes_its_time(http: requests.Session, sandbox: SandboxServer) -> None:
    set_mode(http, sandbox, mode="slow", seconds=0.3)
    start = time.monotonic()
    answer = post(http, sandbox)

    assert (answer.status_code, time.monotonic() - start >= 0.3) == (200, True)


def test_message_is_listed_before_its_answer_is_given(http: requests.Session, sandbox: SandboxServer) -> None:
    set_mode(http, sandbox, mode="ok", seconds=3600)
    with pytest.raises(requests.ReadTimeout):
        http.post(f"{sandbox.url}/send-message", json=FIELDS | {"number": "628120009005"}, timeout=0.2)

    wait_until(lambda: listed(http, sandbox), timeout=10, what="the message is listed")
    assert [arrival["answered"] for arrival in listed(http, sandbox)] == ["sent"]


@pytest.mark.parametrize("ending", ["9005", "9006"])
def test_thread_of_a_client_that_left_ends(http: requests.Session, sandbox: SandboxServer, ending: str) -> None:
    set_mode(http, sandbox, mode="ok", seconds=3600)
    http.close()
    http.headers["Connection"] = "close"
    with pytest.raises(requests.ReadTimeout):
        http.post(f"{sandbox.url}/send-message", json=FIELDS | {"number": f"62812000{ending}"}, timeout=0.2)

    wait_until(lambda: not connections(sandbox), timeout=3, what="the handler's thread has ended")


def test_stopping_ends_silent_connections_too(http: requests.Session) -> None:
    sandbox = SandboxServer().start()
    with ThreadPoolExecutor(1) as clients:
        waiting = clients.submit(post, http, sandbox, number="628120009006")
        wait_until(lambda: sandbox.record.arrivals() != [], timeout=3, what="the message has arrived")
        sandbox.stop()
        error = waiting.exception(60)

    assert isinstance(error, requests.ConnectionError)
    wait_until(lambda: not connections(sandbox), timeout=3, what="the handler's thread has ended")


def test_dropped_connection_was_recorded(http: requests.Session, sandbox: SandboxServer) -> None:
    with pytest.raises(requests.ConnectionError):
        post(http, sandbox, number="628120009007")

    assert [arrival["answered"] for arrival in listed(http, sandbox)] == ["dropped"]


@pytest.mark.parametrize(
    ("data", "msg"),
    [
        (b"", "Invalid parameters!"),
        (b"{", "Invalid parameters!"),
        (b"[]", "Invalid parameters!"),
        (b"[" * 100_000, "Invalid parameters!"),
        (b"\xff\xfe", "Invalid parameters!"),
        (b"{}", "Invalid api_key or sender,please check again"),
        (b"{" + b" " * (LARGEST_BODY + 1) + b"}", "Invalid parameters!"),
        (b"{" + b" " * (12 * LARGEST_BODY) + b"}", "Invalid parameters!"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_body_gets_mpwas_answer(http: requests.Session, sandbox: SandboxServer, data: bytes, msg: str) -> None:
    answer = http.post(f"{sandbox.url}/send-message", data=data, timeout=60)

    assert (answer.status_code, answer.json()) == (400, {"status": False, "msg": msg})


@pytest.mark.parametrize(
    "header",
    [b"Content-Length: -5", b"Content-Length: x", b"Content-Length: " + b"9" * 5000, b"Transfer-Encoding: chunked"],
)
def test_bad_framing_gets_mpwas_answer(sandbox: SandboxServer, header: bytes) -> None:
    answer = raw(sandbox, b"POST /send-message HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\nabc")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"status": false, "msg": "Invalid parameters!"}')


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"\r\n",
        b"garbage\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"POST /send-message HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
    ],
)
def test_half_a_request_does_no_harm(
    http: requests.Session, sandbox: SandboxServer, request_bytes: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    raw(sandbox, request_bytes)

    assert post(http, sandbox).status_code == 200
    assert capfd.readouterr().err == ""


def test_unknown_page_is_explained(http: requests.Session, sandbox: SandboxServer) -> None:
    answer = http.post(f"{sandbox.url}/send-media", json={}, timeout=60)

    assert (answer.status_code, "POST /send-message" in answer.json()["error"]) == (404, True)


def test_kept_connection_serves_many_requests(http: requests.Session, sandbox: SandboxServer) -> None:
    for _ in range(5):
        post(http, sandbox)

    assert connections(sandbox) == 1


def test_busy_port_is_an_os_error() -> None:
    with SandboxServer() as first, pytest.raises(OSError, match="in use"):
        SandboxServer(port=int(first.url.rsplit(":", 1)[1])).start()


def test_stopping_twice_or_unstarted_is_allowed() -> None:
    server = SandboxServer()
    server.stop()
    server.start()
    server.stop()
    server.stop()
